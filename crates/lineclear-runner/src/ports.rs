//! What the runner is given, and its one entry.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::SystemTime;

use lineclear_backend::{
    Backend, Containers, EngineDoors, HostReach, ImageRoute, ImagesTold, Isolation, Wake, Workspace,
};
use lineclear_command::SharedMasker;
use lineclear_event::{Fact, JobKey, RunEvent, Timestamp};
use lineclear_forge::{Caller, ForgeApi};
use lineclear_store::{Artifacts, Caches};

use crate::native::NativeAction;
use crate::pause::FailurePause;
use crate::reading::Readings;

/// Where a job's events go. Called from the job's thread; must not block for long.
pub trait JobSink: Send + Sync {
    /// Everything but log lines. Texts are masked.
    fn event(&self, event: RunEvent);

    /// Complete masked lines of a step, each ending in a newline.
    fn log(&self, job: &JobKey, step: &str, at: Timestamp, lines: &[u8]);

    /// The job's folders are there, before its first step; of these, where it works.
    fn opened(&self, _job: &JobKey, _workspace: &Path) {}
}

/// Looks for reports that steps left in the workspace without telling anybody of them.
pub trait LeftReports: Send + Sync {
    /// Those that were written since `since`. `told` are the names of the reports that steps told of, from the workspace on.
    fn find(&self, workspace: &Path, since: SystemTime, told: &BTreeSet<String>) -> LeftReport;
}

/// What was found of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LeftReport {
    pub facts: Vec<Fact>,
    /// For the log.
    pub lines: Vec<String>,
    pub warnings: Vec<String>,
    /// For the job's summary; may be empty.
    pub summary: String,
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

/// Values of secrets by name, as one job is given them. `Debug` shows names only.
#[derive(Clone, Default)]
pub struct Secrets {
    /// Of the run: they reach a job of a called workflow only as far as its callers pass them on.
    pub of_run: BTreeMap<String, String>,
    /// Of the environment that the job names: no call holds them back, and they win over what is passed.
    ///
    /// # Source
    /// "Reuse workflows" of GitHub's documentation, on `environment` in a called workflow.
    pub of_environment: BTreeMap<String, String>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.of_run.keys()).entries(self.of_environment.keys()).finish()
    }
}

/// How a running job is told to stop, from any thread.
///
/// A control may have children: what stops the parent stops them too, and not the reverse. The runner gives each background
/// step a child, so that the step can be stopped alone and waits on a bell of its own.
#[derive(Clone, Debug)]
pub struct JobControl {
    inner: Arc<Control>,
}

#[derive(Debug)]
struct Control {
    state: AtomicU8,
    wake: Wake,
    children: Mutex<Vec<Weak<Control>>>,
}

const RUNNING: u8 = 0;
const CANCELLED: u8 = 1;
const KILLED: u8 = 2;

impl Control {
    fn new(state: u8) -> std::io::Result<Self> {
        Ok(Self { state: AtomicU8::new(state), wake: Wake::new()?, children: Mutex::default() })
    }

    fn raise(&self, state: u8) {
        self.state.fetch_max(state, Ordering::SeqCst);
        self.wake.ring();
        for child in lock(&self.children).iter().filter_map(Weak::upgrade) {
            child.raise(state);
        }
    }
}

impl JobControl {
    pub fn new() -> std::io::Result<Self> {
        Ok(Self { inner: Arc::new(Control::new(RUNNING)?) })
    }

    /// A control that follows this one and can be stopped alone.
    pub fn child(&self) -> std::io::Result<Self> {
        // Under the lock, so that a stop either finds the child in the list or is seen in the state it starts with.
        let mut children = lock(&self.inner.children);
        let child = Arc::new(Control::new(self.inner.state.load(Ordering::SeqCst))?);
        children.retain(|child| child.strong_count() > 0);
        children.push(Arc::downgrade(&child));
        Ok(Self { inner: child })
    }

