//! `lineclear.toml` itself: what its reader cannot know.

use crate::Rule;

mod unknown_rule_setting;

/// In the order in which they are asked.
pub const RULES: &[&dyn Rule] = &[&unknown_rule_setting::UnknownRuleSetting];
