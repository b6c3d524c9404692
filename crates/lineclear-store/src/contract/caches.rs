//! Promises about caches.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{NOW, Promise, WholeStore, lookup, new_cache, noise, snapshot, write};
use crate::{CacheEntry, CacheHit, NewCache, SaveOutcome, StoreError};

pub(super) fn promises<S: WholeStore>() -> Vec<Promise<S>> {
    vec![
        ("a_tree_comes_back_as_it_was", a_tree_comes_back_as_it_was),
        ("a_cache_is_found_by_the_rules", a_cache_is_found_by_the_rules),
        ("trap_88_a_second_save_of_a_key_changes_nothing", trap_88_a_second_save_of_a_key_changes_nothing),
        ("of_two_writers_one_wins", of_two_writers_one_wins),
        ("restoring_replaces_what_differs_and_leaves_the_rest", restoring_replaces_what_differs_and_leaves_the_rest),
        ("nothing_is_written_through_a_link", nothing_is_written_through_a_link),
        ("paths_go_back_where_they_were", paths_go_back_where_they_were),
        ("unusable_requests_are_refused", unusable_requests_are_refused),
        ("entries_are_listed_and_removed", entries_are_listed_and_removed),
    ]
}

fn saved<S: WholeStore>(store: &S, new: &NewCache, base: &Path) -> CacheEntry {
    match store.save(new, base).expect("the cache is saved") {
        SaveOutcome::Saved(entry) => entry,
        SaveOutcome::Exists => panic!("`{}` is new", new.key),
    }
}

fn hit<S: WholeStore>(store: &S, key: &str) -> CacheHit {
    store.find(&lookup(&[key], &["main"], NOW)).expect("the store answers").expect("it is a hit")
}

fn age(path: &Path, seconds: u64) {
    let file = fs::File::open(path).expect("it can be opened");
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::new(1_700_000_000 - seconds, 123_456_789))
        .expect("times can be set");
}

/// A tree with everything that a tree can have.
fn plant(base: &Path) {
    write(&base.join("tree/a.txt"), "alpha");
    write(&base.join("tree/deep/er/b.bin"), noise(1, 300_000));
    write(&base.join("tree/deep/same.txt"), "alpha");
    write(&base.join("tree/empty"), "");
    write(&base.join("tree").join(OsStr::from_bytes(b"not utf-8 \xff\xfe")), "odd");
    write(&base.join("tree/new\nline and \"quote\""), "odd too");
    fs::create_dir_all(base.join("tree/no files/here")).expect("a folder is made");
    symlink("a.txt", base.join("tree/link")).expect("a link is made");
    symlink("/nowhere/at/all", base.join("tree/dangling")).expect("a link is made");
    symlink("deep", base.join("tree/to folder")).expect("a link is made");
    fs::hard_link(base.join("tree/a.txt"), base.join("tree/deep/second name")).expect("a hard link is made");
    let mode = |name: &str, mode: u32| {
        fs::set_permissions(base.join(name), fs::Permissions::from_mode(mode)).expect("modes can be set");
    };
    mode("tree/deep/er/b.bin", 0o755);
    mode("tree/empty", 0o600);
    mode("tree/deep/same.txt", 0o444);
    mode("tree/no files", 0o700);
    for (number, name) in
        ["tree/a.txt", "tree/deep/er/b.bin", "tree/deep/er", "tree/deep", "tree"].into_iter().enumerate()
    {
        age(&base.join(name), number as u64 * 1000);
    }
}

fn a_tree_comes_back_as_it_was<S: WholeStore>(store: &S, folder: &Path) {
    let (from, to) = (folder.join("from"), folder.join("to"));
    plant(&from);
    let entry = saved(store, &new_cache("k", "main", &["tree"], NOW), &from);
    assert_eq!(entry.files, 10, "files and links");
    assert_eq!(entry.size, 300_000 + 5 + 5 + 5 + 3 + 7, "bytes of the files, a hard link's counted for each name");
    let report = store.restore(&hit(store, "k"), &to).expect("it is restored");
    assert_eq!(snapshot(&to), snapshot(&from));
    assert_eq!((report.files, report.bytes, report.unchanged), (entry.files, entry.size, 0));

    let report = store.restore(&hit(store, "k"), &to).expect("it is restored over itself");
    assert_eq!(snapshot(&to), snapshot(&from));
    assert_eq!((report.files, report.bytes, report.unchanged), (entry.files, entry.size, entry.files));
}

