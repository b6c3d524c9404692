//! What becomes of archives when the folder is not as it was left, and when others use it at the same time.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lineclear_event::{RunId, hexadecimal};
use lineclear_store::contract::{NOW, lookup, noise};
use lineclear_store::{
    Archives, Artifacts, CacheEntry, CacheScope, Caches, DAY_MS, Limits, NewArchive, NewCacheArchive, OpenArchive,
    SaveOutcome, StoreError, Upkeep, UploadId,
};
use lineclear_store_folder::FolderStore;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

const RUN: RunId = RunId(7);
const PIECE: usize = 1 << 20;

struct Place {
    folder: TempDir,
    store: FolderStore,
}

fn place() -> Place {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let store = FolderStore::open(folder.path().join("store")).expect("the store opens");
    Place { folder, store }
}

fn upload_to(store: &FolderStore, blocks: &[&[u8]]) -> Result<UploadId, StoreError> {
    let upload = store.begin_upload(NOW)?;
    let mut list = Vec::new();
    for (number, block) in blocks.iter().enumerate() {
        list.push(format!("{number:06}"));
        store.put_block(&upload, &list[number], &mut &**block)?;
    }
    store.assemble(&upload, &list)?;
    Ok(upload)
}

fn new_cache(key: &str, upload: &UploadId) -> NewCacheArchive {
    NewCacheArchive {
        repository: "o/r".into(),
        key: key.into(),
        version: "v1".into(),
        scope: CacheScope("main".into()),
        upload: upload.clone(),
        now: NOW,
    }
}

fn new_artifact(name: &str, upload: &UploadId) -> NewArchive {
    NewArchive {
        run: RUN,
        name: name.into(),
        upload: upload.clone(),
        content_type: "text/plain".into(),
        digest: None,
        overwrite: false,
        retention_days: None,
        now: NOW,
    }
}

impl Place {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn save(&self, key: &str, blocks: &[&[u8]]) -> CacheEntry {
        let upload = upload_to(&self.store, blocks).expect("it is uploaded");
        match self.store.keep_cache(&new_cache(key, &upload)).expect("the cache is kept") {
            SaveOutcome::Saved(entry) => entry,
            SaveOutcome::Exists => panic!("`{key}` is new"),
        }
    }

    fn find(&self, key: &str) -> Result<CacheEntry, String> {
        let found = self.store.find_archive(&lookup(&[key], &["main"], NOW)).expect("the store answers");
        found.map(|hit| hit.entry).map_err(|miss| miss.reason)
    }

    /// Files of the archives, the largest first.
    fn archived(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for folder in fs::read_dir(self.path("store/archives")).into_iter().flatten().flatten() {
            files.extend(fs::read_dir(folder.path()).expect("it is a folder").flatten().map(|file| file.path()));
        }
        files.sort_by_key(|path| std::cmp::Reverse((fs::metadata(path).expect("it is there").len(), path.clone())));
        files
    }
}

fn flip(path: &Path, at: u64) {
    let file = OpenOptions::new().read(true).write(true).open(path).expect("it can be opened");
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).expect("it can be read");
    file.write_all_at(&[byte[0] ^ 0x04], at).expect("it can be written");
}

/// Reads to the end or to the first error.
fn read_all(open: &mut OpenArchive) -> (Vec<u8>, Result<(), StoreError>) {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 300_000];
    loop {
        match open.content.read_at(bytes.len() as u64, &mut buffer) {
            Ok(0) => return (bytes, Ok(())),
            Ok(read) => bytes.extend(&buffer[..read]),
            Err(error) => return (bytes, Err(error)),
        }
    }
}

