//! `missing-timeout`: a job that hangs holds its runner for six hours.

use lineclear_source::Severity;
use lineclear_workflow::JobKind;

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
    repair: Repair::Safe,
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
                let entry = format!("timeout-minutes: {MINUTES}");
                let edit = Edit::add_first_entry(file.source(), job.body, &entry);
                Fix::safe(format!("add `{entry}`"), vec![edit])
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
