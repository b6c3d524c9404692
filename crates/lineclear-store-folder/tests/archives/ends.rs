//! Full disks, kills at any moment, and uploads larger than memory should be.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lineclear_event::hexadecimal;
use lineclear_store::contract::{NOW, lookup, noise};
use lineclear_store::{Archives, Artifacts, Caches, DAY_MS, StoreError, Upkeep};
use lineclear_store_folder::FolderStore;
use sha2::{Digest, Sha256};

use super::{RUN, new_artifact, new_cache, place, prune, read_all, upload_to};

/// A small file system of its own, gone with the value.
struct SmallDisk(PathBuf);

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _gone_with_the_machine = Command::new("umount").arg(&self.0).status();
    }
}

fn small_disk(at: &Path) -> Option<SmallDisk> {
    fs::create_dir_all(at).expect("a folder is made");
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=2m", "lineclear-test"]).arg(at).output();
    if mounted.as_ref().is_ok_and(|output| output.status.success()) {
        return Some(SmallDisk(at.to_owned()));
    }
    assert!(std::env::var_os("CI").is_none(), "CI has to be able to mount a tmpfs: {mounted:?}");
    // Outside of CI, someone without the right to mount still wants to run the other tests.
    None
}

#[test]
fn a_full_disk_is_said_and_the_upload_goes_on_when_there_is_room() {
    let place = place();
    let Some(disk) = small_disk(&place.path("disk")) else { return };
    let store = FolderStore::open(disk.0.join("store")).expect("the store opens");
    let sound = upload_to(&store, &[&noise(1, 300_000)]).expect("it is uploaded");
    store.keep_cache(&new_cache("sound", &sound)).expect("the cache is kept");
    let upload = store.begin_upload(NOW).expect("an upload begins");
    store.put_block(&upload, "1", &mut &noise(2, 900_000)[..]).expect("it fits");
    let full = store.put_block(&upload, "2", &mut &noise(3, 2_000_000)[..]);
    assert!(matches!(full, Err(StoreError::DiskFull { ref path }) if path.ends_with("disk/store")), "{full:?}");
    let files = fs::read_dir(disk.0.join("store/uploads").join(&upload.0)).expect("it is there").count();
    assert_eq!(files, 1, "what did not fit is not left behind");
    // Not even the list of blocks fits any more.
    let mut filler = File::create(disk.0.join("filler")).expect("an empty file fits");
    while filler.write_all(&[1; 4096]).is_ok() {}
    let full = store.assemble(&upload, &["1".into()]);
    assert!(matches!(full, Err(StoreError::DiskFull { .. })), "{full:?}");
    let full = store.begin_upload(NOW).and_then(|upload| store.put_block(&upload, "1", &mut &b"1"[..]));
    assert!(matches!(full, Err(StoreError::DiskFull { .. })), "{full:?}");
    let entry = store.find_archive(&lookup(&["sound"], &["main"], NOW)).expect("the store answers").expect("a hit");
    read_all(&mut store.open_cache(&entry.entry).expect("it is opened")).1.expect("what was complete stays");

    drop(filler);
    fs::remove_file(disk.0.join("filler")).expect("it can be removed");
    let assembled = store.assemble(&upload, &["1".into()]).expect("with room again it ends");
    assert_eq!(assembled.size, 900_000);
    assert_eq!(assembled.digest, format!("sha256:{}", hexadecimal(&Sha256::digest(noise(2, 900_000)))));
    store.keep_artifact(&new_artifact("a", &upload)).expect("it is kept");
    prune(&store, NOW.plus_millis(DAY_MS));
    assert_eq!(store.usage().expect("usage is counted").uploads, 0);
    drop(store);
}

/// Tells the process of [`kills_at_any_moment_leave_whole_archives`] that is to be killed where to write.
const CHILD: &str = "LINECLEAR_TEST_CHILD_ARCHIVES";

/// Not a test by itself: what the killed process does.
#[test]
fn child_that_uploads_until_it_is_killed() {
    let Some(folder) = std::env::var_os(CHILD) else { return };
    let folder = PathBuf::from(folder);
    let store = FolderStore::open(folder.join("store")).expect("the store opens");
    let mut acknowledged = OpenOptions::new().append(true).open(folder.join("acknowledged")).expect("it can be opened");
    let (one, two) = (noise(u64::from(std::process::id()), 1_200_000), noise(2, 80_000));
    for round in 0_u64.. {
        let name = format!("{}-{round}", std::process::id());
        let upload = upload_to(&store, &[&one, &two]).expect("it is uploaded");
        store.keep_cache(&new_cache(&name, &upload)).expect("the cache is kept");
        // Written after the store said that it has it, so the store has at least this.
        acknowledged.write_all(format!("cache {name}\n").as_bytes()).expect("it can be written");
        let upload = upload_to(&store, &[&two, &one]).expect("it is uploaded");
        store.keep_artifact(&new_artifact(&name, &upload)).expect("it is kept");
        acknowledged.write_all(format!("artifact {name}\n").as_bytes()).expect("it can be written");
    }
}

