//! Where code comes from, and what it is given: references, permissions, secrets.

use crate::Rule;

mod image;
mod missing_version_comment;
mod own_repository_by_name;
mod reference;
mod short_commit;
mod undigested_image;
mod unlimited_app_token;
mod unpinned_image;
mod unpinned_official_uses;
mod unpinned_uses;
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
];
