//! Where steps run: in the job itself, or inside one call of a composite action.

use std::path::PathBuf;
use std::sync::Arc;

use lineclear_event::{Conclusion, Outcome};
use lineclear_expr::{Object, Value};
use lineclear_source::Source;

use crate::environment::Env;

/// How a list of steps stands so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Status {
    #[default]
    Success,
    Failure,
    Cancelled,
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status after a step that ended so. A cancellation outlasts everything.
    #[must_use]
    pub(crate) fn after(self, conclusion: Conclusion) -> Self {
        match (self, conclusion) {
            (Self::Cancelled, _) | (_, Conclusion::Cancelled) => Self::Cancelled,
            (_, Conclusion::Failure | Conclusion::TimedOut | Conclusion::StartupFailure) => Self::Failure,
            (status, Conclusion::Success | Conclusion::Skipped) => status,
        }
    }
}

/// The repository and commit that a file came from: what `$/path` in that file speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Origin {
    /// The repository that the run is about.
    Here,
    Remote {
        owner: String,
        repo: String,
        reference: String,
    },
}

/// Which action is being carried out: `github.action_path`, `action_repository` and `action_ref`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Known only inside a composite action.
    pub(crate) folder: Option<PathBuf>,
    /// `owner/repo`; empty for local actions and `run` steps.
    pub(crate) repository: String,
    pub(crate) reference: String,
}

/// One list of steps on its way: what its steps see and have done, apart from what the whole job shares.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// The file that the steps stand in.
    pub(crate) source: Source,
    pub(crate) origin: Origin,
    pub(crate) inputs: Value,
    /// The `steps` context of these steps only.
    pub(crate) steps: Arc<Object>,
    /// `env` of the steps that call this composite action, the outermost laid first. Empty in the job itself.
    pub(crate) calling_env: Env,
    pub(crate) identity: Identity,
    /// How these steps stand: the job's status, or the composite action's own (trap 71).
    pub(crate) status: Status,
    /// What made the status what it is: "step `Test` failed with exit code 1".
    pub(crate) first_failure: Option<String>,
    /// How many composite actions these steps are inside of.
    pub(crate) depth: usize,
    /// Inside a composite action: how the job stood when it was called.
    pub(crate) job_status: Option<Status>,
}

impl Frame {
    pub(crate) fn is_composite(&self) -> bool {
        self.depth > 0
    }

    /// Makes a finished step visible to the steps after it. Only steps with an id of their own are ever visible.
    pub(crate) fn record(&mut self, id: &str, outcome: Outcome, conclusion: Conclusion, outputs: Value) {
        let mut step = Object::new();
        step.insert("outputs", outputs);
        step.insert("outcome", outcome.as_str());
        step.insert("conclusion", conclusion.as_str());
        Arc::make_mut(&mut self.steps).insert(id, step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancelled_job_stays_cancelled_and_a_failed_one_failed() {
        assert_eq!(Status::Success.after(Conclusion::Skipped), Status::Success);
        assert_eq!(Status::Failure.after(Conclusion::Success), Status::Failure);
        assert_eq!(Status::Failure.after(Conclusion::Cancelled), Status::Cancelled);
        assert_eq!(Status::Cancelled.after(Conclusion::Failure), Status::Cancelled);
    }
}
