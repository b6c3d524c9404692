//! Check suites: all check runs of one commit.

use lineclear_event::Timestamp;
use lineclear_forge::{ApiResponse, NodeKind};
use serde_json::{Value, json};

use super::{checks, commits, not_offered, number};
use crate::call::{Answer, Call, Refusal, node, time};
use crate::journal::Transaction;
use crate::record::{CheckRun, CheckSuite};

pub(super) fn route(call: &Call<'_>, memory: &mut Transaction, method: &str, rest: &[&str]) -> Answer {
    match (method, rest) {
        ("POST", []) => {
            let fields = call.fields()?;
            let sha = commits::known(call, fields.required("CheckSuite", "head_sha")?)?;
            let known = memory.all::<CheckSuite>().iter().any(|suite| suite.sha == sha);
            let suite = of_sha(memory, &sha, call.now);
            Ok(ApiResponse::json(if known { 200 } else { 201 }, &shown(call, memory, &suite)))
        }
        ("GET", [id]) => Ok(ApiResponse::json(200, &shown(call, memory, &known(memory, id)?))),
        ("GET", [id, "check-runs"]) => {
            let suite = known(memory, id)?.id;
            Ok(checks::listed(call, memory.all::<CheckRun>().into_iter().filter(|run| run.suite == suite).collect()))
        }
        ("POST", [id, "rerequest"]) => {
            known(memory, id)?;
            Ok(ApiResponse::json(201, &json!({})))
        }
        _ => not_offered(call),
    }
}

pub(super) fn of_commit(call: &Call<'_>, memory: &Transaction, sha: &str) -> Answer {
    let suites: Vec<CheckSuite> = memory.all::<CheckSuite>().into_iter().filter(|suite| suite.sha == sha).collect();
    Ok(call.counted_page("check_suites", &suites, |suite| shown(call, memory, suite)))
}

/// The suite of a commit: there is one, made when it is first needed.
pub(super) fn of_sha(memory: &mut Transaction, sha: &str, now: Timestamp) -> CheckSuite {
    if let Some(known) = memory.all::<CheckSuite>().into_iter().find(|suite| suite.sha == sha) {
        return known;
    }
    let new = CheckSuite { id: memory.new_id(), sha: sha.to_owned(), created: now };
    memory.put(&new);
    new
}

/// The event's pull request, where the commit is its head.
pub(super) fn pulls_of(call: &Call<'_>, sha: &str) -> Vec<Value> {
    let facts = call.facts();
    let fitting = facts.pull.iter().filter(|pull| pull.head_sha == sha || facts.sha == sha);
    let shown = fitting.map(|pull| {
        json!({
            "id": pull.number,
            "number": pull.number,
            "url": call.api(&format!("pulls/{}", pull.number)),
            "head": {"ref": pull.head_ref, "sha": pull.head_sha},
            "base": {"ref": pull.base_ref, "sha": pull.base_sha},
        })
    });
    shown.collect()
}

fn known(memory: &Transaction, id: &str) -> Result<CheckSuite, Refusal> {
    memory.get(number(id)?).ok_or_else(Refusal::not_found)
}

fn shown(call: &Call<'_>, memory: &Transaction, suite: &CheckSuite) -> Value {
    let runs: Vec<CheckRun> = memory.all::<CheckRun>().into_iter().filter(|run| run.suite == suite.id).collect();
    let done = !runs.is_empty() && runs.iter().all(|run| run.status == "completed");
    let bad = |run: &CheckRun| !matches!(run.conclusion.as_deref(), Some("success" | "neutral" | "skipped"));
    let conclusion = done.then(|| if runs.iter().any(bad) { "failure" } else { "success" });
    let url = call.api(&format!("check-suites/{}", suite.id));
    json!({
        "id": suite.id,
        "node_id": node(NodeKind::CheckSuite, suite.id),
        "head_branch": call.facts().pull.as_ref().map(|pull| &pull.head_ref),
        "head_sha": suite.sha,
        "status": if done { "completed" } else { "queued" },
        "conclusion": conclusion,
        "url": url,
        "before": null,
        "after": suite.sha,
        "pull_requests": pulls_of(call, &suite.sha),
        "app": call.app(),
        "created_at": time(suite.created),
        "updated_at": time(suite.created),
        "latest_check_runs_count": runs.len(),
        "check_runs_url": format!("{url}/check-runs"),
    })
}
