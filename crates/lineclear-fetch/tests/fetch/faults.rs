//! A server that hangs, lies, dies half way, or wants to know who asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::http::Reply;
use crate::{Bench, commit, file, resolve, run};
use lineclear_fetch::{FetchError, FetchSettings, Fetcher, Token};

/// A repository whose pack is some megabytes.
fn large() -> (Bench, String) {
    let bench = Bench::new();
    let noise: String = (0..100_000_u64).map(|n| format!("{:x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
    let (_, first) = bench.repository("o/r", &[("noise", &noise)]);
    (bench, first)
}

#[test]
fn a_server_that_hangs_is_given_up() {
    let bench = Bench::new();
    let (_, first) = bench.repository("o/r", &[("a", "1")]);
    bench.trouble(|_, _, _| Some(Reply::Hang));
    let impatient = || FetchSettings { timeout: Duration::from_millis(500), ..bench.settings() };
    let error = resolve(&Fetcher::new(impatient()).expect("valid"), "o/r@main").expect_err("it hangs");
    assert!(
        matches!(error, FetchError::Unreachable { .. }) && error.to_string().contains("gave nothing for 0.5 s"),
        "{error}"
    );
    assert!(error.is_transient());
    // Also when it hangs between the list and the pack.
    bench.trouble(|head, _, _| (head.method == "POST").then_some(Reply::Hang));
    let error = resolve(&Fetcher::new(impatient()).expect("valid"), &format!("o/r@{first}")).expect_err("it hangs");
    assert!(matches!(error, FetchError::Unreachable { .. }), "{error}");
    assert!(bench.half_made().is_empty());
}

#[test]
fn a_server_that_dies_half_way_is_tried_again() {
    let (bench, first) = large();
    let died = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&died);
    bench.trouble(move |head, server, path| {
        let is_fetch = head.path.ends_with("git-upload-pack");
        (is_fetch && count.fetch_add(1, Ordering::SeqCst) < 2).then_some(Reply::Cut { server, path, after: 50_000 })
    });
    let resolved = resolve(&bench.fetcher(), &format!("o/r@{first}")).expect("the third try succeeds");
    assert_eq!(resolved.commit, Some(first));
    assert_eq!(died.load(Ordering::SeqCst), 3);
    assert!(bench.half_made().is_empty());
}

#[test]
fn a_server_that_always_dies_half_way_leaves_nothing_behind() {
    let (bench, first) = large();
    bench.trouble(|head, server, path| {
        head.path.ends_with("git-upload-pack").then_some(Reply::Cut { server, path, after: 50_000 })
    });
    let error = resolve(&bench.fetcher(), &format!("o/r@{first}")).expect_err("it always dies");
    assert!(matches!(error, FetchError::Unreachable { .. }) && error.to_string().contains("try again"), "{error}");
    assert!(bench.half_made().is_empty(), "{:?}", bench.half_made());
    assert!(resolve(&bench.offline(), &format!("o/r@{first}")).is_err());
    bench.mend();
    assert!(file(&resolve(&bench.fetcher(), &format!("o/r@{first}")).expect("mended"), "noise").len() > 1_000_000);
}

#[test]
fn a_pack_with_a_changed_byte_is_refused() {
    let (bench, first) = large();
    bench.trouble(|head, server, path| {
        let change = |mut bytes: Vec<u8>| {
            let middle = bytes.len() / 2;
            if bytes.len() > 10_000 {
                bytes[middle] ^= 1;
            }
            bytes
        };
        head.path.ends_with("git-upload-pack").then_some(Reply::Changed { server, path, change })
    });
    let error = resolve(&bench.fetcher(), &format!("o/r@{first}")).expect_err("the pack is damaged");
    assert!(matches!(error, FetchError::Unreachable { .. }), "{error}");
    assert!(bench.half_made().is_empty());
}

#[test]
fn a_server_that_names_a_commit_it_does_not_have_lies() {
    let bench = Bench::new();
    let (_, first) = bench.repository("o/r", &[("a", "1")]);
    // Its list names another id than its pack will hold.
    bench.trouble(|head, server, path| {
        let change = |bytes: Vec<u8>| {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            match text.contains("refs/heads/main") && text.len() < 10_000 {
                true => text.split_inclusive('\n').map(forged).collect::<String>().into_bytes(),
                false => bytes,
            }
        };
        head.path.ends_with("git-upload-pack").then_some(Reply::Changed { server, path, change })
    });
    let error = resolve(&bench.fetcher(), "o/r@main").expect_err("it lies");
    assert!(matches!(&error, FetchError::Untrue { what, .. } if what.contains(&"1".repeat(40))), "{error}");
    assert!(bench.half_made().is_empty());
    bench.mend();
    assert_eq!(resolve(&bench.fetcher(), "o/r@main").expect("mended").commit, Some(first));
}

/// A line of the list with another id of the same length.
fn forged(line: &str) -> String {
    match line.get(4..44) {
        Some(id) if id.bytes().all(|byte| byte.is_ascii_hexdigit()) => line.replace(id, &"1".repeat(40)),
        _ => line.to_owned(),
    }
}

#[test]
fn a_server_that_answers_with_a_web_page_is_no_git_server() {
    let bench = Bench::new();
    bench.repository("o/r", &[("a", "1")]);
    bench.trouble(|_, _, _| {
        Some(Reply::Status(200, vec![("content-type".into(), "text/html".into())], "<html>Sign in</html>".into()))
    });
    let error = resolve(&bench.fetcher(), "o/r@main").expect_err("no git server");
    assert!(matches!(error, FetchError::Unreachable { .. }), "{error}");
}

#[test]
fn a_repository_that_is_too_large_is_refused() {
    let (bench, first) = large();
    let settings = FetchSettings { largest: 100_000, ..bench.settings() };
    let error = resolve(&Fetcher::new(settings).expect("valid"), &format!("o/r@{first}")).expect_err("too large");
    assert!(matches!(error, FetchError::TooLarge { limit: 100_000, .. }), "{error}");
    assert!(bench.half_made().is_empty());
}

/// Only those who send the password `right` are served.
fn guarded(bench: &Bench) {
    bench.trouble(|head, _, _| {
        // `x-access-token:right` in base 64.
        let is_right = head.header("authorization") == Some("Basic eC1hY2Nlc3MtdG9rZW46cmlnaHQ=");
        let challenge = vec![("www-authenticate".to_owned(), "Basic realm=\"git\"".to_owned())];
        (!is_right).then(|| Reply::Status(401, challenge, "who are you?".into()))
    });
}

#[test]
fn a_token_opens_a_private_repository_and_is_never_shown() {
    let bench = Bench::new();
    let (_, first) = bench.repository("o/r", &[("a", "1")]);
    guarded(&bench);
    let host = bench.http.address.to_string();
    let with = |token: &str| FetchSettings { tokens: [(host.clone(), Token::new(token))].into(), ..bench.settings() };
    let error = resolve(&bench.fetcher(), "o/r@main").expect_err("private");
    assert!(matches!(error, FetchError::NoSuchRepository { .. }) && error.to_string().contains("token"), "{error}");
    let error = resolve(&Fetcher::new(with("wrong-secret")).expect("valid"), "o/r@main").expect_err("the wrong token");
    assert!(matches!(error, FetchError::NoSuchRepository { .. }), "{error}");
    let fetcher = Fetcher::new(with("right")).expect("valid");
    assert_eq!(resolve(&fetcher, "o/r@main").expect("the right token").commit, Some(first));
    for shown in [format!("{error} {error:?}"), format!("{fetcher:?}")] {
        assert!(!shown.contains("secret") && !shown.contains("right\""), "{shown}");
    }
    for file in crate::walk(&bench.home()).into_iter().filter(|path| path.is_file()) {
        let bytes = std::fs::read(&file).expect("readable");
        assert!(!bytes.windows(5).any(|part| part == b"right"), "{}", file.display());
    }
}

#[test]
fn a_token_does_not_follow_a_redirect_to_another_host() {
    let bench = Bench::new();
    bench.repository("o/r", &[("a", "1")]);
    let other = crate::http::Http::start(|_| {
        Reply::Status(401, vec![("www-authenticate".to_owned(), "Basic realm=\"other\"".to_owned())], "who?".into())
    });
    let target = format!("http://localhost:{}/o/r", other.address.port());
    bench.trouble(move |head, _, path| {
        let to = format!("{target}{path}?{}", head.query);
        Some(Reply::Status(302, vec![("location".to_owned(), to)], String::new()))
    });
    let tokens = [(bench.http.address.to_string(), Token::new("right"))].into();
    let fetcher = Fetcher::new(FetchSettings { tokens, ..bench.settings() }).expect("valid");
    assert!(resolve(&fetcher, "o/r@main").is_err());
    assert!(!other.seen().is_empty(), "the redirect was followed");
    assert!(other.seen().iter().all(|head| head.header("authorization").is_none()));
}

#[test]
fn progress_is_told_while_git_works() {
    let (bench, _) = large();
    let told = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&told);
    let fetcher = bench.fetcher().on_progress(move |progress| {
        assert!(progress.uses == "o/r@main" && progress.url.ends_with("/o/r"));
        if progress.said.contains("Receiving objects") || progress.said.contains("Counting objects") {
            counting.fetch_add(1, Ordering::SeqCst);
        }
    });
    resolve(&fetcher, "o/r@main").expect("found");
    assert!(told.load(Ordering::SeqCst) > 0);
}

