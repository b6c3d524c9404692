//! The state machine of runs and jobs: `apply(input) → effects`.
//!
//! An [`Input`] is a fact (a run was asked for, a job ended, a timer fired, someone cancelled); an [`Effect`] is an order
//! (hand this job out, stop that one, set a timer, tell this event). [`Engine::apply`] is deterministic: the same inputs in the
//! same order give the same effects, so a recorded run can be replayed. The engine owns needs, conditions, matrices, fail-fast,
//! max-parallel, concurrency groups, time-outs, cancellation and called workflows.
//! It starts nothing, reads no clock and knows no container.

mod engine;
mod message;

pub use engine::{Engine, Refused};
pub use message::{Effect, GivenNeed, Input, RunRequest, Selection, Stop, TimerId};
