//! Git's smart HTTP protocol over a repository on this machine.
//!
//! Steps of a job clone, fetch and push as they would on a hosted forge. What they read is the repository of the run; what they
//! push goes to the forge's own bare repository and never into the user's. Start at [`GitServer::handle`].
//!
//! This crate opens no port and knows no token: the HTTP server in front of it decides who asks, and says with
//! [`GitRequest::may_write`] what they may do. Protocol: `gitprotocol-http(5)`, `gitprotocol-v2(5)`.

mod child;
mod command;
mod error;
mod front;
mod message;
mod server;

pub use error::GitServerError;
pub use front::{GitRepositories, RefChange};
pub use message::{GitRequest, GitResponse};
pub use server::{GitServer, Limits};
