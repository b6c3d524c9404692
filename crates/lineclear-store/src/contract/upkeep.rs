//! Promises about limits.

use std::path::Path;

use lineclear_event::Conclusion;

use super::{NOW, Promise, WholeStore, lookup, new_cache, new_run, noise, write};
use crate::{Caches, DAY_MS, Limits, SaveOutcome, StoreError};

pub(super) fn promises<S: WholeStore>() -> Vec<Promise<S>> {
    vec![
        ("caches_that_nobody_uses_go_after_a_week", caches_that_nobody_uses_go_after_a_week),
        ("old_runs_go_but_not_those_that_are_alive", old_runs_go_but_not_those_that_are_alive),
        ("usage_counts_what_is_there", usage_counts_what_is_there),
    ]
}

/// The limit of the store that [`the_least_recently_used_caches_go_when_a_repository_has_too_much`] is given.
pub(super) const SMALL_LIMIT: u64 = 250_000;

fn keys<S: WholeStore>(store: &S) -> Vec<String> {
    let mut keys: Vec<String> =
        Caches::list(store, Some("o/r")).expect("entries are listed").into_iter().map(|entry| entry.key).collect();
    keys.sort();
    keys
}

fn caches_that_nobody_uses_go_after_a_week<S: WholeStore>(store: &S, folder: &Path) {
    write(&folder.join("f"), "1");
    for key in ["used", "unused"] {
        store.save(&new_cache(key, "main", &["f"], NOW), folder).expect("the cache is saved");
    }
    let day = |days: i64| NOW.plus_millis(days * DAY_MS);
    store.find(&lookup(&["used"], &["main"], day(5))).expect("the store answers").expect("it is a hit");
    let prune = |days: i64| store.prune(day(days), &Limits::default()).expect("the store is pruned").caches;
    assert_eq!((prune(7), keys(store)), (0, vec!["unused".to_owned(), "used".to_owned()]));
    assert_eq!((prune(8), keys(store)), (1, vec!["used".to_owned()]));
    let hit = store.find(&lookup(&["used"], &["main"], day(8))).expect("the store answers").expect("it is a hit");
    store.restore(&hit, &folder.join("to")).expect("what is left is whole");
    assert_eq!((prune(16), keys(store)), (1, vec![]));
    let miss = store.find(&lookup(&["used"], &["main"], day(16))).expect("the store answers").expect_err("it is gone");
    assert_eq!(miss.reason, "no cache of `o/r` is in the store");
}

/// The store given has [`SMALL_LIMIT`].
pub(super) fn the_least_recently_used_caches_go_when_a_repository_has_too_much<S: WholeStore>(
    store: &S,
    folder: &Path,
) {
    for (number, key) in ["a", "b", "c"].into_iter().enumerate() {
        write(&folder.join("f"), noise(number as u64 + 1, 100_000));
        let now = NOW.plus_millis(number as i64 * 10);
        if key == "c" {
            store.find(&lookup(&["a"], &["main"], now)).expect("the store answers").expect("it is a hit");
        }
        store.save(&new_cache(key, "main", &["f"], now), folder).expect("the cache is saved");
    }
    assert_eq!(keys(store), ["a", "c"], "`b` was unused for longest");
    write(&folder.join("f"), noise(9, 300_000));
    let refused = store.save(&new_cache("d", "main", &["f"], NOW), folder);
    assert!(matches!(refused, Err(StoreError::Refused(ref why)) if why.contains("more than the limit")), "{refused:?}");
    assert_eq!(keys(store), ["a", "c"], "what can never fit drives nothing out");
    // Another repository has its own limit.
    write(&folder.join("f"), noise(10, 200_000));
    let other = crate::NewCache { repository: "o/other".into(), ..new_cache("e", "main", &["f"], NOW) };
    assert!(matches!(store.save(&other, folder).expect("the cache is saved"), SaveOutcome::Saved(_)));
    assert_eq!(keys(store), ["a", "c"]);
    let tight = Limits { cache_bytes_per_repository: 150_000, ..Limits::default() };
    let report = store.prune(NOW.plus_millis(30), &tight).expect("the store is pruned");
    assert_eq!(report.caches, 2);
    assert_eq!(keys(store), ["c"], "used at the same time, the older goes first");
    assert!(report.freed >= 200_000, "{report:?}");
}

fn old_runs_go_but_not_those_that_are_alive<S: WholeStore>(store: &S, _: &Path) {
    let at = |days: i64| NOW.plus_millis(days * DAY_MS);
    let alive = store.begin(new_run("a.yml", at(0))).expect("a run begins");
    for days in [0, 1, 2, 3] {
        let record = store.begin(new_run("a.yml", at(days))).expect("a run begins");
        record.finish(Conclusion::Success, at(days)).expect("the run finishes");
    }
    let left = || {
        let runs = store.runs(None, 10).expect("runs are listed");
        runs.iter()
            .map(|summary| summary.header.run.started.millis_since(NOW) / DAY_MS.unsigned_abs())
            .collect::<Vec<_>>()
    };
    assert_eq!(store.prune(at(90), &Limits::default()).expect("the store is pruned").runs, 0);
    assert_eq!(store.prune(at(91), &Limits::default()).expect("the store is pruned").runs, 1);
    assert_eq!(left(), [3, 2, 1, 0], "the one that is alive stays");
    let few = Limits { runs_per_repository: 2, ..Limits::default() };
    assert_eq!(store.prune(at(4), &few).expect("the store is pruned").runs, 1);
    assert_eq!(left(), [3, 2, 0]);
    alive.input("1").expect("it can still be written to");
    assert_eq!(store.inputs(alive.header().id).expect("inputs are read"), ["1"]);
    let next = store.begin(new_run("a.yml", at(5))).expect("a run begins");
    assert_eq!(next.header().number, 6, "numbers are not given again");
}

fn usage_counts_what_is_there<S: WholeStore>(store: &S, folder: &Path) {
    let empty = store.usage().expect("usage is counted");
    assert_eq!((empty.runs, empty.caches, empty.artifacts, empty.stored_bytes), (0, 0, 0, 0));
    write(&folder.join("f"), noise(5, 50_000));
    let record = store.begin(new_run("a.yml", NOW)).expect("a run begins");
    let job = lineclear_event::JobKey::new("a");
    record.log(&job, "s", NOW, &b"0123456789\n".repeat(1000)).expect("lines are kept");
    store.save(&new_cache("k", "main", &["f"], NOW), folder).expect("the cache is saved");
    let usage = store.usage().expect("usage is counted");
    assert_eq!((usage.runs, usage.caches, usage.cache_bytes), (1, 1, 50_000));
    assert!(usage.run_bytes >= 10_000, "{usage:?}");
    assert!((50_000..60_000).contains(&usage.stored_bytes), "{usage:?}");
    let id = Caches::list(store, None).expect("entries are listed")[0].id;
    store.remove(id).expect("it is removed");
    store.prune(NOW, &Limits::default()).expect("the store is pruned");
    let usage = store.usage().expect("usage is counted");
    assert_eq!((usage.caches, usage.stored_bytes), (0, 0), "nothing is left of what was removed");
}
