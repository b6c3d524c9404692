//! Jobs, services and Docker actions in containers.
//!
//! [`ContainerBackend`] implements [`Containers`](lineclear_backend::Containers) with the engine of this machine: `job` makes what
//! a job needs and removes it, `room` and `step` start its steps in its container, `action` runs Docker actions. Everything that is made bears
//! [labels](lineclear_backend::labels), by which it is removed whatever happens: at the job's end, by the [`guard`] if Lineclear is
//! killed, or by a [`sweep`].
//! This crate evaluates nothing: it gets images, ports and options as texts.

mod action;
mod backend;
mod error;
pub mod guard;
mod health;
mod job;
mod mounts;
mod networks;
mod node;
mod options;
mod plan;
mod ports;
mod process_table;
mod pull;
mod reclaim;
mod remove;
mod room;
mod settings;
mod start_error;
mod step;
mod sweep;
mod trust;
mod volumes;
mod words;

pub use backend::ContainerBackend;
pub use settings::{ContainerSettings, GuardProgram, ProcessAccess, Pull};
pub use sweep::{Swept, abandoned, sweep};
