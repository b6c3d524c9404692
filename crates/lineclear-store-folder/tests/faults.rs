//! What the folder does when things are not as they were left: cut off, altered, missing, unreadable, full.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{FileExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use lineclear_event::{Conclusion, Envelope, JobKey, RunEvent, RunId};
use lineclear_store::contract::{NOW, lookup, new_cache, new_run, noise, snapshot, write};
use lineclear_store::{ArtifactRequest, Artifacts, CacheHit, Caches, Limits, SaveOutcome, Store, StoreError, Upkeep};
use lineclear_store_folder::{FolderStore, Settings};
use tempfile::TempDir;

struct Place {
    folder: TempDir,
    store: FolderStore,
}

/// A store beside a tree with a few files.
fn place() -> Place {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let settings = Settings { threads: Some(2), ..Settings::default() };
    let store = FolderStore::open_with(folder.path().join("store"), settings).expect("the store opens");
    write(&folder.path().join("base/tree/a"), "alpha");
    write(&folder.path().join("base/tree/b"), noise(1, 200_000));
    write(&folder.path().join("base/tree/c/d"), noise(2, 9_000_000));
    Place { folder, store }
}

impl Place {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn save(&self, key: &str) -> SaveOutcome {
        self.store.save(&new_cache(key, "main", &["tree"], NOW), &self.path("base")).expect("the cache is saved")
    }

    fn find(&self, key: &str) -> Result<CacheHit, String> {
        self.store.find(&lookup(&[key], &["main"], NOW)).expect("the store answers").map_err(|miss| miss.reason)
    }

    fn blobs(&self) -> Vec<PathBuf> {
        let mut all = Vec::new();
        for folder in fs::read_dir(self.path("store/blobs")).expect("there are blobs").flatten() {
            all.extend(fs::read_dir(folder.path()).expect("it is a folder").flatten().map(|entry| entry.path()));
        }
        all.sort_by_key(|path| fs::metadata(path).expect("it is there").len());
        all
    }

    /// The same tree can be kept and had again, whatever happened before.
    fn check_that_it_works(&self) {
        assert!(matches!(self.save("after"), SaveOutcome::Saved(_)));
        let to = self.path("after");
        self.store.restore(&self.find("after").expect("it is a hit"), &to).expect("it is restored");
        assert_eq!(snapshot(&to), snapshot(&self.path("base")));
    }
}

#[test]
fn a_blob_that_is_cut_off_is_found_before_anyone_relies_on_the_hit() {
    for blob in 0..3 {
        let place = place();
        place.save("k");
        let blobs = place.blobs();
        let victim = &blobs[blob.min(blobs.len() - 1)];
        let length = fs::metadata(victim).expect("it is there").len();
        OpenOptions::new().write(true).open(victim).and_then(|file| file.set_len(length / 2)).expect("it can be cut");
        let miss = place.find("k").expect_err("it cannot be restored");
        assert!(miss.contains("the entry `k` was damaged and has been dropped"), "{miss}");
        assert!(miss.ends_with("no cache of `o/r` is in the store"), "{miss}");
        place.check_that_it_works();
    }
}

#[test]
fn a_damaged_entry_gives_way_to_the_next_best() {
    let place = place();
    place.save("k-1");
    write(&place.path("base/tree/b"), noise(7, 100_000));
    let later = new_cache("k-2", "main", &["tree"], NOW.plus_millis(1));
    place.store.save(&later, &place.path("base")).expect("the cache is saved");
    // The smallest blobs are the manifests; one of them is only the second entry's.
    assert_eq!(place.find("k-").expect("it is a hit").entry.key, "k-2");
    for blob in place.blobs() {
        let bytes = fs::read(&blob).expect("it can be read");
        fs::remove_file(&blob).expect("it can be removed");
        match place.find("k-") {
            Ok(hit) if hit.entry.key == "k-1" => {
                place.store.restore(&hit, &place.path("to")).expect("the older entry is whole");
                return;
            }
            _ => fs::write(&blob, bytes).expect("it can be put back"),
        }
    }
    panic!("no blob belongs to the newer entry alone");
}

