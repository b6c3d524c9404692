//! Jobs run from their first step to their last on the host backend, with real shells and a real Node.

#![allow(clippy::unwrap_used, reason = "tests")]

mod actions;
mod background;
mod bench;
mod cancellation;
mod commands;
mod environment;
mod native;
mod robustness;
mod set_up;
mod steps;
