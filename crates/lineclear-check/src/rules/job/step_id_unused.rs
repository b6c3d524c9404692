//! `step-id-unused`: an id that nothing refers to.

use lineclear_expr::Segment;
use lineclear_source::Severity;
use lineclear_workflow::StepKind;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/step-id-unused.md`.
#[derive(Debug)]
pub(super) struct StepIdUnused;

static META: RuleMeta = RuleMeta {
    id: "step-id-unused",
    summary: "the id of a step that nothing refers to",
    severity: Severity::Info,
    group: Group::Correctness,
    activity: Activity::Pedantic,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("step-id-unused"),
};

impl Rule for StepIdUnused {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for site in file.steps() {
            let Some(id) = &site.step.id else { continue };
            let in_job = |of: Option<&lineclear_workflow::Job>| match (of, site.job) {
                (Some(one), Some(other)) => std::ptr::eq(one, other),
                (None, None) => true,
                _ => false,
            };
            let of_steps = file.steps().iter().filter(|other| in_job(other.job)).any(|other| match &other.step.kind {
                StepKind::Wait { ids } => ids.iter().any(|one| one.eq_ignore_ascii_case(id)),
                StepKind::Cancel { id: one } => one.eq_ignore_ascii_case(id),
                _ => false,
            });
            let in_expressions = || {
                let sites = file.expressions().iter().filter(|other| in_job(other.place.job));
                sites.filter(|other| other.expr.text().contains("steps")).any(|other| {
                    let references = other.expr.root().references();
                    references.iter().filter(|reference| reference.context == "steps").any(|reference| {
                        match reference.path.first() {
                            Some(Segment::Name(name)) => name.eq_ignore_ascii_case(id),
                            // `toJSON(steps)` refers to all.
                            _ => true,
                        }
                    })
                })
            };
            if !of_steps && !in_expressions() {
                report.at(id.span, format!("nothing refers to step `{}`", id.value)).help("take the id away");
            }
        }
    }
}
