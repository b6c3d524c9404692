//! Git over HTTP with a job's token, by real git.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use lineclear_forge::Caller;
use lineclear_git_server::{GitRepositories, GitServer};
use lineclear_services::{GitRequest, GitResponse, GitService};

use crate::http::send;
use crate::world::World;

/// The repository of the run, and what was pushed.
#[derive(Debug)]
struct Repository(GitServer);

impl GitService for Repository {
    fn handle(&self, _caller: &Caller, request: GitRequest) -> GitResponse {
        let answer = self.0.handle(lineclear_git_server::GitRequest {
            method: request.method,
            path: request.path,
            query: request.query,
            headers: request.headers,
            body: request.body,
            may_write: request.may_write,
        });
        let headers = answer.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        GitResponse { status: answer.status, headers, body: answer.body }
    }
}

fn git(folder: &Path, args: &[&str]) -> Output {
    Command::new("git")
        .args([
            "-c",
            "user.name=mona",
            "-c",
            "user.email=mona@example.org",
            "-c",
            "credential.helper=",
            "-c",
            "init.defaultBranch=main",
        ])
        .args(args)
        .current_dir(folder)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("no_proxy", "*")
        .output()
        .expect("git is installed")
}

fn works(folder: &Path, args: &[&str]) -> String {
    let output = git(folder, args);
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn world() -> (World, tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let repository = folder.path().join("repository");
    std::fs::create_dir(&repository).expect("a folder");
    works(&repository, &["init", "-q"]);
    std::fs::write(repository.join("large.bin"), crate::world::noise(1, 3 << 20)).expect("a file");
    works(&repository, &["add", "."]);
    works(&repository, &["commit", "-q", "-m", "first"]);
    let repositories = GitRepositories {
        source: repository.join(".git"),
        forge: folder.path().join("forge/octo/app.git"),
        extra_objects: Vec::new(),
        extra_refs: BTreeMap::new(),
        default_branch: None,
    };
    let server = GitServer::new(repositories);
    let world = World::with(|config| config.git = Some(Arc::new(Repository(server))));
    (world, folder, repository)
}

#[test]
fn git_clones_and_pushes_with_the_jobs_token() {
    let (world, folder, _) = world();
    let job = world.job_of(1, "push", |job| {
        job.caller.permissions.insert("contents".into(), "write".into());
    });
    let url = world.services.git_url("octo/app", &job.access.forge_token);
    works(folder.path(), &["clone", "-q", &url, "clone"]);
    let clone = folder.path().join("clone");
    assert!(std::fs::read(clone.join("large.bin")).expect("the file") == crate::world::noise(1, 3 << 20));
    std::fs::write(clone.join("more.bin"), crate::world::noise(2, 2 << 20)).expect("a file");
    works(&clone, &["add", "."]);
    works(&clone, &["commit", "-q", "-m", "second"]);
    works(&clone, &["push", "-q", "origin", "HEAD:refs/heads/made-by-the-job"]);
    let pushed = works(&clone, &["ls-remote", "origin", "refs/heads/made-by-the-job"]);
    assert!(pushed.starts_with(&works(&clone, &["rev-parse", "HEAD"])), "{pushed}");
    drop(job);
    let late = git(folder.path(), &["ls-remote", &url]);
    assert!(!late.status.success(), "the job has ended");
}

#[test]
fn a_job_that_may_only_read_cannot_push_and_reaches_no_other_repository() {
    let (world, folder, repository) = world();
    let job = world.job("read");
    let url = world.services.git_url("octo/app.git", &job.access.forge_token);
    assert!(!works(folder.path(), &["ls-remote", &url]).is_empty());
    let refused = git(&repository, &["push", &url, "HEAD:refs/heads/x"]);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("403"), "{}", String::from_utf8_lossy(&refused.stderr));
    let other = git(folder.path(), &["ls-remote", &world.services.git_url("octo/else", &job.access.forge_token)]);
    let words = String::from_utf8_lossy(&other.stderr).into_owned();
    assert!(!other.status.success() && words.contains("not found"), "{words}");

    let blind = world.job_of(1, "blind", |job| job.caller.permissions.clear());
    let nothing = git(folder.path(), &["ls-remote", &world.services.git_url("octo/app", &blind.access.forge_token)]);
    assert!(!nothing.status.success(), "no permission at all");
    let public = world.job_of(1, "public", |job| {
        job.caller.permissions.clear();
        job.repository_visibility = "public".into();
    });
    works(folder.path(), &["ls-remote", &world.services.git_url("octo/app", &public.access.forge_token)]);
}

#[test]
fn without_a_token_git_is_asked_for_one() {
    let (world, ..) = world();
    let _job = world.job("none");
    let answer = send(&world.address(), "GET", "/git/octo/app/info/refs?service=git-upload-pack", &[], b"");
    assert_eq!((answer.status, answer.header("www-authenticate")), (401, "Basic realm=\"GitHub\""));
}

#[test]
fn where_no_git_is_offered_nothing_is_found() {
    let world = World::new();
    let job = world.job("none");
    let authorization = format!("Bearer {}", job.access.forge_token);
    let path = "/git/octo/app/info/refs?service=git-upload-pack";
    assert_eq!(send(&world.address(), "GET", path, &[("Authorization", &authorization)], b"").status, 404);
}

/// An answer that breaks off must not look like one that ended.
#[test]
fn an_answer_that_breaks_off_breaks_the_connection() {
    #[derive(Debug)]
    struct Broken;
    impl GitService for Broken {
        fn handle(&self, _caller: &Caller, _request: GitRequest) -> GitResponse {
            let body = std::io::Cursor::new(vec![b'x'; 100_000]).chain(Failing);
            GitResponse { status: 200, headers: vec![("content-length".into(), "200000".into())], body: Box::new(body) }
        }
    }
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("git died"))
        }
    }
    let world = World::with(|config| config.git = Some(Arc::new(Broken)));
    let job = world.job("broken");
    let authorization = format!("Bearer {}", job.access.forge_token);
    let answer = send(&world.address(), "GET", "/git/octo/app/info/refs", &[("Authorization", &authorization)], b"");
    // It may break before the head has left, too: what counts is that nobody takes it for the whole.
    let announced = answer.header("content-length");
    assert!(announced == "200000" || announced.is_empty(), "{announced}");
    assert!(answer.body.len() < 200_000);
}
