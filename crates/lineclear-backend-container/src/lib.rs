//! Jobs, services and Docker actions in containers.
//!
//! [`ContainerBackend`] implements [`Containers`](lineclear_backend::Containers). This crate evaluates nothing: it gets images, ports
//! and options as texts.

mod backend;
pub mod guard;
mod settings;
mod sweep;

pub use backend::ContainerBackend;
pub use settings::{ContainerSettings, GuardProgram, ProcessAccess, Pull};
pub use sweep::{Swept, sweep};
