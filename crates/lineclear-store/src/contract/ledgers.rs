//! Promises about ledgers.

use std::path::Path;

use super::{NOW, Promise, WholeStore};
use crate::{AppendError, LedgerHead, Ledgers, Limits, LineHash, StoreError};

pub(super) fn promises<S: WholeStore>() -> Vec<Promise<S>> {
    vec![
        ("a_ledger_grows_from_where_it_stood", a_ledger_grows_from_where_it_stood),
        ("who_knows_an_older_head_appends_nothing", who_knows_an_older_head_appends_nothing),
        ("lines_are_given_from_any_place_and_until_enough", lines_are_given_from_any_place_and_until_enough),
        ("ledgers_of_repositories_are_apart", ledgers_of_repositories_are_apart),
        ("what_is_no_line_is_refused_whole", what_is_no_line_is_refused_whole),
        ("of_many_who_append_at_once_each_stands_once", of_many_who_append_at_once_each_stands_once),
        ("no_prune_touches_a_ledger", no_prune_touches_a_ledger),
    ]
}

fn texts(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

fn all_of<S: WholeStore>(store: &S, repository: &str, from: u64) -> Vec<(u64, String)> {
    let mut found = Vec::new();
    let read = store.ledger_lines(repository, from, &mut |number, line| {
        found.push((number, line.to_owned()));
        true
    });
    read.expect("the ledger is read");
    found
}

fn numbered(from: u64, lines: &[&str]) -> Vec<(u64, String)> {
    lines.iter().zip(from..).map(|(line, number)| (number, (*line).to_owned())).collect()
}

fn a_ledger_grows_from_where_it_stood<S: WholeStore>(store: &S, _: &Path) {
    let start = store.ledger_head("o/r").expect("it is asked");
    assert_eq!(start, LedgerHead::default(), "nothing was written yet");
    assert_eq!(all_of(store, "o/r", 0), []);
    let one = Ledgers::append(store, "o/r", &start, &texts(&["a"])).expect("it is appended");
    assert_eq!(one, LedgerHead { entries: 1, hash: LineHash::of("a") });
    let three = Ledgers::append(store, "o/r", &one, &texts(&["b", "c"])).expect("it is appended");
    assert_eq!(three, LedgerHead { entries: 3, hash: LineHash::of("c") });
    assert_eq!(store.ledger_head("o/r").expect("it is asked"), three);
    assert_eq!(Ledgers::append(store, "o/r", &three, &[]).expect("nothing is appended"), three);
    assert_eq!(all_of(store, "o/r", 0), numbered(0, &["a", "b", "c"]));
    assert_eq!(three.to_string().parse(), Ok(three), "a head can be noted and read again");
}

fn who_knows_an_older_head_appends_nothing<S: WholeStore>(store: &S, _: &Path) {
    let start = LedgerHead::default();
    let one = Ledgers::append(store, "o/r", &start, &texts(&["a"])).expect("it is appended");
    let same_length = LedgerHead { entries: 1, hash: LineHash::of("b") };
    for expected in [start, same_length, one.after(&texts(&["z"]))] {
        match Ledgers::append(store, "o/r", &expected, &texts(&["x", "y"])) {
            Err(AppendError::Moved(head)) => assert_eq!(head, one),
            other => panic!("{expected} is not where it stands: {other:?}"),
        }
    }
    assert_eq!(all_of(store, "o/r", 0), numbered(0, &["a"]));
}

fn lines_are_given_from_any_place_and_until_enough<S: WholeStore>(store: &S, _: &Path) {
    let mut head = LedgerHead::default();
    for lines in [&["a"][..], &["b", "c"], &["ü \t{}"], &["e", "f", "g"]] {
        head = Ledgers::append(store, "o/r", &head, &texts(lines)).expect("it is appended");
    }
    let whole = ["a", "b", "c", "ü \t{}", "e", "f", "g"];
    for from in 0..=whole.len() {
        assert_eq!(all_of(store, "o/r", from as u64), numbered(from as u64, &whole[from..]), "from {from}");
    }
    assert_eq!(all_of(store, "o/r", u64::MAX), []);
    let mut given = 0;
    let read = store.ledger_lines("o/r", 1, &mut |number, _| {
        given += 1;
        // Whoever reads may use the store.
        store.ledger_head("o/r").expect("it is asked");
        number < 3
    });
    read.expect("the ledger is read");
    assert_eq!(given, 3);
}

fn ledgers_of_repositories_are_apart<S: WholeStore>(store: &S, _: &Path) {
    let names = ["o/r", "o/r2", "o-r", "../o/r", "ü/ö", "local/."];
    for name in names {
        Ledgers::append(store, name, &LedgerHead::default(), &texts(&[name])).expect("it is appended");
    }
    for name in names {
        assert_eq!(all_of(store, name, 0), numbered(0, &[name]));
    }
    let mut expected = texts(&names);
    expected.sort();
    assert_eq!(store.ledgers().expect("they are listed"), expected);
}

fn what_is_no_line_is_refused_whole<S: WholeStore>(store: &S, _: &Path) {
    for line in ["", "a\nb", "a\r", "\n"] {
        let refused = Ledgers::append(store, "o/r", &LedgerHead::default(), &texts(&["fine", line]));
        assert!(matches!(refused, Err(AppendError::Store(StoreError::Refused(_)))), "{line:?}: {refused:?}");
    }
    assert_eq!(store.ledger_head("o/r").expect("it is asked"), LedgerHead::default());
}

fn of_many_who_append_at_once_each_stands_once<S: WholeStore>(store: &S, _: &Path) {
    const WRITERS: u64 = 4;
    const EACH: u64 = 25;
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            scope.spawn(move || {
                for number in 0..EACH {
                    let mut head = store.ledger_head("o/r").expect("it is asked");
                    let line = |head: &LedgerHead| texts(&[&format!("{head} {writer}-{number}")]);
                    while let Err(error) = Ledgers::append(store, "o/r", &head, &line(&head)) {
                        match error {
                            AppendError::Moved(moved) => head = moved,
                            AppendError::Store(error) => panic!("it is appended: {error}"),
                        }
                    }
                }
            });
        }
    });
    let lines = all_of(store, "o/r", 0);
    assert_eq!(lines.len() as u64, WRITERS * EACH);
    let mut head = LedgerHead::default();
    for (_, line) in lines {
        assert!(line.starts_with(&head.to_string()), "`{line}` was written after {head}");
        head = head.after(&[line]);
    }
}

fn no_prune_touches_a_ledger<S: WholeStore>(store: &S, _: &Path) {
    assert_eq!(store.usage().expect("usage is counted").ledgers, 0);
    Ledgers::append(store, "o/r", &LedgerHead::default(), &texts(&["a", "b"])).expect("it is appended");
    let usage = store.usage().expect("usage is counted");
    assert_eq!(usage.ledgers, 1);
    assert!(usage.ledger_bytes >= 2, "{usage:?}");
    let nothing = Limits {
        cache_unused_days: 0,
        cache_bytes_per_repository: 0,
        artifact_days: 0,
        run_days: 0,
        runs_per_repository: 0,
        untagged_image_days: 0,
    };
    store.prune(NOW.plus_millis(i64::from(u32::MAX)), &nothing).expect("the store is pruned");
    assert_eq!(all_of(store, "o/r", 0), numbered(0, &["a", "b"]));
}
