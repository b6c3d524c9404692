//! Commit statuses.

use lineclear_forge::{ApiResponse, NodeKind};
use serde_json::{Value, json};

use super::{commits, not_offered, repository};
use crate::call::{Answer, Call, Refusal, node, time};
use crate::journal::Transaction;
use crate::person::BOT;
use crate::posted::{PostedAction, Posting};
use crate::record::Status;

/// GitHub takes no more statuses of one context for one commit.
const MAX_STATUSES: usize = 1000;

pub(super) fn route(call: &Call<'_>, memory: &mut Transaction, method: &str, rest: &[&str]) -> Answer {
    match (method, rest) {
        ("POST", [sha]) => create(call, memory, &commits::known(call, sha)?),
        ("GET", name) if !name.is_empty() => list(call, memory, &commits::known(call, &name.join("/"))?),
        _ => not_offered(call),
    }
}

/// Newest first.
pub(super) fn list(call: &Call<'_>, memory: &Transaction, sha: &str) -> Answer {
    let mut all = of_commit(memory, sha);
    all.reverse();
    Ok(call.page(&all, |status| shown(call, status)))
}

/// The newest of each context, and what they make together.
pub(super) fn combined(call: &Call<'_>, memory: &Transaction, sha: &str) -> Answer {
    let mut newest: Vec<Status> = Vec::new();
    for status in of_commit(memory, sha) {
        match newest.iter_mut().find(|known| known.context == status.context) {
            Some(known) => *known = status,
            None => newest.push(status),
        }
    }
    let any = |states: &[&str]| newest.iter().any(|status| states.contains(&status.state.as_str()));
    let state = if any(&["error", "failure"]) {
        "failure"
    } else if newest.is_empty() || any(&["pending"]) {
        "pending"
    } else {
        "success"
    };
    let commit_url = call.api(&format!("commits/{sha}"));
    Ok(call.page_in(
        &newest,
        |status| shown(call, status),
        |statuses, total| {
            json!({
                "state": state,
                "statuses": statuses,
                "sha": sha,
                "total_count": total,
                "repository": repository::brief(call),
                "commit_url": commit_url,
                "url": format!("{commit_url}/status"),
            })
        },
    ))
}

fn of_commit(memory: &Transaction, sha: &str) -> Vec<Status> {
    memory.all::<Status>().into_iter().filter(|status| status.sha == sha).collect()
}

fn create(call: &Call<'_>, memory: &mut Transaction, sha: &str) -> Answer {
    let fields = call.fields()?;
    let state = fields.required("Status", "state")?;
    if !matches!(state, "error" | "failure" | "pending" | "success") {
        return Err(Refusal::custom("Status", "state must be one of error, failure, pending, success"));
    }
    let description = fields.owned("description")?;
    if description.as_ref().is_some_and(|text| text.chars().count() > 140) {
        return Err(Refusal::custom("Status", "description is too long (maximum is 140 characters)"));
    }
    let context = fields.text("context")?.filter(|context| !context.is_empty()).unwrap_or("default").to_owned();
    let earlier = of_commit(memory, sha).into_iter().filter(|status| status.context == context).count();
    if earlier >= MAX_STATUSES {
        return Err(Refusal::custom("Status", "This SHA and context has reached the maximum number of statuses."));
    }
    let status = Status {
        id: memory.new_id(),
        sha: sha.to_owned(),
        state: state.to_owned(),
        context,
        description,
        target_url: fields.owned("target_url")?,
        user: BOT.into(),
        created: call.now,
    };
    memory.put(&status);
    let about = format!("{}/{}", status.sha, status.context);
    let posting = Posting {
        kind: "status",
        // One context of one commit is one thing, however often it is said anew.
        object: crate::person::number_of(&about),
        title: format!("Status `{}`: {}", status.context, status.state),
        markdown: status.description.as_deref().unwrap_or_default(),
        url: status.target_url.clone().unwrap_or_else(|| call.html(&format!("commit/{sha}"))),
        action: if earlier == 0 { PostedAction::Created } else { PostedAction::Updated },
    };
    memory.posted(call.caller, posting);
    Ok(ApiResponse::json(201, &shown(call, &status)))
}

fn shown(call: &Call<'_>, status: &Status) -> Value {
    json!({
        "url": call.api(&format!("statuses/{}", status.sha)),
        "avatar_url": "",
        "id": status.id,
        "node_id": node(NodeKind::Status, status.id),
        "state": status.state,
        "description": status.description,
        "target_url": status.target_url,
        "context": status.context,
        "created_at": time(status.created),
        "updated_at": time(status.created),
        "creator": call.user(&status.user),
    })
}
