//! `lineclear registry serve` for one test.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// A registry that runs; it is killed when this is dropped.
pub(crate) struct Served {
    child: Child,
    pub(crate) address: String,
}

/// A folder for data, made for one test.
pub(crate) fn folder() -> TempDir {
    tempfile::Builder::new().prefix("lineclear-registry-").tempdir().expect("a temporary folder")
}

pub(crate) fn registry(data: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(lineclear_testkit::binary());
    command.arg("registry").args(args).arg("--data").arg(data).stdin(Stdio::null()).env("LC_ALL", "C.UTF-8");
    command
}

impl Served {
    /// For whoever comes.
    pub(crate) fn open(data: &Path) -> Self {
        Self::with(data, &["--anonymous"])
    }

    pub(crate) fn with(data: &Path, args: &[&str]) -> Self {
        let mut all = vec!["serve", "--listen", "127.0.0.1:0"];
        all.extend(args);
        let mut child = registry(data, &all).stdout(Stdio::piped()).spawn().expect("the binary is built");
        let mut line = String::new();
        let mut said = BufReader::new(child.stdout.take().expect("a pipe"));
        said.read_line(&mut line).expect("it says where it listens");
        let address = line.strip_prefix("the registry listens on ").and_then(|rest| rest.split(';').next());
        let address = address.unwrap_or_else(|| panic!("it does not listen: {line:?}")).to_owned();
        Self { child, address }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn image(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }

    /// As by `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// The most memory that the process had at once, in bytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux says it");
        line.trim().trim_end_matches(" kB").trim().parse::<u64>().expect("a number") * 1024
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ended_before = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a client; anything but success fails the test with what it said.
pub(crate) fn client(program: &str, args: &[&str], env: &[(&str, &Path)]) -> String {
    let (ok, said) = try_client(program, args, env);
    assert!(ok, "`{program} {}` failed:\n{said}", args.join(" "));
    said
}

pub(crate) fn try_client(program: &str, args: &[&str], env: &[(&str, &Path)]) -> (bool, String) {
    let mut command = Command::new(program);
    command.args(args).envs(env.iter().copied()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn();
    let mut child = child.unwrap_or_else(|error| {
        panic!("there is no `{program}` ({error}): `cargo xtask components` installs what tests need")
    });
    let mut errors = child.stderr.take().expect("a pipe");
    let errors = std::thread::spawn(move || {
        let mut text = Vec::new();
        errors.read_to_end(&mut text).expect("it can be read");
        text
    });
    let mut text = Vec::new();
    child.stdout.take().expect("a pipe").read_to_end(&mut text).expect("it can be read");
    let status = child.wait().expect("it ends");
    text.extend(errors.join().expect("it is read"));
    (status.success(), String::from_utf8_lossy(&text).into_owned())
}

/// An OCI layout with one image of one small layer, made without an engine.
pub(crate) fn layout(folder: &Path, seed: &str) -> PathBuf {
    use lineclear_oci::{Descriptor, Digest, IndexParts, ManifestParts, MediaType};
    let place = folder.join(format!("layout-{seed}"));
    let blobs = place.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).expect("a folder");
    let keep = |bytes: &[u8]| std::fs::write(blobs.join(Digest::of(bytes).hex()), bytes).expect("a file");
    let layer = tar(&format!("{seed}.txt"), seed.as_bytes());
    let diff = Digest::of(&layer);
    let config = format!(
        "{{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{{\"Cmd\":[\"/bin/true\"]}},\
         \"rootfs\":{{\"type\":\"layers\",\"diff_ids\":[\"{diff}\"]}}}}"
    );
    keep(&layer);
    keep(config.as_bytes());
    let layers = vec![Descriptor::of(MediaType::OciLayer, &layer)];
    let manifest = ManifestParts::new(Descriptor::of(MediaType::OciConfig, config.as_bytes()), layers).write();
    keep(manifest.raw());
    let mut entry = Descriptor::of(MediaType::OciManifest, manifest.raw());
    entry.annotations.insert("org.opencontainers.image.ref.name".into(), "1".into());
    std::fs::write(place.join("index.json"), IndexParts::new(vec![entry]).write().raw()).expect("a file");
    std::fs::write(place.join("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}").expect("a file");
    place
}

/// A tar archive with one file.
fn tar(name: &str, content: &[u8]) -> Vec<u8> {
    let mut header = [0_u8; 512];
    let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000644\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{:011o}\0", content.len()));
    put(136, "00000000000\0");
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\0");
    put(263, "00");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut archive = header.to_vec();
    archive.extend(content);
    archive.resize(archive.len().div_ceil(512) * 512 + 1024, 0);
    archive
}
