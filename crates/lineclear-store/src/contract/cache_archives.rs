//! Promises about caches that clients pack themselves.

use std::path::Path;

use super::archives::{all_of, digest_of, names, put, uploaded};
use super::{NOW, Promise, WholeStore, lookup, new_cache, noise, write};
use crate::{
    CacheEntry, CacheHit, CacheKind, CacheScope, Caches, DAY_MS, Limits, NewCacheArchive, SaveOutcome, StoreError,
    UploadId,
};

pub(super) fn promises<S: WholeStore>() -> Vec<Promise<S>> {
    vec![
        ("an_archive_comes_back_byte_for_byte", an_archive_comes_back_byte_for_byte),
        ("trap_88_a_second_archive_of_a_key_changes_nothing", trap_88_a_second_archive_of_a_key_changes_nothing),
        ("of_two_clients_one_wins", of_two_clients_one_wins),
        ("archives_and_files_never_stand_in_for_each_other", archives_and_files_never_stand_in_for_each_other),
        ("trap_86_archives_of_other_branches_are_not_seen", trap_86_archives_of_other_branches_are_not_seen),
        ("archives_that_nobody_uses_go_after_a_week", archives_that_nobody_uses_go_after_a_week),
        ("archives_that_cannot_be_kept_are_refused", archives_that_cannot_be_kept_are_refused),
    ]
}

fn new(key: &str, scope: &str, upload: &UploadId) -> NewCacheArchive {
    NewCacheArchive {
        repository: "o/r".into(),
        key: key.into(),
        version: "v1".into(),
        scope: CacheScope(scope.into()),
        upload: upload.clone(),
        now: NOW,
    }
}

fn saved<S: WholeStore>(store: &S, key: &str, bytes: &[u8]) -> CacheEntry {
    match store.keep_cache(&new(key, "main", &uploaded(store, bytes, 70_000))).expect("the cache is kept") {
        SaveOutcome::Saved(entry) => entry,
        SaveOutcome::Exists => panic!("`{key}` is new"),
    }
}

fn find<S: WholeStore>(store: &S, keys: &[&str]) -> Result<CacheHit, String> {
    store.find_archive(&lookup(keys, &["main"], NOW)).expect("the store answers").map_err(|miss| miss.reason)
}

fn listed<S: WholeStore>(store: &S) -> Vec<(String, CacheKind)> {
    let mut all: Vec<(String, CacheKind)> = Caches::list(store, Some("o/r"))
        .expect("entries are listed")
        .into_iter()
        .map(|entry| (entry.key, entry.kind))
        .collect();
    all.sort_by(|left, right| left.0.cmp(&right.0));
    all
}

fn an_archive_comes_back_byte_for_byte<S: WholeStore>(store: &S, _: &Path) {
    let bytes = noise(1, 2_300_000);
    let entry = saved(store, "pip-1", &bytes);
    assert_eq!((entry.size, entry.stored, entry.files, entry.kind), (2_300_000, 2_300_000, 1, CacheKind::Archive));
    let hit = find(store, &["pip-2", "pip-"]).expect("it is a hit");
    assert_eq!((hit.entry.key.as_str(), hit.exact, hit.entry.id), ("pip-1", false, entry.id));
    let hit = find(store, &["pip-1"]).expect("it is a hit");
    assert!(hit.exact);
    let mut open = store.open_cache(&hit.entry).expect("it is opened");
    assert_eq!(open.size, 2_300_000);
    assert_eq!(open.digest, Some(digest_of(&bytes)));
    assert!(all_of(&mut open) == bytes, "the bytes are those that came");
    store.remove(entry.id).expect("it is removed");
    assert!(find(store, &["pip-1"]).is_err());
    assert!(matches!(store.open_cache(&entry), Err(StoreError::NotFound { .. })));
    assert_eq!(open.content.read_at(0, &mut [0; 4]).expect("who reads it reads on"), 4);
}

