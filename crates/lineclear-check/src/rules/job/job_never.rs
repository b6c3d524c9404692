//! `job-never`: a job that needs one which never runs.

use std::collections::BTreeSet;

use lineclear_expr::{NodeKind, Value};
use lineclear_source::Severity;
use lineclear_workflow::Job;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/job-never.md`.
#[derive(Debug)]
pub(super) struct JobNever;

static META: RuleMeta = RuleMeta {
    id: "job-never",
    summary: "a job that needs one which never runs",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("job-never"),
};

impl Rule for JobNever {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let jobs = file.jobs();
        let mut off: BTreeSet<String> =
            jobs.iter().filter(|job| is_off(job)).map(|job| job.id.to_ascii_lowercase()).collect();
        if off.is_empty() {
            return;
        }
        let mut said: BTreeSet<String> = off.clone();
        // Who needs a job that is off is off itself, unless it asks how the others ended.
        for _ in jobs {
            for job in jobs {
                if said.contains(&job.id.to_ascii_lowercase()) {
                    continue;
                }
                let asks = job.condition.as_ref().is_some_and(|condition| condition.expr.calls_status_function());
                let Some(need) = job.needs.iter().find(|need| off.contains(&need.to_ascii_lowercase())) else {
                    continue;
                };
                if !asks {
                    said.insert(job.id.to_ascii_lowercase());
                    let message =
                        format!("job `{}` never runs: it needs `{}`, which never does", job.id.value, need.value);
                    report.at(need.span, message).help("take the need away, or give the job `if: ${{ !cancelled() }}`");
                }
            }
            if said.len() == off.len() {
                return;
            }
            off.clone_from(&said);
        }
    }
}

/// `if: false`
fn is_off(job: &Job) -> bool {
    job.condition.as_ref().is_some_and(
        |condition| matches!(condition.expr.root().kind(), NodeKind::Literal(value) if !Value::is_truthy(value)),
    )
}
