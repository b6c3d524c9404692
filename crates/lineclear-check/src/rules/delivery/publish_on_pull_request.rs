//! `publish-on-pull-request`: a job publishes what a pull request proposes.

use super::order::{conditions, steps_of};
use lineclear_source::Severity;
use lineclear_workflow::{Job, StepKind};

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/publish-on-pull-request.md`.
#[derive(Debug)]
pub(super) struct PublishOnPullRequest;

static META: RuleMeta = RuleMeta {
    id: "publish-on-pull-request",
    summary: "a job publishes what a pull request proposes",
    severity: Severity::Warning,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("publish-on-pull-request"),
};

impl Rule for PublishOnPullRequest {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        let Some(trigger) = ["pull_request", "pull_request_target"].iter().find_map(|event| workflow.on.get(event))
        else {
            return;
        };
        let closed_only = trigger.types.as_ref().is_some_and(|types| types.iter().all(|kind| kind.value == "closed"));
        if closed_only {
            return;
        }
        for done in file.deeds().iter().filter(|done| done.deed.is_publication()) {
            let Some(job) = done.site.job else { continue };
            if done.is_conditional || !conditions(workflow, done).is_empty() || speaks_of_pull_requests(job) {
                continue;
            }
            report
                .at(done.span, format!("job `{}` {} for every pull request, before anybody has read it", job.id.value, done.deed.verb()))
                .label(trigger.event.span, "starts it")
                .help("build on pull requests and publish elsewhere: `if: github.event_name != 'pull_request'`, or `push: ${{ github.event_name != 'pull_request' }}`");
        }
    }
}

/// What is published under the pull request's own number is meant for it.
fn speaks_of_pull_requests(job: &Job) -> bool {
    let is_it = |text: &str| {
        text.contains("pull_request.number")
            || text.contains("pr-")
            || text.contains("event.number")
            || text.contains("snapshot")
    };
    steps_of(job).iter().any(|step| match &step.kind {
        StepKind::Uses { with, .. } => with.iter().any(|(_, value)| is_it(value.raw())),
        StepKind::Run { script, .. } => is_it(script.raw()),
        _ => false,
    })
}
