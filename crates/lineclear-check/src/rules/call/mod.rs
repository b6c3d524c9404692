//! Reusable workflows, and what workflows know of each other.

use crate::{RepositoryRule, Rule};

mod call_inputs;
mod call_nesting;
mod call_permissions;
mod call_secrets;
mod call_target;
mod called;
mod concurrency_deadlock;
mod repository_workflows;
mod workflow_name_clash;
mod workflow_run_chain;
mod workflow_run_name;

/// In the order in which they are asked.
pub const RULES: &[&dyn Rule] = &[
    &call_target::CallTarget,
    &call_inputs::CallInputs,
    &call_secrets::CallSecretNames,
    &call_permissions::CallPermissions,
    &call_nesting::CallNesting,
    &concurrency_deadlock::ConcurrencyDeadlock,
];

/// Those that look at several files at once.
pub const REPOSITORY_RULES: &[&dyn RepositoryRule] = &[
    &workflow_run_name::WorkflowRunName,
    &workflow_run_chain::WorkflowRunChain,
    &workflow_name_clash::WorkflowNameClash,
];
