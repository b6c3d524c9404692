//! Commits, refs and what stands in them; statuses and checks.

use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Ask, List, actor, encoded, encoded_segment, fact, repository_named};
use crate::connection::{connection, whole};
use crate::failure::Failure;
use crate::object::{Object, Resolved};
use crate::rest::{Refusal, Rest};

/// The ref of a name: `refs/heads/main`, `heads/main`, or `main`, which is a branch before it is a tag.
pub(crate) fn reference(rest: &Rest, repository: &Rc<str>, name: &str) -> Result<Option<Object>, Failure> {
    let name = name.strip_prefix("refs/").unwrap_or(name);
    if name.is_empty() || name.len() > 1024 {
        return Ok(None);
    }
    let known = ["heads/", "tags/", "pull/", "remotes/", "notes/"].iter().any(|prefix| name.starts_with(prefix));
    let candidates = if known { vec![name.to_owned()] } else { vec![format!("heads/{name}"), format!("tags/{name}")] };
    for candidate in candidates {
        let found = match rest.get(&format!("/repos/{repository}/git/ref/{}", encoded(&candidate))) {
            Ok(found) => Some(found),
            // An empty repository answers with 409.
            Err(refusal) if refusal.is_not_found() || refusal.status == 409 => None,
            Err(refusal) => return Err(refusal.into()),
        };
        if let Some(found) = found.filter(|found| found["ref"].is_string()) {
            return Ok(Some(Object::new("Ref", repository, found)));
        }
    }
    Ok(None)
}

pub(super) fn references(rest: &Rest, object: &Object, ask: &Ask) -> Result<Resolved, Failure> {
    let prefix = ask.text("refPrefix").unwrap_or_default();
    let below = prefix.strip_prefix("refs/").unwrap_or(prefix);
    let wanted = ask.text("query").unwrap_or_default().to_lowercase();
    let reverse = ask.text("direction").or(ask.order().map(|(_, direction)| direction)) == Some("DESC");
    connection("RefConnection", ask, |_| {
        let path = object.route(&format!("/git/matching-refs/{}", encoded(below)));
        let (items, complete) = rest.list(&path, &[], None, usize::MAX)?;
        let fits = |item: &Value| item["ref"].as_str().is_some_and(|name| name.to_lowercase().contains(&wanted));
        let mut refs: Vec<Value> = items.into_iter().filter(fits).collect();
        refs.sort_by(|a, b| a["ref"].as_str().cmp(&b["ref"].as_str()));
        if reverse {
            refs.reverse();
        }
        Ok((refs.into_iter().map(|facts| Object::new("Ref", &object.repository, facts)).collect(), complete))
    })
}

/// `object(expression:)` or `object(oid:)`: a commit, or with `rev:path` a file or folder.
pub(super) fn object(rest: &Rest, repository: &Rc<str>, ask: &Ask) -> Result<Option<Object>, Failure> {
    let expression = ask.text("oid").or(ask.text("expression")).unwrap_or_default();
    match expression.split_once(':') {
        Some((revision, path)) => contents(rest, repository, revision, path),
        None => commit(rest, repository, expression),
    }
}

fn commit(rest: &Rest, repository: &Rc<str>, revision: &str) -> Result<Option<Object>, Failure> {
    if revision.is_empty() {
        return Ok(None);
    }
    let found = absent(rest.get(&format!("/repos/{repository}/commits/{}", encoded(revision))))?;
    Ok(found.map(|facts| Object::new("Commit", repository, facts)))
}

fn contents(rest: &Rest, repository: &Rc<str>, revision: &str, path: &str) -> Result<Option<Object>, Failure> {
    let route = format!("/repos/{repository}/contents/{}", encoded(path.trim_matches('/')));
    let query: &[(&str, &str)] = if revision.is_empty() { &[] } else { &[("ref", revision)] };
    let found = absent(rest.get_with(&route, query))?;
    Ok(found.map(|facts| {
        let of = if facts.is_array() { "Tree" } else { "Blob" };
        Object::new(of, repository, facts)
    }))
}

