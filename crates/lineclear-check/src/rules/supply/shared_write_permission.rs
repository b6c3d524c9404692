//! `shared-write-permission`: all jobs may write what one of them writes.

use lineclear_source::Severity;
use lineclear_workflow::{Access, Permissions};

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/shared-write-permission.md`.
#[derive(Debug)]
pub(super) struct SharedWritePermission;

static META: RuleMeta = RuleMeta {
    id: "shared-write-permission",
    summary: "all jobs may write what one of them writes",
    severity: Severity::Info,
    group: Group::Security,
    activity: Activity::Default,
    dialects: &[Dialect::GitHub],
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("shared-write-permission"),
};

impl Rule for SharedWritePermission {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        let Some(Permissions::Scopes(scopes)) = &workflow.permissions else { return };
        let heirs = || workflow.jobs.iter().enumerate().filter(|(_, job)| job.permissions.is_none());
        if heirs().nth(1).is_none() {
            return;
        }
        for (scope, _) in scopes.value.iter().filter(|(_, access)| access.value == Access::Write) {
            let needed = file.needed_scopes();
            let writes = |index: usize| needed.get(index).is_none_or(|needed| needed.may_write(&scope.value));
            let (users, others): (Vec<_>, Vec<_>) = heirs().partition(|(index, _)| writes(*index));
            let [(_, first), ..] = users.as_slice() else { continue };
            if others.is_empty() {
                continue;
            }
            let message = if users.len() == 1 {
                format!("every job may write `{}`, and only job `{}` does", scope.value, first.id.value)
            } else {
                let names: Vec<String> = others.iter().map(|(_, job)| format!("`{}`", job.id.value)).collect();
                format!("every job may write `{}`, and nothing in {} does", scope.value, names.join(", "))
            };
            report
                .at(scope.span, message)
                .label(first.id.span, "needed here")
                .help("name it in the `permissions` of the jobs that need it, with all that they need, and not here");
        }
    }
}
