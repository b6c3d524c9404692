//! Jobs and steps: matrices, runners, shells, time-outs, environments.

use crate::Rule;

mod background_read;
mod comparison;
mod concurrency_matrix;
mod container_credentials;
mod container_options;
mod cron_never;
mod env_name;
mod event_never;
mod filter_never;
mod gitea_ignored;
mod job_never;
mod linux_only;
pub(crate) mod machine;
mod matrix_outputs;
mod missing_timeout;
mod needs_redundant;
mod needs_twice;
mod pull_request_types;
mod ref_never;
mod ref_space;
mod runner_conflict;
mod runner_label;
mod runner_retired;
mod service_health;
mod shell_platform;
mod step_id_unused;
mod step_name_twice;
mod time_limit;
mod unknown_timezone;

/// In the order in which they are asked.
pub const RULES: &[&dyn Rule] = &[
    &event_never::EventNever,
    &ref_never::RefNever,
    &filter_never::FilterNever,
    &cron_never::CronNever,
    &unknown_timezone::UnknownTimezone,
    &pull_request_types::PullRequestTypes,
    &runner_label::RunnerLabel,
    &runner_retired::RunnerRetired,
    &runner_conflict::RunnerConflict,
    &shell_platform::ShellPlatform,
    &linux_only::LinuxOnly,
    &missing_timeout::MissingTimeout,
    &time_limit::TimeLimit,
    &env_name::EnvName,
    &container_credentials::ContainerCredentials,
    &container_options::ContainerOptions,
    &service_health::ServiceHealth,
    &job_never::JobNever,
    &needs_redundant::NeedsRedundant,
    &needs_twice::NeedsTwice,
    &gitea_ignored::GiteaIgnored,
    &matrix_outputs::MatrixOutputs,
    &concurrency_matrix::ConcurrencyMatrix,
    &background_read::BackgroundRead,
    &step_id_unused::StepIdUnused,
    &step_name_twice::StepNameTwice,
];
