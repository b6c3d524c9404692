//! What a payload that was given says of its event: reference, commit, branches, and what to compare.

use serde_json::Value;

use super::changes::Comparison;
use super::checkout::{Checkout, is_object_id, is_zero, short};
use super::git;
use super::known::Place;

/// Reference and commit of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) reference: String,
    pub(super) sha: String,
    pub(super) base_ref: String,
    pub(super) head_ref: String,
}

/// Reads a payload. What it leaves open comes from what is checked out.
pub(super) fn read(place: Place, payload: &Value, checkout: &Checkout, default_branch: &str, head: &str) -> Told {
    let text = |pointer: &str| payload.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    let sha = |pointer: &str| text(pointer).filter(|sha| is_object_id(sha) && !is_zero(sha)).map(str::to_owned);
    let default_ref = format!("refs/heads/{default_branch}");
    let default_sha = || checkout.tip(default_branch).unwrap_or_else(|| head.to_owned());
    let here = || match checkout.branch() {
        Some(branch) => format!("refs/heads/{branch}"),
        None => default_ref.clone(),
    };
    let mut told = Told::default();
    match place {
        Place::Pushed => {
            told.reference = text("/ref").map_or_else(here, |name| full(name, checkout));
            told.sha = sha("/after").or_else(|| sha("/head_commit/id")).unwrap_or_else(|| head.to_owned());
        }
        Place::PullRequest | Place::PullRequestTarget => {
            told.base_ref = text("/pull_request/base/ref").unwrap_or(default_branch).to_owned();
            told.head_ref = text("/pull_request/head/ref")
                .map_or_else(|| checkout.branch().unwrap_or_default().to_owned(), str::to_owned);
            let number =
                payload.get("number").or_else(|| payload.pointer("/pull_request/number")).and_then(Value::as_u64);
            let merged = payload.pointer("/pull_request/merged").and_then(Value::as_bool).unwrap_or(false);
            let merge = sha("/pull_request/merge_commit_sha");
            let head_sha = sha("/pull_request/head/sha");
            (told.reference, told.sha) = if place == Place::PullRequestTarget {
                (
                    default_ref,
                    checkout
                        .tip(default_branch)
                        .or_else(|| sha("/pull_request/base/sha"))
                        .unwrap_or_else(|| head.to_owned()),
                )
            } else if merged && text("/action") == Some("closed") {
                (format!("refs/heads/{}", told.base_ref), merge.or(head_sha).unwrap_or_else(|| head.to_owned()))
            } else {
                let known = merge.filter(|sha| resolve(checkout, sha).is_some());
                let sha = known.or(head_sha).unwrap_or_else(|| head.to_owned());
                (format!("refs/pull/{}/merge", number.unwrap_or(1)), sha)
            };
        }
        Place::Chosen => {
            told.reference = text("/ref").map_or_else(here, |name| full(name, checkout));
            told.sha = resolve(checkout, &told.reference).unwrap_or_else(|| head.to_owned());
        }
        Place::Release => {
            let tag = text("/release/tag_name").unwrap_or("v0.0.0");
            told.reference = format!("refs/tags/{tag}");
            told.sha = resolve(checkout, &told.reference).unwrap_or_else(|| head.to_owned());
        }
        Place::Created => {
            let folder = if text("/ref_type") == Some("tag") { "refs/tags/" } else { "refs/heads/" };
            told.reference = match text("/ref") {
                Some(name) if name.starts_with("refs/") => name.to_owned(),
                Some(name) => format!("{folder}{name}"),
                None => here(),
            };
            told.sha = resolve(checkout, &told.reference).unwrap_or_else(|| head.to_owned());
        }
        Place::Deployed => {
            told.sha = sha("/deployment/sha").unwrap_or_else(|| head.to_owned());
            told.reference = match text("/deployment/ref") {
                // Made from a commit: then there is no reference.
                Some(name) if is_object_id(name) => String::new(),
                Some(name) => full(name, checkout),
                None => String::new(),
            };
        }
        Place::MergeGroup => {
            told.reference = text("/merge_group/head_ref").map_or_else(here, str::to_owned);
            told.sha = sha("/merge_group/head_sha").unwrap_or_else(|| head.to_owned());
            let base = text("/merge_group/base_ref").unwrap_or(&default_ref);
            told.base_ref = base.strip_prefix("refs/heads/").unwrap_or(base).to_owned();
        }
        Place::DefaultBranch => {
            let branch = text("/branch").filter(|_| payload.get("client_payload").is_some());
            told.reference = branch.map_or(default_ref, |branch| format!("refs/heads/{branch}"));
            told.sha = match branch {
                Some(branch) => checkout.tip(branch).unwrap_or_else(|| head.to_owned()),
                None => default_sha(),
            };
        }
    }
    told
}

