//! Comments and reactions.

use serde_json::{Value, json};

use super::{Change, Fields};
use crate::connection::lone_edge;
use crate::failure::Failure;
use crate::object::{Object, Resolved};
use crate::resolve::{REACTIONS, is_minimized};

const TALK: [&str; 2] = ["Issue", "PullRequest"];

pub(super) fn add(change: &Change) -> Result<Fields, Failure> {
    let subject = change.subject("subjectId", &TALK)?;
    let path = subject.route(&format!("/issues/{}/comments", subject.number()));
    let comment = change.send("POST", &path, &json!({ "body": change.text("body") }))?;
    let comment = Object::new("IssueComment", &subject.repository, comment);
    let edge = lone_edge("IssueCommentEdge", comment);
    Ok(vec![("commentEdge", Resolved::Object(edge)), ("subject", Resolved::Object(subject))])
}

fn route(comment: &Object) -> String {
    comment.route(&format!("/issues/comments/{}", comment.rest()["id"].as_u64().unwrap_or_default()))
}

pub(super) fn update(change: &Change) -> Result<Fields, Failure> {
    let comment = change.subject("id", &["IssueComment"])?;
    let facts = change.send("PATCH", &route(&comment), &json!({ "body": change.text("body") }))?;
    Ok(vec![("issueComment", Resolved::Object(Object::new("IssueComment", &comment.repository, facts)))])
}

pub(super) fn delete(change: &Change) -> Result<Fields, Failure> {
    let comment = change.subject("id", &["IssueComment"])?;
    change.send("DELETE", &route(&comment), &Value::Null)?;
    Ok(Vec::new())
}

pub(super) fn minimize(change: &Change) -> Result<Fields, Failure> {
    let reason = change.text("classifier").to_lowercase();
    let comment = hide(change, "PUT", &json!({ "reason": reason }))?;
    Ok(vec![("minimizedComment", Resolved::Object(comment))])
}

pub(super) fn unminimize(change: &Change) -> Result<Fields, Failure> {
    let comment = hide(change, "DELETE", &Value::Null)?;
    Ok(vec![("unminimizedComment", Resolved::Object(comment))])
}

/// REST of GitHub and Gitea cannot hide comments; the embedded forge has a route of its own for it.
fn hide(change: &Change, method: &str, body: &Value) -> Result<Object, Failure> {
    let comment = change.subject("subjectId", &["IssueComment"])?;
    let answer = change.rest.send(method, &format!("{}/minimized", route(&comment)), body).map_err(|refusal| {
        if refusal.is_not_found() {
            Failure::unprocessable(
                "This forge cannot hide comments over its REST API: edit or delete the comment instead.",
            )
        } else {
            refusal.into()
        }
    })?;
    let mut facts = if answer["id"].is_u64() { answer } else { comment.rest().clone() };
    if is_minimized(&facts["minimized"]) != (method == "PUT") {
        facts["minimized"] = body.clone();
    }
    Ok(Object::new("IssueComment", &comment.repository, facts))
}

pub(super) fn react(change: &Change) -> Result<Fields, Failure> {
    let subject = change.subject("subjectId", &["Issue", "PullRequest", "IssueComment"])?;
    let route = match subject.of {
        "IssueComment" => route(&subject),
        _ => subject.route(&format!("/issues/{}", subject.number())),
    };
    let content = change.text("content");
    let content = REACTIONS.iter().find(|(word, _)| *word == content).map_or(content, |(_, rest)| rest);
    let facts = change.send("POST", &format!("{route}/reactions"), &json!({ "content": content }))?;
    let reaction = Object::new("Reaction", &subject.repository, facts);
    Ok(vec![("reaction", Resolved::Object(reaction)), ("subject", Resolved::Object(subject))])
}
