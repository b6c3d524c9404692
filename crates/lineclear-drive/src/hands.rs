//! What carries out the engine's orders.

use lineclear_engine::Stop;
use lineclear_event::{Conclusion, Envelope, JobKey, JobSpec, RunId};

/// Carries out effects. No call may block: what takes time is begun, and its end is an input.
///
/// After a restart an effect may be handed out twice; carrying it out again must change nothing.
pub trait Hands {
    /// Run this job, as soon as there is room.
    fn dispatch(&mut self, spec: JobSpec);

    /// Stop this job. One that is not there (any more) is no error.
    fn stop(&mut self, run: RunId, job: &JobKey, stop: Stop);

    /// Tell everyone who listens, and the record.
    fn tell(&mut self, event: Envelope);

    /// Nothing more will happen in this run.
    fn run_ended(&mut self, run: RunId, conclusion: Conclusion);
}
