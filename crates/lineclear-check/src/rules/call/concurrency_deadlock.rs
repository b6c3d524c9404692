//! `concurrency-deadlock`: who holds a group waits for who needs it.

use lineclear_expr::{Template, TemplatePart};
use lineclear_source::Severity;
use lineclear_workflow::Concurrency;

use super::called::{Called, calls};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/concurrency-deadlock.md`.
#[derive(Debug)]
pub(super) struct ConcurrencyDeadlock;

static META: RuleMeta = RuleMeta {
    id: "concurrency-deadlock",
    summary: "a job needs the concurrency group that its own run holds",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: &[Dialect::GitHub],
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("concurrency-deadlock"),
};

impl Rule for ConcurrencyDeadlock {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        let of_run = workflow.concurrency.as_ref();
        for job in &workflow.jobs {
            let Some((of_run, of_job)) = of_run.zip(job.concurrency.as_ref()) else { continue };
            if is_same_group(of_run, of_job, false) {
                let message = format!(
                    "job `{}` waits for the group that its own run holds: GitHub cancels it as a deadlock",
                    job.id.value
                );
                report.at(of_job.group.span(), message).label(of_run.group.span(), "the run's group");
            }
        }
        for (job, call) in calls(file) {
            if of_run.is_none() && job.concurrency.is_none() {
                continue;
            }
            let called = Called::find(file.project(), None, &call.uses.value);
            let Some(needed) = called.sound().and_then(|(workflow, _)| workflow.concurrency.as_ref()) else { continue };
            let held = of_run.into_iter().chain(&job.concurrency).find(|held| is_same_group(held, needed, true));
            if let Some(held) = held {
                let message = format!(
                    "`{}` waits for the group that this workflow holds while it runs: GitHub cancels it as a deadlock",
                    called.name
                );
                report
                    .at(call.uses.span, message)
                    .label(held.group.span(), "the group that is held")
                    .help("give the called workflow's group a name of its own: `github.workflow` is the caller's name there, too");
            }
        }
    }
}

/// Whether two groups come out as the same text. Across a call, only what both sides see alike counts.
fn is_same_group(one: &Concurrency, other: &Concurrency, across_call: bool) -> bool {
    is_same(&one.group.template, &other.group.template, across_call)
}

fn is_same(one: &Template, other: &Template, across_call: bool) -> bool {
    let is_shared = |expr: &lineclear_expr::Expr| {
        let contexts = expr.contexts();
        contexts.iter().all(|name| matches!(name.as_str(), "github" | "vars") || (!across_call && name == "inputs"))
    };
    match (one, other) {
        (Template::Literal(one), Template::Literal(other)) => one.to_text().eq_ignore_ascii_case(&other.to_text()),
        (Template::Expression(one), Template::Expression(other)) => one.root() == other.root() && is_shared(one),
        (Template::Mixed(one), Template::Mixed(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|pair| match pair {
                    (TemplatePart::Text(one), TemplatePart::Text(other)) => one.eq_ignore_ascii_case(other),
                    (TemplatePart::Expression(one), TemplatePart::Expression(other)) => {
                        one.root() == other.root() && is_shared(one)
                    }
                    _ => false,
                })
        }
        _ => false,
    }
}
