//! Layers stream: however large they are, the memory is the same. A process of its own, so that nothing else is measured.

use std::io::Read;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lineclear_oci::{Algorithm, Descriptor, Hasher, MediaType, Reference};
use lineclear_registry::{BlobOutcome, Client, ClientSettings};

/// How much more memory a transfer may need than there was before it, in bytes.
const MOST: u64 = 48 << 20;

struct Registry {
    process: Child,
    _folder: tempfile::TempDir,
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _reaped = self.process.wait();
    }
}

fn registry(client: &Client) -> (Registry, Reference) {
    let folder = tempfile::tempdir().expect("a folder");
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
    let text = format!(
        "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: '127.0.0.1:{port}'}}\n",
        folder.path().join("data").display()
    );
    std::fs::write(folder.path().join("config.yml"), text).expect("written");
    let process = Command::new("docker-registry")
        .arg("serve")
        .arg(folder.path().join("config.yml"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the tests need `docker-registry`: install the package docker-registry");
    let registry = Registry { process, _folder: folder };
    let place: Reference = format!("127.0.0.1:{port}/large").parse().expect("a reference");
    let started = Instant::now();
    while client.ping(place.registry()).is_err() {
        assert!(started.elapsed() < Duration::from_secs(60), "docker-registry does not answer");
    }
    (registry, place)
}

/// So many bytes that can be read from anywhere, and never are in memory.
#[derive(Clone, Copy)]
struct Synthetic {
    position: u64,
    length: u64,
}

impl Read for Synthetic {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let left = usize::try_from(self.length - self.position).unwrap_or(usize::MAX).min(into.len());
        for (offset, byte) in into[..left].iter_mut().enumerate() {
            *byte = ((self.position + offset as u64) >> 9) as u8;
        }
        self.position += left as u64;
        Ok(left)
    }
}

fn descriptor(length: u64) -> Descriptor {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    let mut stream = Synthetic { position: 0, length };
    let mut piece = vec![0; 1 << 20];
    loop {
        match stream.read(&mut piece).expect("it is made up") {
            0 => return Descriptor::new(MediaType::OciLayer, hasher.finish(), length),
            read => hasher.update(&piece[..read]),
        }
    }
}

/// The most memory that this process ever had, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux says it");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("it is there");
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().expect("a number") * 1024
}

fn streams(length: u64) {
    let client = Client::new(ClientSettings::default()).expect("a client");
    let (_first, from) = registry(&client);
    let (_second, to) = registry(&client);
    let blob = descriptor(length);
    let before = peak();
    let open = |position| Ok(Box::new(Synthetic { position, length }) as Box<dyn Read>);
    assert_eq!(client.push_blob(&from, &blob, &open, None).expect("pushed"), BlobOutcome::Transferred);
    // Out of one registry and into another, never on disk.
    let open = |offset| Ok(Box::new(client.blob_reader(&from, &blob, offset)) as Box<dyn Read>);
    assert_eq!(client.push_blob(&to, &blob, &open, None).expect("copied"), BlobOutcome::Transferred);
    client.pull_blob(&to, &blob, &mut std::io::sink()).expect("it is whole");
    let more = peak() - before;
    assert!(more < MOST, "{length} bytes took {more} bytes of memory");
}

#[test]
fn three_hundred_megabytes_stream_with_flat_memory() {
    streams(300 << 20);
}

#[test]
#[ignore = "15 GB of traffic; the same as above, with the size of the largest layers"]
fn five_gigabytes_stream_with_flat_memory() {
    streams(5 << 30);
}
