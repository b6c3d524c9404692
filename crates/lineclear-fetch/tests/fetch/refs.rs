//! Which commit a ref stands for (sheet section 5.1).

use crate::{Bench, branch, commit, file, resolve, run};
use lineclear_fetch::{FetchError, Origin, Used};

#[test]
fn a_branch_a_tag_an_annotated_tag_and_a_full_id_are_found() {
    let bench = Bench::new();
    let (made, first) = bench.repository("o/r", &[("action.yml", "name: one\n"), ("sub/action.yml", "name: sub\n")]);
    run(&made, &["tag", "light"]);
    run(&made, &["tag", "-a", "heavy", "-m", "heavy"]);
    branch(&made, "releases/v1");
    let second = commit(&made, &[("action.yml", "name: two\n")], "second");
    let fetcher = bench.fetcher();
    for (reference, expected, text) in [
        ("main", &second, "name: two\n"),
        ("light", &first, "name: one\n"),
        ("heavy", &first, "name: one\n"),
        ("releases/v1", &first, "name: one\n"),
        ("refs/heads/main", &second, "name: two\n"),
        (first.as_str(), &first, "name: one\n"),
        (&second.to_uppercase(), &second, "name: two\n"),
    ] {
        let resolved = resolve(&fetcher, &format!("o/r@{reference}")).expect("it is found");
        assert_eq!(
            (resolved.commit.as_ref(), file(&resolved, "action.yml")),
            (Some(expected), text.to_owned()),
            "{reference}"
        );
        assert_eq!(resolved.origin, Origin::Server("test".into()));
        assert!(!resolved.folder.join(".git").exists() && !resolved.locked && resolved.notes.is_empty());
        assert_eq!(file(&resolved, "sub/action.yml"), "name: sub\n", "an action may stand in a folder");
    }
    let used = fetcher.used();
    assert_eq!(used.len(), 7);
    assert!(used.contains(&Used { uses: "o/r@heavy".into(), commit: first, is_workflow: false }), "C20: {used:?}");
}

#[test]
fn a_tag_comes_before_a_branch_of_the_same_name() {
    let bench = Bench::new();
    let (made, first) = bench.repository("o/r", &[("a", "1")]);
    run(&made, &["tag", "v1"]);
    let second = commit(&made, &[("a", "2")], "second");
    branch(&made, "v1");
    let fetcher = bench.fetcher();
    assert_eq!(resolve(&fetcher, "o/r@v1").expect("found").commit, Some(first));
    assert_eq!(resolve(&fetcher, "o/r@refs/heads/v1").expect("found").commit, Some(second));
}

#[test]
fn a_commit_that_no_ref_names_is_found_by_its_id() {
    let bench = Bench::new();
    let (made, _) = bench.repository("o/r", &[("a", "1")]);
    let lost = commit(&made, &[("a", "lost")], "lost");
    run(&made, &["reset", "--quiet", "--hard", "HEAD~1"]);
    assert_eq!(file(&resolve(&bench.fetcher(), &format!("o/r@{lost}")).expect("found"), "a"), "lost");
}

#[test]
fn what_is_not_there_is_told_apart() {
    let bench = Bench::new();
    let (_, first) = bench.repository("o/r", &[("a", "1")]);
    let fetcher = bench.fetcher();
    let error = resolve(&fetcher, "o/r@v9").expect_err("no such ref");
    assert!(matches!(&error, FetchError::NoSuchReference { server, .. } if server == "test"), "{error}");
    let error = resolve(&fetcher, &format!("o/r@{}", &first[..7])).expect_err("abbreviated");
    assert!(matches!(error, FetchError::Abbreviated { .. }) && error.to_string().contains("all 40 digits"), "{error}");
    let error = resolve(&fetcher, "o/other@v1").expect_err("no such repository");
    assert!(matches!(error, FetchError::NoSuchRepository { .. }), "{error}");
    assert!(error.to_string().contains(&bench.http.url("o/other")), "{error}");
    let error = resolve(&fetcher, &format!("o/r@{}", "1".repeat(40))).expect_err("no such commit");
    assert!(matches!(error, FetchError::NoSuchReference { .. }), "{error}");
    // The id of a tree is an object of the repository, but no commit.
    let tree = run(&bench.path("o/r"), &["rev-parse", "HEAD^{tree}"]);
    assert!(resolve(&fetcher, &format!("o/r@{tree}")).is_err());
    assert!(bench.half_made().is_empty());
    assert!(fetcher.save_lock().expect("saved").is_empty() && !bench.lock().exists());
}

#[test]
fn hostile_names_never_reach_the_server() {
    let bench = Bench::new();
    let fetcher = bench.fetcher();
    for (owner, repo, reference) in [
        ("..", "r", "v1"),
        ("o", "--upload-pack=touch x", "v1"),
        ("o", "r", "--upload-pack=x"),
        ("o", "r", "main@{0}"),
        ("o", "r", "a b"),
        ("ö", "r", "v1"),
    ] {
        assert!(matches!(fetcher.resolve(owner, repo, reference), Err(FetchError::Name { .. })));
    }
    let long = "x".repeat(100_000);
    let error = fetcher.resolve("o", "r", &long).expect_err("too long");
    assert!(error.to_string().len() < 500, "an error does not repeat 100 kB");
    assert_eq!(bench.requests(), 0);
}

#[test]
fn names_differing_in_case_are_one() {
    let bench = Bench::new();
    bench.repository("o/r", &[("a", "1")]);
    let fetcher = bench.fetcher();
    let small = resolve(&fetcher, "o/r@main").expect("found");
    let asked = bench.requests();
    assert_eq!(resolve(&fetcher, "O/R@main").expect("found").folder, small.folder);
    assert_eq!(bench.requests(), asked);
}

#[test]
fn a_ref_with_unusual_letters_is_found() {
    let bench = Bench::new();
    let (made, first) = bench.repository("o/r", &[("a", "1")]);
    for name in ["größe", "a#b+c", "x@y", "日本"] {
        run(&made, &["tag", name]);
        assert_eq!(
            resolve(&bench.fetcher(), &format!("o/r@{name}")).expect("found").commit.as_ref(),
            Some(&first),
            "{name}"
        );
    }
}

#[test]
fn a_repository_with_sha_256_ids_is_read() {
    let bench = Bench::new();
    std::fs::create_dir_all(bench.path("o")).expect("made");
    run(&bench.path("o"), &["init", "--quiet", "--object-format=sha256", "r"]);
    let first = commit(&bench.path("o/r"), &[("a", "1")], "first");
    assert_eq!(first.len(), 64);
    for reference in ["main", &first] {
        let resolved = resolve(&bench.fetcher(), &format!("o/r@{reference}")).expect("found");
        assert_eq!((file(&resolved, "a"), resolved.commit.as_ref()), ("1".into(), Some(&first)));
    }
}
