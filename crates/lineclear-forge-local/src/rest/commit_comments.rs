//! Comments on commits.

use lineclear_forge::{ApiResponse, NodeKind};
use serde_json::{Value, json};

use super::issue_view::Reacted;
use super::{not_offered, number, reactions};
use crate::call::{Answer, Call, Refusal, node, time};
use crate::journal::Transaction;
use crate::person::BOT;
use crate::posted::{PostedAction, Posting};
use crate::record::CommitComment;

/// `rest` is what stands behind `comments/`.
pub(super) fn route(call: &Call<'_>, memory: &mut Transaction, method: &str, rest: &[&str]) -> Answer {
    match (method, rest) {
        ("GET", []) => Ok(listed(call, memory, &memory.all::<CommitComment>())),
        ("GET", [id]) => Ok(ApiResponse::json(200, &shown(call, &known(memory, id)?, &Reacted::count(memory)))),
        ("PATCH", [id]) => {
            let mut found = known(memory, id)?;
            found.body = body(call)?;
            found.updated = call.now;
            Ok(ApiResponse::json(200, &keep(call, memory, &found, PostedAction::Updated)))
        }
        ("DELETE", [id]) => {
            let gone = known(memory, id)?.id;
            memory.remove::<CommitComment>(gone);
            memory.unposted(call.caller, "commit_comment", gone);
            Ok(ApiResponse::empty(204))
        }
        (_, [id, "reactions", rest @ ..]) => {
            let found = known(memory, id)?;
            reactions::route(call, memory, method, &format!("commit_comment/{}", found.id), rest)
        }
        _ => not_offered(call),
    }
}

pub(super) fn of_commit(call: &Call<'_>, memory: &mut Transaction, method: &str, sha: &str) -> Answer {
    match method {
        "GET" => {
            let all: Vec<CommitComment> =
                memory.all::<CommitComment>().into_iter().filter(|one| one.sha == sha).collect();
            Ok(listed(call, memory, &all))
        }
        "POST" => {
            let fields = call.fields()?;
            let new = CommitComment {
                id: memory.new_id(),
                sha: sha.to_owned(),
                body: body(call)?,
                path: fields.owned("path")?,
                position: fields.number("position")?,
                line: fields.number("line")?,
                user: BOT.into(),
                created: call.now,
                updated: call.now,
            };
            Ok(ApiResponse::json(201, &keep(call, memory, &new, PostedAction::Created)))
        }
        _ => not_offered(call),
    }
}

fn known(memory: &Transaction, id: &str) -> Result<CommitComment, Refusal> {
    memory.get(number(id)?).ok_or_else(Refusal::not_found)
}

fn body(call: &Call<'_>) -> Result<String, Refusal> {
    let fields = call.fields()?;
    fields.markdown("body")?;
    Ok(fields.required("CommitComment", "body")?.to_owned())
}

fn listed(call: &Call<'_>, memory: &Transaction, all: &[CommitComment]) -> ApiResponse {
    let reacted = Reacted::count(memory);
    call.page(all, |one| shown(call, one, &reacted))
}

fn keep(call: &Call<'_>, memory: &mut Transaction, comment: &CommitComment, action: PostedAction) -> Value {
    memory.put(comment);
    let posting = Posting {
        kind: "commit_comment",
        object: comment.id,
        title: format!("Comment on commit {}", comment.sha.get(..7).unwrap_or(&comment.sha)),
        markdown: &comment.body,
        url: page(call, comment),
        action,
    };
    memory.posted(call.caller, posting);
    shown(call, comment, &Reacted::count(memory))
}

fn page(call: &Call<'_>, comment: &CommitComment) -> String {
    call.html(&format!("commit/{}#commitcomment-{}", comment.sha, comment.id))
}

fn shown(call: &Call<'_>, comment: &CommitComment, reacted: &Reacted) -> Value {
    let url = call.api(&format!("comments/{}", comment.id));
    json!({
        "id": comment.id,
        "node_id": node(NodeKind::CommitComment, comment.id),
        "url": url,
        "html_url": page(call, comment),
        "user": call.user(&comment.user),
        "position": comment.position,
        "line": comment.line,
        "path": comment.path,
        "commit_id": comment.sha,
        "created_at": time(comment.created),
        "updated_at": time(comment.updated),
        "author_association": call.association(&comment.user),
        "body": comment.body,
        "reactions": reacted.shown(&format!("commit_comment/{}", comment.id), &url),
    })
}
