//! Where code comes from, and what it is given: references, permissions, secrets.

use crate::Rule;

mod broad_permissions;
mod image;
mod missing_permissions;
mod missing_scope;
mod missing_version_comment;
pub(crate) mod needed_scopes;
mod own_repository_by_name;
mod reference;
mod shared_write_permission;
mod short_commit;
mod stray_id_token;
mod undigested_image;
mod undocumented_permission;
mod unlimited_app_token;
mod unpinned_image;
mod unpinned_official_uses;
mod unpinned_uses;
mod unused_permission;
mod version_comment_mismatch;
mod whole_secrets;

/// In the order in which they are asked.
pub const RULES: &[&dyn Rule] = &[
    &unpinned_uses::UnpinnedUses,
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
];
