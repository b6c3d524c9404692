//! `lineclear.lock`, and GitHub's own lock.

use crate::{Bench, commit, file, resolve, run};
use lineclear_fetch::{FetchError, FetchSettings, Fetcher, LockMode};

/// A repository whose tag `v1` is locked at its first commit.
fn locked() -> (Bench, std::path::PathBuf, String) {
    let bench = Bench::new();
    let (made, first) = bench.repository("o/r", &[("a", "1")]);
    run(&made, &["tag", "v1"]);
    let fetcher = bench.fetcher();
    assert!(!resolve(&fetcher, "o/r@v1").expect("found").locked);
    assert_eq!(fetcher.save_lock().expect("saved").added, ["o/r@v1"]);
    (bench, made, first)
}

#[test]
fn a_missing_entry_is_added_and_then_kept() {
    let (bench, _, first) = locked();
    let text = bench.lock_text();
    assert!(text.starts_with('#') && text.contains("uses = \"o/r@v1\"") && text.contains(&first), "{text}");
    let fetcher = bench.fetcher();
    assert!(resolve(&fetcher, "o/r@v1").expect("found").locked);
    assert!(fetcher.save_lock().expect("saved").is_empty());
    assert_eq!(bench.lock_text(), text);
}

#[test]
fn a_moved_tag_is_refused_until_the_lock_is_updated() {
    let (bench, made, first) = locked();
    let second = commit(&made, &[("a", "2")], "second");
    run(&made, &["tag", "--force", "v1"]);
    let fetcher = bench.fetcher();
    let error = resolve(&fetcher, "o/r@v1").expect_err("it moved");
    assert!(matches!(error, FetchError::Moved { .. }), "{error}");
    let words = error.to_string();
    for part in ["o/r@v1", &first, &second, "--update-lock", "lineclear.lock"] {
        assert!(words.contains(part), "{words}");
    }
    let asked = bench.requests();
    assert!(resolve(&fetcher, "o/r@v1").is_err());
    assert_eq!(bench.requests(), asked, "asked once per run");
    assert!(fetcher.save_lock().expect("saved").is_empty(), "a refusal changes no lock");
    // Offline the locked commit is used without question.
    let resolved = resolve(&bench.offline(), "o/r@v1").expect("locked");
    assert_eq!((resolved.commit, resolved.notes.len()), (Some(first.clone()), 0));
    let fetcher = bench.with_mode(LockMode::Update);
    assert_eq!(file(&resolve(&fetcher, "o/r@v1").expect("updated"), "a"), "2");
    assert_eq!(fetcher.save_lock().expect("saved").updated, [("o/r@v1".to_owned(), first, second.clone())]);
    assert_eq!(resolve(&bench.fetcher(), "o/r@v1").expect("locked").commit, Some(second));
}

#[test]
fn a_locked_commit_is_fetched_on_another_machine_although_the_tag_is_gone() {
    let (bench, made, first) = locked();
    commit(&made, &[("a", "2")], "second");
    run(&made, &["tag", "-d", "v1"]);
    std::fs::remove_dir_all(bench.home()).expect("removed");
    let resolved = resolve(&bench.fetcher(), "o/r@v1").expect("the commit is there");
    assert_eq!(
        (resolved.commit, file(&Clone::clone(&resolve(&bench.fetcher(), "o/r@v1").expect("found")), "a")),
        (Some(first), "1".into())
    );
    assert_eq!(resolved.notes.len(), 1, "{:?}", resolved.notes);
}

#[test]
fn a_locked_use_works_while_the_server_is_down() {
    let (bench, _, first) = locked();
    bench.trouble(|_, _, _| Some(crate::http::Reply::Status(503, Vec::new(), "down".into())));
    let resolved = resolve(&bench.fetcher(), "o/r@v1").expect("the cache has it");
    assert_eq!((resolved.commit, resolved.locked, resolved.notes.len()), (Some(first), true, 1));
}