fn trap_88_a_second_archive_of_a_key_changes_nothing<S: WholeStore>(store: &S, _: &Path) {
    let upload = uploaded(store, b"first", 5);
    let first = store.keep_cache(&new("k", "main", &upload)).expect("the cache is kept");
    assert!(matches!(first, SaveOutcome::Saved(_)));
    assert_eq!(store.keep_cache(&new("k", "main", &upload)).expect("the answer may have been lost"), first);
    let second = uploaded(store, b"second", 5);
    assert_eq!(store.keep_cache(&new("k", "main", &second)).expect("the store answers"), SaveOutcome::Exists);
    assert_eq!(store.usage().expect("usage is counted").uploads, 0, "the upload is forgotten");
    let hit = find(store, &["k"]).expect("it is a hit");
    assert_eq!(all_of(&mut store.open_cache(&hit.entry).expect("it is opened")), b"first");
}

fn of_two_clients_one_wins<S: WholeStore>(store: &S, _: &Path) {
    for round in 0..8 {
        let uploads: Vec<UploadId> = (0..4).map(|number| uploaded(store, format!("{number}").as_bytes(), 5)).collect();
        let key = format!("k{round}");
        let outcomes: Vec<SaveOutcome> = std::thread::scope(|scope| {
            let keep = |upload| {
                let new = new(&key, "main", upload);
                scope.spawn(move || store.keep_cache(&new).expect("the store answers"))
            };
            let senders: Vec<_> = uploads.iter().map(keep).collect();
            senders.into_iter().map(|sender| sender.join().expect("no sender panics")).collect()
        });
        let won: Vec<usize> = (0..4).filter(|number| matches!(outcomes[*number], SaveOutcome::Saved(_))).collect();
        assert_eq!(won.len(), 1, "{outcomes:?}");
        let hit = find(store, &[key.as_str()]).expect("it is a hit");
        let mut open = store.open_cache(&hit.entry).expect("it is opened");
        assert_eq!(all_of(&mut open), won[0].to_string().as_bytes());
    }
    assert_eq!(store.usage().expect("usage is counted").uploads, 0);
}

fn archives_and_files_never_stand_in_for_each_other<S: WholeStore>(store: &S, folder: &Path) {
    write(&folder.join("f"), "a file");
    saved(store, "both", b"archive");
    saved(store, "archive-1", b"archive");
    for key in ["both", "files-1"] {
        let outcome = store.save(&new_cache(key, "main", &["f"], NOW), folder).expect("the cache is saved");
        assert!(matches!(outcome, SaveOutcome::Saved(_)), "the other kind does not count: {outcome:?}");
    }
    let find_files =
        |key: &str| store.find(&lookup(&[key], &["main"], NOW)).expect("the store answers").map_err(|miss| miss.reason);
    let (archive, files) = (find(store, &["both"]).expect("a hit"), find_files("both").expect("a hit"));
    assert_eq!((archive.entry.kind, files.entry.kind), (CacheKind::Archive, CacheKind::Files));
    assert!(matches!(store.open_cache(&files.entry), Err(StoreError::NotFound { .. })));
    assert!(matches!(store.restore(&archive, &folder.join("to")), Err(StoreError::NotFound { .. })));
    let miss = find_files("archive-").expect_err("it is no tree of files");
    assert!(miss.contains("`archive-1` was saved by a client as an archive of its own"), "{miss}");
    let miss = find(store, &["files-"]).expect_err("it is no archive");
    assert!(miss.contains("`files-1` was saved as files by the native cache"), "{miss}");
    use CacheKind::{Archive, Files};
    let all = listed(store);
    assert_eq!(all.len(), 4);
    assert!(all.contains(&("both".into(), Archive)) && all.contains(&("both".into(), Files)));
    store.remove(archive.entry.id).expect("it is removed");
    assert!(find(store, &["both"]).is_err());
    assert!(find_files("both").is_ok(), "one goes, the other stays");
}

fn trap_86_archives_of_other_branches_are_not_seen<S: WholeStore>(store: &S, _: &Path) {
    for (key, scope) in [("k-1", "main"), ("k-2", "feature")] {
        let upload = uploaded(store, key.as_bytes(), 9);
        let outcome = store.keep_cache(&new(key, scope, &upload)).expect("the cache is kept");
        assert!(matches!(outcome, SaveOutcome::Saved(_)));
    }
    let of = |scopes: &[&str]| {
        let found = store.find_archive(&lookup(&["k-"], scopes, NOW)).expect("the store answers");
        found.map(|hit| hit.entry.key).map_err(|miss| miss.reason)
    };
    assert_eq!(of(&["feature", "main"]), Ok("k-2".into()));
    assert_eq!(of(&["other", "main"]), Ok("k-1".into()));
    let miss = of(&["other"]).expect_err("neither may be read");
    assert!(miss.contains("`feature`, `main`, which this run may not read"), "{miss}");
}

