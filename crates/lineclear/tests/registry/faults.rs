//! Kills, full disks, many at once, large layers: nothing half-published, and the next try continues.

use std::fs;
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use lineclear_oci::{Algorithm, Digest, Hasher};

use crate::raw::{self, begin, noise, push_blob, send};
use crate::server::{Served, folder, registry};

#[test]
fn a_push_goes_on_after_a_kill_of_the_registry() {
    let data = folder();
    let served = Served::open(data.path());
    let bytes = noise(1, 8_000_000);
    let location = begin(&served.address, "octo/app");
    // Half of the chunk comes, then the registry is gone.
    let mut stream = raw::open(&served.address, "PATCH", &location, &[], bytes.len() as u64);
    stream.write_all(&bytes[..4_000_000]).expect("half of it is sent");
    let file = upload_of(data.path());
    while fs::metadata(&file).map_or(0, |known| known.len()) < 1_000_000 {
        std::thread::yield_now();
    }
    served.kill();
    let served = Served::open(data.path());
    let status = send(&served.address, "GET", &location, &[], b"");
    assert_eq!(status.status, 204, "the upload is known to the next process");
    let last: usize = status.header("range").trim_start_matches("0-").parse().expect("a number");
    assert!((1_000_000..=4_000_000).contains(&(last + 1)), "{last}");
    let rest = &bytes[last + 1..];
    let range = format!("{}-{}", last + 1, bytes.len() - 1);
    assert_eq!(send(&served.address, "PATCH", &location, &[("content-range", &range)], rest).status, 202);
    let digest = Digest::of(&bytes);
    assert_eq!(send(&served.address, "PUT", &format!("{location}?digest={digest}"), &[], b"").status, 201);
    let back = send(&served.address, "GET", &format!("/v2/octo/app/blobs/{digest}"), &[], b"");
    assert!(back.status == 200 && back.body == bytes, "it is what was pushed");
}

/// The file of the only upload there is.
fn upload_of(data: &Path) -> PathBuf {
    let folder = data.join("images/repositories/octo+app/uploads");
    let mut uploads = fs::read_dir(folder).expect("there are uploads").flatten();
    uploads.next().expect("there is one").path()
}

#[test]
fn kills_at_any_moment_leave_nothing_half_published() {
    let data = folder();
    let layer = noise(2, 3_000_000);
    for round in 0..8_u64 {
        let served = Served::open(data.path());
        let address = served.address.clone();
        let bytes = noise(100 + round, 2_000_000);
        let (known, other) = (layer.clone(), bytes.clone());
        let pusher = std::thread::spawn(move || {
            // Whatever the answers are: the registry dies meanwhile.
            let _ = std::panic::catch_unwind(|| {
                push_blob(&address, "octo/app", &known);
                push_blob(&address, "octo/app", &other);
            });
        });
        std::thread::sleep(std::time::Duration::from_millis(3 * round));
        served.kill();
        pusher.join().expect("it ends with the registry");
        let served = Served::open(data.path());
        for bytes in [&layer, &bytes] {
            let digest = Digest::of(bytes);
            let back = send(&served.address, "GET", &format!("/v2/octo/app/blobs/{digest}"), &[], b"");
            assert!(back.status == 404 || back.status == 200 && back.body == *bytes, "round {round}: {}", back.status);
        }
        let verified = registry(data.path(), &["verify"]).output().expect("the binary is built");
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    }
}

#[test]
fn a_push_of_one_blob_by_many_at_once_keeps_it_once() {
    let data = folder();
    let served = Served::open(data.path());
    let bytes = noise(3, 4_000_000);
    std::thread::scope(|scope| {
        for number in 0..8 {
            let (served, bytes) = (&served, &bytes);
            scope.spawn(move || push_blob(&served.address, &format!("octo/app{}", number % 4), bytes));
        }
    });
    let digest = Digest::of(&bytes);
    for number in 0..4 {
        let back = send(&served.address, "GET", &format!("/v2/octo/app{number}/blobs/{digest}"), &[], b"");
        assert!(back.body == bytes, "it is in each repository");
    }
    let contents: u64 = files(&data.path().join("images/sha256"));
    assert!((4_000_000..4_100_000).contains(&contents), "{contents} bytes on the disk");
}

fn files(folder: &Path) -> u64 {
    fs::read_dir(folder)
        .expect("a folder")
        .flatten()
        .map(
            |entry| {
                if entry.path().is_dir() {
                    files(&entry.path())
                } else {
                    entry.metadata().map_or(0, |known| known.len())
                }
            },
        )
        .sum()
}

