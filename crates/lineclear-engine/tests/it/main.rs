//! Histories of runs: what the engine orders, input by input.
//!
//! [`history::check`] is the one helper of nearly all tests: workflow files, what happens, and what the engine makes of it.

mod calls;
mod cancellation;
mod conditions;
mod groups;
mod history;
mod job_spec;
mod laws;
mod matrix;
mod speed;
mod start;
