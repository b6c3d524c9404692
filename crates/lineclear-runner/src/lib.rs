//! Carries one planned job through a backend.
//!
//! The runner prepares the job's surroundings, runs its steps in order and reports each change as an event.
//! It decides nothing about other jobs and never retries a job: that is the engine's part.
//! Start reading at [`run_job`].

pub mod native;

mod ports;

pub use ports::{ActionSource, FetchedAction, JobControl, JobHands, JobSink, RunnerSettings, Secrets, run_job};
