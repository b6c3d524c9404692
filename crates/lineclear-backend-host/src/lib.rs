//! Jobs as processes of this host.
//!
//! [`HostBackend`] gives each job folders laid out as the hosted runner's and starts its steps as processes of this user.
//! It promises that nothing a job started is left running and no folder of it left behind: when a job ends, whatever its
//! steps did to detach themselves (`family`, `job_processes`), and when Lineclear itself is killed ([`guard`], [`sweep`]).
//! A step may do what the user may, unless the job is to be isolated: see `sandbox` and the crate `lineclear-sandbox`.
//! This crate knows nothing of steps, shells or workflows.

mod backend;
mod base_env;
mod family;
mod git;
mod git_dir;
#[cfg(test)]
mod git_fixture;
pub mod guard;
mod instance;
mod job_processes;
mod journal;
mod lookup;
mod owner;
mod proc_table;
mod process;
mod remove;
mod room;
mod sandbox;
mod scratch;
mod settings;
mod skeleton;
mod slug;
mod working_tree;

pub use backend::HostBackend;
pub use family::spawn_beside;
pub use git_dir::{GitDirError, GitDirOptions, Head, Refs, clone_git_dir};
pub use guard::GuardProgram;
pub use lineclear_sandbox::{ARGUMENT as SANDBOX_ARGUMENT, Launcher, main as sandbox_main};
pub use owner::{abandoned, sweep};
pub use settings::{HostSettings, SandboxSettings, Sessions};
pub use working_tree::WorkingTree;