    /// Cancels as GitHub does: the current step is interrupted unless its condition still holds; `always()` steps run.
    pub fn cancel(&self) {
        self.inner.raise(CANCELLED);
    }

    /// Ends everything at once.
    pub fn kill(&self) {
        self.inner.raise(KILLED);
    }

    pub fn is_cancelled(&self) -> bool {
        self.inner.state.load(Ordering::SeqCst) >= CANCELLED
    }

    pub fn is_killed(&self) -> bool {
        self.inner.state.load(Ordering::SeqCst) >= KILLED
    }

    /// Rung on each change.
    pub fn wake(&self) -> &Wake {
        &self.inner.wake
    }
}

/// What is the same for all jobs of this runner.
#[derive(Clone)]
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
    /// Labels of `runs-on` that this machine stands for, beside those that name what it is.
    pub host_labels: Vec<String>,
    /// Labels of `runs-on` that stand for an image: a job with one, and without a container of its own, runs in that image.
    pub label_images: Vec<(String, String)>,
    /// Where images are looked for before their own registry.
    pub image_route: Option<Arc<ImageRoute>>,
    /// What the engine's programs in steps know of their user.
    pub docker_config: DockerConfig,
    /// How far jobs are kept from the machine; `None`: not at all.
    pub isolation: Option<Isolation>,
    /// Addresses and tokens of services that steps talk to.
    pub service_env: ServiceEnv,
    /// The job's masks, for who has to hide the job's secrets elsewhere too; its own where there are none.
    pub masks: Option<SharedMasker>,
    /// Who is asked when a step has failed.
    pub pause: Option<Arc<dyn FailurePause>>,
    /// Who looks at a job's end for reports that nobody was told of.
    pub left_reports: Option<Arc<dyn LeftReports>>,
    /// Workflow files already read, shared by the jobs of a run.
    pub readings: Readings,
}

impl Default for RunnerSettings {
    fn default() -> Self {
        Self {
            name: "lineclear".into(),
            debug: false,
            native_actions: true,
            env: BTreeMap::new(),
            repository_root: PathBuf::new(),
            store_repository: String::new(),
            token: String::new(),
            host_labels: Vec::new(),
            label_images: Vec::new(),
            image_route: None,
            docker_config: DockerConfig::Own,
            isolation: None,
            service_env: ServiceEnv::default(),
            masks: None,
            pause: None,
            left_reports: None,
            readings: Readings::default(),
        }
    }
}

impl RunnerSettings {
    pub(crate) fn image_route(&self) -> Arc<ImageRoute> {
        self.image_route.clone().unwrap_or_else(|| Arc::new(|_| None))
    }
}

impl fmt::Debug for RunnerSettings {
    /// Without values: tokens and variables may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunnerSettings")
            .field("name", &self.name)
            .field("native_actions", &self.native_actions)
            .field("repository_root", &self.repository_root)
            .field("isolation", &self.isolation)
            .finish_non_exhaustive()
    }
}

/// With which logins the engine's programs in steps begin. None that a step makes outlives its job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DockerConfig {
    /// In a folder of the job's own, which begins without any.
    #[default]
    Own,
    /// In a folder of the job's own, which begins with a copy of those of whoever runs Lineclear.
    Inherit,
}

/// The way from containers to what steps talk to: those services listen on this machine's loopback, which containers do not have.
pub trait ServiceReach: Send + Sync + fmt::Debug {
    /// Listens for containers that reach this machine so, until the answer is dropped.
    ///
    /// # Errors
    /// If this machine does not let it.
    fn open(&self, host: &HostReach) -> std::io::Result<Reached>;
}

/// What steps talk to, as containers reach it.
#[derive(Debug)]
pub struct Reached {
    /// `127.0.0.1:4711`: how variables name it for steps on the machine.
    pub here: String,
    /// `172.18.0.1:4711`: the same for containers.
    pub inside: String,
    /// Dropped when the job's containers are gone.
    pub listening: Box<dyn fmt::Debug + Send + Sync>,
}