/// What does not exist is null; an unknown revision is 422 to GitHub, an empty repository 409.
fn absent(answer: Result<Rc<Value>, Refusal>) -> Result<Option<Rc<Value>>, Failure> {
    match answer {
        Ok(facts) => Ok(Some(facts)),
        Err(refusal) if refusal.is_not_found() || matches!(refusal.status, 409 | 422) => Ok(None),
        Err(refusal) => Err(refusal.into()),
    }
}

pub(super) fn field(rest: &Rest, object: &Object, ask: &Ask) -> Result<Option<Resolved>, Failure> {
    if ask.field == "repository" {
        return repository_named(rest, &object.repository).map(|found| Some(Resolved::maybe(found)));
    }
    match object.of {
        "Commit" => of_commit(rest, object, ask),
        "Ref" => of_ref(rest, object, ask),
        "Tree" | "Blob" => of_contents(rest, object, ask),
        "GitActor" => of_author(object, ask),
        "StatusCheckRollup" | "Status" => of_statuses(object, ask),
        _ => Ok(of_check(object, ask)),
    }
}

fn of_commit(rest: &Rest, object: &Object, ask: &Ask) -> Result<Option<Resolved>, Failure> {
    let repository = &object.repository;
    let sha = object.text("/sha");
    let person = |role: &str| -> Result<Resolved, Failure> {
        let mut person = fact(rest, object, &format!("/commit/{role}"))?;
        person["user"] = fact(rest, object, &format!("/{role}"))?;
        Ok(Resolved::Object(Object::new("GitActor", repository, person)))
    };
    let resolved = match ask.field {
        "abbreviatedOid" => Resolved::value(short(sha)),
        "messageHeadline" | "messageBody" => {
            let message = fact(rest, object, "/commit/message")?;
            let (head, body) = message
                .as_str()
                .unwrap_or_default()
                .split_once('\n')
                .unwrap_or((message.as_str().unwrap_or_default(), ""));
            Resolved::value(if ask.field == "messageBody" { body.trim_start_matches('\n') } else { head })
        }
        "author" => person("author")?,
        "committer" => person("committer")?,
        "changedFilesIfAvailable" => Resolved::value(fact(rest, object, "/files")?.as_array().map(Vec::len)),
        "tree" => {
            let sha = fact(rest, object, "/commit/tree/sha")?;
            Resolved::Object(Object::new("Tree", repository, json!({ "sha": sha })))
        }
        "parents" => {
            let parents = fact(rest, object, "/parents")?;
            let parents = parents.as_array().cloned().unwrap_or_default();
            whole(
                "CommitConnection",
                ask,
                parents.into_iter().map(|facts| Object::new("Commit", repository, facts)).collect(),
            )?
        }
        "history" => history(rest, object, ask)?,
        "associatedPullRequests" => {
            List::new("PullRequestConnection", "PullRequest", object.route(&format!("/commits/{sha}/pulls")))
                .resolve(rest, ask, repository)?
        }
        "status" => match statuses(rest, object)? {
            statuses if statuses["statuses"].as_array().is_none_or(Vec::is_empty) => Resolved::NULL,
            statuses => Resolved::Object(Object::new("Status", repository, statuses)),
        },
        "statusCheckRollup" => rollup(rest, object)?,
        _ => return Ok(None),
    };
    Ok(Some(resolved))
}

fn short(sha: &str) -> &str {
    sha.get(..7).unwrap_or(sha)
}

fn history(rest: &Rest, object: &Object, ask: &Ask) -> Result<Resolved, Failure> {
    let mut list =
        List::new("CommitHistoryConnection", "Commit", object.route("/commits")).query("sha", object.text("/sha"));
    for name in ["since", "until", "path"] {
        if let Some(value) = ask.text(name) {
            list = list.query(name, value);
        }
    }
    let emails: Vec<&str> = ask
        .arguments
        .get("author")
        .and_then(|author| author["emails"].as_array())
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let keep =
        |commit: &Value| emails.is_empty() || emails.iter().any(|email| commit["commit"]["author"]["email"] == *email);
    list.keep(&keep).resolve(rest, ask, &object.repository)
}

