//! What the steps of a job talk to over HTTP: artifacts, caches, identity tokens, the forge's API, git, the registry.
//!
//! [`Services`] stands behind the addresses and tokens that a job is told. Every call names its job by a token that lives exactly as
//! long as the job does; a call can reach the store and the forge only as far as that job may. The official clients work
//! against it unmodified. Start at [`Services::bind`] and [`Services::open_job`]; requests are told apart in `route.rs`.
//!
//! The crate keeps nothing itself: archives are in the store, forge and repository stand behind traits. It decides neither what a
//! job's permissions are nor how the forge answers.
//!
//! # Source
//! The protocols are those of the OCI distribution specification, of the npm packages `@actions/artifact`, `@actions/cache` and `@actions/core`, and of the Go client
//! that BuildKit uses.

mod access;
mod artifact;
mod base_url;
mod blob;
mod cache;
mod config;
mod error;
mod forge;
mod git;
mod http;
mod identity;
mod job_token;
mod links;
mod oidc;
mod permit;
mod registry;
mod route;
mod server;
mod services;
mod session;
mod signed_url;
mod time;
mod twirp;
mod upload;

pub use access::JobAccess;
pub use config::{Clock, Limits, Listener, ServicesConfig, Unheard};
pub use error::ServicesError;
pub use git::{GitRequest, GitResponse, GitService};
pub use identity::{CacheMode, JobIdentity};
pub use links::ArtifactLinks;
pub use oidc::SubjectForm;
pub use permit::{Permits, Who};
pub use registry::{Doorkeeper, RegistryServer, RegistryServerConfig, Visitor};
pub use services::{AlsoListening, Services};

/// Readers of hostile text, for the fuzzer alone.
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
