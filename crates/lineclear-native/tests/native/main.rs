//! Whole jobs with native actions, on the host backend, with real shells, git, Python, Node and Go.

#![allow(clippy::unwrap_used, reason = "tests")]

mod artifacts;
mod bench;
mod caches;
mod checkout;
mod comments;
mod facts;
mod forge;
mod github_script;
mod octokit;
mod pull_requests;
mod reporters;
mod sarif;
mod setup;