#[test]
fn altered_contents_are_never_restored() {
    let place = place();
    place.save("k");
    for blob in place.blobs() {
        let place_of_change = fs::metadata(&blob).expect("it is there").len() * 3 / 4;
        let file = OpenOptions::new().read(true).write(true).open(&blob).expect("it can be opened");
        let mut byte = [0];
        file.read_exact_at(&mut byte, place_of_change).expect("it can be read");
        file.write_all_at(&[byte[0] ^ 0x10], place_of_change).expect("it can be written");
        let hit = place.find("k").expect("the length is right");
        match place.store.restore(&hit, &place.path("to")) {
            Err(StoreError::Damaged { what, why }) => {
                assert_eq!(what, "cache entry `k`");
                assert!(why.contains("the entry has been dropped, the next save makes it anew"), "{why}");
            }
            // Whoever reads it must not notice: then the altered byte was one that does not matter.
            other => panic!("an altered blob is noticed: {other:?}"),
        }
        assert_eq!(place.find("k").expect_err("it is dropped"), "no cache of `o/r` is in the store");
        assert!(!blob.exists(), "nobody shares a damaged blob");
        assert!(matches!(place.save("k"), SaveOutcome::Saved(_)));
    }
    place.check_that_it_works();
}

#[test]
fn a_half_written_entry_is_dropped_and_told() {
    let place = place();
    place.save("k");
    let folder = fs::read_dir(place.path("store/caches")).expect("it is there").flatten().next().expect("a repository");
    let entry = fs::read_dir(folder.path()).expect("it is there").flatten().next().expect("an entry").path();
    let text = fs::read(&entry).expect("it can be read");
    fs::write(&entry, &text[..text.len() / 2]).expect("it can be written");
    let miss = place.find("k").expect_err("it cannot be read");
    assert!(miss.starts_with("the half-written entry `"), "{miss}");
    assert!(matches!(place.save("k"), SaveOutcome::Saved(_)), "the key is free again");
    place.check_that_it_works();
}

#[test]
fn an_entry_of_another_version_of_the_store_is_left_alone() {
    let place = place();
    place.save("k");
    let folder = fs::read_dir(place.path("store/caches")).expect("it is there").flatten().next().expect("a repository");
    let entry = fs::read_dir(folder.path()).expect("it is there").flatten().next().expect("an entry").path();
    let text = fs::read_to_string(&entry).expect("it can be read").replace("\"form\":1", "\"form\":2");
    fs::write(&entry, text).expect("it can be written");
    place.find("k").expect_err("it cannot be read");
    assert_eq!(place.save("k"), SaveOutcome::Exists);
    assert!(entry.exists());
}

