//! The real git client against the server, over a socket (reference sheet section 7, what checkout wants of a server).

mod http;
mod push;
mod read;
mod refused;
mod repository;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::{Http, Reply};
use lineclear_git_server::{GitRepositories, GitServer, Limits};
use repository::{commit, repository, run};

/// A user's repository with two commits and a feature branch, served at `/git/o/r`.
struct Served {
    folder: tempfile::TempDir,
    first: String,
    second: String,
    merge: String,
    server: Arc<GitServer>,
    http: Http,
}

impl Served {
    fn new(may_write: bool) -> Self {
        Self::with(may_write, Limits::default())
    }

    fn with(may_write: bool, limits: Limits) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let user = repository(&folder.path().join("user"));
        let first = commit(&user, &[("a.txt", "one\n"), ("big.bin", &"0123456789abcdef".repeat(4096))], "first");
        run(&user, &["tag", "-a", "v1", "-m", "version 1"]);
        let second = commit(&user, &[("a.txt", "two\n")], "second");
        run(&user, &["branch", "feature", &first]);
        // A commit that no branch reaches, as a merge made for an event.
        let tree = run(&user, &["rev-parse", "HEAD^{tree}"]);
        let merge = run(&user, &["commit-tree", &tree, "-p", &second, "-p", &first, "-m", "Merge feature into main"]);
        let server = Arc::new(GitServer::with_limits(repositories(folder.path(), &merge), limits));
        let serving = Arc::clone(&server);
        let http = Http::start(move |head| {
            let path = head.path.strip_prefix("/git/o/r").unwrap_or_default().to_owned();
            Reply::Git { server: Arc::clone(&serving), path, may_write }
        });
        Self { folder, first, second, merge, server, http }
    }

    fn user(&self) -> PathBuf {
        self.folder.path().join("user")
    }

    fn url(&self) -> String {
        self.http.url("git/o/r")
    }

    /// A second server of the same repositories, as in a later run.
    fn later(&self) -> GitServer {
        GitServer::new(repositories(self.folder.path(), &self.merge))
    }
}

fn repositories(folder: &Path, merge: &str) -> GitRepositories {
    GitRepositories {
        source: folder.join("user/.git"),
        forge: folder.join("home/forge/o/r.git"),
        extra_objects: Vec::new(),
        extra_refs: [("refs/pull/7/merge".to_owned(), merge.to_owned())].into(),
        default_branch: Some("main".into()),
    }
}
