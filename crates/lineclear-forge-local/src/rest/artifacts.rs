//! Artifacts, as the store has them.

use lineclear_event::RunId;
use lineclear_forge::{ApiResponse, NodeKind};
use lineclear_store::{ArtifactMeta, RunSummary};
use serde_json::{Value, json};

use super::runs::{all_runs, branch_of};
use super::{not_offered, number};
use crate::call::{Answer, Call, Refusal, node, time};

/// `rest` is what stands behind `actions/artifacts/`.
pub(super) fn route(call: &Call<'_>, method: &str, rest: &[&str]) -> Answer {
    let store = &call.forge.ports().artifacts;
    match (method, rest) {
        ("GET", []) => {
            let mut all = Vec::new();
            for run in all_runs(call)? {
                for artifact in of_run(call, run.header.id)? {
                    all.push((run.clone(), artifact));
                }
            }
            Ok(listed(call, all))
        }
        ("GET", [id]) => {
            let (run, found) = find(call, id)?;
            Ok(ApiResponse::json(200, &shown(call, &run, &found)))
        }
        ("DELETE", [id]) => {
            let (run, found) = find(call, id)?;
            store.delete(run.header.id, &found.name)?;
            Ok(ApiResponse::empty(204))
        }
        ("GET", [id, "zip"]) => {
            let (_, found) = find(call, id)?;
            if is_expired(call, &found) {
                return Err(Refusal::said(410, "Artifact has expired"));
            }
            let none = || Refusal::said(404, "Not Found: nobody serves artifacts to this job");
            let link = call.forge.ports().links.link(call.caller, &found).ok_or_else(none)?;
            let mut response = ApiResponse::empty(302);
            response.headers.push(("location".into(), link));
            Ok(response)
        }
        _ => not_offered(call),
    }
}

/// `GET actions/runs/{id}/artifacts`.
pub(super) fn of_run_listed(call: &Call<'_>, run: &RunSummary) -> Answer {
    let found = of_run(call, run.header.id)?;
    Ok(listed(call, found.into_iter().map(|artifact| (run.clone(), artifact)).collect()))
}

fn of_run(call: &Call<'_>, run: RunId) -> Result<Vec<ArtifactMeta>, Refusal> {
    Ok(call.forge.ports().artifacts.list(run)?)
}

fn listed(call: &Call<'_>, mut all: Vec<(RunSummary, ArtifactMeta)>) -> ApiResponse {
    if let Some(name) = call.query("name") {
        all.retain(|(_, artifact)| artifact.name == name);
    }
    all.sort_by_key(|(_, artifact)| std::cmp::Reverse((artifact.created, artifact.id)));
    call.counted_page("artifacts", &all, |(run, artifact)| shown(call, run, artifact))
}

fn find(call: &Call<'_>, id: &str) -> Result<(RunSummary, ArtifactMeta), Refusal> {
    let id = number(id)?;
    for run in all_runs(call)? {
        if let Some(found) = of_run(call, run.header.id)?.into_iter().find(|artifact| artifact.id == id) {
            return Ok((run, found));
        }
    }
    Err(Refusal::not_found())
}

fn is_expired(call: &Call<'_>, artifact: &ArtifactMeta) -> bool {
    artifact.expires.is_some_and(|expires| expires <= call.now)
}

fn shown(call: &Call<'_>, run: &RunSummary, artifact: &ArtifactMeta) -> Value {
    let url = call.api(&format!("actions/artifacts/{}", artifact.id));
    let facts = call.facts();
    json!({
        "id": artifact.id,
        "node_id": node(NodeKind::Artifact, artifact.id),
        "name": artifact.name,
        "size_in_bytes": artifact.size,
        "url": url,
        "archive_download_url": format!("{url}/zip"),
        "expired": is_expired(call, artifact),
        "digest": artifact.digest,
        "created_at": time(artifact.created),
        "updated_at": time(artifact.created),
        "expires_at": artifact.expires.map(time),
        "workflow_run": {
            "id": artifact.run.0,
            "repository_id": facts.id,
            "head_repository_id": facts.id,
            "head_branch": branch_of(call, run),
            "head_sha": run.header.run.sha,
        },
    })
}