#[test]
fn an_artifact_whose_contents_are_altered_is_not_downloaded() {
    let place = place();
    let request = ArtifactRequest {
        run: RunId(7),
        name: "a".into(),
        files: vec![("b".into(), place.path("base/tree/b"))],
        overwrite: false,
        retention_days: None,
        compression_level: 6,
        now: NOW,
    };
    place.store.upload(&request).expect("it is uploaded");
    let largest = place.blobs().pop().expect("there are blobs");
    let mut bytes = fs::read(&largest).expect("it can be read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&largest, bytes).expect("it can be written");
    let outcome = place.store.download(RunId(7), "a", &place.path("to"));
    assert!(
        matches!(outcome, Err(StoreError::Damaged { ref what, .. }) if what == "artifact `a` of run 7"),
        "{outcome:?}"
    );
    place.store.upload(&ArtifactRequest { overwrite: true, ..request }).expect("it is uploaded again");
    place.store.download(RunId(7), "a", &place.path("to")).expect("it is downloaded");
    assert_eq!(fs::read(place.path("to/b")).expect("it is there"), noise(1, 200_000));
}

#[test]
fn a_torn_line_is_left_out_and_a_damaged_one_is_named() {
    let place = place();
    let record = place.store.begin(new_run("a.yml", NOW)).expect("a run begins");
    let id = record.header().id;
    let event =
        Envelope { event: RunEvent::RunFinished { conclusion: Conclusion::Success, duration_ms: 1 }, run: id, at: NOW };
    record.input("{\"one\":1}").expect("an input is recorded");
    record.event(&event).expect("an event is recorded");
    record.log(&JobKey::new("a"), "s", NOW, b"line\n").expect("lines are kept");
    drop(record);
    let (path, log) =
        (place.path(&format!("store/runs/{id}/record.jsonl")), place.path(&format!("store/runs/{id}/a.log")));
    let append = |path: &Path, text: &str| {
        OpenOptions::new()
            .append(true)
            .open(path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .expect("it can be written");
    };
    append(&path, "{\"event\":\"run_fini");
    append(&log, "2026-11-21T08:15:30.1230000Z half a li");
    assert_eq!(place.store.events(id).expect("events are read"), std::slice::from_ref(&event));
    assert_eq!(place.store.inputs(id).expect("inputs are read"), ["{\"one\":1}"]);
    let lines = || {
        let mut lines = Vec::new();
        let read = place.store.log(id, &JobKey::new("a"), &mut |line| {
            lines.push(line.line.to_owned());
            true
        });
        read.map(|()| lines)
    };
    assert_eq!(lines().expect("the log is read"), ["line"]);
    assert_eq!(place.store.run(id).expect("the run is known").conclusion, None);

    append(&path, "\n");
    append(&log, "\nno time\n");
    let damaged = |outcome: Result<(), StoreError>| outcome.expect_err("it is damaged").to_string();
    let expected = format!("`runs/{id}/record.jsonl line 4` in the store is damaged: it is no event: ");
    assert!(damaged(place.store.events(id).map(drop)).starts_with(&expected));
    let expected =
        format!("`runs/{id}/a.log at byte 82` in the store is damaged: it has no time, or no step before it");
    assert_eq!(damaged(lines().map(drop)), expected);

    // A header that is not complete; a folder without a record; a missing log.
    fs::write(&path, "{\"header\":{\"id\":").expect("it can be written");
    assert!(damaged(place.store.run(id).map(drop)).contains(&format!("runs/{id}/record.jsonl line 1")));
    assert!(place.store.runs(None, 9).expect("the others are listed").is_empty());
    fs::remove_file(&path).expect("it can be removed");
    assert!(matches!(place.store.run(id), Err(StoreError::NotFound { .. })));
    fs::remove_file(&log).expect("it can be removed");
    assert_eq!(lines().expect("a missing log is an empty one"), [] as [&str; 0]);
    place.store.begin(new_run("a.yml", NOW)).expect("the next run begins");
    assert_eq!(place.store.runs(None, 9).expect("runs are listed").len(), 1);
}

#[test]
fn a_lost_counter_does_not_give_a_number_twice() {
    let place = place();
    for _ in 0..3 {
        place.store.begin(new_run("a.yml", NOW)).expect("a run begins");
    }
    place.save("k");
    for counter in fs::read_dir(place.path("store/counters")).expect("it is there").flatten() {
        fs::write(counter.path(), "\0\0\0").expect("it can be written");
    }
    assert_eq!(place.store.begin(new_run("a.yml", NOW)).expect("a run begins").header().number, 4);
    let SaveOutcome::Saved(entry) = place.save("k2") else { panic!("the key is new") };
    assert_eq!(entry.id, 2);
    fs::remove_dir_all(place.path("store/counters")).expect("it can be removed");
    assert_eq!(place.store.begin(new_run("a.yml", NOW)).expect("a run begins").header().number, 5);
}

/// Tells a process that is not the superuser's to try what the superuser cannot.
const WITHOUT_RIGHTS: &str = "LINECLEAR_TEST_WITHOUT_RIGHTS";

/// Run by its name for anyone, and once more as nobody when the tests run as the superuser, whom no mode keeps out.
#[test]
fn a_file_that_cannot_be_read_is_named_and_nothing_is_kept() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    let place = place();
    let secret = place.path("base/tree/b");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o0)).expect("modes can be set");
    if File::open(&secret).is_ok() {
        assert!(std::env::var_os(WITHOUT_RIGHTS).is_none(), "nobody is not the superuser");
        // The test's file and the folders on the way to it may be closed to others, so nobody gets a copy.
        let open_to_all =
            |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o777)).expect("modes can be set");
        let copy = place.path("test");
        fs::copy(std::env::current_exe().expect("a test knows its own file"), &copy).expect("it can be copied");
        fs::create_dir(place.path("scratch")).expect("a folder is made");
        [place.folder.path(), &copy, &place.path("scratch")].into_iter().for_each(open_to_all);
        let output = Command::new(&copy)
            .args(["--exact", "a_file_that_cannot_be_read_is_named_and_nothing_is_kept", "--nocapture"])
            .env(WITHOUT_RIGHTS, "1")
            .env("TMPDIR", place.path("scratch"))
            .current_dir("/")
            .uid(65_534)
            .gid(65_534)
            .output()
            .expect("nobody can run the test");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        return;
    }
    let outcome = place.store.save(&new_cache("k", "main", &["tree"], NOW), &place.path("base"));
    assert!(matches!(outcome, Err(StoreError::Io { ref path, .. }) if *path == secret), "{outcome:?}");
    let request = ArtifactRequest {
        run: RunId(7),
        name: "a".into(),
        files: vec![("a".into(), place.path("base/tree/a")), ("b".into(), secret.clone())],
        overwrite: false,
        retention_days: None,
        compression_level: 6,
        now: NOW,
    };
    let outcome = place.store.upload(&request);
    assert!(matches!(outcome, Err(StoreError::Io { ref path, .. }) if *path == secret), "{outcome:?}");
    let closed = place.path("base/tree/c");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o400)).expect("modes can be set");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o0)).expect("modes can be set");
    let outcome = place.store.save(&new_cache("k", "main", &["tree"], NOW), &place.path("base"));
    assert!(matches!(outcome, Err(StoreError::Io { ref path, .. }) if *path == closed), "{outcome:?}");
    let usage = place.store.usage().expect("usage is counted");
    assert_eq!((usage.caches, usage.artifacts, usage.stored_bytes), (0, 0, 0));

    // Folders that may not be written to, as Go's module cache has them, come back so, and again over themselves.
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).expect("modes can be set");
    place.save("k");
    let (hit, to) = (place.find("k").expect("it is a hit"), place.path("to"));
    place.store.restore(&hit, &to).expect("it is restored");
    assert_eq!(snapshot(&to), snapshot(&place.path("base")));
    fs::set_permissions(to.join("tree/c"), fs::Permissions::from_mode(0o755)).expect("modes can be set");
    fs::remove_file(to.join("tree/c/d")).expect("it can be removed");
    fs::set_permissions(to.join("tree/c"), fs::Permissions::from_mode(0o555)).expect("modes can be set");
    place.store.restore(&hit, &to).expect("it is restored");
    assert_eq!(snapshot(&to), snapshot(&place.path("base")));
    for folder in [closed, to.join("tree/c")] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("so that the scratch folder can go");
    }
}

