//! Runs and jobs as they are shown.

use lineclear_event::{Conclusion, JobKey, RunEvent, Timestamp};
use lineclear_forge::NodeKind;
use lineclear_store::RunSummary;
use serde_json::{Value, json};

use super::repository;
use super::runs::branch_of;
use crate::call::{Call, Refusal, node, time};
use crate::person::number_of;

/// Status and conclusion. A run that was killed before it could say how it ended counts as cancelled.
pub(super) fn state(run: &RunSummary) -> (&'static str, Option<&'static str>) {
    match run.conclusion {
        Some(conclusion) => ("completed", Some(word(conclusion))),
        None if run.alive => ("in_progress", None),
        None => ("completed", Some("cancelled")),
    }
}

fn word(conclusion: Conclusion) -> &'static str {
    match conclusion {
        Conclusion::Success => "success",
        Conclusion::Failure => "failure",
        Conclusion::Cancelled => "cancelled",
        Conclusion::Skipped => "skipped",
        Conclusion::TimedOut => "timed_out",
        Conclusion::StartupFailure => "startup_failure",
    }
}

pub(super) fn run(call: &Call<'_>, run: &RunSummary) -> Value {
    let about = &run.header.run;
    let id = run.header.id.0;
    let url = call.api(&format!("actions/runs/{id}"));
    let (status, conclusion) = state(run);
    let workflow = number_of(&about.file);
    let started = time(about.started);
    let updated = run.finished.map_or_else(|| time(call.now), time);
    let actor = if run.header.id == call.caller.run { call.caller.actor.as_str() } else { call.facts().owner.as_str() };
    let actor = call.user(actor);
    let suite = number_of(&format!("suite/{id}"));
    let mut shown = json!({
        "id": id,
        "name": about.workflow,
        "node_id": node(NodeKind::WorkflowRun, id),
        "head_branch": branch_of(call, run),
        "head_sha": about.sha,
        "path": about.file,
        "display_title": about.workflow,
        "run_number": run.header.number,
        "run_attempt": 1,
        "event": about.event,
        "status": status,
        "conclusion": conclusion,
        "workflow_id": workflow,
        "check_suite_id": suite,
        "check_suite_node_id": node(NodeKind::CheckSuite, suite),
        "url": url,
        "html_url": call.html(&format!("actions/runs/{id}")),
        "pull_requests": super::suites::pulls_of(call, &about.sha),
        "created_at": started,
        "updated_at": updated,
        "run_started_at": started,
        "actor": actor,
        "triggering_actor": actor,
        "workflow_url": call.api(&format!("actions/workflows/{workflow}")),
        "check_suite_url": call.api(&format!("check-suites/{suite}")),
        "referenced_workflows": [],
        "previous_attempt_url": null,
        "head_commit": {"id": about.sha, "timestamp": started},
        "repository": repository::brief(call),
        "head_repository": repository::brief(call),
    });
    for name in ["jobs", "logs", "artifacts", "cancel", "rerun"] {
        shown[format!("{name}_url")] = json!(format!("{url}/{name}"));
    }
    shown
}

/// What the events of a run say of one job.
#[derive(Debug)]
struct Job {
    key: JobKey,
    name: String,
    started: Option<Timestamp>,
    finished: Option<Timestamp>,
    conclusion: Option<Conclusion>,
    steps: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    id: String,
    name: String,
    started: Option<Timestamp>,
    finished: Option<Timestamp>,
    conclusion: Option<Conclusion>,
}

/// The jobs of a run, in the order in which they became known, each with its key.
pub(super) fn jobs(call: &Call<'_>, run: &RunSummary) -> Result<Vec<(JobKey, Value)>, Refusal> {
    let mut jobs: Vec<Job> = Vec::new();
    for envelope in call.forge.ports().store.events(run.header.id)? {
        let at = envelope.at;
        match envelope.event {
            RunEvent::JobWaiting { job, name, .. } => {
                of(&mut jobs, &job).name = name;
            }
            RunEvent::JobStarted { job, name } => {
                let known = of(&mut jobs, &job);
                (known.name, known.started) = (name, Some(at));
            }
            RunEvent::JobFinished { job, name, conclusion, .. } => {
                let known = of(&mut jobs, &job);
                (known.name, known.finished, known.conclusion) = (name, Some(at), Some(conclusion));
            }
            RunEvent::StepStarted { job, step, name } => {
                of(&mut jobs, &job).steps.push(Step {
                    id: step,
                    name,
                    started: Some(at),
                    finished: None,
                    conclusion: None,
                });
            }
            RunEvent::StepFinished { job, step, name, conclusion, .. } => {
                let steps = &mut of(&mut jobs, &job).steps;
                match steps.iter_mut().rev().find(|known| known.id == step && known.finished.is_none()) {
                    Some(known) => (known.name, known.finished, known.conclusion) = (name, Some(at), Some(conclusion)),
                    // A skipped step never started.
                    None => steps.push(Step {
                        id: step,
                        name,
                        started: Some(at),
                        finished: Some(at),
                        conclusion: Some(conclusion),
                    }),
                }
            }
            _ => {}
        }
    }
    Ok(jobs.iter().map(|job| (job.key.clone(), shown(call, run, job))).collect())
}

fn of<'j>(jobs: &'j mut Vec<Job>, key: &JobKey) -> &'j mut Job {
    let place = jobs.iter().position(|job| job.key == *key).unwrap_or_else(|| {
        let name = key.to_string();
        jobs.push(Job { key: key.clone(), name, started: None, finished: None, conclusion: None, steps: Vec::new() });
        jobs.len() - 1
    });
    &mut jobs[place]
}

fn shown(call: &Call<'_>, run: &RunSummary, job: &Job) -> Value {
    let run_id = run.header.id.0;
    let id = number_of(&format!("job/{run_id}/{}", job.key));
    let url = call.api(&format!("actions/jobs/{id}"));
    let status = |started: Option<Timestamp>, finished: Option<Timestamp>| match (started, finished) {
        (_, Some(_)) => "completed",
        (Some(_), None) => "in_progress",
        (None, None) => "queued",
    };
    let steps = job.steps.iter().enumerate().map(|(place, step)| {
        json!({
            "name": step.name,
            "status": status(step.started, step.finished),
            "conclusion": step.conclusion.map(word),
            "number": place + 1,
            "started_at": step.started.map(time),
            "completed_at": step.finished.map(time),
        })
    });
    json!({
        "id": id,
        "run_id": run_id,
        "run_url": call.api(&format!("actions/runs/{run_id}")),
        "run_attempt": 1,
        "node_id": node(NodeKind::CheckRun, id),
        "head_sha": run.header.run.sha,
        "head_branch": branch_of(call, run),
        "url": url,
        "html_url": call.html(&format!("actions/runs/{run_id}/job/{id}")),
        "status": status(job.started, job.finished),
        "conclusion": job.conclusion.map(word),
        "created_at": time(job.started.unwrap_or(run.header.run.started)),
        "started_at": job.started.map(time),
        "completed_at": job.finished.map(time),
        "name": job.name,
        "steps": steps.collect::<Vec<_>>(),
        "check_run_url": call.api(&format!("check-runs/{id}")),
        "labels": [],
        "runner_id": 1,
        "runner_name": "lineclear",
        "runner_group_id": null,
        "runner_group_name": null,
        "workflow_name": run.header.run.workflow,
    })
}
