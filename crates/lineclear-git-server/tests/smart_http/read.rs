//! Clones and fetches.

use crate::Served;
use crate::http::{Http, Reply};
use crate::repository::{attempt, commit, repository, run};
use std::io::Read;
use std::sync::Arc;

use lineclear_git_server::{GitRepositories, GitRequest, GitServer};

#[test]
fn a_clone_has_branches_tags_and_the_default_branch() {
    let served = Served::new(false);
    run(&served.user(), &["checkout", "--quiet", "feature"]);
    run(served.folder.path(), &["clone", "--quiet", &served.url(), "clone"]);
    let clone = served.folder.path().join("clone");
    assert_eq!(
        run(&clone, &["rev-parse", "HEAD"]),
        served.second,
        "HEAD is the default branch, not what is checked out"
    );
    assert_eq!(run(&clone, &["rev-parse", "origin/feature"]), served.first);
    assert_eq!(run(&clone, &["rev-parse", "v1^{commit}"]), served.first);
    run(&clone, &["fsck", "--strict"]);
}

#[test]
fn a_bare_commit_is_fetched_at_depth_1_as_checkout_does() {
    // Sheet section 7: `--no-tags --prune --depth=1` and `+<sha>:refs/remotes/origin/<branch>`.
    for version in ["0", "2"] {
        let served = Served::new(false);
        let clone = repository(&served.folder.path().join("clone"));
        let refspec = format!("+{}:refs/remotes/origin/main", served.first);
        let version = format!("protocol.version={version}");
        run(
            &clone,
            &["-c", &version, "fetch", "--quiet", "--no-tags", "--prune", "--depth=1", &served.url(), &refspec],
        );
        assert_eq!(run(&clone, &["rev-parse", "refs/remotes/origin/main"]), served.first);
        assert_eq!(run(&clone, &["rev-list", "--count", "--all"]), "1");
        let asked = served.http.seen().iter().any(|head| head.header("git-protocol") == Some("version=2"));
        assert_eq!(asked, version.ends_with('2'));
    }
}

#[test]
fn a_pull_requests_merge_commit_is_fetched_by_name_and_by_id() {
    let served = Served::new(false);
    let clone = repository(&served.folder.path().join("clone"));
    run(&clone, &["fetch", "--quiet", &served.url(), "+refs/pull/7/merge:refs/remotes/pull/7/merge"]);
    assert_eq!(run(&clone, &["rev-parse", "refs/remotes/pull/7/merge"]), served.merge);
    assert_eq!(run(&clone, &["log", "-1", "--format=%s", "refs/remotes/pull/7/merge"]), "Merge feature into main");
    let other = repository(&served.folder.path().join("other"));
    let refspec = format!("+{}:refs/remotes/pull/7/merge", served.merge);
    run(&other, &["fetch", "--quiet", "--depth=1", &served.url(), &refspec]);
    assert_eq!(run(&other, &["rev-parse", "refs/remotes/pull/7/merge"]), served.merge);
    assert!(attempt(&served.user(), &["rev-parse", "--verify", "refs/pull/7/merge"]).status.code() != Some(0));
}

#[test]
fn a_partial_clone_leaves_blobs_out_and_gets_them_later() {
    let served = Served::new(false);
    run(served.folder.path(), &["clone", "--quiet", "--no-checkout", "--filter=blob:none", &served.url(), "clone"]);
    let clone = served.folder.path().join("clone");
    let missing = run(&clone, &["rev-list", "--objects", "--all", "--missing=print"]);
    assert_eq!(missing.lines().filter(|line| line.starts_with('?')).count(), 3);
    run(&clone, &["checkout", "--quiet", "main"]);
    assert_eq!(std::fs::read_to_string(clone.join("a.txt")).expect("the file is there"), "two\n");
}

#[test]
fn a_request_packed_with_gzip_is_read() {
    // A long list of what the client wants makes git pack its request.
    let served = Served::new(false);
    for number in 0..30 {
        commit(&served.user(), &[("a.txt", &number.to_string())], "one of many");
        run(&served.user(), &["branch", &format!("branch-{number}")]);
    }
    run(served.folder.path(), &["clone", "--quiet", &served.url(), "clone"]);
    assert_eq!(run(&served.folder.path().join("clone"), &["show", "origin/branch-29:a.txt"]), "29");
    assert!(served.http.seen().iter().any(|head| head.header("content-encoding") == Some("gzip")));
}

#[test]
fn a_branch_known_only_from_origin_is_a_branch() {
    let served = Served::new(false);
    run(&served.user(), &["update-ref", "refs/remotes/origin/release", &served.first]);
    run(&served.user(), &["update-ref", "refs/remotes/origin/main", &served.first]);
    run(&served.user(), &["update-ref", "refs/stash", &served.first]);
    let listed = run(served.folder.path(), &["ls-remote", &served.url()]);
    let names: Vec<&str> = listed.lines().filter_map(|line| line.split('\t').nth(1)).collect();
    assert_eq!(
        names,
        [
            "HEAD",
            "refs/heads/feature",
            "refs/heads/main",
            "refs/heads/release",
            "refs/pull/7/merge",
            "refs/tags/v1",
            "refs/tags/v1^{}"
        ]
    );
    assert!(listed.contains(&format!("{}\trefs/heads/main", served.second)), "the local branch wins");
}

