//! `needs-redundant`: a need that follows from another.

use lineclear_source::{Severity, Spanned};
use lineclear_workflow::Workflow;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/needs-redundant.md`.
#[derive(Debug)]
pub(super) struct NeedsRedundant;

static META: RuleMeta = RuleMeta {
    id: "needs-redundant",
    summary: "a need that follows from another",
    severity: Severity::Info,
    group: Group::Correctness,
    activity: Activity::Pedantic,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("needs-redundant"),
};

impl Rule for NeedsRedundant {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        for job in &workflow.jobs {
            for need in &job.needs {
                // What is read of a job, or asked of its result, needs the job itself.
                if job.condition.is_some() || is_read(file, &job.id.value, need) {
                    continue;
                }
                let through = job.needs.iter().find(|other| {
                    !other.eq_ignore_ascii_case(need) && leads_to(workflow, other, need, &mut Vec::new())
                });
                if let Some(through) = through {
                    let message = format!("`{}` is needed by `{}` already", need.value, through.value);
                    report.at(need.span, message).label(through.span, "this waits for it, too");
                }
            }
        }
    }
}

fn is_read(file: &File<'_>, job: &str, need: &Spanned<String>) -> bool {
    let of_job = |site: &&crate::ExpressionSite<'_>| {
        site.place.job.is_some_and(|of| of.id.value == job) && site.expr.text().contains("needs")
    };
    file.expressions().iter().filter(of_job).any(|site| {
        let references = site.expr.root().references();
        references.iter().filter(|reference| reference.context == "needs").any(|reference| {
            match reference.path.first() {
                Some(lineclear_expr::Segment::Name(name)) => name.eq_ignore_ascii_case(need),
                _ => true,
            }
        })
    })
}

fn leads_to<'w>(workflow: &'w Workflow, from: &str, to: &str, seen: &mut Vec<&'w str>) -> bool {
    // One with a condition may run although what it needs did not.
    let of_job = workflow.job(from).filter(|job| job.condition.is_none() && !seen.contains(&job.id.as_str()));
    let Some(job) = of_job else { return false };
    seen.push(&job.id);
    job.needs.iter().any(|need| need.eq_ignore_ascii_case(to) || leads_to(workflow, need, to, seen))
}
