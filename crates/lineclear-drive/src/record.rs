//! How an input is written down.

use lineclear_engine::Input;
use lineclear_event::RunId;
use serde::{Deserialize, Serialize};

/// An input as it stands in the records of the runs that it concerns.
///
/// Runs share concurrency groups, so what happened in one may decide another: `sequence` puts the records of all runs of a
/// drive back into one order, and shows which entries are the same input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// Counts the inputs of one drive, from one.
    pub sequence: u64,
    #[serde(flatten)]
    pub input: Input,
}

/// The run that an input concerns; `None` for all of them.
pub(crate) fn run_of(input: &Input) -> Option<RunId> {
    use lineclear_engine::TimerId::{CancelTimeout, JobTimeout};
    match input {
        Input::RunRequested { request, .. } => Some(request.run),
        Input::JobStarted { run, .. } | Input::JobEnded { run, .. } => Some(*run),
        Input::TimerFired { timer: JobTimeout { run, .. } | CancelTimeout { run, .. }, .. } => Some(*run),
        Input::CancelRequested { run, .. } => *run,
    }
}
