//! Workflows that follow others: what the beginning and the end of a run are to them (`on: workflow_run`).
//!
//! [`following_event`] makes the event, whose payload says everything of the run that is followed; [`plan()`](crate::plan()) decides on it as on
//! any other. [`followers`] looks ahead: what would follow a plan if all of it succeeded.

mod ahead;
mod event;

pub use ahead::{Follower, followers};
pub use event::{FollowedRun, RunActivity, RunHead, following_event, follows, run_head};

/// So many levels follow the run that began it; what would follow those is not run, as on GitHub.
///
/// # Source
/// "Events that trigger workflows", `workflow_run`: "You can't use `workflow_run` to chain together more than three levels of workflows."
pub const MAX_CHAIN: u8 = 3;
