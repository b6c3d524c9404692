//! Issues and comments, and what pull requests share with them.

use serde_json::Value;

use super::{Ask, List, actor, fact, is_viewer, issue_like, repository_named};
use crate::connection::{connection, whole};
use crate::failure::Failure;
use crate::object::{Object, Resolved};
use crate::rest::Rest;

pub(super) fn field(rest: &Rest, object: &Object, ask: &Ask) -> Result<Option<Resolved>, Failure> {
    if object.of == "IssueComment" {
        return comment(rest, object, ask);
    }
    if let Some(resolved) = shared(rest, object, ask)? {
        return Ok(Some(resolved));
    }
    Ok(match ask.field {
        "state" => Some(Resolved::value(fact(rest, object, "/state")?.as_str().unwrap_or_default().to_uppercase())),
        "stateReason" => {
            let reason = fact(rest, object, "/state_reason")?;
            Some(Resolved::value(reason.as_str().map(str::to_uppercase)))
        }
        _ => None,
    })
}

/// Fields that issues and pull requests have alike.
pub(super) fn shared(rest: &Rest, object: &Object, ask: &Ask) -> Result<Option<Resolved>, Failure> {
    let repository = &object.repository;
    let list = |pointer: &str, of: &'static str| -> Result<Vec<Object>, Failure> {
        let list = fact(rest, object, pointer)?.as_array().cloned().unwrap_or_default();
        Ok(list.into_iter().map(|facts| Object::new(of, repository, facts)).collect())
    };
    let resolved = match ask.field {
        "author" => Resolved::maybe(actor(repository, &fact(rest, object, "/user")?)),
        "authorAssociation" => association(&fact(rest, object, "/author_association")?),
        "closed" => Resolved::value(fact(rest, object, "/state")? == "closed"),
        "labels" => whole("LabelConnection", ask, list("/labels", "Label")?)?,
        "assignees" => whole("UserConnection", ask, list("/assignees", "User")?)?,
        "milestone" => {
            let milestone = fact(rest, object, "/milestone")?;
            Resolved::maybe((!milestone.is_null()).then(|| Object::new("Milestone", repository, milestone)))
        }
        "comments" => comments(rest, object, ask)?,
        "repository" => Resolved::maybe(repository_named(rest, repository)?),
        _ => return Ok(None),
    };
    Ok(Some(resolved))
}

fn association(value: &Value) -> Resolved {
    Resolved::value(value.as_str().filter(|word| !word.is_empty()).unwrap_or("NONE"))
}

fn comments(rest: &Rest, object: &Object, ask: &Ask) -> Result<Resolved, Failure> {
    let path = object.route(&format!("/issues/{}/comments", object.number()));
    let (of, node) = ("IssueCommentConnection", "IssueComment");
    let Some((_, direction)) = ask.order() else {
        return List::new(of, node, path).resolve(rest, ask, &object.repository);
    };
    connection(of, ask, |_| {
        let (mut items, complete) = rest.list(&path, &[], None, usize::MAX)?;
        items.sort_by(|a, b| a["updated_at"].as_str().cmp(&b["updated_at"].as_str()));
        if direction == "DESC" {
            items.reverse();
        }
        Ok((items.into_iter().map(|facts| Object::new(node, &object.repository, facts)).collect(), complete))
    })
}

fn comment(rest: &Rest, object: &Object, ask: &Ask) -> Result<Option<Resolved>, Failure> {
    let facts = object.rest();
    let minimized = &facts["minimized"];
    let resolved = match ask.field {
        "author" => Resolved::maybe(actor(&object.repository, &facts["user"])),
        "authorAssociation" => association(&facts["author_association"]),
        "fullDatabaseId" => Resolved::value(facts["id"].as_u64().map(|id| id.to_string())),
        "isMinimized" => Resolved::value(is_minimized(minimized)),
        "minimizedReason" if is_minimized(minimized) => {
            Resolved::value(minimized["reason"].as_str().map(|reason| reason.to_lowercase().replace('_', "-")))
        }
        "minimizedReason" => Resolved::NULL,
        "viewerDidAuthor" => Resolved::value(is_viewer(rest, object.text("/user/login"))),
        "repository" => Resolved::maybe(repository_named(rest, &object.repository)?),
        "issue" => Resolved::maybe(issue_of(rest, object)?.map(|mut issue| {
            // GitHub's comments of pull requests have an issue, too: the same one, seen so.
            issue.of = "Issue";
            issue
        })),
        "pullRequest" => Resolved::maybe(issue_of(rest, object)?.filter(|issue| issue.of == "PullRequest")),
        _ => return Ok(None),
    };
    Ok(Some(resolved))
}

pub(crate) fn is_minimized(minimized: &Value) -> bool {
    !matches!(minimized, Value::Null | Value::Bool(false))
}

fn issue_of(rest: &Rest, comment: &Object) -> Result<Option<Object>, Failure> {
    // Gitea leaves one of these empty.
    let urls = [comment.text("/issue_url"), comment.text("/pull_request_url"), comment.text("/html_url")];
    let number = urls.iter().find_map(|url| {
        let path = url.split(['#', '?']).next()?;
        path.rsplit('/').next()?.parse().ok()
    });
    number.map_or(Ok(None), |number| issue_like(rest, &comment.repository, number))
}

pub(super) fn reaction(object: &Object, ask: &Ask) -> Option<Resolved> {
    match ask.field {
        "content" => Some(Resolved::value(reaction_word(object.text("/content")))),
        "user" => Some(Resolved::maybe(actor(&object.repository, &object.rest()["user"]).map(|mut user| {
            user.of = "User";
            user
        }))),
        _ => None,
    }
}

/// GraphQL's words for reactions with those of REST.
pub(crate) const REACTIONS: [(&str, &str); 8] = [
    ("THUMBS_UP", "+1"),
    ("THUMBS_DOWN", "-1"),
    ("LAUGH", "laugh"),
    ("CONFUSED", "confused"),
    ("HEART", "heart"),
    ("HOORAY", "hooray"),
    ("ROCKET", "rocket"),
    ("EYES", "eyes"),
];

fn reaction_word(content: &str) -> Value {
    REACTIONS.iter().find(|(_, rest)| *rest == content).map_or(Value::Null, |(word, _)| (*word).into())
}
