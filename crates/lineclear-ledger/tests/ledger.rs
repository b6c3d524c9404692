//! The ledger over a real folder: what was stated stays, in order, and what was tampered with is named.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use lineclear_event::{CommitStatement, Evidence, Statement, Subject, Timestamp, Witness};
use lineclear_gate::Broken;
use lineclear_ledger::{LedgerError, LedgerOf, VerifyError, verify_lines};
use lineclear_store::{LedgerHead, Ledgers, MemoryStore};
use lineclear_store_folder::FolderStore;
use tempfile::TempDir;

fn stated(number: u64, at: i64) -> Evidence {
    Evidence {
        subject: Subject::Commit(format!("{number:040x}")),
        at: Timestamp(at),
        by: Witness::Engine,
        statement: Statement::Commit(CommitStatement { tree: format!("{:040x}", number + 1000), parents: vec![] }),
    }
}

struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder can be made") }
    }

    fn open(&self) -> LedgerOf {
        let store = FolderStore::open(self.folder.path()).expect("the store opens");
        LedgerOf::open(Arc::new(store), "o/r")
    }

    /// With ten entries, of which each append made two.
    fn filled() -> Self {
        let place = Self::new();
        let ledger = place.open();
        for number in 0..5 {
            ledger.append(vec![stated(number * 2, 1), stated(number * 2 + 1, 1)]).expect("it is appended");
        }
        place
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("ledger/o%2Fr.jsonl")
    }

    /// Changes the ledger's lines, as someone with an editor would.
    fn edit(&self, change: impl FnOnce(&mut Vec<String>)) {
        let text = fs::read_to_string(self.file()).expect("it is there");
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.retain(|line| !line.is_empty());
        change(&mut lines);
        fs::write(self.file(), lines.join("\n") + "\n\n").expect("it can be written");
    }

    fn broken(&self, noted: Option<&LedgerHead>) -> Broken {
        match self.open().verify(noted) {
            Err(LedgerError::Broken { source, .. }) => source,
            other => panic!("it is noticed: {other:?}"),
        }
    }
}

#[test]
fn what_is_appended_is_found_by_its_subject_and_read_once() {
    for memory in [true, false] {
        let place = Place::new();
        let ledger = if memory { LedgerOf::open(Arc::new(MemoryStore::new()), "o/r") } else { place.open() };
        assert!(ledger.index().expect("it is read").entries().is_empty());
        assert_eq!(ledger.append(vec![stated(1, 5), stated(2, 6)]).expect("it is appended"), [0, 1]);
        let before = ledger.index().expect("it is read");
        assert_eq!(ledger.append(vec![stated(1, 7)]).expect("it is appended"), [2]);
        assert_eq!(before.entries().len(), 2, "what someone holds stays as it was");
        let after = ledger.index().expect("it is read");
        let of_one: Vec<u64> = after.of(&stated(1, 0).subject).map(|entry| entry.number).collect();
        assert_eq!(of_one, [0, 2]);
        let verified = ledger.verify(None).expect("it is whole");
        assert_eq!((verified.head, verified.end_is_known), (ledger.head().expect("it is asked"), false));
        assert_eq!(ledger.append(Vec::new()).expect("nothing is appended"), [] as [u64; 0]);
    }
}

#[test]
fn a_clock_that_goes_back_takes_no_entry_with_it() {
    let place = Place::new();
    let ledger = place.open();
    ledger.append(vec![stated(1, 1000), stated(2, 900)]).expect("it is appended");
    place.open().append(vec![stated(3, -5), stated(4, 2000)]).expect("it is appended");
    let times: Vec<i64> =
        ledger.index().expect("it is read").entries().iter().map(|entry| entry.evidence.at.0).collect();
    assert_eq!(times, [1000, 1000, 1000, 2000]);
}

#[test]
fn two_processes_worth_of_writers_never_fork_it() {
    let place = Place::new();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let place = &place;
            scope.spawn(move || {
                let ledger = place.open();
                for number in 0..20 {
                    let numbers = ledger.append(vec![stated(writer * 100 + number, 1), stated(writer, 1)]);
                    let numbers = numbers.expect("it is appended");
                    assert_eq!(numbers[0] + 1, numbers[1], "what was appended together stands together");
                    ledger.index().expect("what others append is read");
                }
            });
        }
    });
    let ledger = place.open();
    assert_eq!(ledger.verify(None).expect("it is one chain").head.entries, 160);
    assert_eq!(ledger.index().expect("it is read").entries().len(), 160);
}

