//! `background-read`: what a background step gives is there once it was waited for.

use lineclear_expr::Segment;
use lineclear_source::Severity;
use lineclear_workflow::{Key, Step, StepKind};

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, StepSite, page};

/// Manual and tests: `docs/rules/background-read.md`.
#[derive(Debug)]
pub(super) struct BackgroundRead;

static META: RuleMeta = RuleMeta {
    id: "background-read",
    summary: "the outputs of a background step are read before it was waited for",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: &[Dialect::GitHub],
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("background-read"),
};

impl Rule for BackgroundRead {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        if !file.steps().iter().any(|site| site.step.background || site.in_parallel) {
            return;
        }
        for expression in file.expressions() {
            let (Some(job), Some(step)) = (expression.place.job, expression.place.step) else { continue };
            // Other keys of the step, such as its name in the log, come to the same.
            if matches!(expression.place.key, Key::Name) || !expression.expr.text().contains("steps") {
                continue;
            }
            let sites: Vec<&StepSite<'_>> =
                file.steps().iter().filter(|site| site.job.is_some_and(|of| std::ptr::eq(of, job))).collect();
            let Some(at) = sites.iter().position(|site| std::ptr::eq(site.step, step)) else { continue };
            for reference in expression.expr.root().references() {
                let ("steps", Some(Segment::Name(id))) = (reference.context, reference.path.first()) else { continue };
                let Some(running) = still_running(&sites, at, id) else { continue };
                let message = match running.background {
                    true => format!("step `{id}` runs in the background and was not waited for: this is empty"),
                    false => format!("step `{id}` runs at the same time as this one: this is empty"),
                };
                let finding = report.at(expression.scalar.span_of(reference.span.range()), message);
                if running.background {
                    finding.help(format!("put a step `wait: {id}` before this one"));
                }
            }
        }
    }
}

/// The step of this id, if it may still run when the step at `at` starts.
fn still_running<'a>(sites: &[&StepSite<'a>], at: usize, id: &str) -> Option<&'a Step> {
    let is_it = |site: &&&StepSite<'_>| site.step.id.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(id));
    let from = sites.iter().take(at).position(|site| is_it(&site)).or_else(|| {
        // A later step of the same group runs at the same time.
        sites
            .iter()
            .enumerate()
            .skip(at + 1)
            .take_while(|(_, site)| site.in_parallel)
            .find(|(_, site)| is_it(site))
            .map(|(at, _)| at)
    })?;
    let step = sites.get(from)?.step;
    let is_in_group = sites.get(from)?.in_parallel;
    if is_in_group {
        let (first, last) = (from.min(at), from.max(at));
        return sites.get(first..=last)?.iter().all(|site| site.in_parallel).then_some(step);
    }
    if !step.background {
        return None;
    }
    let waits = sites.get(from..at)?.iter().any(|site| match &site.step.kind {
        StepKind::Wait { ids } => ids.iter().any(|one| one.eq_ignore_ascii_case(id)),
        StepKind::Cancel { id: one } => one.eq_ignore_ascii_case(id),
        StepKind::WaitAll => true,
        _ => false,
    });
    (!waits).then_some(step)
}
