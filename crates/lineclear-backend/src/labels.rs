//! What marks everything that Lineclear makes in a container engine. Removal, guard and sweep go by these labels alone.

use lineclear_event::RunId;

use crate::Owner;

/// Whose it is: the text of an [`Owner`].
pub const OWNER: &str = "org.lineclear.owner";
/// The number of the run.
pub const RUN: &str = "org.lineclear.run";
/// The tracking id of the job's room.
pub const JOB: &str = "org.lineclear.job";

/// The labels of what is made for one job.
pub fn of_job(owner: &Owner, run: RunId, tracking_id: &str) -> [(String, String); 3] {
    [(OWNER.into(), owner.write()), (RUN.into(), run.to_string()), (JOB.into(), tracking_id.into())]
}
