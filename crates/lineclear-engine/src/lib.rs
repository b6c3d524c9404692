//! The state machine of runs and jobs: `apply(input) → effects`.
//!
//! An [`Input`] is a fact (a run was asked for, a job ended, a timer fired, someone cancelled); an [`Effect`] is an order
//! (hand this job out, stop that one, set a timer, tell this event). [`Engine::apply`] is deterministic: the same inputs in the
//! same order give the same effects, so a recorded run can be replayed. The engine owns needs, conditions, matrices, fail-fast,
//! max-parallel, concurrency groups, time-outs, cancellation and called workflows.
//! It starts nothing, reads no clock and knows no container.
//!
//! What is told of a run: `RunStarted` first, then of every job why it waits, when it starts, how it ended and why, and
//! `RunFinished` last. A job with a matrix waits under its plain key (`test`) as long as its legs are not known; from then on
//! only its legs (`test (3.12)`) are spoken of, unless it never gets any. A job that calls a workflow starts and finishes as
//! any other, around the jobs that it calls (`release`, `release/build`).
//!
//! A job's life is drawn at `JobState` in `job_state.rs`; what a run consists of is said in `run.rs`. An input is led to its
//! run by `engine.rs`; jobs move forward in `advance.rs` (through other workflows in
//! `called.rs`) and are stopped in `cancel.rs`.

mod advance;
mod called;
mod cancel;
mod condition;
mod engine;
mod evaluate;
mod graph;
mod groups;
mod job_state;
mod message;
mod needs;
mod prepare;
mod run;
mod start;
mod turn;
mod waiting;

pub use engine::{Engine, Refused};
pub use message::{Effect, GivenNeed, Input, RunRequest, Selection, Stop, TimerId};
