//! Actions that steps use: what they take and give, and whether they still work.

use crate::Rule;

mod action_behind;
mod action_branding;
mod action_file_missing;
mod action_input_contradiction;
mod action_input_deprecated;
mod action_input_missing;
mod action_input_unknown;
mod action_input_value;
mod action_missing;
mod action_outdated;
mod action_removed;
mod action_undescribed;
mod archived_action;
mod artifact;
mod artifact_name_clash;
mod artifact_not_uploaded;
mod fixed_cache_key;
mod input_form;
mod local_action_before_checkout;
mod number_as_version;
mod superfluous_action;
mod typosquatted_action;
mod unused_action_input;
mod upgrade;
mod vulnerable_action;
mod workspace;

/// In the order in which they are asked.
pub const RULES: &[&dyn Rule] = &[
    &action_input_unknown::ActionInputUnknown,
    &action_input_missing::ActionInputMissing,
    &action_input_deprecated::ActionInputDeprecated,
    &action_input_value::ActionInputValue,
    &number_as_version::NumberAsVersion,
    &action_removed::ActionRemoved,
    &action_outdated::ActionOutdated,
    &action_behind::ActionBehind,
    &archived_action::ArchivedAction,
    &superfluous_action::SuperfluousAction,
    &typosquatted_action::TyposquattedAction,
    &vulnerable_action::VulnerableAction,
    &action_missing::ActionMissing,
    &local_action_before_checkout::LocalActionBeforeCheckout,
    &artifact_name_clash::ArtifactNameClash,
    &artifact_not_uploaded::ArtifactNotUploaded,
    &fixed_cache_key::FixedCacheKey,
    &action_undescribed::ActionUndescribed,
    &action_file_missing::ActionFileMissing,
    &unused_action_input::UnusedActionInput,
    &action_input_contradiction::ActionInputContradiction,
    &action_branding::ActionBranding,
];