#[test]
fn an_artifact_is_made_of_files_only() {
    let place = place();
    let request = ArtifactRequest {
        run: RunId(7),
        name: "a".into(),
        files: vec![("b".into(), place.path("base/tree"))],
        overwrite: false,
        retention_days: None,
        compression_level: 6,
        now: NOW,
    };
    assert!(matches!(place.store.upload(&request), Err(StoreError::Refused(ref why)) if why.contains("it is no file")));
    assert!(Artifacts::list(&place.store, RunId(7)).expect("artifacts are listed").is_empty());
}

#[test]
fn nothing_is_swept_while_someone_reads() {
    let place = place();
    place.save("k");
    let id = Caches::list(&place.store, None).expect("entries are listed")[0].id;
    place.store.remove(id).expect("it is removed");
    let reader = File::open(place.path("store/lock")).expect("it is there");
    reader.lock_shared().expect("readers share it");
    let report = place.store.prune(NOW, &Limits::default()).expect("the store is pruned");
    assert!(report.busy && report.freed == 0, "{report:?}");
    assert!(place.store.usage().expect("usage is counted").stored_bytes > 9_000_000);
    drop(reader);
    // A process that another test starts holds the lock for the moment between its making and its program.
    let prune = || place.store.prune(NOW, &Limits::default()).expect("the store is pruned");
    let report = (0..10_000).map(|_| prune()).find(|report| !report.busy).expect("it is not busy for ever");
    assert!(!report.busy && report.freed > 9_000_000, "{report:?}");
}

