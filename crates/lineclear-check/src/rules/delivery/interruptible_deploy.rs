//! `interruptible-deploy`: a deployment may be cut in the middle by the next run.

use lineclear_source::Severity;
use lineclear_source::Span;

use crate::rules::deeds::Deed;
use crate::{Activity, Dialect, Edit, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/interruptible-deploy.md`.
#[derive(Debug)]
pub(super) struct InterruptibleDeploy;

static META: RuleMeta = RuleMeta {
    id: "interruptible-deploy",
    summary: "a deployment may be cut in the middle by the next run",
    severity: Severity::Warning,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::Review,
    since: "0.1",
    page: page!("interruptible-deploy"),
};

impl Rule for InterruptibleDeploy {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        let events = || workflow.on.events.iter().map(|trigger| trigger.event.value.as_str());
        if events().all(|event| matches!(event, "pull_request" | "pull_request_target")) {
            return;
        }
        let mut seen: Vec<Span> = Vec::new();
        for done in file.deeds() {
            let Some(job) = done.site.job.filter(|_| matches!(done.deed, Deed::Deploy | Deed::Migrate)) else {
                continue;
            };
            // A job's own group keeps nobody from cancelling the run that it belongs to.
            for concurrency in job.concurrency.iter().chain(&workflow.concurrency) {
                let Some(cancel) = concurrency.cancel_in_progress.as_ref().filter(|cancel| cancel.raw() == "true")
                else {
                    continue;
                };
                if seen.contains(&cancel.span()) {
                    continue;
                }
                seen.push(cancel.span());
                let fix = report.wants_fixes().then(|| {
                    Fix::review("set `cancel-in-progress: false`", vec![Edit::replace(cancel.span(), "false")])
                });
                report
                    .at(
                        cancel.span(),
                        format!(
                            "the next run stops job `{}` while it {}: what it changes is left half done",
                            job.id.value,
                            done.deed.verb()
                        ),
                    )
                    .label(done.span, "here")
                    .help("set `cancel-in-progress: false`, or give the deployment a workflow of its own")
                    .fix(fix);
            }
        }
    }
}
