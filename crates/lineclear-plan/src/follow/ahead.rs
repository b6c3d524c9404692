//! What would follow a plan.

use lineclear_event::{Conclusion, ForgeEvent, Timestamp};
use lineclear_source::Diagnostic;
use lineclear_workflow::Workflow;
use serde::Serialize;

use super::MAX_CHAIN;
use super::event::{FollowedRun, RunActivity, following_event, follows};
use crate::{Facts, Files, Plan, PlannedWorkflow, plan};

/// A workflow that follows another one.
#[derive(Clone, Debug, Serialize)]
pub struct Follower {
    /// The name of the workflow that it follows.
    pub after: String,
    /// How many runs are before it: one for what follows the event's own workflows.
    pub level: u8,
    #[serde(flatten)]
    pub workflow: PlannedWorkflow,
}

/// What follows `planned` if every run succeeds; `default_sha` is the last commit of the default branch.
///
/// Each follower comes once on a level for every workflow that it follows, in the order in which they would run; those that are not started say
/// why. A workflow that several ones of a level start is followed once: who follows it is told the same of each of its runs, but for its title. So
/// the work grows with the pairs of workflows, and not with the ways through them.
pub fn followers(
    planned: &Plan,
    workflows: &[(Workflow, Vec<Diagnostic>)],
    event: &ForgeEvent,
    default_sha: &str,
    facts: &Facts,
    files: &dyn Files,
) -> Vec<Follower> {
    let started = |planned: &PlannedWorkflow| planned.triggered && planned.startup_failure.is_none();
    let mut level: Vec<(PlannedWorkflow, ForgeEvent)> =
        planned.workflows.iter().filter(|planned| started(planned)).map(|one| (one.clone(), event.clone())).collect();
    let mut all = Vec::new();
    // What is named `workflow_run` itself has one before it.
    let before = u8::from(event.name == "workflow_run");
    for depth in before + 1..=MAX_CHAIN {
        let mut next: Vec<(PlannedWorkflow, ForgeEvent)> = Vec::new();
        for (followed, event) in &level {
            let following: Vec<_> =
                workflows.iter().filter(|(workflow, _)| follows(workflow, &followed.name)).cloned().collect();
            if following.is_empty() {
                continue;
            }
            let run = FollowedRun {
                run: facts.run,
                file: &followed.file,
                workflow: &followed.name,
                title: followed.run_name.as_deref().unwrap_or_default(),
                event,
                platform: &facts.platform,
                created: Timestamp::default(),
            };
            let event =
                following_event(&run, RunActivity::Completed(Conclusion::Success), default_sha, Timestamp::default());
            for workflow in plan(&following, &event, facts, files).workflows {
                if started(&workflow) && next.iter().all(|(known, _)| known.file != workflow.file) {
                    next.push((workflow.clone(), event.clone()));
                }
                all.push(Follower { after: followed.name.clone(), level: depth, workflow });
            }
        }
        level = next;
    }
    all
}
