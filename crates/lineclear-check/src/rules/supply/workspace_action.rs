//! `workspace-action`: an action of the repository is taken from the workspace, where a step may have put another.

use lineclear_source::{Severity, Span};
use lineclear_workflow::{ActionRef, StepKind};

use crate::{Activity, Dialect, Edit, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/workspace-action.md`.
#[derive(Debug)]
pub(super) struct WorkspaceAction;

static META: RuleMeta = RuleMeta {
    id: "workspace-action",
    summary: "an action of the repository is taken from the workspace, where a step may have put another",
    severity: Severity::Info,
    group: Group::Security,
    activity: Activity::Pedantic,
    dialects: &[Dialect::GitHub],
    files: &[FileKind::Workflow],
    repair: Repair::Review,
    since: "0.1",
    page: page!("workspace-action"),
};

impl Rule for WorkspaceAction {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for site in file.steps() {
            let StepKind::Uses { uses, .. } = &site.step.kind else { continue };
            let ActionRef::Local { path } = &uses.value else { continue };
            // What is not in the repository is made by a step.
            if file.project().action(path).found().is_none() {
                continue;
            }
            let at = file.source().slice(uses.span).find("./").map(|at| uses.span.start as usize + at);
            let fix = at.filter(|_| report.wants_fixes()).map(|at| {
                let edit = Edit::replace(Span::new(at, at + 1), "$");
                Fix::review(format!("write `$/{path}`"), vec![edit])
            });
            let message = format!(
                "`./{path}` is whatever lies there when the step begins: an earlier step may have put it there"
            );
            report
                .at(uses.span, message)
                .help(format!("write `$/{path}`: it is taken from the repository, at the commit of this workflow"))
                .fix(fix);
        }
    }
}
