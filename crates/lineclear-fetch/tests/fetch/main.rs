//! Actions of other repositories over a real git server on loopback, also when it hangs, lies or dies half way.

mod cached;
mod faults;
mod folders;
#[path = "../../../lineclear-git-server/tests/smart_http/http.rs"]
mod http;
mod locked;
mod refs;
#[path = "../../../lineclear-git-server/tests/smart_http/repository.rs"]
mod repository;
mod transitive;
mod trees;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Head, Http, Reply};
use lineclear_fetch::{FetchError, FetchSettings, Fetcher, LockMode, Resolved, Server};
use lineclear_git_server::{GitRepositories, GitServer};
use repository::{commit, repository, run};

/// What one repository's requests get instead of git's answer; none: git's answer.
type Trouble = Arc<Mutex<Option<Box<dyn Fn(&Head, Arc<GitServer>, String) -> Option<Reply> + Send + Sync>>>>;

/// Repositories on a server, and a home to fetch them into.
struct Bench {
    folder: tempfile::TempDir,
    http: Http,
    trouble: Trouble,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (root, trouble) = (folder.path().join("served"), Trouble::default());
        let (serving, troubled) = (root.clone(), Arc::clone(&trouble));
        let http = Http::start(move |head| reply(&serving, head, &troubled));
        Self { folder, http, trouble }
    }

    /// A repository `owner/repo` with one commit.
    fn repository(&self, name: &str, files: &[(&str, &str)]) -> (PathBuf, String) {
        let made = repository(&self.path(name));
        let first = commit(&made, files, "first");
        (made, first)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("served").join(name)
    }

    fn server(&self, name: &str) -> Server {
        Server { name: name.into(), url: self.http.url("{owner}/{repo}"), mirrors: Vec::new() }
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    fn lock(&self) -> PathBuf {
        self.folder.path().join("lineclear.lock")
    }

    fn lock_text(&self) -> String {
        std::fs::read_to_string(self.lock()).expect("the lock is there")
    }

    fn settings(&self) -> FetchSettings {
        FetchSettings {
            servers: vec![self.server("test")],
            lock: Some(self.lock()),
            timeout: Duration::from_secs(60),
            pause: Duration::from_millis(1),
            ..FetchSettings::new(self.home())
        }
    }

    fn fetcher(&self) -> Fetcher {
        Fetcher::new(self.settings()).expect("valid settings")
    }

    fn offline(&self) -> Fetcher {
        Fetcher::new(FetchSettings { offline: true, ..self.settings() }).expect("valid settings")
    }

    fn with_mode(&self, lock_mode: LockMode) -> Fetcher {
        Fetcher::new(FetchSettings { lock_mode, ..self.settings() }).expect("valid settings")
    }

    /// From now on requests may get something else.
    fn trouble(&self, trouble: impl Fn(&Head, Arc<GitServer>, String) -> Option<Reply> + Send + Sync + 'static) {
        *self.trouble.lock().expect("no panic") = Some(Box::new(trouble));
    }

    /// The server is itself again.
    fn mend(&self) {
        *self.trouble.lock().expect("no panic") = None;
    }

    fn requests(&self) -> usize {
        self.http.seen().len()
    }

    /// What is left of folders in the making.
    fn half_made(&self) -> Vec<PathBuf> {
        let making = std::fs::read_dir(self.home().join("making")).into_iter().flatten().flatten();
        let mut left: Vec<PathBuf> = making.map(|entry| entry.path()).collect();
        for found in walk(&self.home().join("actions")) {
            let manifest = found.with_extension("manifest");
            let name = found.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if found.is_dir() && name.len() == 40 && !manifest.exists() {
                left.push(found);
            }
        }
        left
    }
}

/// Git's answer for `/owner/repo/…`, unless there is trouble.
fn reply(served: &Path, head: &Head, trouble: &Trouble) -> Reply {
    let parts: Vec<&str> = head.path.trim_start_matches('/').splitn(3, '/').collect();
    let [owner, repo, rest] = parts[..] else { return Reply::Status(404, Vec::new(), "Not Found".into()) };
    let name = format!("{}/{}", owner.to_lowercase(), repo.to_lowercase());
    let source = served.join(&name).join(".git");
    if !source.is_dir() {
        return Reply::Status(404, Vec::new(), "Not Found".into());
    }
    let forge = served.join("forge").join(&name);
    let server = Arc::new(GitServer::new(GitRepositories { source, forge, ..GitRepositories::default() }));
    let path = format!("/{rest}");
    let instead =
        trouble.lock().expect("no panic").as_ref().and_then(|trouble| trouble(head, Arc::clone(&server), path.clone()));
    instead.unwrap_or(Reply::Git { server, path, may_write: false })
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let kind = entry.file_type().expect("its kind is known");
            if kind.is_dir() {
                open.push(entry.path());
            }
            found.push(entry.path());
        }
    }
    found
}

fn file(resolved: &Resolved, name: &str) -> String {
    std::fs::read_to_string(resolved.folder.join(name)).expect("the file is there")
}

/// Resolves `owner/repo@ref`.
fn resolve(fetcher: &Fetcher, uses: &str) -> Result<Resolved, FetchError> {
    let (name, reference) = uses.split_once('@').expect("a ref");
    let (owner, repo) = name.split_once('/').expect("an owner");
    fetcher.resolve(owner, repo, reference)
}

fn branch(folder: &Path, name: &str) {
    run(folder, &["branch", "--force", name]);
}