#[test]
fn a_flipped_bit_is_never_given_out() {
    let (one, two) = (noise(1, 2 * PIECE + 9), noise(2, 500));
    let whole = [&one[..], &two].concat();
    // In the contents, piece by piece; in the hashes; in the length.
    let length = one.len() as u64;
    for (at, sound) in [
        (0, 0),
        (PIECE as u64 + 7, PIECE),
        (length - 1, 2 * PIECE),
        (length + 3, 0),
        (length + 70, 0),
        (length + 96, 0),
    ] {
        let place = place();
        let entry = place.save("k", &[&one, &two]);
        let mut before = place.store.open_cache(&entry).expect("it is opened");
        flip(&place.archived()[0], at);
        let (bytes, outcome) = read_all(&mut before);
        assert!(bytes == whole[..sound], "byte {at}: {} bytes are given out, {sound} are sound", bytes.len());
        match outcome {
            Err(StoreError::Damaged { what, why }) => {
                assert_eq!(what, "cache entry `k`, block 1 of 2");
                assert!(why.ends_with("; the entry has been dropped, the next save makes it anew"), "{why}");
            }
            other => panic!("byte {at}: it is damaged: {other:?}"),
        }
        assert!(place.find("k").is_err(), "a damaged entry is dropped");
        assert!(matches!(place.store.open_cache(&entry), Err(StoreError::NotFound { .. })));
        drop(before);
        let again = place.save("k", &[&one, &two]);
        let (bytes, outcome) = read_all(&mut place.store.open_cache(&again).expect("it is opened"));
        outcome.expect("what was made anew is whole");
        assert!(bytes == whole);
        place.store.prune(NOW, &Limits::default()).expect("the store is pruned");
        assert_eq!(place.archived().len(), 3, "the damaged one is swept");
    }
}

#[test]
fn damage_that_is_seen_from_outside_is_no_hit() {
    type Harm = fn(&Path);
    let harms: [Harm; 2] = [
        |file| fs::remove_file(file).expect("it can be removed"),
        |file| {
            let length = fs::metadata(file).expect("it is there").len();
            OpenOptions::new().write(true).open(file).and_then(|file| file.set_len(length - 1)).expect("it can be cut");
        },
    ];
    for harm in harms {
        for file in 0..3 {
            let place = place();
            place.save("k-old", &[b"whole"]);
            let sound = place.archived();
            let later = upload_to(&place.store, &[&noise(1, 9000), &noise(2, 70)]).expect("it is uploaded");
            let new = NewCacheArchive { now: NOW.plus_millis(1), ..new_cache("k-new", &later) };
            place.store.keep_cache(&new).expect("the cache is kept");
            assert_eq!(place.find("k-").expect("it is a hit").key, "k-new");
            let files: Vec<PathBuf> = place.archived().into_iter().filter(|file| !sound.contains(file)).collect();
            harm(&files[file]);
            assert_eq!(place.find("k-").expect("it is a hit").key, "k-old", "a damaged entry gives way to the next");
            let miss = place.find("k-new").expect_err("it is dropped");
            assert!(miss.contains("no entry begins with `k-new`"), "{miss}");
        }
    }
}

#[test]
fn a_block_in_the_place_of_another_is_found() {
    let place = place();
    let entry = place.save("k", &[&noise(1, 5000), &noise(2, 5000)]);
    let files = place.archived();
    let (one, two) = (fs::read(&files[0]).expect("it can be read"), fs::read(&files[1]).expect("it can be read"));
    assert_eq!(one.len(), two.len());
    fs::write(&files[0], two).and_then(|()| fs::write(&files[1], one)).expect("they can be written");
    let (bytes, outcome) = read_all(&mut place.store.open_cache(&entry).expect("it is opened"));
    assert!(bytes.is_empty() && matches!(outcome, Err(StoreError::Damaged { .. })), "{outcome:?}");
}

#[test]
fn a_list_of_blocks_that_was_altered_is_found() {
    let place = place();
    let entry = place.save("k", &[&noise(1, 50), &noise(2, 50)]);
    let list = place.archived().into_iter().find(|file| file.ends_with("list.json")).expect("there is a list");
    let text = fs::read_to_string(&list).expect("it can be read");
    fs::write(&list, text.replace("\"size\":100", "\"size\":101")).expect("it can be written");
    match place.store.open_cache(&entry) {
        Err(StoreError::Damaged { what, why }) => {
            assert_eq!(what, "cache entry `k`");
            assert!(why.contains("its list of blocks is not what was stored"), "{why}");
        }
        other => panic!("it is damaged: {other:?}"),
    }
    assert!(place.find("k").is_err());
}

