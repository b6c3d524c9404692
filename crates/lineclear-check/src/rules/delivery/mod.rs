//! What reaches people: publishing, signing, promoting and deploying.

use crate::{RepositoryRule, Rule};

mod checks;
mod environment_cycle;
mod policy_pattern;
mod policy_unknown_name;
mod policy_unknown_rule;
mod required_check_filtered;
mod unchecked_folder;
mod unknown_check;
mod unreachable_environment;

/// In the order in which they are asked.
pub const RULES: &[&dyn Rule] = &[
    &policy_unknown_name::PolicyUnknownName,
    &environment_cycle::EnvironmentCycle,
    &unreachable_environment::UnreachableEnvironment,
    &policy_unknown_rule::PolicyUnknownRule,
    &policy_pattern::PolicyPattern,
];

/// Those that look at several files at once.
pub const REPOSITORY_RULES: &[&dyn RepositoryRule] = &[
    &unknown_check::UnknownCheck,
    &required_check_filtered::RequiredCheckFiltered,
    &unchecked_folder::UncheckedFolder,
];
