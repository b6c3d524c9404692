//! `createCommitOnBranch`: blobs, a tree, a commit and the branch moved to it, only if it is where it was expected.

use std::rc::Rc;

use serde_json::{Value, json};

use super::{Change, Fields};
use crate::failure::Failure;
use crate::node;
use crate::object::{Object, Resolved};
use crate::resolve::{encoded, reference, repository_named};

/// Files of one commit.
const MAX_FILES: usize = 250;

/// The repository and the branch, without `refs/heads/`.
fn branch(change: &Change) -> Result<(Rc<str>, String), Failure> {
    let branch = &change.input["branch"];
    let incomplete =
        || Failure::unprocessable("`branch` needs an `id`, or `repositoryNameWithOwner` and `branchName`.");
    let (repository, name) = match branch["id"].as_str() {
        Some(id) => {
            let found = node::load(change.rest, id)?;
            (Rc::clone(&found.repository), found.text("/ref").to_owned())
        }
        None => {
            let name = branch["repositoryNameWithOwner"].as_str().ok_or_else(incomplete)?;
            let missing = || Failure::not_found(format!("Could not resolve to a Repository with the name '{name}'."));
            let found = repository_named(change.rest, name)?.ok_or_else(missing)?;
            (found.repository, branch["branchName"].as_str().ok_or_else(incomplete)?.to_owned())
        }
    };
    let name = name.strip_prefix("refs/heads/").unwrap_or(&name).to_owned();
    Ok((repository, name))
}

pub(super) fn create(change: &Change) -> Result<Fields, Failure> {
    let (repository, branch) = branch(change)?;
    let missing = || Failure::not_found(format!("Could not resolve to a branch with the name '{branch}'."));
    let head = reference(change.rest, &repository, &format!("heads/{branch}"))?.ok_or_else(missing)?;
    let (found, expected) = (head.text("/object/sha"), change.text("expectedHeadOid"));
    if found != expected {
        let message = format!("Expected branch to point to \"{expected}\" but it did not. Pull and try again.");
        return Err(Failure::new("STALE_DATA", message));
    }
    let below = |route: &str| format!("/repos/{repository}/git{route}");
    let parent = change.rest.get(&below(&format!("/commits/{found}")))?;
    let tree = tree(change, &below)?;
    let tree = change.send("POST", &below("/trees"), &json!({ "base_tree": parent["tree"]["sha"], "tree": tree }))?;
    let body = json!({ "message": message(change), "tree": tree["sha"], "parents": [found] });
    let commit = change.send("POST", &below("/commits"), &body)?;
    let sha = commit["sha"].as_str().unwrap_or_default().to_owned();
    let moved = change.send(
        "PATCH",
        &below(&format!("/refs/heads/{}", encoded(&branch))),
        &json!({ "sha": sha, "force": false }),
    )?;
    Ok(vec![
        ("commit", Resolved::Object(Object::new("Commit", &repository, as_listed(commit)))),
        ("ref", Resolved::Object(Object::new("Ref", &repository, moved))),
    ])
}

/// The entries that differ from the parent's tree.
fn tree(change: &Change, below: &impl Fn(&str) -> String) -> Result<Vec<Value>, Failure> {
    let files = &change.input["fileChanges"];
    let list = |name: &str| files[name].as_array().cloned().unwrap_or_default();
    let (additions, deletions) = (list("additions"), list("deletions"));
    if additions.len() + deletions.len() > MAX_FILES {
        return Err(Failure::unprocessable(format!(
            "One commit may change at most {MAX_FILES} files here: push with git instead."
        )));
    }
    let mut entries = Vec::new();
    for file in &additions {
        let blob = json!({ "content": file["contents"], "encoding": "base64" });
        let blob = change.send("POST", &below("/blobs"), &blob)?;
        entries.push(json!({ "path": file["path"], "mode": "100644", "type": "blob", "sha": blob["sha"] }));
    }
    for file in &deletions {
        entries.push(json!({ "path": file["path"], "mode": "100644", "type": "blob", "sha": null }));
    }
    Ok(entries)
}

fn message(change: &Change) -> String {
    let message = &change.input["message"];
    let (headline, body) =
        (message["headline"].as_str().unwrap_or_default(), message["body"].as_str().unwrap_or_default());
    if body.is_empty() { headline.to_owned() } else { format!("{headline}\n\n{body}") }
}

/// A commit of the git database in the form that lists of commits have.
fn as_listed(commit: Value) -> Value {
    json!({ "sha": commit["sha"], "node_id": commit["node_id"], "html_url": commit["html_url"], "parents": commit["parents"], "commit": commit })
}