#[test]
fn an_edited_entry_is_named() {
    let place = Place::filled();
    place.edit(|lines| lines[4] = lines[4].replace("\"at\":1", "\"at\":2"));
    assert_eq!(place.broken(None), Broken::Changed { number: 4 });
    assert!(matches!(place.open().index(), Err(LedgerError::Broken { .. })), "nothing is taken from it");
}

#[test]
fn a_removed_entry_is_named() {
    let place = Place::filled();
    place.edit(|lines| drop(lines.remove(3)));
    assert_eq!(place.broken(None), Broken::Missing { number: 3, found: 4 });
}

#[test]
fn entries_in_another_order_are_named() {
    let place = Place::filled();
    place.edit(|lines| lines.swap(6, 7));
    assert_eq!(place.broken(None), Broken::Missing { number: 6, found: 7 });
}

#[test]
fn a_line_that_is_none_is_named() {
    let place = Place::filled();
    place.edit(|lines| lines[2].truncate(50));
    assert!(matches!(place.broken(None), Broken::Unreadable { number: 2, .. }));
}

#[test]
fn an_end_that_was_cut_off_is_noticed_by_the_store_and_by_a_noted_head() {
    let place = Place::filled();
    let noted = place.open().head().expect("it is asked");
    place.edit(|lines| lines.truncate(8));
    let refused = place.open().append(vec![stated(99, 1)]).expect_err("nothing is written behind a gap");
    assert!(format!("{:?}", refused).contains("it ends after 8 entries, and 10 were written"), "{refused:?}");
    assert_eq!(place.broken(Some(&noted)), Broken::Shortened { expected: 10, found: 8 });
    // Whoever removes the note, too, is found by the head that someone else noted.
    fs::remove_file(place.folder.path().join("ledger/o%2Fr.head")).expect("it is there");
    place.open().append(vec![stated(98, 1), stated(99, 1), stated(100, 1)]).expect("it is appended");
    assert_eq!(place.broken(Some(&noted)), Broken::Changed { number: 9 });
}

#[test]
fn an_edited_last_entry_is_noticed_before_another_is_linked_to_it() {
    let place = Place::filled();
    place.edit(|lines| lines[9] = lines[9].replace("\"at\":1", "\"at\":2"));
    place.open().append(vec![stated(99, 1)]).expect_err("nothing is linked to what was not written");
    place.open().verify(None).expect_err("the end is not what was written");
}

#[test]
fn an_export_is_verified_offline_and_with_sha256sum() {
    let place = Place::filled();
    let ledger = place.open();
    let mut text = Vec::new();
    let head = ledger.export(&mut text).expect("it is written out").head;
    let verified = verify_lines(&text[..], None).expect("it is whole");
    assert_eq!(verified.repository.as_deref(), Some("o/r"));
    assert_eq!((verified.head, verified.end_is_known), (head, true));

    // Anyone can do it: the hash of each line is what the next one begins with.
    let text = String::from_utf8(text).expect("it is text");
    let file = place.folder.path().join("export.jsonl");
    fs::write(&file, &text).expect("it can be written");
    let script = r#"
        previous=$(printf '0%.0s' $(seq 64)); number=0
        while IFS= read -r line; do
            case $line in
                '{"previous":"'$previous'","number":'$number,*) ;;
                '{"ledger":"o/r","head":"'$number:$previous'"}') echo whole; exit 0 ;;
                *) echo "line $number"; exit 1 ;;
            esac
            previous=$(printf %s "$line" | sha256sum | cut -d' ' -f1); number=$((number + 1))
        done < "$1"
        exit 1"#;
    let checked = Command::new("bash").args(["-c", script, "bash"]).arg(&file).output().expect("bash starts");
    assert_eq!(String::from_utf8_lossy(&checked.stdout), "whole\n", "{checked:?}");

    let lines: Vec<&str> = text.lines().collect();
    let verify = |lines: &[&str]| verify_lines(lines.join("\n").as_bytes(), None);
    let broken = |lines: &[&str]| match verify(lines) {
        Err(VerifyError::Broken(broken)) => broken,
        other => panic!("it is noticed: {other:?}"),
    };
    let without = |at: usize| [&lines[..at], &lines[at + 1..]].concat();
    assert_eq!(broken(&without(0)), Broken::Missing { number: 0, found: 1 });
    assert_eq!(broken(&without(9)), Broken::Shortened { expected: 10, found: 9 });
    assert_eq!(
        broken(&[&lines[..], &lines[..1]].concat()),
        Broken::Unreadable { number: 10, why: "it stands after the end of the export".into() }
    );
    let early = format!(r#"{{"ledger":"o/r","head":"{}"}}"#, LedgerHead { entries: 4, ..head });
    assert_eq!(broken(&[&lines[..10], &[early.as_str()]].concat()), Broken::OtherEnd { expected: 4, found: 10 });
    let last = lines[9].replace("\"at\":1", "\"at\":3");
    let changed = [&lines[..9], &[last.as_str()], &lines[10..]].concat();
    assert_eq!(broken(&changed), Broken::Changed { number: 9 });
    // The store's own file is verified as well.
    let own = fs::read(place.file()).expect("it is there");
    assert_eq!(verify_lines(&own[..], Some(&head)).expect("it is whole").head, head);
    let verified = verify_lines(&own[..], None).expect("it is whole");
    assert_eq!((verified.head, verified.end_is_known), (head, false), "and nobody can say whether more was there");
}