#[test]
fn a_change_is_seen_though_length_and_time_are_the_same() {
    let place = place();
    let file = place.path("base/tree/b");
    std::thread::sleep(std::time::Duration::from_millis(80));
    place.save("k1");
    let times = fs::metadata(&file).and_then(|known| known.modified()).expect("times can be read");
    write(&file, noise(42, 200_000));
    File::options().write(true).open(&file).and_then(|file| file.set_modified(times)).expect("times can be set");
    place.save("k2");
    place.store.restore(&place.find("k2").expect("it is a hit"), &place.path("to")).expect("it is restored");
    assert_eq!(fs::read(place.path("to/tree/b")).expect("it is there"), noise(42, 200_000));
    place.store.restore(&place.find("k1").expect("it is a hit"), &place.path("to")).expect("it is restored");
    assert_eq!(fs::read(place.path("to/tree/b")).expect("it is there"), noise(1, 200_000));
}

#[test]
fn what_is_known_is_not_kept_again() {
    let place = place();
    let stored = |outcome: SaveOutcome| match outcome {
        SaveOutcome::Saved(entry) => entry.stored,
        SaveOutcome::Exists => panic!("the key is new"),
    };
    assert!(stored(place.save("k1")) > 9_200_000, "noise does not compress");
    assert_eq!(stored(place.save("k2")), 0, "an equal tree costs nothing");
    write(&place.path("base/tree/a"), "changed");
    assert!(stored(place.save("k3")) < 2_000, "a changed file costs what it is");
    // Found again by its contents though it was touched and moved.
    fs::rename(place.path("base/tree/c"), place.path("base/tree/moved")).expect("it can be moved");
    File::open(place.path("base/tree/moved/d"))
        .and_then(|file| file.set_modified(std::time::SystemTime::now()))
        .expect("touched");
    assert!(stored(place.save("k4")) < 2_000, "a large file is found again by its contents");
    // A pack of which little is of use is not held on to.
    fs::remove_dir_all(place.path("base/tree/moved")).expect("it can be removed");
    for number in 0..20 {
        write(&place.path(&format!("base/tree/n{number}")), noise(100 + number, 50_000));
    }
    place.save("k5");
    for number in 1..20 {
        fs::remove_file(place.path(&format!("base/tree/n{number}"))).expect("it can be removed");
    }
    place.save("k6");
    let entries = Caches::list(&place.store, None).expect("entries are listed");
    for entry in entries.iter().filter(|entry| entry.key != "k6") {
        place.store.remove(entry.id).expect("it is removed");
    }
    place.store.prune(NOW, &Limits::default()).expect("the store is pruned");
    let left = place.store.usage().expect("usage is counted").stored_bytes;
    assert!(left < 600_000, "{left} bytes for a tree of 250,000");
    let to = place.path("to");
    place.store.restore(&place.find("k6").expect("it is a hit"), &to).expect("it is restored");
    assert_eq!(snapshot(&to), snapshot(&place.path("base")));
}

#[test]
fn a_path_behind_a_link_is_kept_where_it_really_is() {
    let place = place();
    symlink("tree/c", place.path("base/link")).expect("a link is made");
    let new = new_cache("k", "main", &["link/d"], NOW);
    assert!(matches!(place.store.save(&new, &place.path("base")).expect("the cache is saved"), SaveOutcome::Saved(_)));
    let to = place.path("to");
    place.store.restore(&place.find("k").expect("it is a hit"), &to).expect("it is restored");
    assert!(to.join("tree/c/d").is_file() && !to.join("link").exists());

    fs::create_dir(place.path("outside")).expect("a folder is made");
    write(&place.path("outside/f"), "1");
    symlink(place.path("outside"), place.path("base/out")).expect("a link is made");
    let refused = place.store.save(&new_cache("k2", "main", &["out/f"], NOW), &place.path("base"));
    assert!(matches!(refused, Err(StoreError::Refused(ref why)) if why.contains("symbolic link")), "{refused:?}");
}

