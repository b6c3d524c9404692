//! Fields of a pull request and of its parts.

use std::rc::Rc;

use serde_json::{Value, json};

use super::{Ask, List, actor, commit, conversation, fact, repository};
use crate::connection::{connection, whole};
use crate::failure::Failure;
use crate::object::{Object, Resolved};
use crate::rest::Rest;

pub(super) fn field(rest: &Rest, object: &Object, ask: &Ask) -> Result<Option<Resolved>, Failure> {
    if let Some(resolved) = conversation::shared(rest, object, ask)? {
        return Ok(Some(resolved));
    }
    let repository = &object.repository;
    let number = object.number();
    let side = |side: &str| -> Result<Option<Object>, Failure> {
        let repository = fact(rest, object, &format!("/{side}/repo"))?;
        let name = Rc::from(repository["full_name"].as_str().unwrap_or_default());
        Ok((!repository.is_null()).then(|| Object::new("Repository", &name, repository)))
    };
    let resolved = match ask.field {
        "state" => Resolved::value(state(rest, object)?),
        "merged" => Resolved::value(state(rest, object)? == "MERGED"),
        "mergeable" => Resolved::value(match fact(rest, object, "/mergeable")? {
            Value::Bool(true) => "MERGEABLE",
            Value::Bool(false) => "CONFLICTING",
            _ => "UNKNOWN",
        }),
        "mergedBy" => Resolved::maybe(actor(repository, &fact(rest, object, "/merged_by")?)),
        "mergeCommit" => {
            let sha = fact(rest, object, "/merge_commit_sha")?;
            let merged = state(rest, object)? == "MERGED" && sha.is_string();
            Resolved::maybe(merged.then(|| Object::new("Commit", repository, json!({ "sha": sha }))))
        }
        "baseRepository" => Resolved::maybe(side("base")?),
        "headRepository" => Resolved::maybe(side("head")?),
        "headRepositoryOwner" => {
            let owner = fact(rest, object, "/head/repo/owner")?;
            Resolved::maybe(actor(repository, &owner))
        }
        "isCrossRepository" => {
            let (head, base) =
                (fact(rest, object, "/head/repo/full_name")?, fact(rest, object, "/base/repo/full_name")?);
            Resolved::value(head != base)
        }
        "baseRef" => branch(rest, object, "base")?,
        "headRef" => branch(rest, object, "head")?,
        "commits" => {
            let path = object.route(&format!("/pulls/{number}/commits"));
            connection("PullRequestCommitConnection", ask, |enough| {
                let (items, complete) = rest.list(&path, &[], None, enough)?;
                let node = |commit: Value| {
                    let facts = json!({ "commit": commit, "pull": object.rest() });
                    Object::new("PullRequestCommit", repository, facts)
                };
                Ok((items.into_iter().map(node).collect(), complete))
            })?
        }
        "files" => List::new(
            "PullRequestChangedFileConnection",
            "PullRequestChangedFile",
            object.route(&format!("/pulls/{number}/files")),
        )
        .resolve(rest, ask, repository)?,
        "reviews" => {
            let states = ask.texts("states");
            let author = ask.text("author");
            let keep = |review: &Value| {
                let state = review_state(review["state"].as_str().unwrap_or_default());
                states.as_ref().is_none_or(|states| states.contains(&state))
                    && author.is_none_or(|author| review["user"]["login"] == author)
            };
            List::new(
                "PullRequestReviewConnection",
                "PullRequestReview",
                object.route(&format!("/pulls/{number}/reviews")),
            )
            .keep(&keep)
            .resolve(rest, ask, repository)?
        }
        "reviewRequests" => {
            let users = fact(rest, object, "/requested_reviewers")?.as_array().cloned().unwrap_or_default();
            let nodes = users.into_iter().map(|user| Object::new("ReviewRequest", repository, json!({ "user": user })));
            whole("ReviewRequestConnection", ask, nodes.collect())?
        }
        "reviewDecision" => Resolved::value(decision(rest, object)?),
        _ => return Ok(None),
    };
    Ok(Some(resolved))
}

