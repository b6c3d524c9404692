//! `preset-without-check`: a preset that asks for a check which no workflow has.

use lineclear_source::Severity;

use crate::project::Repository;
use crate::rules::delivery::AllWorkflows;
use crate::{Activity, Dialect, FileKind, Group, Repair, Report, RepositoryRule, RuleMeta, page};

/// Manual and tests: `docs/rules/preset-without-check.md`.
#[derive(Debug)]
pub(super) struct PresetWithoutCheck;

static META: RuleMeta = RuleMeta {
    id: "preset-without-check",
    summary: "a preset that asks for a check which no workflow has",
    severity: Severity::Error,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Policy, FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("preset-without-check"),
};

impl RepositoryRule for PresetWithoutCheck {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, repository: &Repository<'_>, report: &mut Report<'_>) {
        let Some((_, policy)) = repository.policy.filter(|(_, policy)| policy.preset.is_some()) else { return };
        let workflows = AllWorkflows::of(repository);
        if workflows.has_unreadable {
            return;
        }
        let (_, problems) = workflows.expanded(policy, repository.project);
        for problem in problems {
            let finding = report.at(problem.span.unwrap_or_default(), problem.message).severity(problem.severity);
            for help in problem.help {
                finding.help(help);
            }
        }
    }
}
