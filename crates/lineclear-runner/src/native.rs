//! What a native action is given, and what it may do.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use lineclear_backend::{ImageRoute, Room};
use lineclear_event::{AnnotationLevel, Fact, JobContexts, RunId, Timestamp};
use lineclear_forge::{Caller, ForgeApi};
use lineclear_store::{Artifacts, Caches};

use crate::{JobControl, Reach};

/// An action that is part of the runner.
pub trait NativeAction: Send + Sync + fmt::Debug {
    /// `owner/repo` or `owner/repo/path`, as `uses:` names it, lower-case.
    fn name(&self) -> &'static str;

    /// Text of an `action.yml` with `inputs` (and their defaults) and `outputs`; `runs` is not needed. The runner reads inputs by it,
    /// with the same warnings about unknown inputs as for any other action.
    fn metadata(&self) -> &'static str;

    /// Whether this stands for `reference` of the action (`v4`, a full SHA …). A version whose behaviour differs may be refused:
    /// then the real action is used.
    fn stands_for(&self, _reference: &str) -> bool {
        true
    }

    /// What becomes of the action in a job that runs in a container. Unless an action says otherwise, the real one runs inside.
    fn in_container(&self) -> InContainer {
        InContainer::Real
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError>;

    /// Runs after all steps, in reverse order, if `main` ran.
    fn post(&self, _call: &mut Call<'_>) -> Result<(), NativeError> {
        Ok(())
    }

    /// Whether there is a post stage at all; it is shown as a step only then.
    fn has_post(&self) -> bool {
        false
    }

    /// The post stage's condition, as `post-if` would have it.
    fn post_if(&self) -> &'static str {
        "always()"
    }
}

/// What becomes of a native action in a job that runs in a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InContainer {
    /// It works with the job's folders, the services and the forge alone, which are the same everywhere: it runs as in any other job.
    /// What its inputs name is translated to this machine, what it hands on is translated to the container. Programs that it
    /// starts are the machine's; a script of Node runs inside.
    BuiltIn,
    /// It looks for what a machine has or changes it, and that machine is the container here: the real action runs inside.
    Real,
}

/// Why a native action failed the step: a sentence that says what, where and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NativeError(pub String);

impl NativeError {
    /// A failure of which the log has told already, as when a program wrote `::error::` itself: nothing is added.
    pub fn told() -> Self {
        Self(String::new())
    }

    pub(crate) fn is_told(&self) -> bool {
        self.0.is_empty()
    }
}

/// One call of a native action: its inputs, the job around it, and what it changes.
pub struct Call<'a> {
    /// Inputs by lower-case name, defaults filled in.
    pub inputs: BTreeMap<String, String>,
    /// The environment a process of this step would get.
    pub env: BTreeMap<String, String>,
    pub contexts: &'a JobContexts,
    pub room: &'a dyn Room,
    /// What may be read and written: see [`Call::resolve`].
    pub reach: &'a Reach,
    pub caches: Arc<dyn Caches>,
    pub artifacts: Arc<dyn Artifacts>,
    /// Under which other name an image is looked for first, or kept: the names that this run has a registry of its own for.
    pub image_route: Arc<ImageRoute>,
    /// The forge's API, under the job's `permissions:`.
    pub forge: Arc<dyn ForgeApi>,
    pub caller: &'a Caller,
    /// `owner/name` under which caches are kept.
    pub repository: String,
    /// The repository on this machine that the run is about.
    pub repository_root: PathBuf,
    /// Whether the job works in the repository folder itself: then a checkout must not change it.
    pub in_place: bool,
    pub run: RunId,
    pub token: String,
    pub now: Timestamp,
    /// When the step's time is over.
    pub deadline: Option<Instant>,
    pub control: &'a JobControl,
    /// State kept from `main` to `post`; also what the JS action would `saveState`.
    pub state: &'a mut BTreeMap<String, String>,
    /// Gathers what the action says and changes; the runner applies it.
    pub effects: &'a mut dyn Effects,
}

