//! `secret-in-pull-request`: a job that runs for pull requests needs a secret, which forks do not get.

use lineclear_source::Severity;
use lineclear_workflow::{Condition, JobKind};

use super::secret::uses;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/secret-in-pull-request.md`.
#[derive(Debug)]
pub(super) struct SecretInPullRequest;

static META: RuleMeta = RuleMeta {
    id: "secret-in-pull-request",
    summary: "a job that runs for pull requests needs a secret, which forks do not get",
    severity: Severity::Info,
    group: Group::Correctness,
    activity: Activity::Pedantic,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("secret-in-pull-request"),
};

impl Rule for SecretInPullRequest {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        let Some(trigger) = workflow.on.get("pull_request") else { return };
        let secrets = uses(file);
        for job in &workflow.jobs {
            let JobKind::Steps(_) = job.kind else { continue };
            if job.condition.as_ref().is_some_and(chooses) {
                continue;
            }
            let used = secrets.iter().find(|one| {
                let is_guarded = one.site.place.step.is_some_and(|step| step.condition.as_ref().is_some_and(chooses));
                one.site.place.job.is_some_and(|of| of.id.span == job.id.span) && !is_guarded
            });
            if let Some(used) = used {
                report
                    .at(used.span, format!("`{}` is empty in a pull request of a fork", used.name))
                    .label(trigger.event.span, "the workflow runs for those, too")
                    .help("leave the step out where it is empty: `if: github.event.pull_request.head.repo.full_name == github.repository`");
            }
        }
    }
}

/// Whether a condition may tell forks from others.
fn chooses(condition: &Condition) -> bool {
    ["event_name", "head", "fork", "secrets", "env.", "actor", "user.login", "github.ref", "inputs"]
        .iter()
        .any(|part| condition.raw().contains(part))
}