/// Rows S1-32, S4-53, S4-54; traps 86 and 87.
fn a_cache_is_found_by_the_rules<S: WholeStore>(store: &S, folder: &Path) {
    write(&folder.join("f"), "1");
    for (later, key, scope) in
        [(0, "pip-1", "main"), (1, "pip-2", "main"), (2, "pip-3", "feature"), (3, "pip-4", "refs/pull/7/merge")]
    {
        saved(store, &new_cache(key, scope, &["f"], NOW.plus_millis(later)), folder);
    }
    let find = |keys: &[&str], scopes: &[&str]| {
        let found = store.find(&lookup(keys, scopes, NOW)).expect("the store answers");
        found.map(|hit| (hit.entry.key, hit.exact)).map_err(|miss| miss.reason)
    };
    assert_eq!(find(&["pip-1"], &["main"]), Ok(("pip-1".into(), true)));
    assert_eq!(find(&["pip-9", "pip-"], &["main"]), Ok(("pip-2".into(), false)), "trap 87: the newest");
    assert_eq!(find(&["pip-9", "pip-"], &["feature", "main"]), Ok(("pip-3".into(), false)));
    assert_eq!(find(&["pip-1", "pip-"], &["feature", "main"]), Ok(("pip-3".into(), false)), "scope before key");
    assert_eq!(find(&["pip-1"], &["feature", "main"]), Ok(("pip-1".into(), true)));
    let sibling = find(&["pip-3"], &["other", "main"]).expect_err("trap 86: a sibling's cache is invisible");
    assert!(sibling.contains("exists only in `feature`"), "{sibling}");
    let base = find(&["pip-4"], &["main"]).expect_err("a base branch does not see a pull request's cache");
    assert!(base.contains("exists only in `refs/pull/7/merge`"), "{base}");
    let mut other_paths = lookup(&["pip-1"], &["main"], NOW);
    other_paths.version = "v2".into();
    let miss = store.find(&other_paths).expect("the store answers").expect_err("the version differs");
    assert!(miss.reason.contains("other paths"), "{}", miss.reason);
    let mut elsewhere = lookup(&["pip-1"], &["main"], NOW);
    elsewhere.repository = "o/other".into();
    let miss =
        store.find(&elsewhere).expect("the store answers").expect_err("another repository's caches are invisible");
    assert_eq!(miss.reason, "no cache of `o/other` is in the store");
}

/// Trap 88.
fn trap_88_a_second_save_of_a_key_changes_nothing<S: WholeStore>(store: &S, folder: &Path) {
    write(&folder.join("f"), "first");
    saved(store, &new_cache("k", "main", &["f"], NOW), folder);
    write(&folder.join("f"), "second");
    assert_eq!(
        store.save(&new_cache("k", "main", &["f"], NOW), folder).expect("it is refused softly"),
        SaveOutcome::Exists
    );
    store.restore(&hit(store, "k"), folder).expect("it is restored");
    assert_eq!(fs::read(folder.join("f")).expect("it is there"), b"first");
    // The same key in another scope, or with other paths, is another entry.
    saved(store, &new_cache("k", "feature", &["f"], NOW), folder);
    saved(store, &NewCache { version: "v2".into(), ..new_cache("k", "main", &["f"], NOW) }, folder);
}

fn of_two_writers_one_wins<S: WholeStore>(store: &S, folder: &Path) {
    let outcomes: Vec<SaveOutcome> = std::thread::scope(|scope| {
        let save = |number: usize| {
            let base = folder.join(number.to_string());
            write(&base.join("f"), noise(number as u64, 100_000));
            store.save(&new_cache("k", "main", &["f"], NOW), &base).expect("both are answered")
        };
        let workers: Vec<_> = (0..4).map(|number| scope.spawn(move || save(number))).collect();
        workers.into_iter().map(|worker| worker.join().expect("no worker fails")).collect()
    });
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, SaveOutcome::Saved(_))).count(), 1);
    let winner = outcomes.iter().position(|outcome| matches!(outcome, SaveOutcome::Saved(_))).expect("one won");
    store.restore(&hit(store, "k"), &folder.join("to")).expect("it is restored");
    assert_eq!(fs::read(folder.join("to/f")).expect("it is there"), noise(winner as u64, 100_000));
    assert_eq!(crate::Caches::list(store, None).expect("entries are listed").len(), 1);
}

