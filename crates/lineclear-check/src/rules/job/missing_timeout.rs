//! `missing-timeout`: a job that hangs holds its runner for six hours.

use lineclear_source::Severity;
use lineclear_workflow::{JobKind, Step, StepKind};

use crate::{Activity, Dialect, Edit, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/missing-timeout.md`.
#[derive(Debug)]
pub(super) struct MissingTimeout;

static META: RuleMeta = RuleMeta {
    id: "missing-timeout",
    summary: "a job without `timeout-minutes` may hang for six hours",
    severity: Severity::Warning,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::Review,
    since: "0.1",
    page: page!("missing-timeout"),
};

/// What a fix writes: most jobs are far below, and a hang is noticed the same hour.
const MINUTES: u32 = 30;

impl Rule for MissingTimeout {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for job in file.jobs() {
            let JobKind::Steps(steps) = &job.kind else { continue };
            if steps.timeout_minutes.is_some() {
                continue;
            }
            let fix = report.wants_fixes().then(|| {
                let entry = format!("timeout-minutes: {}", limit(&steps.steps));
                let edits = vec![Edit::add_first_entry(file.source(), job.body, &entry)];
                // Nobody knows here how long the job takes.
                Fix::review(format!("add `{entry}`"), edits)
            });
            report
                .at(
                    job.id.span,
                    format!("job `{}` has no `timeout-minutes`: if it hangs, it does so for six hours", job.id.value),
                )
                .help(format!("add `timeout-minutes: {MINUTES}`, or what the job needs at most"))
                .fix(fix);
        }
    }
}

/// The limit that a fix gives a job, in minutes: its steps have the time that they are given, and the rest of the job as long as any.
fn limit(steps: &[Step]) -> u64 {
    let mut minutes = u64::from(MINUTES);
    for step in steps {
        let inner = if let StepKind::Parallel { steps } = &step.kind { limit(steps) } else { 0 };
        let own = step.timeout_minutes.as_ref().and_then(|limit| limit.raw().trim().parse::<u32>().ok());
        let given = match own {
            Some(own) if own > MINUTES => u64::from(own),
            _ => inner.saturating_sub(u64::from(MINUTES)),
        };
        minutes = minutes.saturating_add(given);
    }
    minutes
}