#[test]
fn a_frozen_lock_takes_no_new_entries() {
    let (bench, made, first) = locked();
    run(&made, &["tag", "v2"]);
    let fetcher = bench.with_mode(LockMode::Frozen);
    assert!(resolve(&fetcher, "o/r@v1").expect("locked").locked);
    let asked = bench.requests();
    let error = resolve(&fetcher, "o/r@v2").expect_err("frozen");
    assert!(matches!(error, FetchError::NotLocked { .. }) && error.to_string().contains("lineclear.lock"), "{error}");
    assert_eq!(bench.requests(), asked);
    resolve(&fetcher, &format!("o/r@{first}")).expect("a commit is locked by its id");
    assert!(fetcher.save_lock().expect("saved").is_empty());
}

#[test]
fn a_lock_with_another_digest_is_refused() {
    let (bench, ..) = locked();
    let text = bench.lock_text();
    let at = text.find("sha256:").expect("a digest") + "sha256:".len();
    let forged = format!("{}{}{}", &text[..at], "0".repeat(64), &text[at + 64..]);
    std::fs::write(bench.lock(), forged).expect("written");
    let error = resolve(&bench.fetcher(), "o/r@v1").expect_err("the digest differs");
    assert!(matches!(error, FetchError::Untrue { .. }), "{error}");
}

#[test]
fn a_corrupt_lock_is_told_with_its_line_before_anything_starts() {
    let (bench, ..) = locked();
    std::fs::write(bench.lock(), format!("{}commit = 7\n", bench.lock_text())).expect("written");
    let error = Fetcher::new(bench.settings()).expect_err("corrupt");
    assert!(matches!(error, FetchError::Lock { line: 10, .. }), "{error:?}");
    assert!(
        error.to_string().contains("lineclear.lock, line 10: ") && error.to_string().contains("remove the file"),
        "{error}"
    );
}

#[test]
fn two_runs_add_their_entries_to_one_lock() {
    let bench = Bench::new();
    for name in ["o/a", "o/b", "o/c", "o/d"] {
        bench.repository(name, &[("a", name)]);
    }
    std::thread::scope(|scope| {
        for name in ["o/a", "o/b", "o/c", "o/d"] {
            let bench = &bench;
            scope.spawn(move || {
                let fetcher = bench.fetcher();
                resolve(&fetcher, &format!("{name}@main")).expect("found");
                fetcher.save_lock().expect("saved");
            });
        }
    });
    let uses: Vec<String> =
        bench.lock_text().lines().filter(|line| line.starts_with("uses")).map(str::to_owned).collect();
    assert_eq!(uses, ["o/a", "o/b", "o/c", "o/d"].map(|name| format!("uses = \"{name}@main\"")));
}

#[test]
fn githubs_lock_decides_where_it_speaks() {
    let (bench, made, first) = locked();
    let second = commit(&made, &[("a", "2")], "second");
    run(&made, &["tag", "--force", "v1"]);
    commit(&made, &[("a", "3")], "third");
    run(&made, &["tag", "v2"]);
    let path = bench.folder.path().join("actions.lock");
    let text = format!(
        "version: 'v0.0.2'\nworkflows:\n    '.github/workflows/ci.yml':\n        - 'o/r@v2'\ndependencies:\n    'o/r@v2':\n        ref: 'v2'\n        commit: 'sha1-{second}'\n        owner_id: 1\n        repo_id: 2\n"
    );
    std::fs::write(&path, text).expect("written");
    let fetcher = Fetcher::new(FetchSettings { github_lock: Some(path), ..bench.settings() }).expect("valid");
    let resolved = resolve(&fetcher, "O/R@v2").expect("locked by GitHub's lock");
    assert_eq!((resolved.commit, resolved.locked), (Some(second), true));
    assert!(fetcher.save_lock().expect("saved").is_empty(), "what GitHub's lock has, ours need not");
    assert!(matches!(resolve(&fetcher, "o/r@v1"), Err(FetchError::Moved { locked, .. }) if locked == first));
    let missing = fetcher.github_lock().missing(".github/workflows/ci.yml", &["o/r@v2".into(), "o/r@v1".into()]);
    assert_eq!(missing, ["o/r@v1"]);
}
