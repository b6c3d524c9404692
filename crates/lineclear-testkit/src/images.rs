//! The container engine, images and registries that tests use, all of this machine: nothing is fetched from anywhere.
//!
//! [`busybox`] names a small image with a shell, made once per machine; [`registry`] starts a real registry of the test's own.
//! An engine is shared by all tests of a machine: what a test makes in it carries a name of its own and is removed by it.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::thread::JoinHandle;

use sha2::{Digest as _, Sha256};

/// How to get what is missing; ends the message of a test that lacks it.
const ADVICE: &str = "`cargo xtask components` installs what tests need, and `cargo xtask unit` starts the engine";

/// Demands that a container engine answers, with Docker's command line in front of it, and gives its version.
///
/// A test without one fails and says what to do: it is never skipped.
pub fn ensure_engine() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| docker(&["version", "--format", "{{.Server.Version}}"]).trim().to_owned())
}

/// Runs the `docker` command and gives what it says on standard output; anything but success fails the test.
pub fn docker(args: &[&str]) -> String {
    let output = Command::new("docker").args(args).stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("there is no `docker` command ({error}): {ADVICE}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "`docker {}` failed: {}\n{ADVICE}", args.join(" "), errors.trim());
    String::from_utf8(output.stdout).expect("docker speaks UTF-8")
}

/// The name of an image with a static busybox: `sh` and all applets, a user `worker` (uid 1000), 2 MB, one layer.
///
/// It is made by the first test of the machine that asks and stays for the next ones; its tag is the hash of what is in it.
pub fn busybox() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        ensure_engine();
        let program =
            fs::read("/bin/busybox").unwrap_or_else(|error| panic!("there is no /bin/busybox ({error}): {ADVICE}"));
        let hash = Sha256::new_with_prefix(BUSYBOX_ROOT).chain_update(&program).finalize();
        let tag: String = hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        let name = format!("lineclear-test/busybox:{tag}");
        made_once(&name, |folder| busybox_root(folder, &program));
        name
    })
}

/// What the image holds beside busybox, so that a change of it changes the tag.
const BUSYBOX_ROOT: &str = "\
root:x:0:0:root:/root:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/bin/false
worker:x:1000:1000:worker:/home/worker:/bin/sh
";

fn busybox_root(root: &Path, program: &[u8]) {
    for folder in ["bin", "dev", "etc", "home/worker", "proc", "root", "sys", "tmp", "usr/bin", "var/tmp"] {
        fs::create_dir_all(root.join(folder)).expect("a folder of the image");
    }
    for shared in ["tmp", "var/tmp"] {
        fs::set_permissions(root.join(shared), fs::Permissions::from_mode(0o1777)).expect("permissions");
    }
    fs::write(root.join("etc/passwd"), BUSYBOX_ROOT).expect("a file of the image");
    fs::write(root.join("etc/group"), "root:x:0:\nnogroup:x:65534:\nworker:x:1000:\n").expect("a file of the image");
    fs::write(root.join("bin/busybox"), program).expect("the program");
    fs::set_permissions(root.join("bin/busybox"), fs::Permissions::from_mode(0o755)).expect("permissions");
    let applets = Command::new("/bin/busybox").arg("--list").output().expect("busybox runs");
    for applet in String::from_utf8_lossy(&applets.stdout).lines().filter(|applet| *applet != "busybox") {
        symlink("busybox", root.join("bin").join(applet)).expect("a link in the image");
    }
    // Scripts ask for it there.
    symlink("/bin/env", root.join("usr/bin/env")).expect("a link in the image");
}