impl Reached {
    /// `value` with the addresses in it as containers reach them; `None` where there are none.
    ///
    /// Addresses of HTTP only: `127.0.0.1:4711/app` is the name of an image, which the engine reads, and that is on the machine.
    pub(crate) fn translate(&self, value: &str) -> Option<String> {
        let Self { here, inside, .. } = self;
        if !value.contains(here.as_str()) {
            return None;
        }
        let plain = value.replace(&format!("http://{here}"), &format!("http://{inside}"));
        let with_user = plain.replace(&format!("@{here}/"), &format!("@{inside}/"));
        Some(with_user).filter(|translated| translated != value)
    }
}

/// The `ACTIONS_*` variables by kind of step: empty where no service is offered.
///
/// # Source
/// Section 1.4 of the protocol notes: a `run` step sees only the identity token's, a JavaScript action all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceEnv {
    pub run_steps: Vec<(String, String)>,
    pub javascript_actions: Vec<(String, String)>,
    pub docker_actions: Vec<(String, String)>,
}

/// Everything a job is run with.
pub struct JobHands<'a> {
    pub settings: &'a RunnerSettings,
    pub backend: &'a dyn Backend,
    pub containers: &'a dyn Containers,
    /// The doors to the container engine that steps are given.
    pub doors: &'a dyn EngineDoors,
    /// Is told of images that go through a door.
    pub images: Option<Arc<dyn ImagesTold>>,
    /// How containers reach what steps talk to; `None` where there is nothing of the kind.
    pub reach: Option<&'a dyn ServiceReach>,
    pub workspace: Workspace,
    pub caches: Arc<dyn Caches>,
    pub artifacts: Arc<dyn Artifacts>,
    /// What native actions reach of the forge, as `caller`.
    pub forge: Arc<dyn ForgeApi>,
    pub caller: Caller,
    pub actions: &'a dyn ActionSource,
    pub natives: &'a [Box<dyn NativeAction>],
    pub sink: &'a dyn JobSink,
    pub control: &'a JobControl,
    /// The time now; passed in so that tests can hold it.
    pub clock: &'a (dyn Fn() -> Timestamp + Send + Sync),
}

impl fmt::Debug for JobHands<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobHands")
            .field("backend", &self.backend)
            .field("natives", &self.natives)
            .finish_non_exhaustive()
    }
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

/// Locks, also where another thread panicked while it held the lock: the values behind these locks are whole at every moment.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_follows_its_parent_but_not_the_reverse() {
        let parent = JobControl::new().expect("an event descriptor");
        let (one, two) = (parent.child().expect("a child"), parent.child().expect("a child"));
        one.cancel();
        assert!(one.is_cancelled() && !two.is_cancelled() && !parent.is_cancelled());
        parent.kill();
        assert!(one.is_killed() && two.is_killed());
        assert!(parent.child().expect("a child").is_killed(), "a late child starts as its parent stands");
    }

    #[test]
    fn addresses_are_translated_and_names_of_images_are_not() {
        let reached = Reached { here: "127.0.0.1:47".into(), inside: "172.18.0.1:48".into(), listening: Box::new(()) };
        for (value, translated) in [
            ("http://127.0.0.1:47/api/v3", Some("http://172.18.0.1:48/api/v3")),
            ("url.http://x:t@127.0.0.1:47/git/o/r.insteadOf", Some("url.http://x:t@172.18.0.1:48/git/o/r.insteadOf")),
            ("127.0.0.1:47/ghcr.io/o/app:1", None),
            ("http://127.0.0.1:4", None),
        ] {
            assert_eq!(reached.translate(value).as_deref(), translated, "{value}");
        }
    }

    #[test]
    fn a_path_that_leads_out_is_none() {
        let root = Path::new("/w");
        assert_eq!(inside(root, "./a/../b"), Some("/w/b".into()));
        assert_eq!(inside(root, "a/../../b"), None);
    }
}
