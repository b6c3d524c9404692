//! Refs. Only branches and tags are written.

use lineclear_forge::{ApiResponse, NodeKind};
use serde_json::{Value, json};

use super::not_offered;
use crate::call::{Answer, Call, Refusal, encoded_path, named_node};
use crate::git::{is_object_id, is_ref_name};

/// `rest` begins with `ref`, `refs` or `matching-refs`.
pub(super) fn route(call: &Call<'_>, method: &str, rest: &[&str]) -> Answer {
    let name = rest[1..].join("/");
    match (method, rest[0]) {
        ("GET", "ref") => {
            let full = format!("refs/{name}");
            let (id, kind) =
                call.git()?.at_ref(&full)?.filter(|_| shown_to_people(&full)).ok_or_else(Refusal::not_found)?;
            Ok(ApiResponse::json(200, &shown(call, &full, &id, &kind)))
        }
        ("GET", "matching-refs" | "refs") => matching(call, &name),
        ("POST", "refs") if name.is_empty() => create(call),
        ("PATCH", "refs") => update(call, &name),
        ("DELETE", "refs") => {
            let full = writable(&format!("refs/{name}"))?;
            let git = call.git()?;
            if git.at_ref(&full)?.is_none() {
                return Err(Refusal::said(422, "Reference does not exist"));
            }
            git.remove_ref(&full)?;
            Ok(ApiResponse::empty(204))
        }
        _ => not_offered(call),
    }
}

/// What the forge remembers for itself is nobody's ref.
fn shown_to_people(full: &str) -> bool {
    ["refs/heads/", "refs/tags/", "refs/pull/", "refs/notes/"].iter().any(|under| full.starts_with(under))
}

fn writable(full: &str) -> Result<String, Refusal> {
    let below = full.strip_prefix("refs/heads/").or_else(|| full.strip_prefix("refs/tags/"));
    match below {
        Some(below) if is_ref_name(below) && is_ref_name(full) => Ok(full.to_owned()),
        _ => Err(Refusal::said(422, "Reference name is not valid: refs/heads/<branch> or refs/tags/<tag>")),
    }
}

fn shown(call: &Call<'_>, full: &str, id: &str, kind: &str) -> Value {
    let below = full.strip_prefix("refs/").unwrap_or(full);
    json!({
        "ref": full,
        "node_id": named_node(NodeKind::Ref, full),
        "url": call.api(&format!("git/refs/{}", encoded_path(below))),
        "object": {"sha": id, "type": kind, "url": call.api(&format!("git/{kind}s/{id}"))},
    })
}

fn matching(call: &Call<'_>, prefix: &str) -> Answer {
    let full = format!("refs/{prefix}");
    // Git lists whole folders: what begins alike is picked from the folder.
    let folder = full.rsplit_once('/').map_or("refs", |(folder, _)| folder);
    let mut found = call.git()?.refs(folder)?;
    found.retain(|(name, _, _)| name.starts_with(&full) && shown_to_people(name));
    Ok(call.page(&found, |(name, id, kind)| shown(call, name, id, kind)))
}

fn create(call: &Call<'_>) -> Answer {
    let fields = call.fields()?;
    let full = writable(fields.required("Reference", "ref")?)?;
    let id = existing(call, fields.required("Reference", "sha")?)?;
    let git = call.git()?;
    if git.at_ref(&full)?.is_some() {
        return Err(Refusal::said(422, "Reference already exists"));
    }
    let none = "0".repeat(id.0.len());
    let refused = |_| Refusal::said(422, "Reference cannot be created: a reference of a part of its name exists");
    git.set_ref(&full, &id.0, Some(&none)).map_err(refused)?;
    Ok(ApiResponse::json(201, &shown(call, &full, &id.0, &id.1)))
}

fn update(call: &Call<'_>, name: &str) -> Answer {
    let fields = call.fields()?;
    let full = writable(&format!("refs/{name}"))?;
    let (id, kind) = existing(call, fields.required("Reference", "sha")?)?;
    let git = call.git()?;
    let (before, _) = git.at_ref(&full)?.ok_or_else(|| Refusal::said(422, "Reference does not exist"))?;
    let force = fields.flag("force")?.unwrap_or(false);
    if !force && full.starts_with("refs/heads/") && !git.is_ancestor(&before, &id)? {
        return Err(Refusal::said(422, "Update is not a fast forward"));
    }
    git.set_ref(&full, &id, Some(&before))?;
    Ok(ApiResponse::json(200, &shown(call, &full, &id, &kind)))
}

fn existing(call: &Call<'_>, id: &str) -> Result<(String, String), Refusal> {
    let found = if is_object_id(id) { call.git()?.object(id)? } else { None };
    let found = found.filter(|object| matches!(object.kind.as_str(), "commit" | "tag"));
    found.map(|object| (object.id, object.kind)).ok_or_else(|| Refusal::said(422, "Object does not exist"))
}
