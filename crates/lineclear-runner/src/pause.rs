//! A failed step waits for a person, who looks at it where it stands and says how to go on.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use lineclear_event::{JobKey, Outcome};

use crate::job::Job;
use crate::log::StepLog;
use crate::stage::Stage;
use crate::worker::Worker;

/// Who is asked when a step has failed. Called on the job's thread; the job waits until it answers.
pub trait FailurePause: Send + Sync + fmt::Debug {
    fn failed(&self, step: &FailedStep<'_>) -> AfterPause;
}

/// A step that failed, before anything after it has run.
#[derive(Clone, Copy)]
pub struct FailedStep<'a> {
    pub job: &'a JobKey,
    /// As people see it, masked.
    pub name: &'a str,
    /// Why it failed, masked.
    pub reason: Option<&'a str>,
    /// The environment of the step's last process. Holds secrets.
    pub env: &'a [(OsString, OsString)],
    pub folder: &'a Path,
    /// The id of the container that the process ran in, with `folder` and paths in `env` as they are there.
    pub container: Option<&'a str>,
}

impl fmt::Debug for FailedStep<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FailedStep").field("job", &self.job).field("name", &self.name).finish_non_exhaustive()
    }
}

/// How a job goes on after a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterPause {
    /// As if nobody had looked.
    GoOn,
    /// The step runs once more from its beginning; what it did before stays done.
    Retry,
}

/// Where and in which environment a process of a step ran.
#[derive(Clone, Default)]
pub(crate) struct LastPlace {
    pub(crate) env: Vec<(OsString, OsString)>,
    pub(crate) folder: PathBuf,
    pub(crate) container: Option<String>,
}

impl fmt::Debug for LastPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LastPlace").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// Whether the step is to run once more. A step that failed before it started a process has no environment to show.
pub(crate) fn wants_retry(job: &Job<'_>, worker: &Worker, log: &StepLog<'_>, name: &str, stage: &Stage) -> bool {
    let (Some(pause), Some(place)) = (&job.hands.settings.pause, &worker.last_place) else { return false };
    if stage.outcome != Outcome::Failure || job.hands.control.is_cancelled() {
        return false;
    }
    let reason = stage.reason.as_deref().map(|reason| job.masker.mask(reason).into_owned());
    let folder = match &place.container {
        Some(_) => job.inside(crate::containers::Place::Container, &place.folder),
        None => std::borrow::Cow::Borrowed(place.folder.as_path()),
    };
    let step = FailedStep {
        job: &job.spec.job,
        name,
        reason: reason.as_deref(),
        env: &place.env,
        folder: &folder,
        container: place.container.as_deref(),
    };
    let retry = pause.failed(&step) == AfterPause::Retry && !job.hands.control.is_cancelled();
    if retry {
        log.show("The step is run once more.");
    }
    retry
}