#[test]
fn a_damaged_artifact_is_told_of_and_stays_listed() {
    let place = place();
    let upload = upload_to(&place.store, &[&noise(1, 100), &noise(2, 90_000)]).expect("it is uploaded");
    let meta = place.store.keep_artifact(&new_artifact("report.txt", &upload)).expect("it is kept");
    let file = &place.archived()[0];
    flip(file, 44_000);
    let damaged = |outcome: Result<(), StoreError>, why: &str| match outcome {
        Err(error @ StoreError::Damaged { .. }) => {
            let text = error.to_string();
            assert!(text.contains("artifact `report.txt` of run 7, block 2 of 2"), "{text}");
            assert!(text.contains(why) && text.ends_with("upload it again"), "{text}");
        }
        other => panic!("it is damaged: {other:?}"),
    };
    let open = || read_all(&mut place.store.open_artifact(RUN, "report.txt").expect("it is opened"));
    let (bytes, outcome) = open();
    assert!(bytes == noise(1, 100));
    damaged(outcome, "not what was stored");
    let to = place.path("to");
    damaged(place.store.download(RUN, "report.txt", &to).map(drop), "not what was stored");
    assert!(!to.join("report.txt").exists(), "half a file is not left behind");
    let length = fs::metadata(file).expect("it is there").len();
    OpenOptions::new().write(true).open(file).and_then(|file| file.set_len(length / 2)).expect("it can be cut");
    damaged(open().1, "cut off");
    fs::write(file, b"").expect("it can be emptied");
    damaged(open().1, "cut off");
    fs::remove_file(file).expect("it can be removed");
    damaged(open().1, "missing");
    assert_eq!(Artifacts::list(&place.store, RUN).expect("artifacts are listed"), [meta]);
    place.store.delete(RUN, "report.txt").expect("it is deleted");
}

#[test]
fn damage_before_the_end_of_an_upload_is_found_at_its_end() {
    let place = place();
    let upload = place.store.begin_upload(NOW).expect("an upload begins");
    place.store.put_block(&upload, "a", &mut &noise(1, 5000)[..]).expect("a block is kept");
    let folder = place.path("store/uploads").join(&upload.0);
    let file = fs::read_dir(&folder).expect("it is there").flatten().next().expect("there is one").path();
    flip(&file, 77);
    // A process that did not see the block come has to read it.
    let other = FolderStore::open(place.path("store")).expect("the store opens");
    let outcome = other.assemble(&upload, &["a".into()]);
    assert!(matches!(outcome, Err(StoreError::Damaged { .. })), "{outcome:?}");
}

#[test]
fn uploads_go_on_in_another_process() {
    let place = place();
    let other = FolderStore::open(place.path("store")).expect("the store opens");
    let blocks: Vec<Vec<u8>> = (0..6).map(|number| noise(number + 1, 1_500_000)).collect();
    let upload = place.store.begin_upload(NOW).expect("an upload begins");
    for (number, block) in blocks.iter().enumerate() {
        let store = if number % 2 == 0 { &place.store } else { &other };
        store.put_block(&upload, &number.to_string(), &mut block.as_slice()).expect("a block is kept");
    }
    let list: Vec<String> = (0..6).map(|number| number.to_string()).collect();
    // Both end it at the same time: one does the work.
    let (one, two) = std::thread::scope(|scope| {
        let one = scope.spawn(|| place.store.assemble(&upload, &list));
        let two = scope.spawn(|| other.assemble(&upload, &list));
        (one.join().expect("it does not panic"), two.join().expect("it does not panic"))
    });
    let (one, two) = (one.expect("it ends"), two.expect("it ends"));
    assert_eq!(one, two);
    assert_eq!(one.digest, format!("sha256:{}", hexadecimal(&Sha256::digest(blocks.concat()))));
    let entry = match other.keep_cache(&new_cache("k", &upload)).expect("the cache is kept") {
        SaveOutcome::Saved(entry) => entry,
        SaveOutcome::Exists => panic!("it is new"),
    };
    let (bytes, outcome) = read_all(&mut place.store.open_cache(&entry).expect("it is opened"));
    outcome.expect("it is whole");
    assert!(bytes == blocks.concat());
}

