//! Workflows of the repository.

use lineclear_forge::{ApiResponse, NodeKind};
use lineclear_store::RunSummary;
use serde_json::{Value, json};

use super::{dispatches, not_offered, runs};
use crate::call::{Answer, Call, Refusal, encoded_path, node, time};
use crate::journal::Transaction;
use crate::person::number_of;
use crate::record::Disabled;

const FOLDER: &str = ".github/workflows";

/// `rest` is what stands behind `actions/workflows/`.
pub(super) fn route(call: &Call<'_>, memory: &mut Transaction, method: &str, rest: &[&str]) -> Answer {
    match (method, rest) {
        ("GET", []) => {
            let all = paths(call)?;
            let mut fault = None;
            let page = call.counted_page("workflows", &all, |path| {
                shown(call, memory, path).unwrap_or_else(|refusal| {
                    fault = Some(refusal);
                    Value::Null
                })
            });
            fault.map_or(Ok(page), Err)
        }
        ("GET", [which]) => Ok(ApiResponse::json(200, &shown(call, memory, &find(call, which)?)?)),
        ("GET", [which, "runs"]) => {
            let path = find(call, which)?;
            let mut found: Vec<RunSummary> = runs::all_runs(call)?;
            found.retain(|run| run.header.run.file == path);
            Ok(runs::listed(call, found))
        }
        ("POST", [which, "dispatches"]) => dispatches::workflow(call, memory, &find(call, which)?),
        ("PUT", [which, "disable"]) => {
            let workflow = number_of(&find(call, which)?);
            memory.put(&Disabled { workflow });
            Ok(ApiResponse::empty(204))
        }
        ("PUT", [which, "enable"]) => {
            let workflow = number_of(&find(call, which)?);
            memory.remove::<Disabled>(workflow);
            Ok(ApiResponse::empty(204))
        }
        _ => not_offered(call),
    }
}

/// Paths of the workflow files of the event's commit, and of those that have run, committed or not.
fn paths(call: &Call<'_>) -> Result<Vec<String>, Refusal> {
    let git = call.git()?;
    let facts = call.facts();
    let commit = match git.resolve(&facts.sha)? {
        Some(commit) => Some(commit),
        None => git.resolve("HEAD")?,
    };
    let mut all: Vec<String> = runs::all_runs(call)?.into_iter().map(|run| run.header.run.file).collect();
    if let Some(folder) = commit.map(|commit| git.at_path(&commit, FOLDER)).transpose()?.flatten() {
        let entries = if folder.kind == "tree" { git.entries(&folder.id, false)? } else { Vec::new() };
        let files = entries.into_iter().filter(|entry| entry.kind == "blob");
        let named = files.map(|entry| entry.path).filter(|name| name.ends_with(".yml") || name.ends_with(".yaml"));
        all.extend(named.map(|name| format!("{FOLDER}/{name}")));
    }
    all.retain(|path| !path.is_empty());
    all.sort();
    all.dedup();
    Ok(all)
}

/// By id, file name or path.
fn find(call: &Call<'_>, which: &str) -> Result<String, Refusal> {
    let fits =
        |path: &String| path == which || path.rsplit('/').next() == Some(which) || which.parse() == Ok(number_of(path));
    paths(call)?.into_iter().find(fits).ok_or_else(Refusal::not_found)
}

fn shown(call: &Call<'_>, memory: &Transaction, path: &str) -> Result<Value, Refusal> {
    let id = number_of(path);
    let run = runs::all_runs(call)?.into_iter().find(|run| run.header.run.file == path);
    let name = match run {
        Some(run) => run.header.run.workflow,
        None => text_at(call, path, "HEAD")?.and_then(|text| name_in(&text)).unwrap_or_else(|| path.to_owned()),
    };
    let file = path.rsplit('/').next().unwrap_or(path);
    Ok(json!({
        "id": id,
        "node_id": node(NodeKind::Workflow, id),
        "name": name,
        "path": path,
        "state": if memory.get::<Disabled>(id).is_some() { "disabled_manually" } else { "active" },
        "created_at": time(call.now),
        "updated_at": time(call.now),
        "url": call.api(&format!("actions/workflows/{id}")),
        "html_url": call.html(&format!("blob/{}/{}", encoded_path(&call.facts().default_branch), encoded_path(path))),
        "badge_url": call.html(&format!("workflows/{file}/badge.svg")),
    }))
}

/// The text of the file at a ref; `None` where there is none.
pub(super) fn text_at(call: &Call<'_>, path: &str, reference: &str) -> Result<Option<String>, Refusal> {
    let git = call.git()?;
    let Some(commit) = git.resolve(reference)? else { return Ok(None) };
    match git.at_path(&commit, path)? {
        Some(object) if object.kind == "blob" => Ok(Some(String::from_utf8_lossy(&git.blob(&object.id)?).into_owned())),
        _ => Ok(None),
    }
}

/// The value of the key `name` at the top, where it is a plain or quoted text on one line.
fn name_in(text: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.strip_prefix("name:"))?.trim();
    let value = value.trim_matches(|character| matches!(character, '"' | '\''));
    (!value.is_empty()).then(|| value.to_owned())
}
