//! What reaches people: publishing, signing, promoting and deploying.

use crate::{RepositoryRule, Rule};

mod checks;
mod deeds;
mod environment_cycle;
mod interruptible_deploy;
mod order;
mod overlapping_deploys;
mod policy_pattern;
mod policy_unknown_name;
mod publish_in_matrix;
mod publish_on_pull_request;
mod required_check_filtered;
mod several_references;
mod unchecked_folder;
mod unchecked_workflow_run;
mod ungated_publish;
mod unknown_check;
mod unreachable_environment;

pub(crate) use deeds::{Done, deeds};

/// In the order in which they are asked.
pub const RULES: &[&dyn Rule] = &[
    &policy_unknown_name::PolicyUnknownName,
    &environment_cycle::EnvironmentCycle,
    &unreachable_environment::UnreachableEnvironment,
    &policy_pattern::PolicyPattern,
    &ungated_publish::UngatedPublish,
    &publish_on_pull_request::PublishOnPullRequest,
    &unchecked_workflow_run::UncheckedWorkflowRun,
    &overlapping_deploys::OverlappingDeploys,
    &interruptible_deploy::InterruptibleDeploy,
    &publish_in_matrix::PublishInMatrix,
    &several_references::SeveralReferences,
];

/// Those that look at several files at once.
pub const REPOSITORY_RULES: &[&dyn RepositoryRule] = &[
    &unknown_check::UnknownCheck,
    &required_check_filtered::RequiredCheckFiltered,
    &unchecked_folder::UncheckedFolder,
];
