//! Payloads made here: the fields that GitHub would send for what is checked out.

use lineclear_event::Repository;
use serde_json::{Map, Value, json};

use super::commits::Commit;
use super::subject::{page, repository_json, user_json};

/// What a payload is made from.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    pub(super) repository: &'a Repository,
    pub(super) actor: &'a str,
    /// The event's full reference, and for one that is about a branch its short name.
    pub(super) reference: &'a str,
    pub(super) branch: &'a str,
    /// The commit that is checked out; zeros where there is none.
    pub(super) sha: &'a str,
    /// Commits of the event, newest first; the first is the one that is checked out.
    pub(super) commits: &'a [Commit],
    /// `before` of a push, the base's tip of a pull request.
    pub(super) base_sha: &'a str,
    pub(super) base_ref: &'a str,
    /// Whether a push makes its branch or tag.
    pub(super) created: bool,
    /// The activity type; none for events that have none.
    pub(super) action: Option<&'a str>,
}

/// What only the workflows can tell: which of several values would start one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hints {
    /// A workflow that another one follows (`workflow_run`).
    pub(crate) followed: Option<String>,
    /// A type of `repository_dispatch`.
    pub(crate) dispatch_type: Option<String>,
}

/// The payload of event `name`.
pub(super) fn payload(name: &str, scene: &Scene<'_>, hints: &Hints, inputs: &Map<String, Value>) -> Value {
    let mut payload = match name {
        "push" => push(scene),
        "pull_request" | "pull_request_target" => pull_request_event(scene),
        "pull_request_review" => {
            let mut event = pull_request_event(scene);
            add(&mut event, "review", json!({ "id": 1, "state": "approved", "body": null, "user": sender(scene) }));
            event
        }
        "pull_request_review_comment" => {
            let mut event = pull_request_event(scene);
            add(&mut event, "comment", comment(scene));
            event
        }
        "workflow_dispatch" => json!({ "inputs": inputs, "ref": scene.reference }),
        "workflow_run" => workflow_run(scene, hints),
        "repository_dispatch" => json!({
            "action": hints.dispatch_type.as_deref().unwrap_or("dispatch"),
            "branch": scene.repository.default_branch,
            "client_payload": {},
        }),
        "release" => release(scene),
        "issues" => json!({ "issue": issue(scene) }),
        "issue_comment" => json!({ "issue": issue(scene), "comment": comment(scene) }),
        "merge_group" => merge_group(scene),
        "create" | "delete" => json!({
            "ref": short(scene.reference),
            "ref_type": if scene.reference.starts_with("refs/tags/") { "tag" } else { "branch" },
            "master_branch": scene.repository.default_branch,
            "description": null,
            "pusher_type": "user",
        }),
        "deployment" => json!({ "deployment": deployment(scene) }),
        "deployment_status" => json!({
            "deployment": deployment(scene),
            "deployment_status": { "id": 1, "state": "success", "environment": "production", "description": "" },
        }),
        "check_run" | "check_suite" => json!({
            name: { "id": 1, "head_sha": scene.sha, "head_branch": scene.branch, "status": "completed", "conclusion": "success" },
        }),
        "status" => json!({ "sha": scene.sha, "state": "success", "context": "default", "branches": [] }),
        "label" => json!({ "label": { "id": 1, "name": "bug", "color": "d73a4a", "description": null } }),
        "milestone" => json!({ "milestone": { "number": 1, "title": "1.0", "state": "open", "description": null } }),
        "discussion" => json!({ "discussion": issue(scene) }),
        "discussion_comment" => json!({ "discussion": issue(scene), "comment": comment(scene) }),
        _ => json!({}),
    };
    if let Some(action) = scene.action {
        add(&mut payload, "action", action.into());
    }
    add(&mut payload, "repository", repository_json(scene.repository));
    add(&mut payload, "sender", sender(scene));
    payload
}

fn push(scene: &Scene<'_>) -> Value {
    let page = page(scene.repository);
    // The payload lists them oldest first.
    let commits: Vec<_> = match scene.reference.starts_with("refs/tags/") {
        true => Vec::new(),
        false => scene.commits.iter().rev().map(|commit| commit.to_json(&page)).collect(),
    };
    let cut = |sha: &str| sha.get(..12).unwrap_or(sha).to_owned();
    let compare = match scene.created {
        true => format!("{page}/commit/{}", cut(scene.sha)),
        false => format!("{page}/compare/{}...{}", cut(scene.base_sha), cut(scene.sha)),
    };
    json!({
        "after": scene.sha,
        "base_ref": null,
        "before": scene.base_sha,
        "commits": commits,
        "compare": compare,
        "created": scene.created,
        "deleted": false,
        "forced": false,
        "head_commit": scene.commits.first().map(|commit| commit.to_json(&page)),
        "pusher": { "name": scene.actor, "email": scene.commits.first().map(|commit| &commit.committer.email) },
        "ref": scene.reference,
    })
}