/// A layer that is larger than the memory that the registry may take: a gigabyte goes in and comes out.
#[test]
fn a_large_layer_is_streamed_with_flat_memory() {
    let data = folder();
    let served = Served::open(data.path());
    let (piece, pieces) = (noise(4, 1 << 20), 1024_u64);
    let mut hasher = Hasher::new(Algorithm::Sha256);
    let location = begin(&served.address, "octo/app");
    let before = served.peak_memory();
    let mut stream = raw::open(&served.address, "PATCH", &location, &[], pieces << 20);
    for number in 0..pieces {
        let mut piece = piece.clone();
        piece[..8].copy_from_slice(&number.to_le_bytes());
        hasher.update(&piece);
        stream.write_all(&piece).expect("it is taken");
    }
    assert_eq!(raw::answer(&stream).status, 202);
    let digest = hasher.finish();
    assert_eq!(send(&served.address, "PUT", &format!("{location}?digest={digest}"), &[], b"").status, 201);
    let mut reader = BufReader::with_capacity(
        1 << 20,
        raw::open(&served.address, "GET", &format!("/v2/octo/app/blobs/{digest}"), &[], 0),
    );
    assert_eq!(raw::head(&mut reader).0, 200);
    let mut hasher = Hasher::new(Algorithm::Sha256);
    let mut buffer = vec![0; 1 << 20];
    loop {
        match reader.read(&mut buffer).expect("it comes to its end") {
            0 => break,
            read => hasher.update(&buffer[..read]),
        }
    }
    assert_eq!(hasher.finish(), digest);
    let grown = served.peak_memory().saturating_sub(before);
    assert!(grown < 48 << 20, "the registry took {} MiB more", grown >> 20);
}

/// A small disk in memory, which only root can make.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn new(name: &str, size: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", size, "tmpfs"]).arg(&folder).status();
        assert!(mounted.is_ok_and(|status| status.success()), "a small disk needs the rights to mount one");
        Self(folder)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // A test that failed has more to say than this.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
fn a_full_disk_is_said_and_with_room_again_the_push_goes_on() {
    let disk = SmallDisk::new("registry", "size=12m");
    let served = Served::open(&disk.0);
    let kept = push_blob(&served.address, "octo/app", &noise(5, 5_000_000));
    let bytes = noise(6, 9_000_000);
    let location = begin(&served.address, "octo/app");
    let answer = send(&served.address, "PATCH", &location, &[], &bytes);
    assert_eq!(answer.status, 507, "{}", String::from_utf8_lossy(&answer.body));
    assert!(String::from_utf8_lossy(&answer.body).contains("is full"));
    let status = send(&served.address, "GET", &location, &[], b"");
    let last: usize = status.header("range").trim_start_matches("0-").parse().expect("a number");
    assert!(last + 1 < bytes.len());
    // What was there is still whole, and can make room.
    assert_eq!(send(&served.address, "HEAD", &format!("/v2/octo/app/blobs/{kept}"), &[], b"").status, 200);
    assert_eq!(send(&served.address, "DELETE", &format!("/v2/octo/app/blobs/{kept}"), &[], b"").status, 202);
    let swept = registry(&disk.0, &["gc"]).output().expect("the binary is built");
    assert!(swept.status.success(), "{}", String::from_utf8_lossy(&swept.stderr));
    let range = format!("{}-{}", last + 1, bytes.len() - 1);
    let answer = send(&served.address, "PATCH", &location, &[("content-range", &range)], &bytes[last + 1..]);
    assert_eq!(answer.status, 202, "{}", String::from_utf8_lossy(&answer.body));
    let digest = Digest::of(&bytes);
    assert_eq!(send(&served.address, "PUT", &format!("{location}?digest={digest}"), &[], b"").status, 201);
}

#[test]
fn a_damaged_blob_is_named_and_never_given_as_good() {
    let data = folder();
    let served = Served::open(data.path());
    let bytes = noise(7, 3_000_000);
    let digest = push_blob(&served.address, "octo/app", &bytes);
    let file = data.path().join("images/sha256").join(&digest.hex()[..2]).join(digest.hex());
    let mut content = fs::read(&file).expect("it is there");
    content[2_500_000] ^= 1;
    fs::write(&file, content).expect("it can be damaged");
    let target = format!("/v2/octo/app/blobs/{digest}");
    let stream = raw::open(&served.address, "GET", &target, &[], 0);
    let mut reader = BufReader::new(&stream);
    raw::head(&mut reader);
    let mut came = Vec::new();
    // The connection breaks before the damage.
    let _broken = reader.read_to_end(&mut came);
    assert!(came.len() < bytes.len() && bytes.starts_with(&came), "{} bytes came", came.len());
    let part = send(&served.address, "GET", &target, &[("range", "bytes=2500000-2500010")], b"");
    assert_eq!(part.status, 500);
    assert!(String::from_utf8_lossy(&part.body).contains("not what was stored"));
    let verified = registry(data.path(), &["verify"]).output().expect("the binary is built");
    assert_eq!(verified.status.code(), Some(1));
    let said = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(said.contains(digest.as_str()) && said.contains("octo/app"), "{said}");
    // The next push mends it.
    push_blob(&served.address, "octo/app", &bytes);
    assert!(send(&served.address, "GET", &target, &[], b"").body == bytes);
}
