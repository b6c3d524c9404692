//! Fields of a repository.

use std::rc::Rc;

use serde_json::{Value, json};

use super::{Ask, List, actor, commit, encoded, encoded_segment, fact, release};
use crate::connection::{connection_with, whole};
use crate::failure::Failure;
use crate::object::{Object, Resolved};
use crate::rest::Rest;

/// The repository `owner/name`; `None` where it is not there or hidden.
pub(crate) fn repository_named(rest: &Rest, name: &str) -> Result<Option<Object>, Failure> {
    let fine = |part: &str| {
        !part.is_empty()
            && part != "."
            && part != ".."
            && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    if !name.split_once('/').is_some_and(|(owner, name)| fine(owner) && fine(name)) {
        return Ok(None);
    }
    let found = rest.find(&format!("/repos/{name}"))?;
    Ok(found.map(|facts| {
        let name = facts["full_name"].as_str().unwrap_or(name).to_owned();
        Object::new("Repository", &Rc::from(name), facts)
    }))
}

/// The issue or pull request with a number; `None` where there is none.
///
/// A token for pull requests alone may not ask for issues, but for the pull request itself.
pub(crate) fn issue_like(rest: &Rest, repository: &Rc<str>, number: u64) -> Result<Option<Object>, Failure> {
    match rest.get(&format!("/repos/{repository}/issues/{number}")) {
        Ok(facts) => {
            let of = if is_pull_request(&facts) { "PullRequest" } else { "Issue" };
            Ok(Some(Object::new(of, repository, facts)))
        }
        Err(refusal) if refusal.is_not_found() => Ok(None),
        Err(refusal) if refusal.status == 403 => match pull_request(rest, repository, number) {
            Ok(Some(pull)) => Ok(Some(pull)),
            _ => Err(refusal.into()),
        },
        Err(refusal) => Err(refusal.into()),
    }
}

/// The pull request with a number; `None` where there is none.
pub(crate) fn pull_request(rest: &Rest, repository: &Rc<str>, number: u64) -> Result<Option<Object>, Failure> {
    let found = rest.find(&format!("/repos/{repository}/pulls/{number}"))?;
    Ok(found.map(|facts| Object::new("PullRequest", repository, facts)))
}

pub(super) fn is_pull_request(issue: &Value) -> bool {
    issue.get("pull_request").is_some_and(|value| !value.is_null()) || issue.get("head").is_some_and(Value::is_object)
}

pub(super) fn field(rest: &Rest, object: &Object, ask: &Ask) -> Result<Option<Resolved>, Failure> {
    let repository = &object.repository;
    let resolved = match ask.field {
        "owner" => Resolved::maybe(actor(repository, &fact(rest, object, "/owner")?).map(|mut owner| {
            if owner.of == "Bot" {
                owner.of = "User";
            }
            owner
        })),
        "parent" => {
            let parent = fact(rest, object, "/parent")?;
            let name = Rc::from(parent["full_name"].as_str().unwrap_or_default());
            Resolved::maybe((!parent.is_null()).then(|| Object::new("Repository", &name, parent)))
        }
        "visibility" => {
            let private = fact(rest, object, "/private")? == Value::Bool(true);
            let said = fact(rest, object, "/visibility")?;
            Resolved::value(
                said.as_str().map_or(if private { "PRIVATE" } else { "PUBLIC" }.to_owned(), str::to_uppercase),
            )
        }
        "viewerPermission" => {
            let granted = fact(rest, object, "/permissions")?;
            let levels = [
                ("admin", "ADMIN"),
                ("maintain", "MAINTAIN"),
                ("push", "WRITE"),
                ("triage", "TRIAGE"),
                ("pull", "READ"),
            ];
            let held = levels.iter().find(|(name, _)| granted[name] == Value::Bool(true));
            held.map_or(Resolved::NULL, |(_, word)| Resolved::value(*word))
        }
        "defaultBranchRef" => {
            let branch = fact(rest, object, "/default_branch")?;
            let branch = branch.as_str().unwrap_or_default();
            Resolved::maybe(commit::reference(rest, repository, &format!("heads/{branch}"))?)
        }
        "pullRequest" => {
            let number = number(ask);
            let missing = format!("Could not resolve to a PullRequest with the number of {number}.");
            Resolved::Object(pull_request(rest, repository, number)?.ok_or_else(|| Failure::not_found(missing))?)
        }
        "issue" => {
            let number = number(ask);
            let missing = format!("Could not resolve to an Issue with the number of {number}.");
            let found = issue_like(rest, repository, number)?.filter(|found| found.of == "Issue");
            Resolved::Object(found.ok_or_else(|| Failure::not_found(missing))?)
        }
        "issueOrPullRequest" => {
            let number = number(ask);
            let missing = || {
                Failure::not_found(format!(
                    "Could not resolve to an issue or pull request with the number of {number}."
                ))
            };
            Resolved::Object(issue_like(rest, repository, number)?.ok_or_else(missing)?)
        }
        "issues" => issues(rest, object, ask)?,
        "pullRequests" => pull_requests(rest, object, ask, None)?,
        "label" => {
            let name = ask.text("name").unwrap_or_default();
            let found = rest.find(&object.route(&format!("/labels/{}", encoded_segment(name))))?;
            Resolved::maybe(found.map(|facts| Object::new("Label", repository, facts)))
        }
        "labels" => {
            let wanted = ask.text("query").unwrap_or_default().to_lowercase();
            let keep = |label: &Value| label["name"].as_str().is_some_and(|name| name.to_lowercase().contains(&wanted));
            List::new("LabelConnection", "Label", object.route("/labels")).keep(&keep).resolve(rest, ask, repository)?
        }
        "release" => {
            let tag = ask.text("tagName").unwrap_or_default();
            let found = rest.find(&object.route(&format!("/releases/tags/{}", encoded(tag))))?;
            Resolved::maybe(found.map(|facts| Object::new("Release", repository, facts)))
        }
        "latestRelease" => Resolved::maybe(release::latest(rest, repository)?),
        "releases" => release::releases(rest, object, ask)?,
        "ref" => Resolved::maybe(commit::reference(rest, repository, ask.text("qualifiedName").unwrap_or_default())?),
        "refs" => commit::references(rest, object, ask)?,
        "object" => Resolved::maybe(commit::object(rest, repository, ask)?),
        "collaborators" => {
            let list = || -> Result<(Vec<Object>, bool), Failure> {
                let (items, complete) = rest.list(&object.route("/collaborators"), &[], None, usize::MAX)?;
                let wanted = ask.text("login").or(ask.text("query")).unwrap_or_default().to_lowercase();
                let fits =
                    |user: &Value| user["login"].as_str().is_some_and(|login| login.to_lowercase().contains(&wanted));
                let users = items.into_iter().filter(fits).map(|user| Object::new("User", repository, user));
                Ok((users.collect(), complete))
            };
            connection_with("RepositoryCollaboratorConnection", ask, Some(permission), |_| list())?
        }
        // REST knows no categories. Where discussions are off there are none; else it cannot be told.
        "discussionCategories" => {
            if fact(rest, object, "/has_discussions")? == Value::Bool(true) {
                return Err(Failure::unprocessable("The categories of discussions cannot be read over the REST API."));
            }
            whole("DiscussionCategoryConnection", ask, Vec::new())?
        }
        _ => return Ok(None),
    };
    Ok(Some(resolved))
}

fn permission(user: &Object, field: &str) -> Option<Value> {
    let granted = &user.rest()["permissions"];
    let levels = [("admin", "ADMIN"), ("maintain", "MAINTAIN"), ("push", "WRITE"), ("triage", "TRIAGE")];
    let held = levels.iter().find(|(name, _)| granted[name] == Value::Bool(true));
    (field == "permission").then(|| held.map_or("READ", |(_, word)| word).into())
}

fn number(ask: &Ask) -> u64 {
    ask.number("number").and_then(|number| u64::try_from(number).ok()).unwrap_or_default()
}

/// REST's words for an order of issues and pull requests.
fn ordered<'l>(list: List<'l>, ask: &Ask) -> List<'l> {
    let (field, direction) = ask.order().unwrap_or(("CREATED_AT", "ASC"));
    let sort = match field {
        "UPDATED_AT" => "updated",
        "COMMENTS" => "comments",
        _ => "created",
    };
    list.query("sort", sort).query("direction", direction.to_lowercase())
}

