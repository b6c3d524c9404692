//! A container engine over its API: Docker from 20.10 on, and Podman's Docker-compatible API.
//!
//! [`Engine::find`] looks for the engine of this machine and agrees on a version of the API with it. Every call is one blocking
//! function over HTTP/1.1; nothing runs in the background and there is no thread of its own. What a process in a container writes is
//! read from an [`OutputStream`], whose file descriptor can be waited for together with others in one `poll`, and whose memory
//! does not depend on how much is written. An engine that does not answer is told as [`EngineError::TimedOut`], never waited for
//! without end.
//!
//! This crate knows no job and no workflow.

mod address;
mod auth;
mod build;
mod container;
mod discovery;
mod engine;
mod error;
mod exec;
mod http;
mod ignore;
mod image;
mod network;
mod output;
mod output_frames;
mod volume;

pub use address::Address;
pub use auth::{LoginFile, RegistryLogin};
pub use build::{BuildRequest, build_with_buildx, has_buildx};
pub use container::{
    ContainerState, ContainerSummary, ContainerWait, Health, HealthResult, Inspected, InspectedConfig, LogRequest,
    NewContainer,
};
pub use discovery::Surroundings;
pub use engine::{Engine, Product};
pub use error::EngineError;
pub use exec::{ExecState, NewExec};
pub use http::Patience;
pub use image::{ImageDetails, ImageSettings, ImageSummary, PullEvent};
pub use network::NetworkSummary;
pub use output::{OutputPiece, OutputStream, Source};
pub use volume::VolumeSummary;