fn restoring_replaces_what_differs_and_leaves_the_rest<S: WholeStore>(store: &S, folder: &Path) {
    let (from, to) = (folder.join("from"), folder.join("to"));
    plant(&from);
    saved(store, &new_cache("k", "main", &["tree"], NOW), &from);
    store.restore(&hit(store, "k"), &to).expect("it is restored");
    let tree = to.join("tree");
    write(&tree.join("extra"), "stays");
    write(&tree.join("empty"), "no longer empty");
    fs::remove_file(tree.join("link")).expect("a link is removed");
    write(&tree.join("link"), "a file where a link was");
    fs::remove_file(tree.join("dangling")).expect("a link is removed");
    fs::create_dir(tree.join("dangling")).expect("a folder where a link was");
    fs::remove_dir_all(tree.join("deep/er")).expect("a folder is removed");
    write(&tree.join("deep/er"), "a file where a folder was");
    fs::set_permissions(tree.join("a.txt"), fs::Permissions::from_mode(0o640)).expect("modes can be set");
    // The same length and the same time, so that only a look at the contents tells.
    let same = tree.join("deep/same.txt");
    let times = fs::metadata(&same).and_then(|known| known.modified()).expect("times can be read");
    fs::remove_file(&same).expect("it can be removed");
    write(&same, "ALPHA");
    fs::File::open(&same).and_then(|file| file.set_modified(times)).expect("times can be set");
    let report = store.restore(&hit(store, "k"), &to).expect("it is restored");
    assert!(report.unchanged >= 3 && report.unchanged < report.files, "{report:?}");
    assert_eq!(fs::read(tree.join("extra")).expect("it is there"), b"stays");
    fs::remove_file(tree.join("extra")).expect("it can be removed");
    age(&tree, 4000);
    assert_eq!(snapshot(&to), snapshot(&from));
    fs::remove_file(tree.join("empty")).expect("it can be removed");
    write(&tree.join("empty/full"), "in the way");
    let refused = store.restore(&hit(store, "k"), &to);
    assert!(
        matches!(refused, Err(StoreError::Io { .. })),
        "a folder with files is not thrown away for a file: {refused:?}"
    );
}

fn nothing_is_written_through_a_link<S: WholeStore>(store: &S, folder: &Path) {
    let (from, to, outside) = (folder.join("from"), folder.join("to"), folder.join("outside"));
    write(&from.join("tree/sub/f"), "from the cache");
    write(&from.join("tree/g"), "from the cache");
    saved(store, &new_cache("k", "main", &["tree"], NOW), &from);
    write(&outside.join("f"), "untouched");
    write(&outside.join("g"), "untouched");
    fs::create_dir_all(to.join("tree")).expect("a folder is made");
    symlink(&outside, to.join("tree/sub")).expect("a link is made");
    symlink(outside.join("g"), to.join("tree/g")).expect("a link is made");
    store.restore(&hit(store, "k"), &to).expect("it is restored");
    assert_eq!(fs::read(outside.join("f")).expect("it is there"), b"untouched");
    assert_eq!(fs::read(outside.join("g")).expect("it is there"), b"untouched");
    assert_eq!(fs::read(to.join("tree/sub/f")).expect("it is there"), b"from the cache");
    assert_eq!(fs::read(to.join("tree/g")).expect("it is there"), b"from the cache");

    // Nor through a second name of a file: package managers link the same file into many projects.
    let shared = outside.join("shared");
    write(&shared, "another project's");
    fs::remove_file(to.join("tree/g")).expect("it can be removed");
    fs::hard_link(&shared, to.join("tree/g")).expect("a hard link is made");
    store.restore(&hit(store, "k"), &to).expect("it is restored");
    assert_eq!(fs::read(&shared).expect("it is there"), b"another project's");
}