#[test]
fn an_export_that_was_cut_off_is_not_whole_and_nothing_is_no_ledger() {
    let place = Place::filled();
    let mut text = Vec::new();
    let head = place.open().export(&mut text).expect("it is written out").head;
    let text = String::from_utf8(text).expect("it is text");
    let lines: Vec<&str> = text.lines().collect();
    let verify = |lines: &[&str], noted| verify_lines((lines.join("\n") + "\n").as_bytes(), noted);
    for entries in 1..lines.len() {
        let cut = verify(&lines[..entries], None).expect_err("its head is not there");
        assert!(matches!(cut, VerifyError::CutOff { entries: said } if said == entries as u64), "{cut:?}");
    }
    // A head that was noted is as good as the one in the last line.
    let verified = verify(&lines[..lines.len() - 1], Some(&head)).expect("it ends where it was noted");
    assert!(verified.end_is_known);
    for nothing in [&[][..], &["", ""]] {
        assert!(matches!(verify(nothing, None), Err(VerifyError::Nothing)), "{nothing:?}");
        assert!(matches!(verify(nothing, Some(&head)), Err(VerifyError::Nothing)), "{nothing:?}");
    }
    // A ledger that has no entry yet is one, and its export says so.
    let empty = Place::new();
    let mut text = Vec::new();
    empty.open().export(&mut text).expect("it is written out");
    assert_eq!(verify_lines(&text[..], None).expect("it is whole").head.entries, 0);
}

#[test]
fn an_earlier_head_has_to_be_on_the_way() {
    let place = Place::filled();
    let store = FolderStore::open(place.folder.path()).expect("the store opens");
    let early = store.ledger_head("o/r").expect("it is asked");
    place.open().append(vec![stated(50, 1)]).expect("it is appended");
    assert!(!place.open().verify(Some(&early)).expect("it is whole").end_is_known);
    let other = LedgerHead { hash: lineclear_store::LineHash::of("x"), ..early };
    assert_eq!(place.broken(Some(&other)), Broken::Changed { number: 9 });
}

#[test]
fn a_ledger_that_was_written_anew_with_as_many_entries_is_noticed_by_whoever_has_read_it() {
    let place = Place::filled();
    let reader = place.open();
    let before = reader.index().expect("it is whole").entries().len();
    fs::remove_dir_all(place.folder.path().join("ledger")).expect("it is there");
    let forger = place.open();
    forger.append((0..10).map(|number| stated(number, 2)).collect()).expect("it is appended");
    assert_eq!(forger.index().expect("it is whole in itself").entries().len(), before);
    let error = reader.index().expect_err("it is another one");
    assert!(matches!(error, LedgerError::Broken { source: Broken::Changed { number: 9 }, .. }), "{error:?}");
}