#[test]
fn pipes_and_the_store_itself_are_left_out() {
    let place = place();
    let pipe = place.path("base/tree/pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().expect("mkfifo is there");
    assert!(made.success());
    let _socket = std::os::unix::net::UnixListener::bind(place.path("base/tree/socket")).expect("a socket is made");
    let whole = new_cache("k", "main", &["."], NOW);
    let SaveOutcome::Saved(entry) = place.store.save(&whole, place.folder.path()).expect("the cache is saved") else {
        panic!("the key is new")
    };
    assert_eq!(entry.files, 3, "the three files of the tree");
}

#[test]
fn a_file_that_is_written_to_meanwhile_is_kept_as_it_was_read() {
    let place = place();
    let (file, stop) = (place.path("base/tree/c/d"), std::sync::atomic::AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut length = 9_000_000;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                length = if length > 20_000_000 { 10 } else { length * 2 };
                write(&file, noise(length as u64, length.min(3_000_000)));
                OpenOptions::new()
                    .write(true)
                    .open(&file)
                    .and_then(|file| file.set_len(length as u64))
                    .expect("it grows");
            }
        });
        for number in 0..15 {
            let key = format!("k{number}");
            place.save(&key);
            let hit = place.find(&key).expect("it is a hit");
            let report = place.store.restore(&hit, &place.path("to")).expect("what was kept is whole");
            assert_eq!((report.files, report.bytes), (hit.entry.files, hit.entry.size));
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

#[test]
fn pruning_meanwhile_takes_nothing_from_those_who_read_and_write() {
    let place = place();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let place = &place;
        scope.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                place.store.prune(NOW, &Limits::default()).expect("the store is pruned");
                std::thread::yield_now();
            }
        });
        let workers: Vec<_> = (0..3)
            .map(|worker| {
                scope.spawn(move || {
                    for round in 0..12 {
                        let base = place.path(&format!("base {worker}"));
                        write(&base.join("tree/f"), noise(worker * 100 + round, 300_000));
                        write(&base.join("tree/same"), noise(round, 100_000));
                        let key = format!("k {worker} {round}");
                        place.store.save(&new_cache(&key, "main", &["tree"], NOW), &base).expect("the cache is saved");
                        let hit = place.find(&key).expect("it is a hit");
                        let to = place.path(&format!("to {worker}"));
                        place.store.restore(&hit, &to).expect("it is restored");
                        assert_eq!(snapshot(&to), snapshot(&base));
                        if round % 3 == 0 {
                            place.store.remove(hit.entry.id).expect("it is removed");
                        }
                    }
                })
            })
            .collect();
        let ended: Vec<_> = workers.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        ended.into_iter().for_each(|outcome| outcome.expect("no worker fails"));
    });
    for entry in Caches::list(&place.store, None).expect("entries are listed") {
        let hit = place.find(&entry.key).expect("it is a hit");
        place.store.restore(&hit, &place.path("end")).expect("what is left is whole");
    }
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
fn a_full_disk_is_said_and_what_was_complete_stays() {
    let place = place();
    let Some(disk) = small_disk(&place.path("disk")) else { return };
    let store = FolderStore::open(disk.0.join("store")).expect("the store opens");
    let full = |outcome: Result<(), StoreError>| {
        assert!(
            matches!(outcome, Err(StoreError::DiskFull { ref path }) if path.ends_with("disk/store")),
            "{outcome:?}"
        );
    };
    // A cache that does not fit leaves no trace.
    let record = store.begin(new_run("a.yml", NOW)).expect("a run begins");
    full(store.save(&new_cache("k", "main", &["tree"], NOW), &place.path("base")).map(drop));
    let usage = store.usage().expect("usage is counted");
    assert_eq!((usage.caches, usage.stored_bytes), (0, 0));
    assert_eq!(fs::read_dir(disk.0.join("store/tmp")).expect("it is there").count(), 0);

    // A record grows until the disk is full; then each line is complete or not there.
    let id = record.header().id;
    let text = format!("\"{}\"", "x".repeat(3000));
    let mut written = 0;
    let failure = loop {
        match record.input(&text) {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 10_000, "the disk is small");
    };
    full(Err(failure));
    let job = JobKey::new("a");
    full(record.log(&job, "s", NOW, "line\n".repeat(100_000).as_bytes()));
    assert_eq!(store.inputs(id).expect("inputs are read").len(), written);
    fs::write(disk.0.join("filler"), "").expect("an empty file fits");

    // With room again, the record goes on behind the last complete line.
    let other = store.begin(new_run("b.yml", NOW)).map(|other| other.header().id);
    drop(other);
    let path = disk.0.join(format!("store/runs/{id}/record.jsonl"));
    let lines = fs::metadata(&path).expect("it is there").len();
    let room = Command::new("mount").args(["-o", "remount,size=8m"]).arg(&disk.0).status().expect("mount is there");
    assert!(room.success());
    assert_eq!(fs::metadata(&path).expect("it is there").len(), lines);
    record.input("\"after\"").expect("an input is recorded");
    record.log(&job, "s", NOW, b"after\n").expect("lines are kept");
    record.finish(Conclusion::Success, NOW).expect("the run finishes");
    let inputs = store.inputs(id).expect("inputs are read");
    assert_eq!((inputs.len(), inputs.last().map(String::as_str)), (written + 1, Some("\"after\"")));
    let mut last = String::new();
    let read = store.log(id, &job, &mut |line| {
        last = line.line.to_owned();
        true
    });
    read.expect("the log is read");
    assert_eq!(last, "after");
    drop(record);
    drop(store);
}

