//! Reviews of pull requests.

use lineclear_forge::ApiResponse;
use serde_json::Value;

use super::pull_view::{Ends, review, review_comment};
use super::pulls::find_pull;
use super::{not_offered, number, review_comments};
use crate::call::{Answer, Call, Fields, Refusal};
use crate::journal::Transaction;
use crate::person::BOT;
use crate::posted::{PostedAction, Posting};
use crate::record::{Pull, Review, ReviewComment};

pub(super) fn route(call: &Call<'_>, memory: &mut Transaction, method: &str, pull: u64, rest: &[&str]) -> Answer {
    let (_, about) = find_pull(memory, pull)?;
    match (method, rest) {
        ("GET", []) => {
            let all: Vec<Review> = memory.all::<Review>().into_iter().filter(|one| one.pull == pull).collect();
            Ok(call.page(&all, |one| review(call, one)))
        }
        ("POST", []) => create(call, memory, pull, &about),
        ("GET", [id]) => Ok(ApiResponse::json(200, &review(call, &known(memory, pull, id)?))),
        ("PUT", [id]) => {
            let mut found = known(memory, pull, id)?;
            call.fields()?.required("PullRequestReview", "body")?.clone_into(&mut found.body);
            done(call, memory, found, PostedAction::Updated)
        }
        ("DELETE", [id]) => {
            let found = known(memory, pull, id)?;
            if found.state != "PENDING" {
                return Err(Refusal::said(422, "Can not delete a non-pending pull request review"));
            }
            memory.remove::<Review>(found.id);
            Ok(ApiResponse::json(200, &review(call, &found)))
        }
        ("GET", [id, "comments"]) => {
            let id = known(memory, pull, id)?.id;
            let all: Vec<ReviewComment> =
                memory.all::<ReviewComment>().into_iter().filter(|one| one.review == Some(id)).collect();
            Ok(call.page(&all, |one| review_comment(call, one)))
        }
        ("POST", [id, "events"]) => {
            let mut found = known(memory, pull, id)?;
            let fields = call.fields()?;
            if let Some(body) = fields.markdown("body")? {
                body.clone_into(&mut found.body);
            }
            found.state = state(fields.required("PullRequestReview", "event")?)?.into();
            found.submitted = Some(call.now);
            done(call, memory, found, PostedAction::Created)
        }
        ("PUT", [id, "dismissals"]) => {
            let mut found = known(memory, pull, id)?;
            call.fields()?.required("PullRequestReview", "message")?;
            found.state = "DISMISSED".into();
            done(call, memory, found, PostedAction::Updated)
        }
        _ => not_offered(call),
    }
}

fn known(memory: &Transaction, pull: u64, id: &str) -> Result<Review, Refusal> {
    let found: Option<Review> = memory.get(number(id)?);
    found.filter(|found| found.pull == pull).ok_or_else(Refusal::not_found)
}

fn state(event: &str) -> Result<&'static str, Refusal> {
    match event {
        "APPROVE" => Ok("APPROVED"),
        "REQUEST_CHANGES" => Ok("CHANGES_REQUESTED"),
        "COMMENT" => Ok("COMMENTED"),
        _ => Err(Refusal::invalid("PullRequestReview", "event", "invalid")),
    }
}

fn create(call: &Call<'_>, memory: &mut Transaction, pull: u64, about: &Pull) -> Answer {
    let fields = call.fields()?;
    let event = fields.text("event")?.filter(|event| !event.is_empty());
    let body = fields.markdown("body")?.unwrap_or_default().to_owned();
    let comments = fields.value("comments").as_array().cloned().unwrap_or_default();
    if matches!(event, Some("COMMENT" | "REQUEST_CHANGES")) && body.is_empty() && comments.is_empty() {
        return Err(Refusal::said(422, "Unprocessable Entity: the review has neither a body nor comments"));
    }
    let commit = match fields.text("commit_id")? {
        Some(commit) => commit.to_owned(),
        None => Ends::of(call.git()?, about)?.head,
    };
    let new = Review {
        id: memory.new_id(),
        pull,
        body,
        state: event.map_or(Ok("PENDING"), state)?.into(),
        user: BOT.into(),
        commit,
        submitted: event.map(|_| call.now),
    };
    for comment in comments {
        let fields = Fields(comment);
        review_comments::add(call, memory, pull, Some(new.id), &new.commit, &fields)?;
    }
    done(call, memory, new, PostedAction::Created)
}

fn done(call: &Call<'_>, memory: &mut Transaction, one: Review, action: PostedAction) -> Answer {
    memory.put(&one);
    let shown: Value = review(call, &one);
    let posting = Posting {
        kind: "review",
        object: one.id,
        title: format!("Review of #{}: {}", one.pull, one.state),
        markdown: &one.body,
        url: shown["html_url"].as_str().unwrap_or_default().to_owned(),
        action,
    };
    memory.posted(call.caller, posting);
    Ok(ApiResponse::json(200, &shown))
}