fn statuses(rest: &Rest, object: &Object) -> Result<Value, Failure> {
    let found = rest.find(&object.route(&format!("/commits/{}/status", object.text("/sha"))))?;
    Ok(found.map_or(Value::Null, |found| (*found).clone()))
}

/// Statuses and checks of a commit together; null where there are none.
fn rollup(rest: &Rest, object: &Object) -> Result<Resolved, Failure> {
    let statuses = statuses(rest, object)?["statuses"].as_array().cloned().unwrap_or_default();
    let path = object.route(&format!("/commits/{}/check-runs", object.text("/sha")));
    let checks = match rest.list(&path, &[], Some("check_runs"), usize::MAX) {
        Ok((checks, _)) => checks,
        Err(refusal) if refusal.is_not_found() => Vec::new(),
        Err(refusal) => return Err(refusal.into()),
    };
    if statuses.is_empty() && checks.is_empty() {
        return Ok(Resolved::NULL);
    }
    let said = statuses.iter().map(|status| state_of_status(status["state"].as_str()));
    let state = combined(said.chain(checks.iter().map(state_of_check)));
    let facts = json!({ "state": state, "statuses": statuses, "checks": checks });
    Ok(Resolved::Object(Object::new("StatusCheckRollup", &object.repository, facts)))
}

fn state_of_status(state: Option<&str>) -> &'static str {
    match state {
        Some("success" | "warning") => "SUCCESS",
        Some("failure") => "FAILURE",
        Some("error") => "ERROR",
        _ => "PENDING",
    }
}

fn state_of_check(check: &Value) -> &'static str {
    match check["conclusion"].as_str() {
        Some("success" | "neutral" | "skipped") => "SUCCESS",
        Some(_) => "FAILURE",
        None => "PENDING",
    }
}

fn combined(states: impl Iterator<Item = &'static str>) -> &'static str {
    const WORST_FIRST: [&str; 4] = ["ERROR", "FAILURE", "PENDING", "SUCCESS"];
    let rank = |state: &str| WORST_FIRST.iter().position(|known| *known == state).unwrap_or(0);
    states.min_by_key(|state| rank(state)).unwrap_or("PENDING")
}

fn of_statuses(object: &Object, ask: &Ask) -> Result<Option<Resolved>, Failure> {
    let repository = &object.repository;
    let facts = object.rest();
    let all = |key: &str, of: &'static str| -> Vec<Object> {
        let list = facts[key].as_array().cloned().unwrap_or_default();
        list.into_iter().map(|facts| Object::new(of, repository, facts)).collect()
    };
    let resolved = match (object.of, ask.field) {
        ("StatusCheckRollup", "contexts") => {
            let mut contexts = all("checks", "CheckRun");
            contexts.extend(all("statuses", "StatusContext"));
            whole("StatusCheckRollupContextConnection", ask, contexts)?
        }
        ("Status", "contexts") => Resolved::Objects(all("statuses", "StatusContext").into_iter().map(Some).collect()),
        ("Status", "context") => {
            let name = ask.text("name").unwrap_or_default();
            Resolved::maybe(all("statuses", "StatusContext").into_iter().find(|status| status.text("/context") == name))
        }
        ("Status", "state") => {
            let each = facts["statuses"].as_array().into_iter().flatten();
            Resolved::value(combined(each.map(|status| state_of_status(status["state"].as_str()))))
        }
        _ => return Ok(None),
    };
    Ok(Some(resolved))
}

fn of_check(object: &Object, ask: &Ask) -> Option<Resolved> {
    let upper = |pointer: &str| match object.text(pointer) {
        "" => Resolved::NULL,
        text => Resolved::value(text.to_uppercase()),
    };
    Some(match (object.of, ask.field) {
        ("CheckRun", "status") => upper("/status"),
        ("CheckRun", "conclusion") => upper("/conclusion"),
        ("StatusContext", "state") => Resolved::value(state_of_status(Some(object.text("/state")))),
        ("StatusContext", "creator") => Resolved::maybe(actor(&object.repository, &object.rest()["creator"])),
        _ => return None,
    })
}

