//! Pull requests.

use serde_json::{Map, Value, json};

use super::{Change, Fields, issue};
use crate::failure::Failure;
use crate::object::{Object, Resolved};

fn subject(change: &Change) -> Result<Object, Failure> {
    change.subject("pullRequestId", &["PullRequest"])
}

fn edit(change: &Change, subject: &Object, body: &Value) -> Result<Object, Failure> {
    let path = subject.route(&format!("/pulls/{}", subject.number()));
    let facts = change.send("PATCH", &path, body)?;
    Ok(Object::new("PullRequest", &subject.repository, facts))
}

fn given(pull: Object) -> Fields {
    vec![("pullRequest", Resolved::Object(pull))]
}

pub(super) fn update(change: &Change) -> Result<Fields, Failure> {
    let subject = subject(change)?;
    let mut common = issue::common(change)?;
    let mut body = Map::new();
    for name in ["title", "body"] {
        if let Some(value) = common.remove(name) {
            body.insert(name.into(), value);
        }
    }
    if let Some(base) = change.input["baseRefName"].as_str() {
        body.insert("base".into(), base.into());
    }
    if let Some(modify) = change.input["maintainerCanModify"].as_bool() {
        body.insert("maintainer_can_modify".into(), modify.into());
    }
    if let Some(state) = change.input["state"].as_str() {
        body.insert("state".into(), state.to_lowercase().into());
    }
    // Labels, assignees and milestone belong to the issue behind a pull request.
    if !common.is_empty() {
        change.send("PATCH", &subject.route(&format!("/issues/{}", subject.number())), &common.into())?;
    }
    if body.is_empty() {
        let facts = change.rest.get(&subject.route(&format!("/pulls/{}", subject.number())))?;
        return Ok(given(Object::new("PullRequest", &subject.repository, facts)));
    }
    Ok(given(edit(change, &subject, &body.into())?))
}

pub(super) fn set_state(change: &Change, state: &str) -> Result<Fields, Failure> {
    let subject = subject(change)?;
    Ok(given(edit(change, &subject, &json!({ "state": state }))?))
}

/// The embedded forge and, by the title, Gitea can do it; GitHub's REST API takes no notice of the field.
pub(super) fn set_draft(change: &Change, draft: bool) -> Result<Fields, Failure> {
    let subject = subject(change)?;
    let pull = edit(change, &subject, &json!({ "draft": draft }))?;
    if pull.rest()["draft"].as_bool().unwrap_or(false) != draft {
        let message = "This forge cannot change over its REST API whether a pull request is a draft: create it as what it is to be.";
        return Err(Failure::unprocessable(message));
    }
    Ok(given(pull))
}

pub(super) fn refuse_auto_merge(change: &Change) -> Result<Fields, Failure> {
    subject(change)?;
    Err(Failure::unprocessable(
        "Pull request auto merge is not offered here: nothing merges by itself. Merge with `PUT /repos/{owner}/{repo}/pulls/{number}/merge` once the checks have passed.",
    ))
}
