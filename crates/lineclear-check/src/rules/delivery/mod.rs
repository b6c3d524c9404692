//! What reaches people: publishing, signing, promoting and deploying.

use crate::{RepositoryRule, Rule};

pub(crate) use checks::AllWorkflows;

mod artifact_of_other_run;
mod checks;
mod command_in_env;
mod deploy_without_environment;
mod deploy_without_health_check;
mod deploy_without_rollback;
mod environment_cycle;
mod ignored_scan;
mod image_without_provenance;
mod interruptible_deploy;
mod latest_from_branch;
mod login_before_guard;
mod moving_deploy;
mod moving_reference;
mod order;
mod overlapping_deploys;
mod overwritten_release;
mod placeholder_left;
mod policy_pattern;
mod policy_unknown_name;
mod publish_in_matrix;
mod publish_on_pull_request;
mod rebuild_before_deploy;
mod required_check_filtered;
mod several_references;
mod shared_concurrency_group;
mod skipped_environment;
mod unchecked_artifact_upload;
mod unchecked_folder;
mod unchecked_workflow_run;
mod ungated_publish;
mod unknown_check;
mod unreachable_environment;

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
    &ignored_scan::IgnoredScan,
    &moving_reference::MovingReference,
    &moving_deploy::MovingDeploy,
    &rebuild_before_deploy::RebuildBeforeDeploy,
    &deploy_without_environment::DeployWithoutEnvironment,
    &skipped_environment::SkippedEnvironment,
    &login_before_guard::LoginBeforeGuard,
    &deploy_without_health_check::DeployWithoutHealthCheck,
    &deploy_without_rollback::DeployWithoutRollback,
    &command_in_env::CommandInEnv,
    &latest_from_branch::LatestFromBranch,
    &image_without_provenance::ImageWithoutProvenance,
    &unchecked_artifact_upload::UncheckedArtifactUpload,
    &placeholder_left::PlaceholderLeft,
    &overwritten_release::OverwrittenRelease,
    &artifact_of_other_run::ArtifactOfOtherRun,
];

/// Those that look at several files at once.
pub const REPOSITORY_RULES: &[&dyn RepositoryRule] = &[
    &unknown_check::UnknownCheck,
    &required_check_filtered::RequiredCheckFiltered,
    &unchecked_folder::UncheckedFolder,
    &shared_concurrency_group::SharedConcurrencyGroup,
];
