//! `missing-concurrency`: runs of a pull request that nobody waits for any more go on.

use lineclear_source::Severity;
use lineclear_source::Span;

use crate::{Activity, Dialect, Edit, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/missing-concurrency.md`.
#[derive(Debug)]
pub(super) struct MissingConcurrency;

static META: RuleMeta = RuleMeta {
    id: "missing-concurrency",
    summary: "runs of a pull request that nobody waits for any more go on",
    severity: Severity::Info,
    group: Group::Delivery,
    activity: Activity::Pedantic,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::Review,
    since: "0.1",
    page: page!("missing-concurrency"),
};

impl Rule for MissingConcurrency {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        let Some(trigger) = workflow.on.get("pull_request").or_else(|| workflow.on.get("pull_request_target")) else {
            return;
        };
        if let Some(concurrency) = &workflow.concurrency {
            if concurrency.cancel_in_progress.is_none() && concurrency.group.template.as_literal().is_some() {
                report
                    .at(
                        concurrency.group.span(),
                        "a new push waits until the run of the last one ended: nothing cancels it",
                    )
                    .help("add `cancel-in-progress: true`");
            }
            return;
        }
        if workflow.jobs.is_empty() || workflow.jobs.iter().any(|job| job.concurrency.is_some()) {
            return;
        }
        let fix = report.wants_fixes().then(|| {
            // For the other event the reference is the branch that all pull requests go to.
            if workflow.on.get("pull_request_target").is_some() {
                return None;
            }
            let entry = if workflow.on.events.len() == 1 { format!("{GROUP}true") } else { format!("{GROUP}{ONLY}") };
            let edit = Edit::add_entry_after(file.source(), Span::new(0, 0), workflow.on.span, &entry)?;
            Some(Fix::review("add `concurrency`", vec![edit]))
        });
        report
            .at(
                trigger.event.span,
                "each push to a pull request starts a run, and those before it go on: nobody looks at what they say",
            )
            .help("add `concurrency` with `cancel-in-progress: true`")
            .fix(fix.flatten());
    }
}

/// One run for each branch; those of other events have a reference of their own, too.
const GROUP: &str = "concurrency:\n  group: ${{ github.workflow }}-${{ github.ref }}\n  cancel-in-progress: ";
/// Where other events start it, too.
const ONLY: &str = "${{ github.event_name == 'pull_request' }}";
