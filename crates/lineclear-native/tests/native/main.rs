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
mod images;
mod octokit;
mod pull_requests;
mod registry;
mod reporters;
mod sarif;
mod sbom;
mod scanning;
mod setup;
