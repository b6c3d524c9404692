//! Comments on lines of pull requests.

use lineclear_forge::ApiResponse;

use super::pull_view::{Ends, review_comment};
use super::pulls::find_pull;
use super::{not_offered, number, reactions};
use crate::call::{Answer, Call, Fields, Refusal};
use crate::journal::Transaction;
use crate::person::BOT;
use crate::posted::{PostedAction, Posting};
use crate::record::ReviewComment;

/// `rest` is what stands behind `pulls/comments/`.
pub(super) fn route(call: &Call<'_>, memory: &mut Transaction, method: &str, rest: &[&str]) -> Answer {
    match (method, rest) {
        ("GET", []) => Ok(call.page(&memory.all::<ReviewComment>(), |one| review_comment(call, one))),
        ("GET", [id]) => Ok(ApiResponse::json(200, &review_comment(call, &known(memory, id)?))),
        ("PATCH", [id]) => {
            let mut found = known(memory, id)?;
            let fields = call.fields()?;
            fields.markdown("body")?;
            fields.required("PullRequestReviewComment", "body")?.clone_into(&mut found.body);
            found.updated = call.now;
            memory.put(&found);
            tell(call, memory, &found, PostedAction::Updated);
            Ok(ApiResponse::json(200, &review_comment(call, &found)))
        }
        ("DELETE", [id]) => {
            let gone = known(memory, id)?;
            memory.remove::<ReviewComment>(gone.id);
            memory.unposted(call.caller, "review_comment", gone.id);
            Ok(ApiResponse::empty(204))
        }
        (_, [id, "reactions", rest @ ..]) => {
            let found = known(memory, id)?;
            reactions::route(call, memory, method, &format!("review_comment/{}", found.id), rest)
        }
        _ => not_offered(call),
    }
}

/// `rest` is what stands behind `pulls/{number}/comments`.
pub(super) fn of_pull(call: &Call<'_>, memory: &mut Transaction, method: &str, pull: u64, rest: &[&str]) -> Answer {
    let (_, about) = find_pull(memory, pull)?;
    match (method, rest) {
        ("GET", []) => {
            let all: Vec<ReviewComment> =
                memory.all::<ReviewComment>().into_iter().filter(|one| one.pull == pull).collect();
            Ok(call.page(&all, |one| review_comment(call, one)))
        }
        ("POST", []) => {
            let fields = call.fields()?;
            let head = Ends::of(call.git()?, &about)?.head;
            let new = add(call, memory, pull, None, &head, &fields)?;
            Ok(ApiResponse::json(201, &review_comment(call, &new)))
        }
        ("POST", [id, "replies"]) => {
            let before = known(memory, id)?;
            let fields = call.fields()?;
            let new = reply(call, memory, &before, &fields)?;
            Ok(ApiResponse::json(201, &review_comment(call, &new)))
        }
        _ => not_offered(call),
    }
}

fn known(memory: &Transaction, id: &str) -> Result<ReviewComment, Refusal> {
    memory.get(number(id)?).ok_or_else(Refusal::not_found)
}

fn reply(
    call: &Call<'_>,
    memory: &mut Transaction,
    before: &ReviewComment,
    fields: &Fields,
) -> Result<ReviewComment, Refusal> {
    fields.markdown("body")?;
    let new = ReviewComment {
        id: memory.new_id(),
        reply_to: Some(before.reply_to.unwrap_or(before.id)),
        body: fields.required("PullRequestReviewComment", "body")?.to_owned(),
        user: BOT.into(),
        created: call.now,
        updated: call.now,
        ..before.clone()
    };
    memory.put(&new);
    tell(call, memory, &new, PostedAction::Created);
    Ok(new)
}

/// A new comment, alone or as a part of a review.
pub(super) fn add(
    call: &Call<'_>,
    memory: &mut Transaction,
    pull: u64,
    review: Option<u64>,
    head: &str,
    fields: &Fields,
) -> Result<ReviewComment, Refusal> {
    const RESOURCE: &str = "PullRequestReviewComment";
    if let Some(before) = fields.number("in_reply_to")? {
        let before: ReviewComment =
            memory.get(before).ok_or_else(|| Refusal::invalid(RESOURCE, "in_reply_to", "invalid"))?;
        return reply(call, memory, &before, fields);
    }
    fields.markdown("body")?;
    let side = fields.text("side")?.unwrap_or("RIGHT");
    if !matches!(side, "LEFT" | "RIGHT") {
        return Err(Refusal::invalid(RESOURCE, "side", "invalid"));
    }
    let new = ReviewComment {
        id: memory.new_id(),
        pull,
        review,
        reply_to: None,
        body: fields.required(RESOURCE, "body")?.to_owned(),
        user: BOT.into(),
        commit: fields.text("commit_id")?.unwrap_or(head).to_owned(),
        path: fields.required(RESOURCE, "path")?.to_owned(),
        line: fields.number("line")?,
        side: side.to_owned(),
        start_line: fields.number("start_line")?,
        start_side: fields.owned("start_side")?,
        position: fields.number("position")?,
        created: call.now,
        updated: call.now,
    };
    if new.line.is_none() && new.position.is_none() && fields.text("subject_type")? != Some("file") {
        return Err(Refusal::invalid(RESOURCE, "line", "missing_field"));
    }
    memory.put(&new);
    tell(call, memory, &new, PostedAction::Created);
    Ok(new)
}

fn tell(call: &Call<'_>, memory: &mut Transaction, comment: &ReviewComment, action: PostedAction) {
    let place = comment.line.map(|line| format!(":{line}")).unwrap_or_default();
    let posting = Posting {
        kind: "review_comment",
        object: comment.id,
        title: format!("Review comment on #{}, {}{place}", comment.pull, comment.path),
        markdown: &comment.body,
        url: format!("{}#discussion_r{}", call.html(&format!("pull/{}", comment.pull)), comment.id),
        action,
    };
    memory.posted(call.caller, posting);
}
