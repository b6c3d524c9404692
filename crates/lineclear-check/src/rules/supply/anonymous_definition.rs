//! `anonymous-definition`: a workflow or job without a name.

use lineclear_source::Severity;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/anonymous-definition.md`.
#[derive(Debug)]
pub(super) struct AnonymousDefinition;

static META: RuleMeta = RuleMeta {
    id: "anonymous-definition",
    summary: "a workflow or job without a name",
    severity: Severity::Info,
    group: Group::Delivery,
    activity: Activity::Pedantic,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("anonymous-definition"),
};

impl Rule for AnonymousDefinition {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        if let Some(action) = file.action().filter(|action| action.name.is_none()) {
            report.whole(format!("this action has no `name`: it is shown as `{}`", action.source.name()));
        }
        let Some(workflow) = file.workflow() else { return };
        if workflow.name.is_none() {
            report
                .whole(format!("this workflow has no `name`: it is shown as `{}`", workflow.source.name()))
                .help("add `name` as the first line");
        }
        for job in workflow.jobs.iter().filter(|job| job.name.is_none()) {
            report.at(
                job.id.span,
                format!("job `{}` has no `name`: checks and protections of branches know it by its id", job.id.value),
            );
        }
    }
}
