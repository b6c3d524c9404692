//! What an event runs, and why: a pure function of the workflow files, the event and the settings.
//!
//! [`plan`] says of each workflow whether the event starts it, and of each job whether it would run, with the value that
//! decided. [`matrix`], [`JobScope`] and [`github_context`] are used by the engine too, so plan and run cannot disagree.
//! This crate reads no file and asks no git: the event carries the changed paths.

mod call;
mod context;
mod decide;
mod follow;
mod graph;
mod hash;
mod input;
mod jobs;
pub mod matrix;
mod model;
mod name;
mod permission;
mod run_inputs;
mod runs_on;
mod scope;
mod strategy;
mod tree;
mod trigger;
mod workflow;

pub use call::{CallError, CallFault, Calls, MAX_DEPTH, MAX_FILES, MAX_JOBS, file_key, load_calls, origin, resolve};
pub use context::{Platform, Reference, RunIdentity, github_context, is_fork_pull_request};
pub use follow::{
    FollowedRun, Follower, MAX_CHAIN, RunActivity, RunHead, followers, following_event, follows, run_head,
};
pub use input::{DispatchInputs, InputError, call_input_names, call_inputs, dispatch_inputs};
pub use model::{Decision, Facts, Files, Plan, PlannedJob, PlannedWorkflow, Verdict, plan};
pub use name::{called_name, job_key, job_keys, job_name};
pub use permission::{PermissionError, TokenPermissions, effective_permissions};
pub use run_inputs::{given_inputs, run_inputs};
pub use runs_on::Machine;
pub use scope::{JobScope, NeedsStatus};
pub use strategy::StrategySettings;
pub use tree::evaluate_tree;