/// REST's word for a set of states.
fn state_of(states: Option<&[&str]>) -> &'static str {
    let has = |state: &str| states.is_none_or(|states| states.contains(&state));
    match (has("OPEN"), has("CLOSED") || has("MERGED")) {
        (true, false) => "open",
        (false, true) => "closed",
        _ => "all",
    }
}

fn issues(rest: &Rest, object: &Object, ask: &Ask) -> Result<Resolved, Failure> {
    let filter = ask.arguments.get("filterBy").cloned().unwrap_or_else(|| json!({}));
    let strings = |value: &Value| -> Option<Vec<String>> {
        Some(value.as_array()?.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect())
    };
    let states = strings(&filter["states"])
        .or_else(|| ask.texts("states").map(|states| states.iter().map(|s| (*s).to_owned()).collect()));
    let states: Option<Vec<&str>> = states.as_ref().map(|states| states.iter().map(String::as_str).collect());
    let labels = strings(&filter["labels"])
        .or_else(|| ask.texts("labels").map(|labels| labels.iter().map(|s| (*s).to_owned()).collect()));
    let keep = |issue: &Value| !is_pull_request(issue);
    let mut list = List::new("IssueConnection", "Issue", object.route("/issues"))
        .query("state", state_of(states.as_deref()))
        .keep(&keep);
    if let Some(labels) = labels.filter(|labels| !labels.is_empty()) {
        list = list.query("labels", labels.join(","));
    }
    for (word, name) in [
        ("assignee", "assignee"),
        ("createdBy", "creator"),
        ("mentioned", "mentioned"),
        ("since", "since"),
        ("milestone", "milestone"),
    ] {
        if let Some(value) = filter[word].as_str() {
            list = list.query(name, value);
        }
    }
    ordered(list, ask).resolve(rest, ask, &object.repository)
}

