//! Issues and labels.

use serde_json::{Map, Value, json};

use super::{Change, Fields};
use crate::failure::Failure;
use crate::node;
use crate::object::{Object, Resolved};
use crate::resolve::encoded_segment;

pub(super) fn add_labels(change: &Change) -> Result<Fields, Failure> {
    let subject = change.subject("labelableId", &["Issue", "PullRequest"])?;
    let names = change.labels("labelIds")?.unwrap_or_default();
    let path = subject.route(&format!("/issues/{}/labels", subject.number()));
    change.send("POST", &path, &json!({ "labels": names }))?;
    labelled(change, &subject)
}

pub(super) fn remove_labels(change: &Change) -> Result<Fields, Failure> {
    let subject = change.subject("labelableId", &["Issue", "PullRequest"])?;
    for name in change.labels("labelIds")?.unwrap_or_default() {
        let path = subject.route(&format!("/issues/{}/labels/{}", subject.number(), encoded_segment(&name)));
        match change.rest.send("DELETE", &path, &Value::Null) {
            // A label that is not there is removed already.
            Err(refusal) if !refusal.is_not_found() => return Err(refusal.into()),
            _ => {}
        }
    }
    labelled(change, &subject)
}

fn labelled(change: &Change, subject: &Object) -> Result<Fields, Failure> {
    let kind = if subject.of == "PullRequest" { "pulls" } else { "issues" };
    let facts = change.rest.get(&subject.route(&format!("/{kind}/{}", subject.number())))?;
    Ok(vec![("labelable", Resolved::Object(Object::new(subject.of, &subject.repository, facts)))])
}

/// The fields of an issue that both creating and updating take.
pub(super) fn common(change: &Change) -> Result<Map<String, Value>, Failure> {
    let mut body = Map::new();
    for name in ["title", "body"] {
        if let Some(text) = change.input[name].as_str() {
            body.insert(name.into(), text.into());
        }
    }
    if let Some(labels) = change.labels("labelIds")? {
        body.insert("labels".into(), labels.into());
    }
    if let Some(logins) = change.logins("assigneeIds")? {
        body.insert("assignees".into(), logins.into());
    }
    if let Some(id) = change.input["milestoneId"].as_str() {
        let milestone = node::load(change.rest, id)?;
        body.insert("milestone".into(), milestone.rest()["number"].clone());
    }
    Ok(body)
}

pub(super) fn create(change: &Change) -> Result<Fields, Failure> {
    let repository = change.subject("repositoryId", &["Repository"])?;
    let facts = change.send("POST", &repository.route("/issues"), &common(change)?.into())?;
    Ok(issue(&repository, facts))
}

pub(super) fn update(change: &Change) -> Result<Fields, Failure> {
    let subject = change.subject("id", &["Issue"])?;
    let mut body = common(change)?;
    if let Some(state) = change.input["state"].as_str() {
        body.insert("state".into(), state.to_lowercase().into());
    }
    edit(change, &subject, &body.into())
}

pub(super) fn close(change: &Change) -> Result<Fields, Failure> {
    let subject = change.subject("issueId", &["Issue"])?;
    let reason = change.input["stateReason"].as_str().unwrap_or("COMPLETED").to_lowercase();
    edit(change, &subject, &json!({ "state": "closed", "state_reason": reason }))
}

pub(super) fn reopen(change: &Change) -> Result<Fields, Failure> {
    let subject = change.subject("issueId", &["Issue"])?;
    edit(change, &subject, &json!({ "state": "open" }))
}

fn edit(change: &Change, subject: &Object, body: &Value) -> Result<Fields, Failure> {
    let path = subject.route(&format!("/issues/{}", subject.number()));
    let facts = change.send("PATCH", &path, body)?;
    Ok(issue(subject, facts))
}

fn issue(near: &Object, facts: Value) -> Fields {
    vec![("issue", Resolved::Object(Object::new("Issue", &near.repository, facts)))]
}
