//! Pushes: to the forge's own repository, never to the user's.

use std::sync::Arc;

use crate::Served;
use crate::http::{Http, Reply};
use crate::repository::{attempt, commit, run};
use lineclear_git_server::RefChange;

/// A clone with one commit more, on branch `release`.
fn with_commit(served: &Served) -> (std::path::PathBuf, String) {
    run(served.folder.path(), &["clone", "--quiet", &served.url(), "clone"]);
    let clone = served.folder.path().join("clone");
    run(&clone, &["checkout", "--quiet", "-b", "release"]);
    let made = commit(&clone, &[("b.txt", "new\n")], "made by a step");
    (clone, made)
}

/// Everything below the user's git directory: names and contents.
fn snapshot(folder: &std::path::Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).expect("the folder can be read").flatten() {
            if entry.path().is_dir() {
                open.push(entry.path());
            } else {
                found.push((entry.path(), std::fs::read(entry.path()).expect("the file can be read")));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_pushed_branch_is_read_back_and_the_users_repository_is_untouched() {
    let served = Served::new(true);
    let before = snapshot(&served.user().join(".git"));
    let (clone, made) = with_commit(&served);
    run(&clone, &["push", "--quiet", "origin", "release"]);
    run(&clone, &["push", "--quiet", "origin", ":feature"]);
    assert_eq!(
        run(served.folder.path(), &["ls-remote", &served.url(), "refs/heads/release"]),
        format!("{made}\trefs/heads/release")
    );
    run(served.folder.path(), &["clone", "--quiet", "--branch", "release", &served.url(), "again"]);
    assert_eq!(run(&served.folder.path().join("again"), &["rev-parse", "HEAD"]), made);
    assert_eq!(snapshot(&served.user().join(".git")), before);
    let changes = served.server.changes().expect("the changes can be read");
    let created = RefChange { name: "refs/heads/release".into(), old: None, new: Some(made) };
    let removed = RefChange { name: "refs/heads/feature".into(), old: Some(served.first.clone()), new: None };
    assert_eq!(changes, [removed, created]);
}

#[test]
fn a_later_run_keeps_what_was_pushed_and_follows_the_rest() {
    let served = Served::new(true);
    let (clone, made) = with_commit(&served);
    run(&clone, &["push", "--quiet", "origin", "release", "release:feature"]);
    let third = commit(&served.user(), &[("a.txt", "three\n")], "third");
    run(&served.user(), &["branch", "--force", "feature", &third]);
    run(&served.user(), &["tag", "-d", "v1"]);
    run(&served.user(), &["branch", "topic/a"]);
    let later = served.later();
    let front = later.git_dir().expect("the front opens").to_owned();
    let mut refs = run(&front, &["for-each-ref", "--format=%(refname) %(objectname)"]);
    refs.push('\n');
    let expected = format!(
        "refs/heads/feature {made}\nrefs/heads/main {third}\nrefs/heads/release {made}\nrefs/heads/topic/a {third}\nrefs/pull/7/merge {}\n",
        served.merge
    );
    assert_eq!(refs, expected);
    // Opening once more changes nothing.
    served.later().git_dir().expect("the front opens");
    assert_eq!(run(&front, &["for-each-ref", "--format=%(refname) %(objectname)"]) + "\n", expected);
}

#[test]
fn a_branch_in_the_way_of_a_pushed_one_is_left_out() {
    let served = Served::new(true);
    let (clone, made) = with_commit(&served);
    run(&clone, &["push", "--quiet", "origin", "release:refs/heads/topic"]);
    run(&served.user(), &["branch", "topic/a"]);
    run(&served.user(), &["branch", "other"]);
    let later = served.later();
    let front = later.git_dir().expect("the front opens");
    assert_eq!(run(front, &["rev-parse", "refs/heads/topic"]), made);
    assert_eq!(run(front, &["rev-parse", "refs/heads/other"]), served.second);
    assert!(!attempt(front, &["rev-parse", "--verify", "refs/heads/topic/a"]).status.success());
}

#[test]
fn a_push_from_a_shallow_clone_arrives() {
    let served = Served::new(true);
    run(served.folder.path(), &["clone", "--quiet", "--depth=1", &served.url(), "clone"]);
    let clone = served.folder.path().join("clone");
    let made = commit(&clone, &[("b.txt", "new\n")], "made by a step");
    run(&clone, &["push", "--quiet", "origin", "HEAD:refs/heads/release"]);
    assert_eq!(run(served.server.git_dir().expect("the front"), &["rev-list", "--count", &made]), "3");
}

#[test]
fn a_push_without_permission_is_refused_with_words() {
    let served = Served::new(false);
    let (clone, _) = with_commit(&served);
    let output = attempt(&clone, &["push", "origin", "release"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(said.contains("403") && said.contains("contents: write"), "{said}");
}

#[test]
fn a_pull_requests_own_refs_take_no_push() {
    let served = Served::new(true);
    let (clone, _) = with_commit(&served);
    let output = attempt(&clone, &["push", "origin", "release:refs/pull/7/merge"]);
    assert!(!output.status.success());
    let front = served.server.git_dir().expect("the front");
    assert_eq!(run(front, &["rev-parse", "refs/pull/7/merge"]), served.merge);
}

#[test]
fn a_push_that_breaks_off_changes_nothing() {
    let served = Served::new(true);
    let (clone, _) = with_commit(&served);
    let noise: String = (0..200_000_u64).map(|n| format!("{:x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
    commit(&clone, &[("noise.txt", &noise)], "large");
    let server = Arc::clone(&served.server);
    // The body ends after 100 kB: what a lost connection looks like to the server.
    let http = Http::start(move |head| {
        let (server, path) = (Arc::clone(&server), head.path.clone());
        // Git first sends an empty request of four bytes, to see whether it may.
        match head.method == "POST" && head.header("content-length") != Some("4") {
            true => Reply::Broken { server, path, after: 100_000 },
            false => Reply::Git { server, path, may_write: true },
        }
    });
    let output = attempt(&clone, &["push", &http.url(""), "release"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && !said.contains("403"), "{said}");
    assert!(http.seen().iter().any(|head| head.path.ends_with("git-receive-pack")));
    assert!(
        !attempt(served.server.git_dir().expect("the front"), &["rev-parse", "--verify", "refs/heads/release"])
            .status
            .success()
    );
}

#[test]
fn two_servers_open_one_repository_at_once() {
    let served = Served::new(true);
    std::thread::scope(|scope| {
        let opened: Vec<_> = (0..4).map(|_| scope.spawn(|| served.later().git_dir().map(|_| ()))).collect();
        for thread in opened {
            thread.join().expect("no panic").expect("the front opens");
        }
    });
    run(served.folder.path(), &["clone", "--quiet", &served.url(), "clone"]);
}

#[test]
fn a_repository_that_is_its_own_source_is_served_as_it_is() {
    let served = Served::new(true);
    let front = served.server.git_dir().expect("the front opens").to_owned();
    let alternates = std::fs::read_to_string(front.join("objects/info/alternates")).expect("it borrows");
    let repositories = lineclear_git_server::GitRepositories {
        source: front.clone(),
        forge: front.clone(),
        extra_refs: [("refs/pull/9/head".to_owned(), served.first.clone())].into(),
        ..lineclear_git_server::GitRepositories::default()
    };
    let server = Arc::new(lineclear_git_server::GitServer::new(repositories));
    let serving = Arc::clone(&server);
    let http =
        Http::start(move |head| Reply::Git { server: Arc::clone(&serving), path: head.path.clone(), may_write: true });
    run(served.folder.path(), &["clone", "--quiet", &http.url(""), "clone"]);
    let clone = served.folder.path().join("clone");
    let made = commit(&clone, &[("b.txt", "new\n")], "made by a step");
    run(&clone, &["push", "--quiet", "origin", "HEAD:refs/heads/release"]);
    assert_eq!(run(&front, &["rev-parse", "refs/heads/release"]), made);
    assert_eq!(run(&front, &["rev-parse", "refs/pull/9/head"]), served.first);
    assert_eq!(std::fs::read_to_string(front.join("objects/info/alternates")).expect("still there"), alternates);
    assert!(server.changes().expect("known").is_empty());
}
