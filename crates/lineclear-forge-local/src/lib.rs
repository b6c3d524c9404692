//! The embedded forge: GitHub's REST API for one repository of this machine.
//!
//! Pull requests, issues, comments, statuses, checks, releases, deployments, code scanning and the rest are kept in a folder and
//! are there again in the next run. Questions about code are answered by git from the real repository, which is only read.
//! Nothing here opens a connection or knows a token: the guard of `lineclear-forge` stands in front, a transport before that.
//!
//! Start reading at [`LocalForge`]; `rest` has one module for each kind of thing.

// Answers are written as `json!` shows them; the largest has more keys than the usual limit.
#![recursion_limit = "256"]

mod blob;
mod call;
mod facts;
mod forge;
mod git;
mod journal;
mod person;
mod ports;
mod posted;
mod record;
mod rest;
mod seed;

pub use facts::{DefaultPermissions, IssueFacts, PullFacts, RepositoryFacts};
pub use forge::{Dispatched, LocalForge, OpenError};
pub use git::GitError;
pub use journal::JournalError;
pub use ports::{Addresses, ArtifactLinks, NoLinks, Ports};
pub use posted::{Posted, PostedAction};
