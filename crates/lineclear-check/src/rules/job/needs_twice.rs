//! `needs-twice`: a job that needs another twice.

use lineclear_source::Severity;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/needs-twice.md`.
#[derive(Debug)]
pub(super) struct NeedsTwice;

static META: RuleMeta = RuleMeta {
    id: "needs-twice",
    summary: "a job that needs another twice",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("needs-twice"),
};

impl Rule for NeedsTwice {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        for job in &workflow.jobs {
            for (at, need) in job.needs.iter().enumerate() {
                let mut before = job.needs.iter().take(at);
                if before.any(|other| other.eq_ignore_ascii_case(need)) {
                    let message = format!("job `{}` needs `{}` twice", job.id.value, need.value);
                    report.at(need.span, message);
                }
            }
        }
    }
}