fn pull_request_event(scene: &Scene<'_>) -> Value {
    json!({ "number": 1, "pull_request": pull_request(scene) })
}

fn pull_request(scene: &Scene<'_>) -> Value {
    let page = page(scene.repository);
    let repository = repository_json(scene.repository);
    let head = scene.commits.first();
    let owner = &scene.repository.owner;
    let side = |branch: &str, sha: &str| {
        json!({
            "label": format!("{owner}:{branch}"),
            "ref": branch,
            "repo": repository,
            "sha": sha,
            "user": user_json(owner, &scene.repository.owner_id),
        })
    };
    json!({
        "assignees": [],
        "author_association": "OWNER",
        "auto_merge": null,
        "base": side(scene.base_ref, scene.base_sha),
        "body": head.map(Commit::body).filter(|body| !body.is_empty()),
        "closed_at": null,
        "commits": scene.commits.len(),
        "created_at": head.map(|commit| &commit.time),
        "draft": false,
        "head": side(scene.branch, scene.sha),
        "html_url": format!("{page}/pull/1"),
        "id": 1,
        "labels": [],
        "locked": false,
        "merge_commit_sha": scene.sha,
        "mergeable": true,
        "merged": false,
        "merged_at": null,
        "milestone": null,
        "number": 1,
        "requested_reviewers": [],
        "state": "open",
        "title": head.map_or("", Commit::subject),
        "updated_at": head.map(|commit| &commit.time),
        "url": format!("https://api.github.com/repos/{}/pulls/1", scene.repository.full_name()),
        "user": sender(scene),
    })
}

fn workflow_run(scene: &Scene<'_>, hints: &Hints) -> Value {
    let name = hints.followed.as_deref();
    let commit = scene.commits.first();
    json!({
        "workflow": { "id": 1, "name": name, "state": "active" },
        "workflow_run": {
            "conclusion": "success",
            "display_title": commit.map_or("", Commit::subject),
            "event": "push",
            "head_branch": scene.branch,
            "head_commit": commit.map(|commit| json!({ "id": commit.id, "message": commit.message })),
            "head_repository": repository_json(scene.repository),
            "head_sha": scene.sha,
            "id": 1,
            "name": name,
            "pull_requests": [],
            "run_attempt": 1,
            "run_number": 1,
            "status": "completed",
        },
    })
}

fn release(scene: &Scene<'_>) -> Value {
    let tag = short(scene.reference);
    json!({
        "release": {
            "assets": [],
            "author": sender(scene),
            "body": scene.commits.first().map(Commit::body),
            "draft": false,
            "html_url": format!("{}/releases/tag/{tag}", page(scene.repository)),
            "id": 1,
            "name": tag,
            "prerelease": false,
            "tag_name": tag,
            "target_commitish": scene.branch,
        },
    })
}

fn merge_group(scene: &Scene<'_>) -> Value {
    json!({
        "merge_group": {
            "base_ref": format!("refs/heads/{}", scene.base_ref),
            "base_sha": scene.base_sha,
            "head_commit": scene.commits.first().map(|commit| json!({ "id": commit.id, "message": commit.message })),
            "head_ref": scene.reference,
            "head_sha": scene.sha,
        },
    })
}

fn issue(scene: &Scene<'_>) -> Value {
    json!({
        "assignees": [],
        "body": "",
        "html_url": format!("{}/issues/1", page(scene.repository)),
        "id": 1,
        "labels": [],
        "number": 1,
        "state": "open",
        "title": scene.commits.first().map_or("", Commit::subject),
        "user": sender(scene),
    })
}

fn comment(scene: &Scene<'_>) -> Value {
    json!({ "author_association": "OWNER", "body": "", "id": 1, "user": sender(scene) })
}

fn deployment(scene: &Scene<'_>) -> Value {
    json!({
        "environment": "production",
        "id": 1,
        "payload": {},
        "ref": scene.branch,
        "sha": scene.sha,
        "task": "deploy",
    })
}

fn sender(scene: &Scene<'_>) -> Value {
    user_json(scene.actor, "0")
}

fn add(payload: &mut Value, key: &str, value: Value) {
    if let Some(object) = payload.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}

fn short(reference: &str) -> &str {
    ["refs/heads/", "refs/tags/"].iter().find_map(|prefix| reference.strip_prefix(prefix)).unwrap_or(reference)
}
