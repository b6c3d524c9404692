//! `undocumented-permission`: a permission to write, and no word of what for.

use lineclear_source::Severity;
use lineclear_source::Span;
use lineclear_workflow::{Access, Permissions};

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/undocumented-permission.md`.
#[derive(Debug)]
pub(super) struct UndocumentedPermission;

static META: RuleMeta = RuleMeta {
    id: "undocumented-permission",
    summary: "a permission to write, and no word of what for",
    severity: Severity::Info,
    group: Group::Security,
    activity: Activity::Pedantic,
    dialects: &[Dialect::GitHub],
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("undocumented-permission"),
};

impl Rule for UndocumentedPermission {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        let all = std::iter::once(workflow.permissions.as_ref())
            .chain(workflow.jobs.iter().map(|job| job.permissions.as_ref()));
        for permissions in all.flatten() {
            let Permissions::Scopes(scopes) = permissions else { continue };
            for (scope, access) in scopes.value.iter().filter(|(_, access)| access.value == Access::Write) {
                if !has_comment(file, scope.span, access.span) {
                    report
                        .at(scope.span, format!("nothing says what `{}: write` is for", scope.value))
                        .help("add a comment: who reads it later knows whether it can go");
                }
            }
        }
    }
}

/// Whether a comment stands behind the entry or on the line above it.
fn has_comment(file: &File<'_>, key: Span, value: Span) -> bool {
    let text = file.source().text();
    let behind = text.get(value.end as usize..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    let mut above = text.get(..key.start as usize).unwrap_or_default().lines().rev();
    behind.contains('#') || above.nth(1).is_some_and(|line| line.trim_start().starts_with('#'))
}
