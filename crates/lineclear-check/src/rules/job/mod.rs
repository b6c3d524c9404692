//! Jobs and steps: matrices, runners, shells, time-outs, environments.

use crate::Rule;

mod container_credentials;
mod env_name;
mod linux_only;
mod machine;
mod missing_timeout;
mod runner_conflict;
mod runner_label;
mod runner_retired;
mod shell_platform;
mod time_limit;

/// In the order in which they are asked.
pub const RULES: &[&dyn Rule] = &[
    &runner_label::RunnerLabel,
    &runner_retired::RunnerRetired,
    &runner_conflict::RunnerConflict,
    &shell_platform::ShellPlatform,
    &linux_only::LinuxOnly,
    &missing_timeout::MissingTimeout,
    &time_limit::TimeLimit,
    &env_name::EnvName,
    &container_credentials::ContainerCredentials,
];