/// The repository's pull requests; of one branch where `head` names it.
pub(super) fn pull_requests(rest: &Rest, object: &Object, ask: &Ask, head: Option<&str>) -> Result<Resolved, Failure> {
    let states = ask.texts("states");
    let labels = ask.texts("labels").unwrap_or_default();
    let head = head.or(ask.text("headRefName"));
    let base = ask.text("baseRefName");
    let keep = |pull: &Value| {
        let merged = pull["merged_at"].is_string() || pull["merged"] == Value::Bool(true);
        let state =
            if merged { "MERGED".to_owned() } else { pull["state"].as_str().unwrap_or_default().to_uppercase() };
        let names: Vec<&str> =
            pull["labels"].as_array().into_iter().flatten().filter_map(|label| label["name"].as_str()).collect();
        states.as_ref().is_none_or(|states| states.contains(&state.as_str()))
            && (labels.is_empty() || labels.iter().any(|label| names.contains(label)))
            && head.is_none_or(|head| pull["head"]["ref"] == head)
            && base.is_none_or(|base| pull["base"]["ref"] == base)
    };
    let mut list = List::new("PullRequestConnection", "PullRequest", object.route("/pulls"))
        .query("state", state_of(states.as_deref()))
        .keep(&keep);
    if let Some(base) = base {
        list = list.query("base", base);
    }
    ordered(list, ask).resolve(rest, ask, &object.repository)
}