/// Tells the process of [`kills_at_any_moment_lose_nothing`] that is to be killed where to write.
const CHILD: &str = "LINECLEAR_TEST_CHILD_STORE";

/// Not a test by itself: what the killed process does.
#[test]
fn child_that_writes_until_it_is_killed() {
    let Some(folder) = std::env::var_os(CHILD) else { return };
    let folder = PathBuf::from(folder);
    let settings = Settings { threads: Some(2), ..Settings::default() };
    let store = FolderStore::open_with(folder.join("store"), settings).expect("the store opens");
    let mut acknowledged = OpenOptions::new().append(true).open(folder.join("acknowledged")).expect("it can be opened");
    let base = folder.join("base");
    for round in 0_u64.. {
        let record = store.begin(new_run("a.yml", NOW)).expect("a run begins");
        let id = record.header().id;
        for number in 0..20 {
            record.input(&format!("{number}")).expect("an input is recorded");
            record.log(&JobKey::new("a"), "s", NOW, format!("{number}\n").as_bytes()).expect("lines are kept");
            // Written after the store said that it has it, so the store has at least this.
            acknowledged.write_all(format!("input {id} {number}\n").as_bytes()).expect("it can be written");
        }
        write(&base.join("tree/f"), noise(round, 400_000));
        let key = format!("k {} {round}", std::process::id());
        store.save(&new_cache(&key, "main", &["tree"], NOW), &base).expect("the cache is saved");
        acknowledged.write_all(format!("cache {key}\n").as_bytes()).expect("it can be written");
        let request = ArtifactRequest {
            run: id,
            name: "a".into(),
            files: vec![("f".into(), base.join("tree/f"))],
            overwrite: false,
            retention_days: None,
            compression_level: 6,
            now: NOW,
        };
        store.upload(&request).expect("it is uploaded");
        acknowledged.write_all(format!("artifact {id} a\n").as_bytes()).expect("it can be written");
    }
}

