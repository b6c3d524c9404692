//! The embedded registry over HTTP.
//!
//! [`job`] answers for it on the services' port, where callers are jobs; [`server`] is a registry that listens by itself, whose callers
//! are people. [`transport`] carries requests and bodies between a connection and the registry, which blocks.

pub(crate) mod job;
mod server;
mod tokens;
mod transport;

pub use server::{Doorkeeper, RegistryServer, RegistryServerConfig, Visitor};