#[test]
fn kills_at_any_moment_leave_whole_archives() {
    let place = place();
    let acknowledged = place.path("acknowledged");
    fs::write(&acknowledged, "").expect("it can be written");
    for round in 0..25_u64 {
        let mut child = Command::new(std::env::current_exe().expect("a test knows its own file"))
            .args(["--exact", "ends::child_that_uploads_until_it_is_killed", "--nocapture"])
            .env(CHILD, place.folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the test can start itself");
        // From the second on a kill may come at any moment; the first goes on until it got somewhere.
        while round == 0 && fs::metadata(&acknowledged).expect("it is there").len() == 0 {
            assert_eq!(child.try_wait().expect("it can be asked"), None, "it writes until it is killed");
            std::thread::yield_now();
        }
        std::thread::sleep(std::time::Duration::from_micros(20_000 + (round * 7_919) % 60_000));
        child.kill().expect("it can be killed");
        child.wait().expect("it can be waited for");
        if round % 5 == 0 {
            prune(&place.store, NOW);
        }
    }
    let told = fs::read_to_string(&acknowledged).expect("it can be read");
    let told: Vec<&str> = told.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')).collect();
    let caches = Caches::list(&place.store, None).expect("entries are listed");
    let artifacts = Artifacts::list(&place.store, RUN).expect("artifacts are listed");
    for line in &told {
        let (kind, name) = line.split_once(' ').expect("it was written so");
        let is_there = match kind {
            "cache" => caches.iter().any(|entry| entry.key == name),
            _ => artifacts.iter().any(|meta| meta.name == name),
        };
        assert!(is_there, "{line}");
    }
    assert!(!told.is_empty() && caches.len() + artifacts.len() >= told.len());
    // Everything that is listed is whole, and what the kills left behind goes.
    for entry in caches {
        let mut open = place.store.open_cache(&entry).expect("it is opened");
        let (bytes, outcome) = read_all(&mut open);
        outcome.expect("it is whole");
        assert_eq!(open.digest, Some(format!("sha256:{}", hexadecimal(&Sha256::digest(&bytes)))));
        assert_eq!(bytes.len() as u64, entry.size);
        place.store.remove(entry.id).expect("it is removed");
    }
    for meta in artifacts {
        let (bytes, outcome) = read_all(&mut place.store.open_artifact(RUN, &meta.name).expect("it is opened"));
        outcome.expect("it is whole");
        assert_eq!(meta.digest, format!("sha256:{}", hexadecimal(&Sha256::digest(&bytes))));
        place.store.delete(RUN, &meta.name).expect("it is deleted");
    }
    prune(&place.store, NOW.plus_millis(DAY_MS));
    let usage = place.store.usage().expect("usage is counted");
    assert_eq!((usage.stored_bytes, usage.uploads, usage.upload_bytes), (0, 0, 0));
    for folder in ["tmp", "uploads", "archives"] {
        assert_eq!(fs::read_dir(place.path("store").join(folder)).expect("it is there").count(), 0, "{folder}");
    }
}

/// Tells the process of [`a_large_upload_takes_no_memory`] where to write.
const LARGE: &str = "LINECLEAR_TEST_LARGE_UPLOAD";

/// Not a test by itself: sends and reads back much, and says how much memory that took.
#[test]
fn child_that_uploads_much() {
    let Some(folder) = std::env::var_os(LARGE) else { return };
    const MUCH: u64 = 192 << 20;
    let store = FolderStore::open(PathBuf::from(folder).join("store")).expect("the store opens");
    let upload = store.begin_upload(NOW).expect("an upload begins");
    store.put_block(&upload, "1", &mut std::io::repeat(1).take(MUCH)).expect("a block is kept");
    store.put_block(&upload, "0", &mut std::io::repeat(0).take(8 << 20)).expect("a block is kept");
    let size = store.assemble(&upload, &["0".into(), "1".into()]).expect("it ends").size;
    store.keep_artifact(&new_artifact("a", &upload)).expect("it is kept");
    let mut open = store.open_artifact(RUN, "a").expect("it is opened");
    let mut buffer = vec![0; 1 << 16];
    let mut at = 0;
    while let read @ 1.. = open.content.read_at(at, &mut buffer).expect("it is whole") {
        at += read as u64;
    }
    assert_eq!(at, size);
    let status = fs::read_to_string("/proc/self/status").expect("Linux says it");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux says it");
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().expect("it is a number");
    assert!(peak < 48 << 10, "{peak} kB for {size} bytes");
}

#[test]
fn a_large_upload_takes_no_memory() {
    let place = place();
    let output = Command::new(std::env::current_exe().expect("a test knows its own file"))
        .args(["--exact", "ends::child_that_uploads_much", "--nocapture"])
        .env(LARGE, place.folder.path())
        .output()
        .expect("the test can start itself");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "the child is found by its name");
}
