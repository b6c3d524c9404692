//! Services over a store of their own, with jobs that are opened for one test.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use lineclear_event::{Fact, JobContexts, JobKey, JobSpec, RunId, Timestamp, WorkflowOrigin};
use lineclear_forge::{Caller, NoForge};
use lineclear_services::{Clock, JobAccess, JobIdentity, Listener, Services, ServicesConfig};
use lineclear_store_folder::FolderStore;
use serde_json::{Value, json};
use tempfile::TempDir;

/// What the listener heard.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    pub facts: Mutex<Vec<Fact>>,
    pub warnings: Mutex<Vec<String>>,
}

impl Heard {
    /// The reason of the last look-up, and the key that it found.
    pub(crate) fn last_lookup(&self) -> (Option<String>, String) {
        match self.facts.lock().expect("no poison").last() {
            Some(Fact::Cache { matched, reason, .. }) => (matched.clone(), reason.clone()),
            other => panic!("no look-up was heard, but {other:?}"),
        }
    }
}

impl Listener for Heard {
    fn observed(&self, _caller: &Caller, fact: Fact) {
        self.facts.lock().expect("no poison").push(fact);
    }

    fn warned(&self, caller: &Caller, message: &str) {
        self.warnings.lock().expect("no poison").push(format!("{}: {message}", caller.job));
    }
}

pub(crate) struct World {
    pub folder: TempDir,
    pub store: FolderStore,
    pub heard: Arc<Heard>,
    pub services: Services,
    offset: Arc<AtomicI64>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|_| ())
    }

    /// A world whose services are set differently.
    pub(crate) fn with(change: impl FnOnce(&mut ServicesConfig)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = FolderStore::open(folder.path().join("store")).expect("a store");
        let heard = Arc::new(Heard::default());
        let offset = Arc::new(AtomicI64::new(0));
        let clock: Clock = {
            let offset = offset.clone();
            Arc::new(move || {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_millis();
                Timestamp(i64::try_from(now).expect("a time before the end") + offset.load(Ordering::SeqCst))
            })
        };
        let kept = Arc::new(store.clone());
        let state = folder.path().join("state");
        let mut config = ServicesConfig::new(kept.clone(), kept.clone(), Arc::new(NoForge), state, clock);
        config.caches = Some(kept);
        config.listener = heard.clone();
        change(&mut config);
        let services = Services::bind(config).expect("a free port");
        Self { folder, store, heard, services, offset }
    }

    /// Moves the services' clock.
    pub(crate) fn later(&self, milliseconds: i64) {
        self.offset.fetch_add(milliseconds, Ordering::SeqCst);
    }

    /// A job of run 1, on the default branch.
    pub(crate) fn job(&self, name: &str) -> Job {
        self.job_of(1, name, |_| ())
    }

    pub(crate) fn job_of(&self, run: u64, name: &str, change: impl FnOnce(&mut JobIdentity)) -> Job {
        let mut identity = identity(run, name);
        change(&mut identity);
        let access = self.services.open_job(identity).expect("an open job");
        let workspace = self.folder.path().join(format!("work-{run}-{name}-{}", access.runtime_token.len()));
        let workspace = unused(&workspace);
        std::fs::create_dir_all(workspace.join("temp")).expect("a folder");
        Job { access, workspace, env: Vec::new() }
    }

    /// A job on a branch of its own.
    pub(crate) fn job_on(&self, reference: &str, name: &str) -> Job {
        self.job_of(1, name, |job| job.reference = reference.into())
    }

    /// The `host:port` that the services listen on.
    pub(crate) fn address(&self) -> String {
        self.services.origin().trim_start_matches("http://").to_owned()
    }
}

fn unused(path: &Path) -> PathBuf {
    (0..)
        .map(|number| path.with_extension(number.to_string()))
        .find(|path| !path.exists())
        .expect("there are enough numbers")
}

/// An open job, and the folder that its steps work in.
pub(crate) struct Job {
    pub access: JobAccess,
    pub workspace: PathBuf,
    /// Variables that a step has besides those of its kind, or instead of them.
    pub env: Vec<(String, String)>,
}

impl Job {
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// A variable as JavaScript actions get it.
    pub(crate) fn variable(&self, name: &str) -> &str {
        let found = self.access.javascript_actions.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    pub(crate) fn write(&self, path: &str, content: &[u8]) -> String {
        let file = self.workspace.join(path);
        std::fs::create_dir_all(file.parent().expect("it has a parent")).expect("a folder");
        std::fs::write(&file, content).expect("a file");
        file.to_string_lossy().into_owned()
    }

    pub(crate) fn path(&self, path: &str) -> String {
        self.workspace.join(path).to_string_lossy().into_owned()
    }

    /// How the token's `scp` names run and job.
    pub(crate) fn backend(&self) -> (String, String) {
        let claims = claims(&self.access.runtime_token);
        let scope = claims["scp"].as_str().expect("a text").to_owned();
        let mut parts = scope.split(':').skip(1).map(str::to_owned);
        (parts.next().expect("a run"), parts.next().expect("a job"))
    }
}

/// The claims of a JWT, unchecked.
pub(crate) fn claims(token: &str) -> Value {
    use base64::Engine;
    let part = token.split('.').nth(1).expect("three parts");
    let json = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).expect("base64");
    serde_json::from_slice(&json).expect("JSON")
}

/// A job that a push to the default branch started.
pub(crate) fn identity(run: u64, name: &str) -> JobIdentity {
    JobIdentity::of_job(&spec(run, name))
}

fn spec(run: u64, name: &str) -> JobSpec {
    let github = json!({
        "repository": "octo/app", "actor": "mona", "actor_id": "5", "ref": "refs/heads/main", "ref_type": "branch",
        "base_ref": "", "head_ref": "", "sha": "a".repeat(40), "event_name": "push",
        "server_url": "https://github.com", "repository_id": "11", "repository_owner_id": "12",
        "repository_visibility": "private", "workflow": "CI",
        "workflow_ref": "octo/app/.github/workflows/ci.yml@refs/heads/main", "workflow_sha": "b".repeat(40),
        "event": { "repository": { "default_branch": "main" } },
    });
    JobSpec {
        run: RunId(run),
        run_number: 30,
        attempt: 1,
        job: JobKey::new(name),
        id: name.into(),
        name: name.into(),
        file: WorkflowOrigin::Local { path: ".github/workflows/ci.yml".into() },
        text: "".into(),
        contexts: JobContexts { github: Arc::new(github), ..JobContexts::default() },
        runs_on: Vec::new(),
        runner_group: None,
        environment: None,
        timeout_minutes: 360.0,
        permissions: BTreeMap::from([("contents".into(), "read".into())]),
        secret_passages: Vec::new(),
    }
}

/// Bytes that no compression makes smaller, the same for one seed.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