#[test]
fn kills_at_any_moment_lose_nothing() {
    let place = place();
    let acknowledged = place.path("acknowledged");
    fs::write(&acknowledged, "").expect("it can be written");
    for round in 0..25_u64 {
        let mut child = Command::new(std::env::current_exe().expect("a test knows its own file"))
            .args(["--exact", "child_that_writes_until_it_is_killed", "--nocapture"])
            .env(CHILD, place.folder.path())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("the test can start itself");
        // The first goes on until it got somewhere; the others may be killed at any moment.
        while round == 0 && !fs::read_to_string(&acknowledged).expect("it can be read").contains("cache ") {
            assert_eq!(child.try_wait().expect("it can be asked"), None, "it writes until it is killed");
            std::thread::yield_now();
        }
        std::thread::sleep(std::time::Duration::from_micros(20_000 + (round * 7_919) % 60_000));
        assert_eq!(child.try_wait().expect("it can be asked"), None, "it writes until it is killed");
        child.kill().expect("it can be killed");
        child.wait().expect("it can be waited for");
        if round % 5 == 0 {
            place.store.prune(NOW, &Limits::default()).expect("the store is pruned");
        }
    }
    let told = fs::read_to_string(&acknowledged).expect("it can be read");
    assert!(told.contains("cache "), "the children got somewhere: {told:?}");
    for line in told.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        let (kind, rest) = line.split_once(' ').expect("it was written so");
        match kind {
            "input" => {
                let (id, number) = rest.split_once(' ').expect("it was written so");
                let id = RunId(id.parse().expect("it is an id"));
                let inputs = place.store.inputs(id).expect("inputs are read");
                assert!(inputs.iter().any(|input| input == number), "{line}");
                let mut lines = 0;
                let read = place.store.log(id, &JobKey::new("a"), &mut |_| {
                    lines += 1;
                    true
                });
                read.expect("the log is read");
                assert!(lines > number.parse().expect("it is a number"), "{line}");
            }
            "cache" => {
                let hit = place.find(rest).expect("what was saved is a hit");
                place.store.restore(&hit, &place.path("to")).expect("it is whole");
            }
            _ => {
                let id = RunId(rest.split_once(' ').expect("it was written so").0.parse().expect("it is an id"));
                place.store.download(id, "a", &place.path("to")).expect("it is whole");
            }
        }
    }
    let runs = place.store.runs(None, usize::MAX).expect("runs are listed");
    assert!(runs.iter().all(|run| !run.alive && run.conclusion.is_none()), "nobody works on them any more");
    let numbers: std::collections::BTreeSet<u64> = runs.iter().map(|run| run.header.number).collect();
    assert_eq!(numbers.len(), runs.len(), "no number was given twice");
    // Everything that is listed can be had, and what the kills left behind is swept.
    for entry in Caches::list(&place.store, None).expect("entries are listed") {
        let hit = place.find(&entry.key).expect("it is a hit");
        place.store.restore(&hit, &place.path("to")).expect("it is whole");
        place.store.remove(entry.id).expect("it is removed");
    }
    for run in runs {
        let _most_have_one = place.store.delete(run.header.id, "a");
    }
    place.store.prune(NOW, &Limits::default()).expect("the store is pruned");
    assert_eq!(place.store.usage().expect("usage is counted").stored_bytes, 0);
    assert_eq!(fs::read_dir(place.path("store/tmp")).expect("it is there").count(), 0);
}

#[test]
fn a_run_of_another_process_is_alive_until_that_process_is_killed() {
    let place = place();
    fs::write(place.path("acknowledged"), "").expect("it can be written");
    let mut child = Command::new(std::env::current_exe().expect("a test knows its own file"))
        .args(["--exact", "child_that_writes_until_it_is_killed", "--nocapture"])
        .env(CHILD, place.folder.path())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the test can start itself");
    let newest = || place.store.runs(None, 1).expect("runs are listed").pop();
    let mut seen_alive = false;
    for _ in 0..5_000 {
        seen_alive |= newest().is_some_and(|run| run.alive);
        if seen_alive {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    child.kill().expect("it can be killed");
    child.wait().expect("it can be waited for");
    assert!(seen_alive, "its run was alive while it lived");
    assert!(newest().is_some_and(|run| !run.alive), "and is not afterwards");
}
