//! `lineclear.toml` itself: what its reader cannot know.

use crate::{RepositoryRule, Rule};

mod asked_gates;
mod colliding_tags;
mod coverage_without_report;
mod expired_ignore;
mod free_release_tag;
mod image_without_gate;
mod preset_without_check;
mod signature_without_key;
mod unknown_gate;
mod unknown_rule_setting;
mod unused_gate;

/// In the order in which they are asked.
pub const RULES: &[&dyn Rule] = &[
    &unknown_rule_setting::UnknownRuleSetting,
    &image_without_gate::ImageWithoutGate,
    &colliding_tags::CollidingTags,
    &free_release_tag::FreeReleaseTag,
    &expired_ignore::ExpiredIgnore,
    &unknown_gate::UnknownGate,
    &signature_without_key::SignatureWithoutKey,
];

/// Those that look at several files at once.
pub const REPOSITORY_RULES: &[&dyn RepositoryRule] = &[
    &preset_without_check::PresetWithoutCheck,
    &unused_gate::UnusedGate,
    &coverage_without_report::CoverageWithoutReport,
];