/// The pull requests of a branch.
pub(super) fn of_branch(rest: &Rest, owner: &Object, ask: &Ask, branch: &str) -> Result<Resolved, Failure> {
    repository::pull_requests(rest, owner, ask, Some(branch))
}

fn state(rest: &Rest, object: &Object) -> Result<String, Failure> {
    let facts = object.rest();
    let told = facts.get("merged_at").or_else(|| facts["pull_request"].get("merged_at")).cloned();
    let merged_at = match told {
        Some(told) => told,
        None => fact(rest, object, "/merged_at")?,
    };
    if merged_at.is_string() || facts["merged"] == Value::Bool(true) {
        return Ok("MERGED".to_owned());
    }
    Ok(fact(rest, object, "/state")?.as_str().unwrap_or_default().to_uppercase())
}

/// The branch on one side; null where it is gone, or stands in another repository that cannot be read.
fn branch(rest: &Rest, object: &Object, side: &str) -> Result<Resolved, Failure> {
    let name = fact(rest, object, &format!("/{side}/ref"))?;
    let repository = fact(rest, object, &format!("/{side}/repo/full_name"))?;
    let (Some(name), Some(repository)) = (name.as_str(), repository.as_str()) else { return Ok(Resolved::NULL) };
    Ok(Resolved::maybe(commit::reference(rest, &Rc::from(repository), &format!("heads/{name}"))?))
}

fn review_state(state: &str) -> &'static str {
    match state.to_uppercase().as_str() {
        "APPROVED" => "APPROVED",
        "CHANGES_REQUESTED" | "REQUEST_CHANGES" => "CHANGES_REQUESTED",
        "DISMISSED" => "DISMISSED",
        "PENDING" => "PENDING",
        _ => "COMMENTED",
    }
}

/// The last word of each reviewer; null where nobody had one.
fn decision(rest: &Rest, object: &Object) -> Result<Option<&'static str>, Failure> {
    let path = object.route(&format!("/pulls/{}/reviews", object.number()));
    let (reviews, _) = rest.list(&path, &[], None, usize::MAX)?;
    let mut last = std::collections::BTreeMap::new();
    for review in &reviews {
        let state = review_state(review["state"].as_str().unwrap_or_default());
        if matches!(state, "APPROVED" | "CHANGES_REQUESTED" | "DISMISSED") {
            last.insert(review["user"]["login"].as_str().unwrap_or_default(), state);
        }
    }
    let said = |state| last.values().any(|last| *last == state);
    Ok(if said("CHANGES_REQUESTED") {
        Some("CHANGES_REQUESTED")
    } else if said("APPROVED") {
        Some("APPROVED")
    } else {
        None
    })
}

/// Fields of what a pull request consists of.
pub(super) fn part(object: &Object, ask: &Ask) -> Result<Option<Resolved>, Failure> {
    let facts = object.rest();
    let repository = &object.repository;
    Ok(Some(match (object.of, ask.field) {
        ("PullRequestCommit", "commit") => Resolved::Object(Object::new("Commit", repository, facts["commit"].clone())),
        ("PullRequestCommit", "pullRequest") => {
            Resolved::Object(Object::new("PullRequest", repository, facts["pull"].clone()))
        }
        ("PullRequestReview", "author") => Resolved::maybe(actor(repository, &facts["user"])),
        ("PullRequestReview", "state") => Resolved::value(review_state(object.text("/state"))),
        ("PullRequestReview", "commit") => {
            let sha = facts["commit_id"].as_str().filter(|sha| !sha.is_empty());
            Resolved::maybe(sha.map(|sha| Object::new("Commit", repository, json!({ "sha": sha }))))
        }
        ("PullRequestChangedFile", "path") => Resolved::value(object.text("/filename")),
        ("PullRequestChangedFile", "changeType") => Resolved::value(match object.text("/status") {
            "added" => "ADDED",
            "removed" | "deleted" => "DELETED",
            "renamed" => "RENAMED",
            "copied" => "COPIED",
            "changed" => "CHANGED",
            _ => "MODIFIED",
        }),
        ("ReviewRequest", "requestedReviewer") => Resolved::maybe(actor(repository, &facts["user"]).map(|mut user| {
            user.of = "User";
            user
        })),
        _ => return Ok(None),
    }))
}