/// Makes the image `name` from the folder that `fill` fills, unless the engine has it: one process makes it, others wait.
fn made_once(name: &str, fill: impl FnOnce(&Path)) {
    let is_there = || {
        let mut inspect = Command::new("docker");
        inspect.args(["image", "inspect", name]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        inspect.status().is_ok_and(|status| status.success())
    };
    if is_there() {
        return;
    }
    let file = std::env::temp_dir().join(format!("{}.lock", name.replace(['/', ':'], "-")));
    let lock = File::create(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    lock.lock().expect("the lock of the image");
    if is_there() {
        return;
    }
    let root = tempfile::tempdir().expect("a temporary folder");
    fill(root.path());
    let mut tar = Command::new("tar")
        .args(["--create", "--owner=0", "--group=0", "--numeric-owner", "--sort=name", "--mtime=@0", "--directory"])
        .arg(root.path())
        .arg(".")
        .stdout(Stdio::piped())
        .spawn()
        .expect("tar starts");
    let import = Command::new("docker")
        .args(["import", "--change", "CMD [\"sh\"]", "--change", "ENV PATH=/usr/bin:/bin", "-", name])
        .stdin(tar.stdout.take().expect("a pipe"))
        .output()
        .expect("docker starts");
    assert!(import.status.success(), "docker import: {}", String::from_utf8_lossy(&import.stderr));
    assert!(tar.wait().expect("tar ends").success(), "tar packs the image");
}

/// The name of an image made from Debian packages, as the script of the example `taskboard` makes them: `python:3.11-slim`,
/// `node:18-slim`, `postgres:15`, `redis:7`, `nginx:1.22`, `debian:bookworm`.
///
/// They are made once per machine, which takes about a minute; where [`busybox`] does, take that.
pub fn debian(image: &str) -> String {
    static PREFIX: OnceLock<String> = OnceLock::new();
    let prefix = PREFIX.get_or_init(|| {
        ensure_engine();
        let script = crate::examples().join("taskboard/images/build.sh");
        let output = Command::new(script).stdin(Stdio::null()).output().expect("the script starts");
        assert!(output.status.success(), "images/build.sh: {}\n{ADVICE}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("a name").trim().to_owned()
    });
    format!("{prefix}{image}")
}

/// The user that [`registry_with_login`] knows.
pub const USER: &str = "tester";

/// The password of [`USER`].
pub const PASSWORD: &str = "not-a-secret-of-anyone";

/// [`USER`] and [`PASSWORD`] as the registry wants them, hashed with bcrypt.
const HTPASSWD: &str = "tester:$2b$05$abcdefghijklmnopqrstuuBwr/QZoDhzsINL8dYG0gK//rVlHxwP.\n";

/// A real registry, Docker's own, empty, on a free port of loopback: anyone may read, write and delete.
pub fn registry() -> Registry {
    Registry::start(Login::None)
}

/// The same, for [`USER`] with [`PASSWORD`] alone.
pub fn registry_with_login() -> Registry {
    Registry::start(Login::Basic)
}

enum Login {
    None,
    Basic,
}

/// A registry that runs; it ends, with all it keeps, when this is dropped.
#[derive(Debug)]
pub struct Registry {
    child: Child,
    address: String,
    folder: tempfile::TempDir,
    /// Reads its log to the end, so that it never waits for a reader.
    log: Option<JoinHandle<()>>,
    lines: std::sync::Arc<Mutex<Vec<String>>>,
}

impl Registry {
    fn start(login: Login) -> Self {
        let folder = tempfile::Builder::new().prefix("lineclear-registry-").tempdir().expect("a temporary folder");
        let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        let auth = match login {
            Login::None => String::new(),
            Login::Basic => {
                fs::write(at("htpasswd"), HTPASSWD).expect("the users' file");
                format!("auth:\n  htpasswd:\n    realm: tests\n    path: {}\n", at("htpasswd"))
            }
        };
        let config = format!(
            "version: 0.1\nlog:\n  level: info\n  formatter: text\nstorage:\n  filesystem:\n    rootdirectory: {}\n  \
             delete:\n    enabled: true\nhttp:\n  addr: 127.0.0.1:0\n  secret: only-for-tests\n{auth}",
            at("data")
        );
        fs::write(at("config.yml"), config).expect("the settings");
        let mut child = Command::new("docker-registry")
            .args(["serve", &at("config.yml")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("there is no `docker-registry` ({error}): {ADVICE}"));
        let mut log = BufReader::new(child.stderr.take().expect("a pipe"));
        // It asks the system for a free port, and says which one it got as soon as it listens.
        let mut said = String::new();
        let address = loop {
            let mut line = String::new();
            let read = log.read_line(&mut line).expect("the registry's log");
            if read == 0 {
                let _ = child.kill();
                let _ = child.wait();
                panic!("the registry does not start:\n{said}");
            }
            said.push_str(&line);
            if let Some((_, rest)) = line.split_once("listening on ") {
                let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.' && letter != ':');
                break rest[..end.unwrap_or(rest.len())].to_owned();
            }
        };
        let lines = std::sync::Arc::new(Mutex::new(Vec::new()));
        let kept = std::sync::Arc::clone(&lines);
        let log = std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                kept.lock().expect("nobody panics while holding it").push(line);
            }
        });
        Self { child, address, folder, log: Some(log), lines }
    }

    /// `127.0.0.1:PORT`, as it stands in an image's name.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Where its blobs and manifests are, as files.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// What it has written to its log since it listens: requests it answered, among others.
    pub fn log(&self) -> Vec<String> {
        self.lines.lock().expect("nobody panics while holding it").clone()
    }

    /// The number of its process, for tests that stop or kill it.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // It may have ended by itself, or by the test.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(log) = self.log.take() {
            let _ = log.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_image_has_a_shell_and_is_made_once() {
        let first = busybox();
        let created = docker(&["image", "inspect", "--format", "{{.Id}}", first]);
        let said =
            docker(&["run", "--rm", "--network=none", "--user=worker", first, "sh", "-c", "id -u; env | grep PATH"]);
        assert_eq!(said, "1000\nPATH=/usr/bin:/bin\n");
        assert_eq!(docker(&["image", "inspect", "--format", "{{.Id}}", busybox()]), created);
    }

    #[test]
    fn images_of_debian_packages_have_their_programs() {
        let version = |image: &str, program: &[&str]| {
            let name = debian(image);
            docker(&[&["run", "--rm", "--network=none", &name], program].concat())
        };
        assert!(version("python:3.11-slim", &["python", "--version"]).starts_with("Python 3.11."));
        assert!(version("node:18-slim", &["node", "--version"]).starts_with("v18."));
        assert!(version("postgres:15", &["psql", "--version"]).contains(" 15."));
    }

    #[test]
    fn a_registry_takes_an_image_and_ends_with_its_test() {
        let registry = registry();
        let address = registry.address().to_owned();
        let name = format!("{address}/some/name:1");
        docker(&["tag", busybox(), &name]);
        let pushed = docker(&["push", &name]);
        docker(&["rmi", &name]);
        assert!(pushed.contains("digest: sha256:"), "{pushed}");
        assert!(registry.data().join("docker/registry/v2/repositories/some/name").is_dir());
        assert!(registry.log().iter().any(|line| line.contains("some/name")));
        drop(registry);
        assert!(std::net::TcpStream::connect(&address).is_err(), "nobody listens any more");
    }

    #[test]
    fn a_registry_with_login_knows_its_user_alone() {
        let registry = registry_with_login();
        let status = |login: &[&str]| {
            let url = format!("http://{}/v2/", registry.address());
            let mut curl = Command::new("curl");
            curl.args(["-s", "-o", "/dev/null", "-w", "%{http_code}"]).args(login).arg(url);
            String::from_utf8(curl.output().expect("curl starts").stdout).expect("digits")
        };
        assert_eq!(status(&[]), "401");
        assert_eq!(status(&["-u", "tester:other"]), "401");
        assert_eq!(status(&["-u", &format!("{USER}:{PASSWORD}")]), "200");
    }
}
