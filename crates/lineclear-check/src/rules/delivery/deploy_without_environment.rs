//! `deploy-without-environment`: a job deploys without an environment.

use super::order::has_environment;
use lineclear_source::Severity;
use lineclear_workflow::Job;

use crate::rules::deeds::Deed;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/deploy-without-environment.md`.
#[derive(Debug)]
pub(super) struct DeployWithoutEnvironment;

static META: RuleMeta = RuleMeta {
    id: "deploy-without-environment",
    summary: "a job deploys without an environment",
    severity: Severity::Info,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("deploy-without-environment"),
};

impl Rule for DeployWithoutEnvironment {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        if workflow
            .on
            .events
            .iter()
            .all(|trigger| matches!(trigger.event.value.as_str(), "pull_request" | "pull_request_target"))
        {
            return;
        }
        let mut seen: Vec<&Job> = Vec::new();
        for done in file.deeds().iter().filter(|done| done.deed == Deed::Deploy) {
            let Some(job) = done.site.job.filter(|job| !has_environment(job)) else { continue };
            if seen.iter().any(|one| std::ptr::eq(*one, job)) {
                continue;
            }
            seen.push(job);
            report
                .at(done.span, format!("job `{}` deploys without an `environment`: nobody has to agree, and every workflow sees its secrets", job.id.value))
                .help("give the job an `environment`, and keep its secrets, reviewers and branches there");
        }
    }
}
