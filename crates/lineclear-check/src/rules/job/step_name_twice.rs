//! `step-name-twice`: steps of one job that the log shows alike.

use lineclear_source::Severity;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, StepSite, page};

/// Manual and tests: `docs/rules/step-name-twice.md`.
#[derive(Debug)]
pub(super) struct StepNameTwice;

static META: RuleMeta = RuleMeta {
    id: "step-name-twice",
    summary: "two steps of a job with the same name",
    severity: Severity::Info,
    group: Group::Correctness,
    activity: Activity::Pedantic,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("step-name-twice"),
};

impl Rule for StepNameTwice {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let mut of_job: Vec<&StepSite<'_>> = Vec::new();
        for site in file.steps() {
            if site.index == 0 {
                of_job.clear();
            }
            let Some(name) = &site.step.name else { continue };
            let same = |other: &&&StepSite<'_>| other.step.name.as_ref().is_some_and(|other| other.raw() == name.raw());
            let first = of_job.iter().find(same).and_then(|other| other.step.name.as_ref());
            // Of two with conditions, one may stand for the other.
            if let Some(first) = first.filter(|_| site.step.condition.is_none()) {
                report
                    .at(name.span(), format!("another step of this job is called `{}`, too", name.raw()))
                    .label(first.span(), "the other one");
            } else {
                of_job.push(site);
            }
        }
    }
}
