//! `.github/dependabot.yml`.

use crate::Rule;

mod dependabot_cooldown;
mod dependabot_directory;
mod dependabot_execution;
mod dependabot_syntax;
mod dependabot_without_actions;
mod update;

/// In the order in which they are asked.
pub const RULES: &[&dyn Rule] = &[
    &dependabot_syntax::DependabotSyntax,
    &dependabot_directory::DependabotDirectory,
    &dependabot_cooldown::DependabotCooldown,
    &dependabot_execution::DependabotExecution,
    &dependabot_without_actions::DependabotWithoutActions,
];
