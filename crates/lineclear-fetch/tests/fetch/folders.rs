//! Mirrors, several servers, and machines without a network.

use crate::http::{Http, Reply};
use crate::repository::repository;
use crate::{Bench, commit, file, resolve, run};
use lineclear_fetch::{FetchError, FetchSettings, Fetcher, Origin, Server};

#[test]
fn mirrors_are_asked_first_and_passed_over_when_they_fail() {
    let bench = Bench::new();
    let (made, _) = bench.repository("o/r", &[("a", "1")]);
    run(&made, &["tag", "v2"]);
    let down = Http::start(|_| Reply::Status(502, Vec::new(), "down".into()));
    let mirrors = vec![down.url("{owner}/{repo}"), bench.http.url("nothing-here-{owner}/{repo}")];
    let server = Server { mirrors, ..bench.server("test") };
    let fetcher = Fetcher::new(FetchSettings { servers: vec![server], lock: None, ..bench.settings() }).expect("valid");
    assert_eq!(file(&resolve(&fetcher, "o/r@v2").expect("the server itself has it"), "a"), "1");
    let asked: Vec<String> = bench.http.seen().iter().map(|head| head.path.clone()).collect();
    assert!(asked[0].starts_with("/nothing-here-o/r/"), "{asked:?}");
    assert!(!down.seen().is_empty());
}

#[test]
fn the_first_mirror_that_has_the_ref_is_taken() {
    let bench = Bench::new();
    let (made, _) = bench.repository("o/r", &[("a", "origin")]);
    let (near, _) = bench.repository("near/r", &[("a", "near")]);
    run(&near, &["tag", "v1"]);
    run(&made, &["tag", "v1"]);
    run(&made, &["tag", "v2"]);
    let mirror = bench.folder.path().join("mirror");
    let with_mirror = || {
        let mirrors = vec![format!("{}/{{owner}}/{{repo}}.git", mirror.display())];
        let settings =
            FetchSettings { servers: vec![Server { mirrors, ..bench.server("test") }], lock: None, ..bench.settings() };
        Fetcher::new(settings).expect("valid")
    };
    assert_eq!(file(&resolve(&with_mirror(), "o/r@v2").expect("found"), "a"), "origin", "there is no mirror yet");
    run(
        bench.folder.path(),
        &["clone", "--quiet", "--bare", &near.to_string_lossy(), &mirror.join("o/r.git").to_string_lossy()],
    );
    let fetcher = with_mirror();
    assert_eq!(file(&resolve(&fetcher, "o/r@v1").expect("found"), "a"), "near");
    assert_eq!(file(&resolve(&fetcher, "o/r@v2").expect("found"), "a"), "origin", "the mirror is behind");
}

#[test]
fn the_next_server_is_asked_only_where_one_has_no_such_repository() {
    let bench = Bench::new();
    bench.repository("o/r", &[("a", "second")]);
    let down = Http::start(|_| Reply::Status(500, Vec::new(), "down".into()));
    let empty = Http::start(|_| Reply::Status(404, Vec::new(), "Not Found".into()));
    let first = |http: &Http| Server { name: "first".into(), url: http.url("{owner}/{repo}"), mirrors: Vec::new() };
    let with = |server: Server| FetchSettings {
        servers: vec![server, bench.server("second")],
        lock: None,
        ..bench.settings()
    };
    let resolved = resolve(&Fetcher::new(with(first(&empty))).expect("valid"), "o/r@main").expect("the second has it");
    assert_eq!(resolved.origin, Origin::Server("second".into()));
    let error = resolve(
        &Fetcher::new(FetchSettings { cache: bench.folder.path().join("other"), ..with(first(&down)) }).expect("valid"),
        "o/r@main",
    );
    // A name that a stranger took on the second server must not stand in for a server that is down.
    assert!(matches!(error, Err(FetchError::Unreachable { .. })), "{error:?}");
}

#[test]
fn an_air_gapped_folder_overrides_everything_and_asks_nobody() {
    let bench = Bench::new();
    bench.repository("o/r", &[("a", "server")]);
    let folder = bench.folder.path().join("actions");
    std::fs::create_dir_all(folder.join("o/r@main")).expect("made");
    std::fs::write(folder.join("o/r@main/a"), "folder").expect("written");
    std::fs::create_dir_all(folder.join("o/r@releases/v1")).expect("made");
    let fetcher = Fetcher::new(FetchSettings { folders: vec![folder], ..bench.settings() }).expect("valid");
    let resolved = resolve(&fetcher, "O/r@main").expect("found");
    assert_eq!((file(&resolved, "a"), resolved.origin, resolved.commit), ("folder".into(), Origin::Folder, None));
    assert!(resolve(&fetcher, "o/r@releases/v1").is_ok());
    assert_eq!(bench.requests(), 0);
    assert!(fetcher.save_lock().expect("saved").is_empty(), "plain files have no commit to lock");
    assert_eq!(fetcher.used().len(), 2);
}

#[test]
fn a_bare_repository_in_a_folder_serves_offline() {
    let bench = Bench::new();
    let work = repository(&bench.folder.path().join("work"));
    let first = commit(&work, &[("a", "1")], "first");
    run(&work, &["tag", "-a", "v1", "-m", "v1"]);
    let folder = bench.folder.path().join("actions");
    run(bench.folder.path(), &["clone", "--quiet", "--bare", "work", "actions/o/r.git"]);
    let offline = FetchSettings { folders: vec![folder], offline: true, ..bench.settings() };
    let fetcher = Fetcher::new(offline.clone()).expect("valid");
    let resolved = resolve(&fetcher, "o/r@v1").expect("found");
    assert_eq!((resolved.commit, resolved.origin), (Some(first.clone()), Origin::Server("folder".into())));
    resolve(&fetcher, &format!("o/r@{first}")).expect("found");
    let error = resolve(&fetcher, "o/r@v9").expect_err("not there");
    assert!(matches!(error, FetchError::NoSuchReference { .. }), "{error}");
    assert!(fetcher.save_lock().expect("saved").added.contains(&"o/r@v1".to_owned()));
    assert_eq!(bench.requests(), 0);
}