/// What the event of a payload has to be compared with, for path filters.
pub(super) fn comparison(
    place: Place,
    payload: &Value,
    told: &Told,
    checkout: &Checkout,
    default_branch: &str,
) -> Comparison {
    let sha = |pointer: &str| {
        let text = payload.pointer(pointer).and_then(Value::as_str);
        text.filter(|sha| is_object_id(sha)).map(str::to_owned)
    };
    if checkout.repository.is_none() {
        return Comparison::Unknown { reason: "this folder is in no git repository".into() };
    }
    match place {
        Place::PullRequest | Place::PullRequestTarget => {
            let head = sha("/pull_request/head/sha").or_else(|| checkout.head_commit());
            let base = sha("/pull_request/base/sha").or_else(|| checkout.tip(&told.base_ref));
            match (base, head) {
                (Some(base), Some(head)) => Comparison::SinceFork { base, head },
                _ => Comparison::Unknown { reason: "the payload names no base commit".into() },
            }
        }
        _ => {
            let head = told.sha.clone();
            match sha("/before") {
                Some(before) if !is_zero(&before) => Comparison::Commits { base: before, head },
                _ => new_branch(payload, head, checkout, default_branch),
            }
        }
    }
}

/// A branch that was just made is compared with what its first own commit came after.
fn new_branch(payload: &Value, head: String, checkout: &Checkout, default_branch: &str) -> Comparison {
    let first = payload.pointer("/commits/0/id").and_then(Value::as_str).filter(|id| is_object_id(id));
    let start = match first {
        Some(first) => first,
        None => {
            let is_default =
                payload.get("ref").and_then(Value::as_str) == Some(&format!("refs/heads/{default_branch}"));
            match checkout.tip(default_branch) {
                Some(base) if !is_default && base != head => return Comparison::SinceFork { base, head },
                _ => head.as_str(),
            }
        }
    };
    match (resolve(checkout, &format!("{start}^")), resolve(checkout, start)) {
        (Some(parent), _) => Comparison::Commits { base: parent, head },
        (None, Some(commit)) if checkout.is_cut_at(&commit) => {
            Comparison::Unknown { reason: "the clone is shallow, and the commit before is not in it".into() }
        }
        // The first commit of all.
        (None, Some(_)) => Comparison::Commits { base: "0".repeat(head.len()), head },
        (None, None) => Comparison::Unknown { reason: format!("commit {} is not in this repository", short(start)) },
    }
}

/// The files that a push's commits list themselves, as webhooks have them and events of a run have not.
pub(super) fn listed(payload: &Value) -> Option<Vec<String>> {
    let commits = payload.get("commits")?.as_array()?;
    let lists = || {
        commits
            .iter()
            .flat_map(|commit| ["added", "modified", "removed"].map(|key| commit.get(key)))
            .flatten()
            .filter_map(Value::as_array)
    };
    lists().next()?;
    let mut paths: Vec<String> = lists().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    paths.sort();
    paths.dedup();
    Some(paths)
}

/// The full name of a reference that may be given by its short one.
pub(super) fn full(name: &str, checkout: &Checkout) -> String {
    if name.starts_with("refs/") {
        return name.to_owned();
    }
    let tag = format!("refs/tags/{name}");
    match checkout.tip(name) {
        None if checkout.commit(&tag).is_some() => tag,
        _ => format!("refs/heads/{name}"),
    }
}

/// The commit that a revision means, if it is in the repository.
pub(super) fn resolve(checkout: &Checkout, revision: &str) -> Option<String> {
    checkout.repository.as_ref()?;
    let wanted = format!("{revision}^{{commit}}");
    let output =
        git::run(&checkout.root, &["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted], &[]).ok()?;
    let id = String::from_utf8_lossy(&output).lines().last().unwrap_or_default().trim().to_owned();
    is_object_id(&id).then_some(id)
}
