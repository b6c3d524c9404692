//! Branches and tags.

use lineclear_forge::{ApiResponse, NodeKind};
use serde_json::{Value, json};

use super::commits::commit as commit_view;
use super::not_offered;
use crate::call::{Answer, Call, Refusal, encoded, encoded_path, named_node};
use crate::git::is_ref_name;

pub(super) fn route(call: &Call<'_>, method: &str, rest: &[&str]) -> Answer {
    match (method, rest) {
        ("GET", []) => {
            let mut all = call.git()?.refs("refs/heads")?;
            if call.query("protected") == Some("true") {
                all.clear();
            }
            Ok(call.page(&all, |(name, sha, _)| shown(call, name, sha)))
        }
        ("GET", [.., "protection"]) => Err(Refusal::said(404, "Branch not protected")),
        ("GET", name) => get(call, &name.join("/")),
        _ => not_offered(call),
    }
}

fn get(call: &Call<'_>, name: &str) -> Answer {
    let git = call.git()?;
    let missing = || Refusal::said(404, "Branch not found");
    let found = if is_ref_name(name) { git.resolve(&format!("refs/heads/{name}"))? } else { None };
    let sha = found.ok_or_else(missing)?;
    let tip = git.commit(&sha)?.ok_or_else(missing)?;
    let url = call.api(&format!("branches/{}", encoded_path(name)));
    let html = call.html(&format!("tree/{}", encoded_path(name)));
    Ok(ApiResponse::json(
        200,
        &json!({
            "name": name,
            "commit": commit_view(call, &tip),
            "_links": {"self": url, "html": html},
            "protected": false,
            "protection": {"enabled": false, "required_status_checks": {"enforcement_level": "off", "contexts": [], "checks": []}},
            "protection_url": format!("{url}/protection"),
        }),
    ))
}

fn shown(call: &Call<'_>, full: &str, sha: &str) -> Value {
    let name = full.strip_prefix("refs/heads/").unwrap_or(full);
    json!({
        "name": name,
        "commit": {"sha": sha, "url": call.api(&format!("commits/{sha}"))},
        "protected": false,
    })
}

pub(super) fn with_head(call: &Call<'_>, sha: &str) -> Answer {
    let mut found = call.git()?.refs("refs/heads")?;
    found.retain(|(_, tip, _)| tip == sha);
    Ok(call.page(&found, |(name, sha, _)| shown(call, name, sha)))
}

pub(super) fn tags(call: &Call<'_>, method: &str) -> Answer {
    if method != "GET" {
        return not_offered(call);
    }
    let git = call.git()?;
    let mut all = git.refs("refs/tags")?;
    all.reverse();
    let mut fault = None;
    let page = call.page(&all, |(full, _, _)| {
        // A tag object is shown with the commit behind it.
        let sha = git.resolve(full).unwrap_or_else(|error| {
            fault = Some(Refusal::from(error));
            None
        });
        let name = full.strip_prefix("refs/tags/").unwrap_or(full);
        json!({
            "name": name,
            "commit": sha.as_ref().map(|sha| json!({"sha": sha, "url": call.api(&format!("commits/{sha}"))})),
            "zipball_url": call.api(&format!("zipball/{}", encoded(full))),
            "tarball_url": call.api(&format!("tarball/{}", encoded(full))),
            "node_id": named_node(NodeKind::Ref, full),
        })
    });
    fault.map_or(Ok(page), Err)
}
