//! `archived-action`: nobody mends the faults of an archived action.

use lineclear_catalog::Succession;
use lineclear_source::Severity;
use lineclear_source::Span;
use lineclear_workflow::{JobKind, WorkflowRef};

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/archived-action.md`.
#[derive(Debug)]
pub(super) struct ArchivedAction;

static META: RuleMeta = RuleMeta {
    id: "archived-action",
    summary: "an action on which nobody works any more",
    severity: Severity::Warning,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("archived-action"),
};

impl Rule for ArchivedAction {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for site in file.uses() {
            if site.reference().is_some() {
                say(&site.name, site.uses.span, report);
            }
        }
        for job in file.jobs() {
            let JobKind::Call(call) = &job.kind else { continue };
            if let WorkflowRef::Remote { owner, repo, .. } = &call.uses.value {
                say(&format!("{owner}/{repo}"), call.uses.span, report);
            }
        }
    }
}

fn say(name: &str, span: Span, report: &mut Report<'_>) {
    match lineclear_catalog::succession(name) {
        Some(Succession::Archived(other)) => {
            let message = format!("the repository of `{name}` is archived: nobody mends its faults");
            let finding = report.at(span, message);
            if let Some(other) = other {
                finding.help(format!("use `{other}` instead"));
            }
        }
        Some(Succession::Moved(other)) => {
            let message = format!("`{name}` has moved to `{other}`: nobody mends its faults under this name");
            report.at(span, message).help(format!("use `{other}` instead"));
        }
        None => {}
    }
}
