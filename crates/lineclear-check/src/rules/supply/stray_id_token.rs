//! `stray-id-token`: a job may ask for identity tokens, and nothing in it does.

use lineclear_source::Severity;
use lineclear_workflow::{Access, Permissions};

use crate::{Activity, Dialect, Edit, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/stray-id-token.md`.
#[derive(Debug)]
pub(super) struct StrayIdToken;

static META: RuleMeta = RuleMeta {
    id: "stray-id-token",
    summary: "a job may ask for identity tokens, and nothing in it does",
    severity: Severity::Warning,
    group: Group::Security,
    activity: Activity::Default,
    dialects: &[Dialect::GitHub],
    files: &[FileKind::Workflow],
    repair: Repair::Review,
    since: "0.1",
    page: page!("stray-id-token"),
};

impl Rule for StrayIdToken {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        let is_stray =
            |index: usize| file.needed_scopes().get(index).is_some_and(|needed| !needed.may_write("id-token"));
        let heirs = || workflow.jobs.iter().enumerate().filter(|(_, job)| job.permissions.is_none());
        let of_jobs =
            workflow.jobs.iter().enumerate().map(|(index, job)| (job.permissions.as_ref(), Some((index, job))));
        for (permissions, job) in of_jobs.chain([(workflow.permissions.as_ref(), None)]) {
            let Some(Permissions::Scopes(scopes)) = permissions else { continue };
            let granted =
                scopes.value.iter().find(|(scope, access)| scope.value == "id-token" && access.value == Access::Write);
            let Some((scope, access)) = granted else { continue };
            let message = match job {
                Some((index, job)) if is_stray(index) => {
                    format!(
                        "job `{}` may ask for identity tokens, and nothing in it deploys, signs or publishes",
                        job.id.value
                    )
                }
                None if heirs().all(|(index, _)| is_stray(index)) => {
                    "every job may ask for identity tokens, and nothing in them deploys, signs or publishes".to_owned()
                }
                _ => continue,
            };
            let fix = report
                .wants_fixes()
                .then(|| Fix::review("take the identity token away", vec![Edit::replace(access.span, "none")]));
            report
                .at(scope.span, message)
                .help("take it away: what takes over the job could log in where this repository is trusted")
                .fix(fix);
        }
    }
}
