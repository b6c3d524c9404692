//! Comments on issues and pull requests.

use lineclear_forge::{ApiResponse, NodeKind};
use serde_json::{Value, json};

use super::issue_view::{Reacted, page};
use super::issues::{find, find_to_change};
use super::{not_offered, number, reactions};
use crate::call::{Answer, Call, Refusal, node, time};
use crate::journal::Transaction;
use crate::person::{APP_ID, BOT};
use crate::posted::{PostedAction, Posting};
use crate::record::{Comment, Issue, Reaction};

/// `rest` is what stands behind `issues/comments/`.
pub(super) fn route(call: &Call<'_>, memory: &mut Transaction, method: &str, rest: &[&str]) -> Answer {
    match (method, rest) {
        ("GET", []) => {
            let mut all = since(call, memory.all());
            if call.query("sort") == Some("updated") {
                all.sort_by_key(|comment| (comment.updated, comment.id));
            }
            if call.query("direction") == Some("desc") {
                all.reverse();
            }
            Ok(listed(call, memory, &all))
        }
        ("GET", [id]) => {
            let found = known(memory, id)?;
            Ok(ApiResponse::json(200, &shown(call, memory, &found)))
        }
        ("PATCH", [id]) => edit(call, memory, known(memory, id)?),
        ("DELETE", [id]) => {
            let gone = known(memory, id)?;
            find_to_change(call, memory, gone.issue)?;
            memory.remove::<Comment>(gone.id);
            let subject = format!("comment/{}", gone.id);
            for reaction in memory.all::<Reaction>().into_iter().filter(|reaction| reaction.subject == subject) {
                memory.remove::<Reaction>(reaction.id);
            }
            memory.unposted(call.caller, "comment", gone.id);
            Ok(ApiResponse::empty(204))
        }
        // Not in GitHub's REST API: how GraphQL hides a comment and shows it again.
        ("PUT" | "DELETE", [id, "minimized"]) => {
            let mut comment = known(memory, id)?;
            find_to_change(call, memory, comment.issue)?;
            comment.minimized = match method {
                "PUT" => Some(call.fields()?.value("reason").as_str().unwrap_or("outdated").chars().take(40).collect()),
                _ => None,
            };
            memory.put(&comment);
            Ok(ApiResponse::json(200, &shown(call, memory, &comment)))
        }
        (_, [id, "reactions", rest @ ..]) => {
            let found = known(memory, id)?;
            reactions::route(call, memory, method, &format!("comment/{}", found.id), rest)
        }
        _ => not_offered(call),
    }
}

pub(super) fn of_issue(call: &Call<'_>, memory: &mut Transaction, method: &str, issue: u64) -> Answer {
    match method {
        "GET" => {
            find(memory, issue)?;
            let all: Vec<Comment> =
                memory.all::<Comment>().into_iter().filter(|comment| comment.issue == issue).collect();
            Ok(listed(call, memory, &since(call, all)))
        }
        "POST" => create(call, memory, issue),
        _ => not_offered(call),
    }
}

fn known(memory: &Transaction, id: &str) -> Result<Comment, Refusal> {
    memory.get(number(id)?).ok_or_else(Refusal::not_found)
}

fn since(call: &Call<'_>, mut all: Vec<Comment>) -> Vec<Comment> {
    if let Some(since) = call.query("since") {
        all.retain(|comment| time(comment.updated).as_str() >= since);
    }
    all
}

fn body(call: &Call<'_>) -> Result<String, Refusal> {
    let fields = call.fields()?;
    fields.markdown("body")?;
    let missing = |_| Refusal::custom("IssueComment", "body cannot be blank");
    match fields.required("IssueComment", "body") {
        Ok(body) => Ok(body.to_owned()),
        Err(_) if matches!(fields.value("body"), Value::Null | Value::String(_)) => Err(missing(())),
        Err(wrong) => Err(wrong),
    }
}

fn create(call: &Call<'_>, memory: &mut Transaction, number: u64) -> Answer {
    let mut issue = find_to_change(call, memory, number)?;
    let comment = Comment {
        id: memory.new_id(),
        issue: number,
        body: body(call)?,
        user: BOT.into(),
        created: call.now,
        updated: call.now,
        minimized: None,
    };
    memory.put(&comment);
    issue.updated = call.now;
    memory.put(&issue);
    tell(call, memory, &comment, &issue, PostedAction::Created);
    let shown = shown(call, memory, &comment);
    let mut response = ApiResponse::json(201, &shown);
    response.headers.push(("location".into(), shown["url"].as_str().unwrap_or_default().to_owned()));
    Ok(response)
}

fn edit(call: &Call<'_>, memory: &mut Transaction, mut comment: Comment) -> Answer {
    let issue = find_to_change(call, memory, comment.issue)?;
    comment.body = body(call)?;
    comment.updated = call.now;
    memory.put(&comment);
    tell(call, memory, &comment, &issue, PostedAction::Updated);
    Ok(ApiResponse::json(200, &shown(call, memory, &comment)))
}

fn tell(call: &Call<'_>, memory: &mut Transaction, comment: &Comment, issue: &Issue, action: PostedAction) {
    let posting = Posting {
        kind: "comment",
        object: comment.id,
        title: format!("Comment on #{}", comment.issue),
        markdown: &comment.body,
        url: format!("{}#issuecomment-{}", page(call, issue), comment.id),
        action,
    };
    memory.posted(call.caller, posting);
}

fn listed(call: &Call<'_>, memory: &Transaction, comments: &[Comment]) -> ApiResponse {
    let reacted = Reacted::count(memory);
    call.page(comments, |comment| view(call, memory, comment, &reacted))
}

fn shown(call: &Call<'_>, memory: &Transaction, comment: &Comment) -> Value {
    view(call, memory, comment, &Reacted::count(memory))
}

fn view(call: &Call<'_>, memory: &Transaction, comment: &Comment, reacted: &Reacted) -> Value {
    let url = call.api(&format!("issues/comments/{}", comment.id));
    let page = memory.get::<Issue>(comment.issue).map(|issue| page(call, &issue)).unwrap_or_default();
    json!({
        "id": comment.id,
        "node_id": node(NodeKind::IssueComment, comment.id),
        "url": url,
        "html_url": format!("{page}#issuecomment-{}", comment.id),
        "issue_url": call.api(&format!("issues/{}", comment.issue)),
        "body": comment.body,
        "user": call.user(&comment.user),
        "created_at": time(comment.created),
        "updated_at": time(comment.updated),
        "author_association": call.association(&comment.user),
        "minimized": comment.minimized.as_ref().map(|reason| json!({"reason": reason})),
        "reactions": reacted.shown(&format!("comment/{}", comment.id), &url),
        "performed_via_github_app": if comment.user == BOT { json!({"id": APP_ID, "slug": "github-actions"}) } else { Value::Null },
    })
}
