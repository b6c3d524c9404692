//! The second use, and uses without a network.

use std::sync::Arc;

use crate::{Bench, commit, file, resolve};
use lineclear_fetch::FetchError;

#[test]
fn a_run_asks_once_and_the_next_fetches_nothing() {
    let bench = Bench::new();
    let (_, first) = bench.repository("o/r", &[("a", "1")]);
    let fetcher = bench.fetcher();
    resolve(&fetcher, "o/r@main").expect("found");
    let after_first = bench.requests();
    resolve(&fetcher, "o/r@main").expect("found");
    resolve(&fetcher, &format!("o/r@{first}")).expect("found");
    assert_eq!(bench.requests(), after_first, "the same run asks nothing more, and a known commit is not fetched");
    resolve(&bench.fetcher(), "o/r@main").expect("found");
    let posted = bench.http.seen()[after_first..].iter().filter(|head| head.path.ends_with("git-upload-pack")).count();
    // Version 2 asks for refs by one POST; a fetch would be further ones.
    assert!(posted <= 1, "the next run asks where the branch is, and fetches nothing");
}

#[test]
fn without_a_network_the_known_commit_is_used_with_a_note() {
    let bench = Bench::new();
    let (_, first) = bench.repository("o/r", &[("a", "1")]);
    resolve(&bench.fetcher(), "o/r@main").expect("found");
    let asked = bench.requests();
    let resolved = resolve(&bench.offline(), "o/r@main").expect("found");
    assert_eq!((resolved.commit, resolved.notes.len(), resolved.locked), (Some(first.clone()), 1, false));
    assert!(
        resolve(&bench.offline(), &format!("o/r@{first}")).expect("found").notes.is_empty(),
        "a commit needs no note"
    );
    assert_eq!(bench.requests(), asked);
    for never_seen in ["o/r@v2", "o/other@v1", &format!("o/r@{}", "1".repeat(40))] {
        let error = resolve(&bench.offline(), never_seen).expect_err("not in the cache");
        assert!(matches!(error, FetchError::Offline { .. }), "{error}");
    }
}

#[test]
fn a_server_in_trouble_is_noted_where_the_cache_helps() {
    let bench = Bench::new();
    bench.repository("o/r", &[("a", "1")]);
    resolve(&bench.fetcher(), "o/r@main").expect("found");
    bench.trouble(|_, _, _| Some(crate::http::Reply::Status(500, Vec::new(), "Oops".into())));
    let resolved = resolve(&bench.fetcher(), "o/r@main").expect("the cache has it");
    assert_eq!(resolved.notes.len(), 1, "{:?}", resolved.notes);
}

#[test]
fn a_changed_cache_is_noticed_and_repaired() {
    let bench = Bench::new();
    bench.repository("o/r", &[("a", "1"), ("lib/b", "2")]);
    let folder = resolve(&bench.fetcher(), "o/r@main").expect("found").folder;
    std::fs::write(folder.join("lib/b"), "evil").expect("written");
    let error = resolve(&bench.offline(), "o/r@main").expect_err("the cache was changed");
    assert!(matches!(&error, FetchError::Changed { file, .. } if file == "lib/b"), "{error}");
    std::fs::create_dir_all(&folder).expect("made");
    let resolved = resolve(&bench.fetcher(), "o/r@main").expect("repaired");
    assert_eq!(file(&resolved, "lib/b"), "2");
    assert!(resolved.notes.iter().any(|note| note.contains("fetched anew")), "{:?}", resolved.notes);
    // What an action wrote into its own folder is gone in the next run, and no reason to fetch.
    std::fs::create_dir(folder.join("__pycache__")).expect("made");
    let resolved = resolve(&bench.offline(), "o/r@main").expect("found");
    assert!(!resolved.folder.join("__pycache__").exists());
}

#[test]
fn many_at_once_fetch_once() {
    let bench = Bench::new();
    bench.repository("o/r", &[("a", "1")]);
    let fetchers: Vec<Arc<_>> = (0..4).map(|_| Arc::new(bench.fetcher())).collect();
    std::thread::scope(|scope| {
        let threads: Vec<_> = fetchers
            .iter()
            .flat_map(|fetcher| [fetcher, fetcher])
            .map(|fetcher| scope.spawn(|| resolve(fetcher, "o/r@main").expect("found")))
            .collect();
        for thread in threads {
            assert_eq!(file(&thread.join().expect("no panic"), "a"), "1");
        }
    });
    // One ask for each fetcher, and one fetch for all: each is a GET and one or two POSTs.
    let gets = bench.http.seen().iter().filter(|head| head.method == "GET").count();
    assert_eq!(gets, 4 + 1);
    assert!(bench.half_made().is_empty());
}

#[test]
fn what_a_killed_process_left_is_removed() {
    let bench = Bench::new();
    bench.repository("o/r", &[("a", "1")]);
    let left = bench.home().join("making/left");
    std::fs::create_dir_all(left.join("git/objects")).expect("made");
    std::fs::write(left.join("lock"), "").expect("written");
    // One that is still being made is left alone.
    let held = bench.home().join("making/held");
    std::fs::create_dir_all(&held).expect("made");
    let lock = std::fs::File::create(held.join("lock")).expect("made");
    lock.lock().expect("locked");
    resolve(&bench.fetcher(), "o/r@main").expect("found");
    assert!(!left.exists() && held.exists());
    drop(lock);
}

#[test]
fn a_folder_without_its_manifest_is_made_anew() {
    let bench = Bench::new();
    bench.repository("o/r", &[("a", "1")]);
    let folder = resolve(&bench.fetcher(), "o/r@main").expect("found").folder;
    std::fs::remove_file(folder.with_extension("manifest")).expect("removed");
    std::fs::write(folder.join("a"), "half").expect("written");
    assert_eq!(file(&resolve(&bench.fetcher(), "o/r@main").expect("found"), "a"), "1");
}

#[test]
fn a_branch_that_moved_is_followed_where_nothing_is_locked() {
    let bench = Bench::new();
    let (made, _) = bench.repository("o/r", &[("a", "1")]);
    let unlocked = || {
        lineclear_fetch::Fetcher::new(lineclear_fetch::FetchSettings { lock: None, ..bench.settings() }).expect("valid")
    };
    resolve(&unlocked(), "o/r@main").expect("found");
    let second = commit(&made, &[("a", "2")], "second");
    assert_eq!(resolve(&unlocked(), "o/r@main").expect("found").commit, Some(second));
}