#[test]
fn an_old_server_that_gives_only_what_refs_name_is_enough() {
    let bench = Bench::new();
    let (made, first) = bench.repository("o/r", &[("a", "1")]);
    run(&made, &["tag", "-a", "v1", "-m", "v1"]);
    let second = commit(&made, &[("a", "2")], "second");
    commit(&made, &[("a", "3")], "third");
    bench.trouble(|_, server, path| Some(Reply::Old { server, path }));
    assert_eq!(resolve(&bench.fetcher(), "o/r@v1").expect("by its tag").commit, Some(first));
    assert_eq!(file(&resolve(&bench.fetcher(), &format!("o/r@{second}")).expect("with all history"), "a"), "2");
    let error = resolve(&bench.fetcher(), &format!("o/r@{}", "1".repeat(40))).expect_err("no such commit");
    assert!(matches!(error, FetchError::NoSuchReference { .. }), "{error}");
    assert!(bench.http.seen().iter().all(|head| head.path.starts_with("/o/r/")));
}

#[test]
fn a_cancelled_fetch_ends_and_leaves_nothing() {
    let bench = Bench::new();
    bench.repository("o/r", &[("a", "1")]);
    let (hung, hangs) = std::sync::mpsc::channel();
    bench.trouble(move |head, _, _| {
        (head.method == "POST").then(|| {
            let _ = hung.send(());
            Reply::Hang
        })
    });
    let fetcher = bench.fetcher();
    std::thread::scope(|scope| {
        let running = scope.spawn(|| resolve(&fetcher, "o/r@main"));
        hangs.recv().expect("git asks");
        fetcher.cancel();
        let error = running.join().expect("no panic").expect_err("cancelled");
        assert!(matches!(error, FetchError::Cancelled { .. }), "{error}");
    });
    assert!(bench.half_made().is_empty());
}

