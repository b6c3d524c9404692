//! `workflow-run-chain`: GitHub follows three workflows, one behind the other, and no more.

use lineclear_source::Severity;
use lineclear_workflow::Workflow;

use super::repository_workflows::is_whole;
use crate::{
    Activity, Dialect, FileKind, Group, Repair, Report, Repository, RepositoryRule, RuleMeta, SharedWorkflow, page,
};

/// Manual and tests: `docs/rules/workflow-run-chain.md`.
#[derive(Debug)]
pub(super) struct WorkflowRunChain;

static META: RuleMeta = RuleMeta {
    id: "workflow-run-chain",
    summary: "a chain of `workflow_run` that is too long, or a circle",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: &[Dialect::GitHub],
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("workflow-run-chain"),
};

/// How many workflows follow one another behind the first.
const LONGEST: usize = 3;

impl RepositoryRule for WorkflowRunChain {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, repository: &Repository<'_>, report: &mut Report<'_>) {
        let follows =
            |workflow: &Workflow| workflow.on.events.iter().all(|trigger| trigger.event.value == "workflow_run");
        if !is_whole(repository) || !repository.workflows.iter().any(|workflow| follows(workflow)) {
            return;
        }
        // How many workflows come before each; nothing as long as no start is known.
        let mut places: Vec<Option<usize>> =
            repository.workflows.iter().map(|workflow| (!follows(workflow)).then_some(0)).collect();
        for _ in 0..repository.workflows.len() {
            for at in 0..places.len() {
                if let Some(place) = place_of(repository.workflows, at, &places) {
                    places[at] = Some(places[at].map_or(place, |known| known.min(place)));
                }
            }
        }
        for (workflow, place) in repository.workflows.iter().zip(places) {
            let Some(trigger) = workflow.on.get("workflow_run").filter(|_| follows(workflow)) else { continue };
            match place {
                Some(place) if place > LONGEST => {
                    let message = format!(
                        "this workflow is number {place} behind the one that starts the chain, and GitHub follows {LONGEST}: it never starts"
                    );
                    report.in_file(&workflow.source, trigger.event.span, message);
                }
                None if is_in_circle(repository.workflows, workflow) => {
                    let message = "this workflow follows only workflows that wait for it: it never starts";
                    report.in_file(&workflow.source, trigger.event.span, message);
                }
                _ => {}
            }
        }
    }
}

/// One more than the least place of those that the workflow follows.
fn place_of(workflows: &[SharedWorkflow], at: usize, places: &[Option<usize>]) -> Option<usize> {
    let trigger = workflows.get(at)?.on.get("workflow_run")?;
    let named = |other: &Workflow| trigger.workflows.iter().any(|name| name.value == other.display_name());
    let before = workflows.iter().zip(places).filter(|(other, _)| named(other)).filter_map(|(_, place)| *place);
    before.min().map(|place| place + 1)
}

/// Whether each workflow that it follows is there: a name that is not known may well start.
fn is_in_circle(workflows: &[SharedWorkflow], workflow: &Workflow) -> bool {
    let mut waiting = vec![workflow];
    let mut seen: Vec<&str> = Vec::new();
    while let Some(next) = waiting.pop() {
        if seen.contains(&next.source.name()) {
            continue;
        }
        seen.push(next.source.name());
        let Some(trigger) = next.on.get("workflow_run") else { return false };
        for name in &trigger.workflows {
            match workflows.iter().find(|other| other.display_name() == name.value) {
                Some(other) => waiting.push(other),
                None => return false,
            }
        }
    }
    true
}
