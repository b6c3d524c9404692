//! A repository with a pull request, and a forge for it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use lineclear_event::{JobKey, RunId, Timestamp};
use lineclear_forge::contract::Ground;
use lineclear_forge::{ApiRequest, ApiResponse, Caller, ForgeApi};
use lineclear_forge_local::{Addresses, ArtifactLinks, LocalForge, Ports, PullFacts, RepositoryFacts};
use lineclear_store::{ArtifactMeta, MemoryStore};
use serde_json::Value;
use tempfile::TempDir;

/// Everything that a token can be given.
pub(crate) const ALL: [&str; 14] = [
    "actions",
    "attestations",
    "checks",
    "contents",
    "deployments",
    "discussions",
    "id-token",
    "issues",
    "packages",
    "pages",
    "pull-requests",
    "repository-projects",
    "security-events",
    "statuses",
];

pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) facts: RepositoryFacts,
    pub(crate) store: MemoryStore,
    pub(crate) forge: LocalForge,
}

#[derive(Debug)]
struct Links;

impl ArtifactLinks for Links {
    fn link(&self, caller: &Caller, artifact: &ArtifactMeta) -> Option<String> {
        Some(format!("http://127.0.0.1:9/blob/{}/{}", caller.run, artifact.id))
    }
}

/// Two commits on `main`, a branch `feature` with one file changed and one added: pull request 7.
pub(crate) fn world() -> World {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let repository = folder.path().join("app");
    std::fs::create_dir(&repository).expect("a folder");
    git(&repository, &["init", "-q", "-b", "main"]);
    write(&repository, "README.md", "# App\n");
    write(&repository, "src/lib.rs", "fn one() {}\nfn two() {}\nfn three() {}\n");
    write(&repository, ".github/workflows/ci.yml", "name: CI\non: [push, workflow_dispatch]\njobs: {}\n");
    commit(&repository, "First");
    git(&repository, &["tag", "v1.0"]);
    write(&repository, "docs/guide.md", "guide\n");
    commit(&repository, "Add the guide");
    git(&repository, &["checkout", "-q", "-b", "feature"]);
    write(&repository, "src/lib.rs", "fn one() {}\nfn two() { one() }\nfn three() {}\n");
    write(&repository, "src/new.rs", "fn new() {}\n");
    commit(&repository, "Call one");
    let facts = facts(&repository);
    let store = MemoryStore::new();
    let forge = open(&folder.path().join("forge"), &facts, &store);
    World { folder, facts, store, forge }
}

pub(crate) fn facts(repository: &Path) -> RepositoryFacts {
    let head = git(repository, &["rev-parse", "feature"]);
    RepositoryFacts {
        owner: "octo".into(),
        name: "app".into(),
        id: 42,
        owner_id: 43,
        default_branch: "main".into(),
        private: true,
        git: Some(repository.to_owned()),
        sha: head.clone(),
        pull: Some(PullFacts {
            number: 7,
            title: "Call one".into(),
            body: "It was never called.".into(),
            user: "ada".into(),
            draft: false,
            labels: vec!["bug".into()],
            head_ref: "feature".into(),
            head_sha: head,
            head_repository: String::new(),
            base_ref: "main".into(),
            base_sha: git(repository, &["rev-parse", "main"]),
        }),
        ..RepositoryFacts::default()
    }
}

pub(crate) fn open(folder: &Path, facts: &RepositoryFacts, store: &MemoryStore) -> LocalForge {
    // Each question of the clock is a second later.
    let now = Arc::new(AtomicI64::new(1_700_000_000_000));
    let ports = Ports {
        store: Arc::new(store.clone()),
        artifacts: Arc::new(store.clone()),
        caches: Arc::new(store.clone()),
        links: Arc::new(Links),
        clock: Arc::new(move || Timestamp(now.fetch_add(1000, Ordering::Relaxed))),
        addresses: Addresses {
            api: "http://127.0.0.1:9/api/v3".into(),
            server: "https://github.com".into(),
            uploads: "http://127.0.0.1:9/api/v3".into(),
        },
    };
    LocalForge::open(folder, facts.clone(), ports).expect("the forge opens")
}

pub(crate) fn caller(permissions: &[(&str, &str)]) -> Caller {
    let permissions: BTreeMap<String, String> =
        permissions.iter().map(|(scope, level)| ((*scope).to_owned(), (*level).to_owned())).collect();
    Caller { repository: "octo/app".into(), run: RunId(1), job: JobKey::new("build"), actor: "ada".into(), permissions }
}

pub(crate) fn everything() -> Caller {
    caller(&ALL.map(|scope| (scope, "write")))
}

impl World {
    pub(crate) fn repository(&self) -> PathBuf {
        self.folder.path().join("app")
    }

    pub(crate) fn ground(&self) -> Ground {
        Ground {
            caller: everything(),
            pull: 7,
            head: self.facts.sha.clone(),
            base_branch: "main".into(),
            file: ("README.md".into(), "# App\n".into()),
        }
    }

    pub(crate) fn call(&self, method: &str, below: &str, body: &Value) -> ApiResponse {
        self.send(&request(method, below).json(body))
    }

    pub(crate) fn send(&self, request: &ApiRequest) -> ApiResponse {
        self.forge.call(&everything(), request)
    }

    pub(crate) fn get(&self, below: &str) -> ApiResponse {
        self.send(&request("GET", below))
    }

    /// The answer to a call that has to end with this status.
    pub(crate) fn expect(&self, status: u16, method: &str, below: &str, body: &Value) -> Value {
        let response = self.call(method, below, body);
        assert_eq!(response.status, status, "{method} {below}: {}", String::from_utf8_lossy(&response.body));
        response.value()
    }

    pub(crate) fn read(&self, below: &str) -> Value {
        let response = self.get(below);
        assert_eq!(response.status, 200, "GET {below}: {}", String::from_utf8_lossy(&response.body));
        response.value()
    }
}

/// `below` may have a query, as one writes it.
pub(crate) fn request(method: &str, below: &str) -> ApiRequest {
    let (path, query) = below.split_once('?').unwrap_or((below, ""));
    let request = ApiRequest::new(method, format!("/repos/octo/app/{path}").trim_end_matches('/'));
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .fold(request, |request, (name, value)| request.query(name, value))
}

pub(crate) fn header<'r>(response: &'r ApiResponse, name: &str) -> Option<&'r str> {
    response.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

pub(crate) fn texts(list: &Value, key: &str) -> Vec<String> {
    list.as_array().into_iter().flatten().map(|one| one[key].as_str().unwrap_or_default().to_owned()).collect()
}

pub(crate) fn write(repository: &Path, path: &str, text: &str) {
    let path = repository.join(path);
    std::fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder");
    std::fs::write(path, text).expect("a file");
}

pub(crate) fn commit(repository: &Path, message: &str) -> String {
    git(repository, &["add", "-A"]);
    git(repository, &["commit", "-q", "-m", message]);
    git(repository, &["rev-parse", "HEAD"])
}

pub(crate) fn git(directory: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GIT_")) {
        command.env_remove(name);
    }
    command.envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")]);
    let person = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"];
    let output = command.arg("-C").arg(directory).args(person).args(arguments).output().expect("git runs");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