#[test]
fn of_two_processes_with_one_key_one_wins() {
    let place = place();
    for round in 0..10 {
        let stores: Vec<FolderStore> =
            (0..3).map(|_| FolderStore::open(place.path("store")).expect("the store opens")).collect();
        let key = format!("k{round}");
        let won: usize = std::thread::scope(|scope| {
            let keep = |store: &FolderStore| {
                let upload = upload_to(store, &[b"content"]).expect("it is uploaded");
                matches!(store.keep_cache(&new_cache(&key, &upload)).expect("the store answers"), SaveOutcome::Saved(_))
            };
            let senders: Vec<_> = stores.iter().map(|store| scope.spawn(move || keep(store))).collect();
            senders.into_iter().map(|sender| usize::from(sender.join().expect("no panic"))).sum()
        });
        assert_eq!(won, 1);
    }
    place.store.prune(NOW, &Limits::default()).expect("the store is pruned");
    assert_eq!(place.archived().len(), 20, "nothing is left of those that lost");
    assert_eq!(place.store.usage().expect("usage is counted").uploads, 0);
}

#[test]
fn nothing_is_swept_while_someone_reads_it() {
    let place = place();
    let bytes = noise(1, 3 * PIECE);
    let entry = place.save("k", &[&bytes]);
    let mut open = place.store.open_cache(&entry).expect("it is opened");
    let mut start = vec![0; PIECE];
    assert_eq!(open.content.read_at(0, &mut start).expect("it is whole"), PIECE);
    place.store.remove(entry.id).expect("it is removed");
    assert!(place.store.prune(NOW, &Limits::default()).expect("the store is pruned").busy);
    let (read, outcome) = read_all(&mut open);
    outcome.expect("who reads it reads on");
    assert!(read == bytes);
    drop(open);
    let report = place.store.prune(NOW, &Limits::default()).expect("the store is pruned");
    assert!(!report.busy && report.freed >= 3 * PIECE as u64, "{report:?}");
    assert!(place.archived().is_empty());
}

#[test]
fn names_of_blocks_are_no_paths() {
    let place = place();
    let upload = place.store.begin_upload(NOW).expect("an upload begins");
    let names = ["../../escape", "/tmp/escape", "list.json", "part-0", "\0", "a\nb", &"x".repeat(100_000), "%2e%2e/x"];
    let list: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    for (number, name) in names.iter().enumerate() {
        place.store.put_block(&upload, name, &mut &[number as u8; 3][..]).expect("a block is kept");
    }
    assert_eq!(place.store.assemble(&upload, &list).expect("it ends").size, 24);
    let kept = place.store.keep_artifact(&new_artifact("a", &upload)).expect("it is kept");
    assert_eq!(kept.size, 24);
    let mut top: Vec<_> =
        fs::read_dir(place.folder.path()).expect("it is there").flatten().map(|file| file.file_name()).collect();
    top.sort();
    assert_eq!(top, ["store"]);
    assert!(!place.path("store/escape").exists() && !place.path("store/uploads/escape").exists());
}

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
    store.prune(NOW.plus_millis(DAY_MS), &Limits::default()).expect("the store is pruned");
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
            .args(["--exact", "child_that_uploads_until_it_is_killed", "--nocapture"])
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
            place.store.prune(NOW, &Limits::default()).expect("the store is pruned");
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
    place.store.prune(NOW.plus_millis(DAY_MS), &Limits::default()).expect("the store is pruned");
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
        .args(["--exact", "child_that_uploads_much", "--nocapture"])
        .env(LARGE, place.folder.path())
        .output()
        .expect("the test can start itself");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
