//! Where code comes from, and what it is given: references, permissions, secrets.

use crate::Rule;

mod anonymous_definition;
mod broad_permissions;
mod deploy_secret_without_environment;
mod forbidden_action;
mod image;
mod missing_concurrency;
mod missing_permissions;
mod missing_scope;
mod missing_version_comment;
pub(crate) mod needed_scopes;
mod own_repository_by_name;
mod owners;
pub(crate) mod reference;
mod secret;
mod secret_in_pull_request;
mod secret_to_unpinned_action;
mod secret_without_environment;
mod secrets_inherit;
mod shared_write_permission;
mod short_commit;
mod static_cloud_credentials;
mod stray_id_token;
mod token_publishing;
mod undigested_image;
mod undocumented_permission;
mod unlimited_app_token;
mod unpinned_image;
mod unpinned_official_uses;
mod unpinned_tool;
mod unpinned_uses;
mod unused_permission;
mod version_comment_mismatch;
mod whole_secrets;
mod wide_secret;
mod workspace_action;

/// In the order in which they are asked.
pub const RULES: &[&dyn Rule] = &[
    &unpinned_uses::UnpinnedUses,
    &forbidden_action::ForbiddenAction,
    &unpinned_official_uses::UnpinnedOfficialUses,
    &short_commit::ShortCommit,
    &version_comment_mismatch::VersionCommentMismatch,
    &missing_version_comment::MissingVersionComment,
    &unpinned_image::UnpinnedImage,
    &undigested_image::UndigestedImage,
    &own_repository_by_name::OwnRepositoryByName,
    &whole_secrets::WholeSecrets,
    &unlimited_app_token::UnlimitedAppToken,
    &missing_permissions::MissingPermissions,
    &broad_permissions::BroadPermissions,
    &unused_permission::UnusedPermission,
    &stray_id_token::StrayIdToken,
    &missing_scope::MissingScope,
    &shared_write_permission::SharedWritePermission,
    &undocumented_permission::UndocumentedPermission,
    &secrets_inherit::SecretsInherit,
    &wide_secret::WideSecret,
    &deploy_secret_without_environment::DeploySecretWithoutEnvironment,
    &secret_without_environment::SecretWithoutEnvironment,
    &secret_to_unpinned_action::SecretToUnpinnedAction,
    &secret_in_pull_request::SecretInPullRequest,
    &static_cloud_credentials::StaticCloudCredentials,
    &token_publishing::TokenPublishing,
    &unpinned_tool::UnpinnedTool,
    &anonymous_definition::AnonymousDefinition,
    &workspace_action::WorkspaceAction,
    &missing_concurrency::MissingConcurrency,
];