fn of_author(object: &Object, ask: &Ask) -> Result<Option<Resolved>, Failure> {
    let user = &object.rest()["user"];
    Ok(match ask.field {
        "user" => Some(Resolved::maybe(actor(&object.repository, user).map(|mut user| {
            user.of = "User";
            user
        }))),
        "avatarUrl" => Some(Resolved::value(user["avatar_url"].as_str().unwrap_or_default())),
        _ => None,
    })
}

fn of_ref(rest: &Rest, object: &Object, ask: &Ask) -> Result<Option<Resolved>, Failure> {
    let full = object.text("/ref");
    let (prefix, name) = ["refs/heads/", "refs/tags/"]
        .into_iter()
        .find_map(|prefix| Some((prefix, full.strip_prefix(prefix)?)))
        .unwrap_or_else(|| ("refs/", full.strip_prefix("refs/").unwrap_or(full)));
    Ok(Some(match ask.field {
        "name" => Resolved::value(name),
        "prefix" => Resolved::value(prefix),
        "target" => Resolved::maybe(target(rest, object, ask)?),
        "associatedPullRequests" => {
            let repository = Object::new("Repository", &object.repository, Value::Null);
            super::pull_request::of_branch(rest, &repository, ask, name)?
        }
        _ => return Ok(None),
    }))
}

/// The commit that a ref points to. Where only its id is asked for, nothing is looked up.
fn target(rest: &Rest, object: &Object, ask: &Ask) -> Result<Option<Object>, Failure> {
    let sha = object.text("/object/sha");
    let only_id = ask.wants.iter().all(|name| matches!(name.as_str(), "oid" | "abbreviatedOid" | "__typename"));
    if only_id && object.text("/object/type") == "commit" {
        return Ok(Some(Object::new("Commit", &object.repository, json!({ "sha": sha }))));
    }
    commit(rest, &object.repository, sha)
}

fn of_contents(rest: &Rest, object: &Object, ask: &Ask) -> Result<Option<Resolved>, Failure> {
    let facts = object.rest();
    let bytes = || STANDARD.decode(object.text("/content").replace(['\n', '\r'], "")).unwrap_or_default();
    Ok(Some(match (object.of, ask.field) {
        (_, "oid") => Resolved::value(object.text("/sha")),
        (_, "abbreviatedOid") => Resolved::value(short(object.text("/sha"))),
        ("Blob", "byteSize") => Resolved::value(facts["size"].as_u64().unwrap_or_default()),
        ("Blob", "isBinary") => Resolved::value(std::str::from_utf8(&bytes()).is_err()),
        ("Blob", "text") => String::from_utf8(bytes()).map_or(Resolved::NULL, Resolved::value),
        ("Tree", "entries") => {
            let list = match facts.as_array() {
                Some(entries) => entries.clone(),
                None => {
                    let tree =
                        rest.get(&object.route(&format!("/git/trees/{}", encoded_segment(object.text("/sha")))))?;
                    tree["tree"].as_array().cloned().unwrap_or_default()
                }
            };
            Resolved::Objects(list.iter().map(|entry| Some(tree_entry(object, entry))).collect())
        }
        _ => return Ok(None),
    }))
}

fn tree_entry(object: &Object, entry: &Value) -> Object {
    let path = entry["path"].as_str().unwrap_or_default();
    let (of, mode) = match entry["type"].as_str() {
        Some("dir" | "tree") => ("tree", 0o40_000),
        Some("submodule" | "commit") => ("commit", 0o160_000),
        Some("symlink") => ("blob", 0o120_000),
        _ => ("blob", 0o100_644),
    };
    let written = entry["mode"].as_str().and_then(|mode| u32::from_str_radix(mode, 8).ok());
    let facts = json!({
        "name": path.rsplit('/').next(),
        "path": path,
        "oid": entry["sha"],
        "type": of,
        "mode": written.unwrap_or(mode),
        "size": entry["size"].as_u64().unwrap_or_default(),
    });
    Object::new("TreeEntry", &object.repository, facts)
}