fn paths_go_back_where_they_were<S: WholeStore>(store: &S, folder: &Path) {
    let (from, to, home) = (folder.join("from"), folder.join("to"), folder.join("home"));
    write(&from.join("web/node_modules/x.js"), "x");
    write(&from.join("web/other.js"), "not cached");
    write(&from.join("single"), "s");
    write(&home.join(".cache/pip/wheel"), "w");
    let absolute = home.join(".cache/pip");
    let paths = ["web/./node_modules", "single", absolute.to_str().expect("the folder's name is text")];
    let entry = saved(store, &new_cache("k", "main", &paths, NOW), &from);
    assert_eq!(entry.files, 3);
    fs::remove_dir_all(&home).expect("it can be removed");
    store.restore(&hit(store, "k"), &to).expect("it is restored");
    assert_eq!(fs::read(to.join("web/node_modules/x.js")).expect("it is there"), b"x");
    assert_eq!(fs::read(to.join("single")).expect("it is there"), b"s");
    assert!(!to.join("web/other.js").exists());
    assert_eq!(fs::read(home.join(".cache/pip/wheel")).expect("it is there"), b"w");

    // The whole workspace, and paths inside of each other.
    let entry = saved(store, &new_cache("all", "main", &[".", "single", "web", "web/node_modules"], NOW), &from);
    assert_eq!(entry.files, 3, "each file once");
    store.restore(&hit(store, "all"), &folder.join("all")).expect("it is restored");
    assert_eq!(fs::read(folder.join("all/web/other.js")).expect("it is there"), b"not cached");
}

fn unusable_requests_are_refused<S: WholeStore>(store: &S, folder: &Path) {
    write(&folder.join("base/f"), "1");
    let base = folder.join("base");
    let refusal = |new: &NewCache| match store.save(new, &base) {
        Err(StoreError::Refused(why)) => why,
        other => panic!("it is refused: {other:?}"),
    };
    assert!(refusal(&new_cache("a,b", "main", &["f"], NOW)).contains("comma"));
    assert!(refusal(&new_cache(&"k".repeat(513), "main", &["f"], NOW)).contains("512"));
    assert!(refusal(&new_cache("", "main", &["f"], NOW)).contains("empty"));
    assert!(refusal(&new_cache("k", "main", &[], NOW)).contains("no path"));
    assert!(refusal(&new_cache("k", "main", &["f", "absent"], NOW)).contains("`absent` does not exist"));
    assert!(refusal(&new_cache("k", "main", &["../base"], NOW)).contains("absolute path"));
    assert!(refusal(&new_cache("k", "main", &["x/../../base"], NOW)).contains("absolute path"));
    assert!(matches!(store.find(&lookup(&["a,b"], &["main"], NOW)), Err(StoreError::Refused(_))));
    assert!(matches!(store.find(&lookup(&["k"; 11], &["main"], NOW)), Err(StoreError::Refused(_))));
    assert!(
        crate::Caches::list(store, None).expect("entries are listed").is_empty(),
        "nothing is kept of what is refused"
    );
}

fn entries_are_listed_and_removed<S: WholeStore>(store: &S, folder: &Path) {
    write(&folder.join("f"), "1");
    let first = saved(store, &new_cache("first", "main", &["f"], NOW), folder);
    let second = saved(store, &new_cache("second", "main", &["f"], NOW.plus_millis(1)), folder);
    let other = NewCache { repository: "o/other".into(), ..new_cache("third", "main", &["f"], NOW) };
    let third = saved(store, &other, folder);
    let list = |repository| crate::Caches::list(store, repository).expect("entries are listed");
    assert_eq!(list(Some("o/r")), [second.clone(), first.clone()]);
    assert_eq!(list(None).len(), 3);
    let found =
        store.find(&lookup(&["first"], &["main"], NOW.plus_millis(9))).expect("the store answers").expect("a hit");
    assert_eq!(found.entry.used, NOW.plus_millis(9), "a hit counts as use");
    assert_eq!(list(Some("o/r"))[1].used, NOW.plus_millis(9));
    store.remove(second.id).expect("it is removed");
    assert!(matches!(store.remove(second.id), Err(StoreError::NotFound { .. })));
    assert_eq!(list(Some("o/r")).iter().map(|entry| entry.id).collect::<Vec<_>>(), [first.id]);
    assert_eq!(list(Some("o/other")), [third]);
    let gone = CacheHit { entry: second, exact: true, reason: String::new() };
    let outcome = store.restore(&gone, &folder.join("to"));
    assert!(matches!(outcome, Err(StoreError::NotFound { .. })), "{outcome:?}");
    // What is left is whole, though it shared contents with what went.
    store.prune(NOW, &crate::Limits::default()).expect("the store is pruned");
    store.restore(&hit(store, "first"), &folder.join("to")).expect("it is restored");
    let restored: PathBuf = folder.join("to/f");
    assert_eq!(fs::metadata(&restored).expect("it is there").size(), 1);
}
