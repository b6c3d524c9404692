//! `broad-permissions`: a token may read or write everything.

use lineclear_source::Severity;
use lineclear_workflow::Permissions;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/broad-permissions.md`.
#[derive(Debug)]
pub(super) struct BroadPermissions;

static META: RuleMeta = RuleMeta {
    id: "broad-permissions",
    summary: "a token may read or write everything",
    severity: Severity::Warning,
    group: Group::Security,
    activity: Activity::Default,
    dialects: &[Dialect::GitHub],
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("broad-permissions"),
};

impl Rule for BroadPermissions {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        let of_jobs = workflow.jobs.iter().map(|job| (job.permissions.as_ref(), Some(job)));
        for (permissions, job) in std::iter::once((workflow.permissions.as_ref(), None)).chain(of_jobs) {
            let who = job.map_or("every job".to_owned(), |job| format!("job `{}`", job.id.value));
            match permissions {
                Some(Permissions::WriteAll(span)) => {
                    report
                        .at(
                            *span,
                            format!(
                                "{who} may write everything in the repository: code, releases, packages, deployments"
                            ),
                        )
                        .help("name the scopes that are needed, each with its level");
                }
                Some(Permissions::ReadAll(span)) => {
                    report
                        .at(
                            *span,
                            format!("{who} may read everything in the repository, drafts and alerts of security too"),
                        )
                        .severity(Severity::Info)
                        .help("name the scopes that are needed; for most it is `contents: read`");
                }
                Some(Permissions::Scopes(_)) | None => {}
            }
        }
    }
}
