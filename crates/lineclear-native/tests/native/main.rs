//! Whole jobs with native actions, on the host backend, with real shells, git, Python, Node and Go.

#![allow(clippy::unwrap_used, reason = "tests")]

mod artifacts;
mod bench;
mod caches;
mod checkout;
mod setup;
