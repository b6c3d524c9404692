//! Runs and jobs, as the store has them.

use lineclear_event::JobKey;
use lineclear_forge::ApiResponse;
use lineclear_store::RunSummary;

use super::run_view::{jobs, run as run_view, state};
use super::{artifacts, not_offered, number};
use crate::call::{Answer, Call, Refusal};

/// No more runs are looked at.
const MAX_RUNS: usize = 10_000;

/// `rest` begins with `runs` or `jobs`.
pub(super) fn route(call: &Call<'_>, method: &str, rest: &[&str]) -> Answer {
    match (method, rest) {
        ("GET", ["runs"]) => Ok(listed(call, all_runs(call)?)),
        ("GET", ["runs", id]) | ("GET", ["runs", id, "attempts", "1"]) => {
            Ok(ApiResponse::json(200, &run_view(call, &find(call, id)?)))
        }
        ("GET", ["runs", id, "jobs"]) | ("GET", ["runs", id, "attempts", "1", "jobs"]) => {
            let shown = jobs(call, &find(call, id)?)?;
            Ok(call.counted_page("jobs", &shown, |(_, job)| job.clone()))
        }
        ("GET", ["runs", id, "artifacts"]) => artifacts::of_run_listed(call, &find(call, id)?),
        ("GET", ["runs", id, "pending_deployments" | "approvals"]) => {
            find(call, id)?;
            Ok(ApiResponse::json(200, &serde_json::json!([])))
        }
        ("GET", ["jobs", id]) => {
            let (_, _, shown) = find_job(call, id)?;
            Ok(ApiResponse::json(200, &shown))
        }
        ("GET", ["jobs", id, "logs"]) => log(call, id),
        _ => not_offered(call),
    }
}

/// Runs of this repository, newest first.
pub(super) fn all_runs(call: &Call<'_>) -> Result<Vec<RunSummary>, Refusal> {
    Ok(call.forge.ports().store.runs(Some(&call.facts().full_name()), MAX_RUNS)?)
}

fn find(call: &Call<'_>, id: &str) -> Result<RunSummary, Refusal> {
    let id = number(id)?;
    all_runs(call)?.into_iter().find(|run| run.header.id.0 == id).ok_or_else(Refusal::not_found)
}

/// The branch of a run: of a pull request the one that is to be merged.
pub(super) fn branch_of(call: &Call<'_>, run: &RunSummary) -> Option<String> {
    let reference = &run.header.run.reference;
    if let Some(number) = reference.strip_prefix("refs/pull/").and_then(|rest| rest.split('/').next()) {
        let pull = call.facts().pull.as_ref().filter(|pull| number.parse() == Ok(pull.number));
        return pull.map(|pull| pull.head_ref.clone());
    }
    let name = reference.strip_prefix("refs/heads/").or_else(|| reference.strip_prefix("refs/tags/"));
    name.map(str::to_owned)
}

pub(super) fn listed(call: &Call<'_>, mut runs: Vec<RunSummary>) -> ApiResponse {
    runs.retain(|run| {
        let (status, conclusion) = state(run);
        call.query("event").is_none_or(|event| run.header.run.event == event)
            && call.query("head_sha").is_none_or(|sha| run.header.run.sha == sha)
            && call.query("branch").is_none_or(|branch| branch_of(call, run).as_deref() == Some(branch))
            && call.query("status").is_none_or(|wanted| wanted == status || Some(wanted) == conclusion)
    });
    call.counted_page("workflow_runs", &runs, |run| run_view(call, run))
}

fn find_job(call: &Call<'_>, id: &str) -> Result<(RunSummary, JobKey, serde_json::Value), Refusal> {
    let id = number(id)?;
    // A job is most often asked for by its own run.
    let mut runs = all_runs(call)?;
    runs.sort_by_key(|run| run.header.id != call.caller.run);
    for run in runs {
        if let Some((key, shown)) = jobs(call, &run)?.into_iter().find(|(_, job)| job["id"] == id) {
            return Ok((run, key, shown));
        }
    }
    Err(Refusal::not_found())
}

/// The log itself, where GitHub answers with a link to it.
fn log(call: &Call<'_>, id: &str) -> Answer {
    const MAX_LOG: usize = 64 << 20;
    let (run, key, _) = find_job(call, id)?;
    let mut text = String::new();
    call.forge.ports().store.log(run.header.id, &key, &mut |line| {
        text.push_str(line.time);
        text.push(' ');
        text.push_str(line.line);
        text.push('\n');
        text.len() < MAX_LOG
    })?;
    let headers = vec![("content-type".into(), "text/plain; charset=utf-8".into())];
    Ok(ApiResponse { status: 200, headers, body: text.into_bytes() })
}
