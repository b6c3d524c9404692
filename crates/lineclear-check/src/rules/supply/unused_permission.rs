//! `unused-permission`: a job may write what nothing in it writes.

use lineclear_source::Severity;
use lineclear_source::Spanned;
use lineclear_workflow::{Access, Permissions};

use crate::{Activity, Dialect, Edit, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/unused-permission.md`.
#[derive(Debug)]
pub(super) struct UnusedPermission;

static META: RuleMeta = RuleMeta {
    id: "unused-permission",
    summary: "a job may write what nothing in it writes",
    severity: Severity::Warning,
    group: Group::Security,
    activity: Activity::Default,
    dialects: &[Dialect::GitHub],
    files: &[FileKind::Workflow],
    repair: Repair::Review,
    since: "0.1",
    page: page!("unused-permission"),
};

impl Rule for UnusedPermission {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        for (index, job) in workflow.jobs.iter().enumerate() {
            for (scope, access) in written(job.permissions.as_ref()) {
                if file.needed_scopes().get(index).is_none_or(|needed| needed.may_write(&scope.value)) {
                    continue;
                }
                let message = format!("job `{}` may write `{}`, and nothing in it does", job.id.value, scope.value);
                let fix = report.wants_fixes().then(|| lower(access));
                report.at(scope.span, message).help(HELP).fix(fix);
            }
        }
        let heirs: Vec<usize> = workflow
            .jobs
            .iter()
            .enumerate()
            .filter(|(_, job)| job.permissions.is_none())
            .map(|(index, _)| index)
            .collect();
        for (scope, access) in written(workflow.permissions.as_ref()) {
            let needed = file.needed_scopes();
            if heirs.iter().any(|index| needed.get(*index).is_none_or(|needed| needed.may_write(&scope.value))) {
                continue;
            }
            let message = match (heirs.len(), workflow.jobs.len()) {
                (0, _) => format!("no job takes `{}: write` from here: each has permissions of its own", scope.value),
                (_, 1) => format!("the job may write `{}`, and nothing in it does", scope.value),
                _ => format!("every job may write `{}`, and nothing in them does", scope.value),
            };
            let fix = report.wants_fixes().then(|| lower(access));
            let finding = report.at(scope.span, message);
            finding.help(HELP).fix(fix);
            if heirs.is_empty() {
                finding.severity(Severity::Info);
            }
        }
    }
}

const HELP: &str = "take it away, or lower it to `read`: what takes over the job has the token, too";

/// The scopes that may be written; that of identity tokens has a rule of its own.
fn written(permissions: Option<&Permissions>) -> impl Iterator<Item = &(Spanned<String>, Spanned<Access>)> {
    let scopes = match permissions {
        Some(Permissions::Scopes(scopes)) => scopes.value.as_slice(),
        _ => &[],
    };
    scopes.iter().filter(|(scope, access)| access.value == Access::Write && scope.value != "id-token")
}

fn lower(access: &Spanned<Access>) -> Fix {
    Fix::review("lower the permission to `read`", vec![Edit::replace(access.span, "read")])
}