#[test]
fn a_shallow_repository_and_a_linked_working_tree_are_served() {
    let served = Served::new(false);
    let shallow = served.folder.path().join("shallow");
    run(served.folder.path(), &["clone", "--quiet", "--depth=1", &served.url(), "shallow"]);
    run(&shallow, &["worktree", "add", "--quiet", "--detach", "../linked"]);
    let repositories = GitRepositories {
        source: shallow.join(".git/worktrees/linked"),
        forge: served.folder.path().join("home/od\"d name\n.git"),
        ..GitRepositories::default()
    };
    let server = Arc::new(GitServer::new(repositories));
    let http =
        Http::start(move |head| Reply::Git { server: Arc::clone(&server), path: head.path.clone(), may_write: false });
    run(served.folder.path(), &["clone", "--quiet", &http.url(""), "clone"]);
    let clone = served.folder.path().join("clone");
    assert_eq!(run(&clone, &["rev-list", "--count", "--all"]), "1");
    assert_eq!(run(&clone, &["rev-parse", "HEAD"]), served.second);
}

#[test]
fn the_callers_settings_and_hooks_do_not_reach_git() {
    let served = Served::new(true);
    let hooks = served.user().join(".git/hooks");
    std::fs::create_dir_all(&hooks).expect("the folder can be made");
    for (folder, name) in
        [(hooks, "post-receive"), (served.server.git_dir().expect("the front").join("hooks"), "pre-receive")]
    {
        std::fs::create_dir_all(&folder).expect("the folder can be made");
        std::fs::write(folder.join(name), "#!/bin/sh\ntouch \"$(dirname \"$0\")/ran\"\nexit 1\n")
            .expect("the hook can be written");
        let path = folder.join(name);
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .expect("it can be made a program");
    }
    run(&served.user(), &["push", "--quiet", &served.url(), "main:refs/heads/new"]);
    assert!(!served.user().join(".git/hooks/ran").exists());
    assert!(!served.server.git_dir().expect("the front").join("hooks/ran").exists());
}

#[test]
fn an_answer_that_nobody_reads_ends_git() {
    let served = Served::new(false);
    let request = GitRequest {
        method: "GET".into(),
        path: "/info/refs".into(),
        query: "service=git-upload-pack".into(),
        headers: Vec::new(),
        body: Box::new(std::io::empty()),
        may_write: false,
    };
    let mut response = served.server.handle(request);
    let mut byte = [0];
    assert_eq!(response.body.read(&mut byte).expect("the answer begins"), 1);
    drop(response);
    assert!(children().is_empty(), "git still runs: {:?}", children());
}

/// The processes that this thread started and that still run or were not waited for.
fn children() -> Vec<String> {
    let list = std::fs::read_to_string("/proc/thread-self/children").expect("the kernel lists them");
    list.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn a_client_that_goes_away_ends_git() {
    let served = Served::new(false);
    let noise: String = (0..400_000_u64).map(|n| format!("{:x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
    commit(&served.user(), &[("noise", &noise)], "large");
    // The pack is larger than what pipes and sockets hold, so git would wait for a reader for ever.
    let server = Arc::new(served.later());
    let front = server.git_dir().expect("the front").to_owned();
    let http =
        Http::start(move |head| Reply::Cut { server: Arc::clone(&server), path: head.path.clone(), after: 20_000 });
    assert!(!attempt(served.folder.path(), &["clone", "--quiet", &http.url(""), "clone"]).status.success());
    while processes_on(&front) > 0 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// How many processes have the path in their command line.
fn processes_on(path: &std::path::Path) -> usize {
    let path = path.to_string_lossy().into_owned();
    let all = std::fs::read_dir("/proc").expect("the kernel lists them").flatten();
    all.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .filter(|line| String::from_utf8_lossy(line).contains(&path))
        .count()
}

#[test]
fn a_repository_with_sha_256_ids_is_served() {
    let served = Served::new(false);
    let user = served.folder.path().join("new");
    run(served.folder.path(), &["init", "--quiet", "--object-format=sha256", "new"]);
    let first = commit(&user, &[("a", "1")], "first");
    let repositories = GitRepositories {
        source: user.join(".git"),
        forge: served.folder.path().join("new.git"),
        ..GitRepositories::default()
    };
    let server = Arc::new(GitServer::new(repositories));
    let http =
        Http::start(move |head| Reply::Git { server: Arc::clone(&server), path: head.path.clone(), may_write: false });
    run(served.folder.path(), &["clone", "--quiet", &http.url(""), "clone"]);
    assert_eq!(run(&served.folder.path().join("clone"), &["rev-parse", "HEAD"]), first);
}