/// The name of the variable that tells the test below what to do.
const KILLED: &str = "LINECLEAR_TEST_FETCH_TO_BE_KILLED";

#[test]
#[ignore = "no test by itself: the next one starts it as a process, and kills it"]
fn a_process_to_be_killed() {
    let told = std::env::var(KILLED).expect("the other test says what to fetch");
    let (url, home) = told.split_once(' ').expect("an address and a home");
    let server = lineclear_fetch::Server { name: "test".into(), url: url.into(), mirrors: Vec::new() };
    let settings = FetchSettings { servers: vec![server], ..FetchSettings::new(home.into()) };
    let _ = resolve(&Fetcher::new(settings).expect("valid"), "o/r@main");
}

#[test]
fn a_fetch_that_is_killed_half_way_is_made_anew() {
    let (bench, first) = large();
    // The lists are given; the pack stops after a part.
    bench
        .trouble(|head, server, path| (head.method == "POST").then_some(Reply::Stall { server, path, after: 100_000 }));
    let told = format!("{} {}", bench.http.url("{owner}/{repo}"), bench.home().display());
    let mut process = std::process::Command::new(std::env::current_exe().expect("known"))
        .args(["--exact", "faults::a_process_to_be_killed", "--ignored"])
        .env(KILLED, told)
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("it starts");
    let has_part = || {
        crate::walk(&bench.home().join("making")).iter().any(|path| {
            path.to_string_lossy().contains("tmp_pack") && path.metadata().is_ok_and(|metadata| metadata.len() > 0)
        })
    };
    while !has_part() {
        assert!(process.try_wait().expect("known").is_none(), "it ended by itself");
        std::thread::sleep(Duration::from_millis(5));
    }
    process.kill().expect("it runs");
    process.wait().expect("it ends");
    let made = |name: &str| std::fs::read_dir(bench.home().join(name)).into_iter().flatten().count();
    assert_eq!(made("making"), 1, "half of something is left");
    assert!(resolve(&bench.offline(), &format!("o/r@{first}")).is_err());
    bench.mend();
    assert_eq!(resolve(&bench.fetcher(), "o/r@main").expect("made anew").commit, Some(first));
    assert_eq!(made("making"), 0);
}

#[test]
fn a_host_out_of_reach_is_waited_for_once() {
    let bench = Bench::new();
    for name in ["o/a", "o/b"] {
        bench.repository(name, &[("a", "1")]);
        resolve(&bench.fetcher(), &format!("{name}@main")).expect("found");
    }
    let before = bench.requests();
    bench.trouble(|_, _, _| Some(Reply::Hang));
    let fetcher =
        Fetcher::new(FetchSettings { timeout: Duration::from_millis(500), ..bench.settings() }).expect("valid");
    for name in ["o/a", "o/b"] {
        let resolved = resolve(&fetcher, &format!("{name}@main")).expect("the cache has it");
        assert_eq!(resolved.notes.len(), 1);
    }
    assert_eq!(bench.requests(), before + 1);
}
