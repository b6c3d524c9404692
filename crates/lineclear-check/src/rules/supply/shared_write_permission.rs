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
            let mut users = heirs().filter(|(index, _)| writes(*index));
            let (Some((_, only)), None) = (users.next(), users.next()) else { continue };
            report
                .at(scope.span, format!("every job may write `{}`, and only job `{}` does", scope.value, only.id.value))
                .label(only.id.span, "this one")
                .help("name it in the `permissions` of that job, with all that the job needs, and not here");
        }
    }
}
