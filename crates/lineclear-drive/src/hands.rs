//! What carries the engine's orders out.

use lineclear_engine::{Input, Refused, Stop};
use lineclear_event::{Conclusion, Envelope, JobKey, JobSpec, RunId};

/// Carries orders out: called from the drive's own thread, in the order in which the engine gave them, and never twice at once.
///
/// Nothing here may block for long: a job is started on a thread or a machine of its own, which reports through the
/// [`Inbox`](crate::Inbox). After a restart an order may come again; carrying it out twice must change nothing.
pub trait Hands {
    /// Runs a job as soon as there is room. Its start and its end are reported to the inbox, the end exactly once and always.
    fn dispatch(&mut self, spec: Box<JobSpec>);

    /// Stops a job that was dispatched. Its end is still reported; a job that has ended, or never began, is reported all the
    /// same if that has not been done.
    fn stop(&mut self, run: RunId, job: &JobKey, stop: Stop);

    /// Something happened that people may want to see. The drive has recorded it already.
    fn tell(&mut self, event: &Envelope);

    /// Nothing more will happen in this run. Its record is closed.
    fn run_ended(&mut self, run: RunId, conclusion: Conclusion);

    /// A message came that does not apply any more, such as a report that came twice.
    fn refused(&mut self, _input: &Input, _why: &Refused) {}
}