fn archives_that_nobody_uses_go_after_a_week<S: WholeStore>(store: &S, _: &Path) {
    saved(store, "used", b"1");
    saved(store, "unused", &noise(1, 100_000));
    let day = |days: i64| NOW.plus_millis(days * DAY_MS);
    let hit = store.find_archive(&lookup(&["used"], &["main"], day(5))).expect("the store answers").expect("a hit");
    assert_eq!(hit.entry.used, day(5));
    let prune = |days: i64| store.prune(day(days), &Limits::default()).expect("the store is pruned");
    assert_eq!((prune(7).caches, listed(store).len()), (0, 2));
    let report = prune(8);
    assert_eq!((report.caches, listed(store).len()), (1, 1));
    assert!(report.freed >= 100_000, "{report:?}");
    assert_eq!(all_of(&mut store.open_cache(&hit.entry).expect("what is left is whole")), b"1");
    assert_eq!((prune(16).caches, listed(store).len()), (1, 0));
    assert_eq!(store.usage().expect("usage is counted").stored_bytes, 0);
}

fn archives_that_cannot_be_kept_are_refused<S: WholeStore>(store: &S, _: &Path) {
    let upload = store.begin_upload(NOW).expect("an upload begins");
    put(store, &upload, "1", b"1");
    assert!(matches!(store.keep_cache(&new("k", "main", &upload)), Err(StoreError::Refused(_))), "it has not ended");
    store.assemble(&upload, &names(&["1"])).expect("the upload ends");
    for key in ["", "a,b", "x".repeat(513).as_str()] {
        assert!(matches!(store.keep_cache(&new(key, "main", &upload)), Err(StoreError::Refused(_))), "{key:?}");
    }
    assert!(matches!(store.find_archive(&lookup(&[], &["main"], NOW)), Err(StoreError::Refused(_))));
    assert!(matches!(store.keep_cache(&new("k", "main", &upload)), Ok(SaveOutcome::Saved(_))));
    let gone = store.keep_cache(&new("other", "main", &upload));
    assert!(matches!(gone, Err(StoreError::NotFound { .. })), "{gone:?}");
}

/// The store given has the limit [`super::upkeep::SMALL_LIMIT`].
pub(super) fn archives_count_for_the_limit<S: WholeStore>(store: &S, folder: &Path) {
    let keys = || listed(store).into_iter().map(|(key, _)| key).collect::<Vec<_>>();
    let keep = |key: &str, seed: u64, length: usize, millis: i64| {
        let upload = uploaded(store, &noise(seed, length), 30_000);
        store.keep_cache(&NewCacheArchive { now: NOW.plus_millis(millis), ..new(key, "main", &upload) })
    };
    keep("a", 1, 100_000, 0).expect("the cache is kept");
    write(&folder.join("f"), noise(2, 100_000));
    store.save(&new_cache("b", "main", &["f"], NOW.plus_millis(10)), folder).expect("the cache is saved");
    let used = lookup(&["a"], &["main"], NOW.plus_millis(20));
    store.find_archive(&used).expect("the store answers").expect("it is a hit");
    keep("c", 3, 100_000, 30).expect("the cache is kept");
    assert_eq!(keys(), ["a", "c"], "the files of `b` were unused for longest");
    write(&folder.join("f"), noise(4, 100_000));
    store.save(&new_cache("d", "main", &["f"], NOW.plus_millis(40)), folder).expect("the cache is saved");
    assert_eq!(keys(), ["c", "d"], "then the archive `a`");
    let refused = keep("e", 5, 300_000, 50);
    assert!(matches!(refused, Err(StoreError::Refused(ref why)) if why.contains("more than the limit")), "{refused:?}");
    assert_eq!(keys(), ["c", "d"], "what can never fit drives nothing out");
    let stored = store.usage().expect("usage is counted").stored_bytes;
    assert!((200_000..210_000).contains(&stored), "what was driven out takes no room: {stored}");
}
