//! `time-limit`: time-outs that can never be reached, or that are none.

use lineclear_catalog::hosted_label;
use lineclear_expr::Value;
use lineclear_source::Severity;
use lineclear_workflow::{Job, StepsJob, Text};

use super::machine::Machine;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/time-limit.md`.
#[derive(Debug)]
pub(super) struct TimeLimit;

static META: RuleMeta = RuleMeta {
    id: "time-limit",
    summary: "a time-out that is never reached, or is none",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("time-limit"),
};

/// GitHub stops a job on one of its machines after six hours, whatever the job says.
const HOSTED_MINUTES: f64 = 360.0;
/// … and one on a machine of one's own after five days.
const SELF_HOSTED_MINUTES: f64 = 5.0 * 24.0 * 60.0;

impl Rule for TimeLimit {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for (job, steps) in file.step_jobs() {
            if let Some(limit) = &steps.timeout_minutes {
                check_job(job, limit, file.dialect(), report);
            }
        }
        for site in file.steps() {
            let Some(limit) = &site.step.timeout_minutes else { continue };
            let Some(minutes) = minutes(limit) else { continue };
            // Less than nothing is the reader's to report.
            if let Some((of_job, longest)) = site.job.and_then(limit_of)
                && minutes > longest.max(0.0)
                && longest > 0.0
            {
                let message = format!(
                    "this step may take {} minutes, but its job is stopped after {}",
                    limit.raw(),
                    of_job.raw()
                );
                report.at(limit.span(), message).label(of_job.span(), "the job's limit");
            }
        }
    }
}

fn check_job(job: &Job, limit: &Text, dialect: Dialect, report: &mut Report<'_>) {
    let Some(minutes) = minutes(limit) else { return };
    if minutes <= HOSTED_MINUTES || dialect != Dialect::GitHub {
        return;
    }
    let Some(machine) = Machine::of(job) else { return };
    let is_hosted = |label: &super::machine::Label<'_>| {
        !label.is_open && label.choices.iter().all(|choice| hosted_label(&choice.text).is_some())
    };
    if !machine.has_group && !machine.labels.is_empty() && machine.labels.iter().all(is_hosted) {
        let message = format!("GitHub's machines stop a job after 360 minutes: {} are never reached", limit.raw());
        report.at(limit.span(), message).severity(Severity::Info);
    } else if minutes > SELF_HOSTED_MINUTES {
        let message = format!("a job is stopped after five days (7200 minutes): {} are never reached", limit.raw());
        report.at(limit.span(), message).severity(Severity::Info);
    }
}

fn limit_of(job: &Job) -> Option<(&Text, f64)> {
    let lineclear_workflow::JobKind::Steps(steps) = &job.kind else { return None };
    let StepsJob { timeout_minutes: Some(limit), .. } = &**steps else { return None };
    Some((limit, minutes(limit)?))
}

fn minutes(limit: &Text) -> Option<f64> {
    match limit.template.as_literal()? {
        Value::Number(minutes) => Some(*minutes),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}
