//! `unknown-step`: a step that is not there, or has not run yet, gives nothing.

use lineclear_source::Severity;

use super::missing_name;
use crate::types::{Origin, Standing, Unknown, own_steps, standing};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, StepSite, page};

/// Manual and tests: `docs/rules/unknown-step.md`.
#[derive(Debug)]
pub(super) struct UnknownStep;

static META: RuleMeta = RuleMeta {
    id: "unknown-step",
    summary: "a step that is named where it has not run",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::Review,
    since: "0.1",
    page: page!("unknown-step"),
};

impl Rule for UnknownStep {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for unknown in &file.typed().unknown {
            if unknown.object.origin == Origin::Steps {
                look_at(file, unknown, report);
            }
        }
    }
}

fn look_at(file: &File<'_>, unknown: &Unknown, report: &mut Report<'_>) {
    let Some(expression) = file.expressions().get(unknown.site) else { return };
    let name = &unknown.name;
    let is_it = |site: &&StepSite<'_>| site.step.id.as_ref().is_some_and(|id| id.value.eq_ignore_ascii_case(name));
    let own = own_steps(file, expression.place.job);
    let place = expression.place.step;
    let Some(at) = own.iter().position(|site| is_it(&site)) else {
        let elsewhere = file.steps().iter().find(is_it).and_then(|site| site.job.zip(site.step.id.as_ref()));
        match elsewhere {
            Some((job, id)) => {
                let job = &job.id.value;
                report
                    .at(
                        unknown.span,
                        format!("step `{name}` belongs to job `{job}`: its outputs are always empty here"),
                    )
                    .label(id.span, "it is here")
                    .help(format!(
                        "make it an output of job `{job}`, list the job in `needs`, and read `needs.{job}.outputs`"
                    ));
            }
            None => {
                let message = format!("there is no step `{name}` before this one: its outputs are always empty");
                missing_name::report(file, report, unknown, message);
            }
        }
        return;
    };
    let (what, help) = match standing(own, at, place) {
        Standing::Itself => ("is this step itself: it has no outputs yet", "read them in a later step"),
        Standing::Beside => {
            ("runs at the same time: it has no outputs yet", "read them in a step behind the `parallel` block")
        }
        Standing::Running => {
            ("still runs in the background: it has no outputs yet", "wait for it in a step with `wait` before this one")
        }
        Standing::Later | Standing::Before => {
            ("comes later: its outputs are always empty here", "move one of the two steps")
        }
    };
    let finding = report.at(unknown.span, format!("step `{name}` {what}")).help(help);
    if let Some(id) = own.get(at).and_then(|site| site.step.id.as_ref()) {
        finding.label(id.span, "it is here");
    }
}
