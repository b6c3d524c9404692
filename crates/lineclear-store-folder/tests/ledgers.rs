//! What a ledger does when it is cut off, altered, killed in the middle of an append, or has no room.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use lineclear_store::{AppendError, LedgerHead, Ledgers, StoreError};
use lineclear_store_folder::FolderStore;
use tempfile::TempDir;

/// Names the folder in which the child of [`kills_at_any_moment_leave_all_of_an_append_or_nothing`] appends.
const CHILD: &str = "LINECLEAR_LEDGER_CHILD";
/// Lines of each append, so long that a kill may hit between them.
const LINES: u64 = 5;

struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder can be made") }
    }

    fn store(&self) -> FolderStore {
        FolderStore::open(self.folder.path()).expect("the store opens")
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("ledger/o%2Fr.jsonl")
    }

    fn append(&self, lines: &[&str]) -> Result<LedgerHead, AppendError> {
        let store = self.store();
        let head = store.ledger_head("o/r").map_err(AppendError::Store)?;
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        Ledgers::append(&store, "o/r", &head, &lines)
    }

    fn lines(&self) -> (Vec<String>, Result<(), StoreError>) {
        let mut found = Vec::new();
        let read = self.store().ledger_lines("o/r", 0, &mut |_, line| {
            found.push(line.to_owned());
            true
        });
        (found, read)
    }
}

#[test]
fn what_a_kill_left_of_an_append_is_not_read_and_taken_back_by_the_next() {
    for torn in ["c", "c\n", "c\nd", "c\nd\n"] {
        let place = Place::new();
        place.append(&["a", "b"]).expect("it is appended");
        let mut file = OpenOptions::new().append(true).open(place.file()).expect("it can be opened");
        file.write_all(torn.as_bytes()).expect("it can be written");
        assert_eq!(place.lines().0, ["a", "b"], "{torn:?}");
        assert_eq!(place.store().ledger_head("o/r").expect("it is asked").entries, 2);
        assert_eq!(place.append(&["e"]).expect("it is appended").entries, 3);
        assert_eq!(place.lines().0, ["a", "b", "e"], "{torn:?}");
        assert_eq!(fs::read_to_string(place.file()).expect("it can be read"), "a\nb\n\ne\n\n");
    }
}

#[test]
fn a_note_that_is_lost_or_late_changes_nothing() {
    let place = Place::new();
    place.append(&["a", "b"]).expect("it is appended");
    let note = place.file().with_extension("head");
    let early = fs::read(&note).expect("it is noted");
    place.append(&["c"]).expect("it is appended");
    for lost in [Some(&early[..]), Some(b"{"), Some(b""), None] {
        match lost {
            Some(bytes) => fs::write(&note, bytes).expect("it can be written"),
            None => fs::remove_file(&note).expect("it is there"),
        }
        assert_eq!(place.store().ledger_head("o/r").expect("it is asked").entries, 3, "{lost:?}");
        assert_eq!(place.lines().0, ["a", "b", "c"]);
    }
    place.append(&["d"]).expect("it is appended");
    assert_eq!(place.lines().0, ["a", "b", "c", "d"]);
}

