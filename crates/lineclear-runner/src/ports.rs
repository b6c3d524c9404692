//! What the runner is given, and its one entry.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use lineclear_backend::{Backend, Wake, Workspace};
use lineclear_event::{JobKey, JobReport, JobSpec, RunEvent, Timestamp};
use lineclear_store::{Artifacts, Caches};

use crate::native::NativeAction;

/// Where a job's events go. Called from the job's thread; must not block for long.
pub trait JobSink: Send + Sync {
    /// Everything but log lines. Texts are masked.
    fn event(&self, event: RunEvent);

    /// Complete masked lines of a step, each ending in a newline.
    fn log(&self, job: &JobKey, step: &str, at: Timestamp, lines: &[u8]);
}

/// Where actions come from that are neither local nor native.
pub trait ActionSource: Send + Sync + fmt::Debug {
    /// Finds `owner/repo@reference`. The error is a sentence: where it was looked for, and how to supply it.
    fn fetch(&self, owner: &str, repo: &str, reference: &str) -> Result<FetchedAction, String>;
}

/// An action's repository on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedAction {
    pub folder: PathBuf,
    /// The commit, when it is known.
    pub sha: Option<String>,
}

/// Values of secrets by name. `Debug` shows names only.
#[derive(Clone, Default)]
pub struct Secrets(pub BTreeMap<String, String>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// How a running job is told to stop, from any thread.
#[derive(Clone, Debug)]
pub struct JobControl {
    state: Arc<AtomicU8>,
    wake: Wake,
}

impl JobControl {
    pub fn new() -> std::io::Result<Self> {
        Ok(Self { state: Arc::new(AtomicU8::new(0)), wake: Wake::new()? })
    }

    /// Cancels as GitHub does: the current step is interrupted unless its condition still holds; `always()` steps run.
    pub fn cancel(&self) {
        let _ = self.state.compare_exchange(0, 1, Ordering::SeqCst, Ordering::SeqCst);
        self.wake.ring();
    }

    /// Ends everything at once.
    pub fn kill(&self) {
        self.state.store(2, Ordering::SeqCst);
        self.wake.ring();
    }

    pub fn is_cancelled(&self) -> bool {
        self.state.load(Ordering::SeqCst) >= 1
    }

    pub fn is_killed(&self) -> bool {
        self.state.load(Ordering::SeqCst) >= 2
    }

    /// Rung once on each change.
    pub fn wake(&self) -> &Wake {
        &self.wake
    }
}

/// What is the same for all jobs of this runner.
#[derive(Clone, Debug)]
pub struct RunnerSettings {
    pub name: String,
    /// Step debugging (`ACTIONS_STEP_DEBUG`).
    pub debug: bool,
    /// Whether native actions replace the real ones.
    pub native_actions: bool,
    /// `--env`: added to every step's environment below the workflow's own.
    pub env: BTreeMap<String, String>,
    /// The repository on this machine: what `uses: ./` of a called workflow and the native checkout read.
    pub repository_root: PathBuf,
    pub store_repository: String,
    /// The token that `github.token` and `secrets.GITHUB_TOKEN` give.
    pub token: String,
}

/// Everything a job is run with.
pub struct JobHands<'a> {
    pub settings: &'a RunnerSettings,
    pub backend: &'a dyn Backend,
    pub workspace: Workspace,
    pub caches: Arc<dyn Caches>,
    pub artifacts: Arc<dyn Artifacts>,
    pub actions: &'a dyn ActionSource,
    pub natives: &'a [Box<dyn NativeAction>],
    pub sink: &'a dyn JobSink,
    pub control: &'a JobControl,
    /// The time now; passed in so that tests can hold it.
    pub clock: &'a (dyn Fn() -> Timestamp + Send + Sync),
}

/// Runs one job from its first step to the removal of its folders.
///
/// Never fails: whatever goes wrong is told as events and ends in the report.
pub fn run_job(_spec: &JobSpec, _secrets: &Secrets, _hands: &JobHands<'_>) -> JobReport {
    unimplemented!()
}

/// A path inside `root`, or `None` when it would lead out of it.
pub fn inside(root: &Path, path: &str) -> Option<PathBuf> {
    let mut result = root.to_path_buf();
    let mut depth = 0_usize;
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            depth = depth.checked_sub(1)?;
            result.pop();
        } else {
            depth += 1;
            result.push(part);
        }
    }
    Some(result)
}