/// What an action may change in its job.
pub trait Effects {
    /// One line (or several) of log; masked by the runner.
    fn log(&mut self, line: &str);
    fn output(&mut self, name: &str, value: &str);
    fn export(&mut self, name: &str, value: &str);
    fn add_path(&mut self, path: &Path);
    fn add_mask(&mut self, secret: &str);
    fn annotate(&mut self, level: AnnotationLevel, message: &str);
    fn summary(&mut self, markdown: &str);
    /// Tells the run's record what the step was found to have done. Texts in it are masked by the runner.
    fn fact(&mut self, fact: Fact);
    /// Turns a problem matcher on.
    fn add_matcher(&mut self, json: &str);
    /// Runs a program on this machine and streams its output into the step's log; gives its exit code.
    fn run(&mut self, program: &str, args: &[&str], options: RunOptions<'_>) -> Result<i32, NativeError>;
    /// Runs a program as [`Effects::run`] does, and gives the last of what it said too, standard output and error together.
    fn run_heard(
        &mut self,
        program: &str,
        args: &[&str],
        options: RunOptions<'_>,
    ) -> Result<(i32, String), NativeError>;
    /// Runs a script on the Node that JavaScript actions run on, where the job's steps run, as one of them: its commands are interpreted
    /// and its command files read. Gives its exit code.
    fn node(&mut self, script: &Path) -> Result<i32, NativeError>;
    /// Runs a program and returns what it prints on standard output; an exit code other than 0 is an error with the last lines.
    fn capture(&mut self, program: &str, args: &[&str], options: RunOptions<'_>) -> Result<String, NativeError>;
}

/// How a native action runs a program.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunOptions<'a> {
    /// The workspace when absent.
    pub folder: Option<&'a Path>,
    /// Added to the step's environment.
    pub env: &'a [(&'a str, &'a str)],
    /// Prints nothing to the log, not even the command.
    pub quiet: bool,
}

impl fmt::Debug for Call<'_> {
    /// Names of the inputs only: a value may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("inputs", &self.inputs.keys()).finish_non_exhaustive()
    }
}

impl Call<'_> {
    /// An input, trimmed as `core.getInput` trims; empty when not given.
    pub fn input(&self, name: &str) -> &str {
        self.inputs.get(name).map_or("", |value| value.trim())
    }

    /// A boolean input by the YAML 1.2 core list.
    pub fn flag(&self, name: &str) -> Result<bool, NativeError> {
        match self.input(name) {
            "true" | "True" | "TRUE" => Ok(true),
            "false" | "False" | "FALSE" | "" => Ok(false),
            other => Err(NativeError(format!("input `{name}` must be `true` or `false`, not `{other}`"))),
        }
    }

    /// Non-empty trimmed lines of an input.
    pub fn lines(&self, name: &str) -> Vec<&str> {
        self.inputs
            .get(name)
            .map_or("", String::as_str)
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect()
    }

    pub fn workspace(&self) -> &Path {
        &self.room.layout().workspace
    }

    /// A path as the action's input `input` gives it: `~` is the home folder, a relative one is below the workspace.
    ///
    /// # Errors
    /// The job is isolated, and the path lies where its steps may not go.
    pub fn resolve(&self, input: &str, path: &str) -> Result<PathBuf, NativeError> {
        self.reached(format_args!("input `{input}`"), self.unchecked(path))
    }

    /// A path that `whose` gives, such as ``input `files` ``: what is read and written by such a path comes through here first. What is
    /// below a folder is checked by itself, as it may be a link.
    ///
    /// # Errors
    /// As of [`Call::resolve`].
    pub fn reached(&self, whose: impl fmt::Display, path: PathBuf) -> Result<PathBuf, NativeError> {
        match self.reach.check(&path) {
            Ok(()) => Ok(path),
            Err(out) => Err(NativeError(format!("{whose}: {out}"))),
        }
    }

    fn unchecked(&self, path: &str) -> PathBuf {
        if let (Some(rest), Some(home)) = (path.strip_prefix('~'), self.env.get("HOME"))
            && (rest.is_empty() || rest.starts_with('/'))
        {
            return PathBuf::from(home).join(rest.trim_start_matches('/'));
        }
        self.workspace().join(path)
    }
}