#[test]
fn a_file_that_was_cut_off_or_removed_is_said_and_nothing_is_written_behind_the_gap() {
    for cut in [Some(3), Some(0), None] {
        let place = Place::new();
        place.append(&["a"]).expect("it is appended");
        place.append(&["b"]).expect("it is appended");
        match cut {
            Some(length) => {
                let file = OpenOptions::new().write(true).open(place.file()).expect("it can be opened");
                file.set_len(length).expect("it can be cut");
            }
            None => fs::remove_file(place.file()).expect("it is there"),
        }
        let (lines, read) = place.lines();
        assert_eq!(lines.len(), usize::from(cut == Some(3)));
        let said =
            |error: &StoreError| matches!(error, StoreError::Damaged { why, .. } if why.contains("2 were written"));
        assert!(read.as_ref().is_err_and(said), "{read:?}");
        let refused = place.append(&["c"]);
        assert!(matches!(&refused, Err(AppendError::Store(error)) if said(error)), "{cut:?}: {refused:?}");
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_said_and_what_is_there_can_be_read() {
    let place = Place::new();
    // Not even root can make a file there.
    symlink("/proc/self", place.folder.path().join("ledger")).expect("a link is made");
    let refused = place.append(&["a"]);
    assert!(matches!(refused, Err(AppendError::Store(StoreError::Io { .. }))), "{refused:?}");
    assert_eq!(place.lines().0, [] as [String; 0]);
}

/// Unmounts what was mounted, also when the test fails.
struct SmallDisk(PathBuf);

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Nothing is left to do where it fails: the folder goes with the test's.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_takes_nothing_with_it() {
    let place = Place::new();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=256k", "lineclear-test"])
        .arg(place.folder.path())
        .output();
    if !mounted.as_ref().is_ok_and(|output| output.status.success()) {
        assert!(std::env::var_os("CI").is_none(), "CI has to be able to mount a tmpfs: {mounted:?}");
        // Outside of CI, someone without the right to mount still wants to run the other tests.
        return;
    }
    let _disk = SmallDisk(place.folder.path().to_owned());
    let long = "x".repeat(5_000);
    let mut written = 0;
    let full = loop {
        match place.append(&[&long, &long]) {
            Ok(head) => written = head.entries,
            Err(error) => break error,
        }
        assert!(written < 1000, "the disk is small");
    };
    assert!(matches!(full, AppendError::Store(StoreError::DiskFull { .. })), "{full:?}");
    assert_eq!(place.lines().0.len() as u64, written, "all of an append, or nothing");
    let text = fs::read_to_string(place.file()).expect("it can be read");
    assert!(text.ends_with("\n\n"), "what did not fit was taken back");
}

#[test]
fn child_that_appends_until_it_is_killed() {
    let Some(folder) = std::env::var_os(CHILD) else { return };
    let folder = PathBuf::from(folder);
    let store = FolderStore::open(&folder).expect("the store opens");
    let mut acknowledged = OpenOptions::new().append(true).open(folder.join("acknowledged")).expect("it can be opened");
    let mut head = store.ledger_head("o/r").expect("it is asked");
    loop {
        let lines: Vec<String> = (0..LINES).map(|line| format!("{head} {line} {}", "x".repeat(2_000))).collect();
        match Ledgers::append(&store, "o/r", &head, &lines) {
            Ok(new) => {
                head = new;
                acknowledged.write_all(format!("{}\n", head.entries).as_bytes()).expect("it can be written");
            }
            Err(AppendError::Moved(moved)) => head = moved,
            Err(AppendError::Store(error)) => panic!("it is appended: {error}"),
        }
    }
}

#[test]
fn kills_at_any_moment_leave_all_of_an_append_or_nothing() {
    let place = Place::new();
    let acknowledged = place.folder.path().join("acknowledged");
    fs::write(&acknowledged, "").expect("it can be written");
    let told = || fs::read_to_string(&acknowledged).expect("it can be read").lines().count();
    for round in 0..12_u64 {
        let before = told();
        // Two at once, so that a kill may leave something behind that the other one has to take back.
        let mut children: Vec<_> = (0..2)
            .map(|_| {
                Command::new(std::env::current_exe().expect("a test knows its own file"))
                    .args(["--exact", "child_that_appends_until_it_is_killed", "--nocapture"])
                    .env(CHILD, place.folder.path())
                    .stdout(std::process::Stdio::null())
                    .stderr(std::process::Stdio::null())
                    .spawn()
                    .expect("the test can start itself")
            })
            .collect();
        while told() < before + 3 {
            for child in &mut children {
                assert_eq!(child.try_wait().expect("it can be asked"), None, "it appends until it is killed");
            }
            std::thread::yield_now();
        }
        std::thread::sleep(std::time::Duration::from_micros((round * 7_919) % 20_000));
        for child in &mut children {
            child.kill().expect("it can be killed");
            child.wait().expect("it can be waited for");
        }
    }
    let (lines, read) = place.lines();
    read.expect("it is whole");
    assert_eq!(lines.len() as u64 % LINES, 0, "all of an append, or nothing");
    let text = fs::read_to_string(&acknowledged).expect("it can be read");
    let most = text.lines().filter_map(|line| line.parse::<u64>().ok()).max().unwrap_or_default();
    assert!(lines.len() as u64 >= most && most > 0, "what was acknowledged is there: {} of {most}", lines.len());
    let mut head = LedgerHead::default();
    for append in lines.chunks(usize::try_from(LINES).expect("it is small")) {
        assert!(append.iter().all(|line| line.starts_with(&head.to_string())), "it never forks");
        head = head.after(append);
    }
}

#[test]
fn a_ledger_that_is_set_aside_is_kept_as_it_was_and_the_next_append_begins_a_new_one() {
    let place = Place::new();
    assert_eq!(place.store().set_ledger_aside("o/r", "damaged-0").expect("there is none"), None);
    place.append(&["a", "b"]).expect("it is appended");
    let kept = place.store().set_ledger_aside("o/r", "damaged-1").expect("it is renamed").expect("there was one");
    assert_eq!(fs::read_to_string(&kept).expect("it is kept"), "a\nb\n\n");
    assert_eq!(place.store().ledgers().expect("they can be listed"), Vec::<String>::new());
    assert_eq!(place.append(&["c"]).expect("a new one begins").entries, 1);
    let again = place.store().set_ledger_aside("o/r", "damaged-1").expect_err("one is kept by that name");
    assert!(matches!(again, StoreError::Refused(_)), "{again}");
    // A note without its file is of a ledger that is gone.
    fs::remove_file(place.file()).expect("it is there");
    place.append(&["d"]).expect_err("it was cut off");
    assert_eq!(place.store().set_ledger_aside("o/r", "damaged-2").expect("the note is renamed"), None);
    assert_eq!(place.append(&["d"]).expect("a new one begins").entries, 1);
}

#[test]
fn whoever_looks_while_a_ledger_is_first_written_to_sees_none_or_all_of_it() {
    let place = Place::new();
    let store = place.store();
    for round in 0..300 {
        let repository = format!("o/r{round}");
        let start = Barrier::new(2);
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let deadline = Instant::now() + Duration::from_secs(60);
                start.wait();
                while Instant::now() < deadline {
                    let mut lines = 0;
                    let read = store.ledger_lines(&repository, 0, &mut |_, _| {
                        lines += 1;
                        true
                    });
                    read.expect("it is about to be written, and not cut off");
                    let head = store.ledger_head(&repository).expect("it is about to be written, and not cut off");
                    assert!(lines <= head.entries && matches!(head.entries, 0 | 2), "{lines} {head}");
                    if head.entries == 2 {
                        return;
                    }
                }
                panic!("it was never written");
            });
            start.wait();
            let lines = ["one".to_owned(), "two".to_owned()];
            store.append(&repository, &LedgerHead::default(), &lines).expect("it is appended");
            reader.join().unwrap_or_else(|fault| std::panic::resume_unwind(fault));
        });
    }
}
