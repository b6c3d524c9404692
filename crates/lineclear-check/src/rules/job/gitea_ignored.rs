//! `gitea-ignored`: keys that Gitea reads and does nothing with.

use lineclear_source::{Severity, Span};
use lineclear_workflow::{Permissions, RunsOn};

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/gitea-ignored.md`.
#[derive(Debug)]
pub(super) struct GiteaIgnored;

static META: RuleMeta = RuleMeta {
    id: "gitea-ignored",
    summary: "a key that Gitea ignores, always or before a version",
    severity: Severity::Info,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: &[Dialect::Gitea],
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("gitea-ignored"),
};

impl Rule for GiteaIgnored {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        // Forgejo goes its own way since they parted.
        let (Some(workflow), true) = (file.workflow(), file.path().contains(".gitea/")) else { return };
        let mut before = |span: Span, key: &str, version: &str| {
            report.at(span, format!("Gitea ignores `{key}` before version {version}"));
        };
        let of_jobs = workflow.jobs.iter().map(|job| (&job.permissions, &job.concurrency));
        for (permissions, concurrency) in [(&workflow.permissions, &workflow.concurrency)].into_iter().chain(of_jobs) {
            permissions.iter().for_each(|it| before(span_of(it), "permissions", "1.26"));
            concurrency.iter().for_each(|it| before(it.span, "concurrency", "1.26"));
        }
        for (_, job) in file.step_jobs() {
            job.timeout_minutes.iter().for_each(|it| before(it.span(), "timeout-minutes", "1.27"));
            job.continue_on_error.iter().for_each(|it| before(it.span(), "continue-on-error", "1.27"));
        }
        for (_, job) in file.step_jobs() {
            if let Some(environment) = &job.environment {
                report
                    .at(environment.span, "Gitea ignores `environment`: nothing protects this job")
                    .severity(Severity::Warning);
            }
            let several = match &job.runs_on {
                RunsOn::Labels(labels) => (labels.value.len() > 1).then_some(labels.span),
                RunsOn::Group { span, .. } => Some(*span),
            };
            if let Some(span) = several {
                report.at(span, "Gitea knows `runs-on` with one label only").severity(Severity::Warning);
            }
        }
    }
}

fn span_of(permissions: &Permissions) -> Span {
    match permissions {
        Permissions::ReadAll(span) | Permissions::WriteAll(span) => *span,
        Permissions::Scopes(scopes) => scopes.span,
    }
}
