//! Node ids: given out, and read back to the thing they name.

use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lineclear_forge::{NodeId, NodeKind};
use serde_json::Value;

use crate::failure::Failure;
use crate::memory::Place;
use crate::object::Object;
use crate::resolve::{issue_like, pull_request, reference, repository_named};
use crate::rest::Rest;

/// Issues looked through for an id that says nothing, newest change first.
const MAX_SEARCHED: usize = 300;

/// The id of an object: the forge's own, or one made here where it has none.
pub(crate) fn id(rest: &Rest, object: &Object) -> Result<String, Failure> {
    let Some((kind, key)) = kind_and_key(object) else {
        return Err(Failure::new("INTERNAL", format!("A {} has no id here.", object.of)));
    };
    let made = NodeId::named(kind, &key).to_string();
    let own = match object.rest()["node_id"].as_str() {
        Some(own) if !own.is_empty() => own,
        _ => return Ok(made),
    };
    if own != made {
        rest.memory.remember(own, &object.repository, kind, &key);
    }
    Ok(own.to_owned())
}

fn kind_and_key(object: &Object) -> Option<(NodeKind, String)> {
    let number = |name: &str| object.rest()[name].as_u64().map(|number| number.to_string());
    let text = |name: &str| object.rest()[name].as_str().map(str::to_owned);
    Some(match object.of {
        "Issue" => (NodeKind::Issue, number("number")?),
        "PullRequest" => (NodeKind::PullRequest, number("number")?),
        "IssueComment" => (NodeKind::IssueComment, number("id")?),
        "Repository" => (NodeKind::Repository, object.repository.to_string()),
        "Label" => (NodeKind::Label, number("id")?),
        "Milestone" => (NodeKind::Milestone, number("number")?),
        "User" => (NodeKind::User, text("login")?),
        "Bot" => (NodeKind::Bot, text("login")?),
        "Organization" => (NodeKind::Organization, text("login")?),
        "Commit" => (NodeKind::Commit, text("sha")?),
        "Tree" => (NodeKind::Tree, text("sha")?),
        "Blob" => (NodeKind::Blob, text("sha")?),
        "Ref" => (NodeKind::Ref, text("ref")?),
        "Release" => (NodeKind::Release, number("id")?),
        "ReleaseAsset" => (NodeKind::Asset, number("id")?),
        "PullRequestReview" => (NodeKind::Review, number("id")?),
        "CheckRun" => (NodeKind::CheckRun, number("id")?),
        "StatusContext" => (NodeKind::Status, number("id")?),
        "Reaction" => (NodeKind::Reaction, number("id")?),
        _ => return None,
    })
}

fn unknown(id: &str) -> Failure {
    let shown: String = id.chars().take(100).collect();
    Failure::not_found(format!("Could not resolve to a node with the global id of '{shown}'"))
}

/// The object with an id.
///
/// # Errors
/// `NOT_FOUND`, worded as GitHub does, where no such thing is in reach; the forge's refusal where it may not be read.
pub(crate) fn load(rest: &Rest, id: &str) -> Result<Object, Failure> {
    let own = || Rc::<str>::from(rest.caller.repository.as_str());
    if let Some(Place { repository, node }) = rest.memory.find(id) {
        return at(rest, &Rc::from(repository), &node)?.ok_or_else(|| unknown(id));
    }
    if let Ok(node) = id.parse::<NodeId>() {
        return at(rest, &own(), &node)?.ok_or_else(|| unknown(id));
    }
    foreign(rest, &own(), id)?.ok_or_else(|| unknown(id))
}

fn at(rest: &Rest, repository: &Rc<str>, node: &NodeId) -> Result<Option<Object>, Failure> {
    let below = |route: &str| format!("/repos/{repository}{route}");
    let (of, path) = match (node.kind, node.number()) {
        (NodeKind::PullRequest, Some(number)) => return pull_request(rest, repository, number),
        (NodeKind::Issue, Some(number)) => {
            return Ok(issue_like(rest, repository, number)?.filter(|found| found.of == "Issue"));
        }
        (NodeKind::Label, Some(number)) => {
            let (labels, _) = rest.list(&below("/labels"), &[], None, usize::MAX)?;
            let found = labels.into_iter().find(|label| label["id"] == number);
            return Ok(found.map(|facts| Object::new("Label", repository, facts)));
        }
        (NodeKind::Repository, _) => return repository_named(rest, &node.key),
        (NodeKind::Ref, _) => return reference(rest, repository, &node.key),
        (NodeKind::IssueComment, Some(number)) => ("IssueComment", below(&format!("/issues/comments/{number}"))),
        (NodeKind::Release, Some(number)) => ("Release", below(&format!("/releases/{number}"))),
        (NodeKind::Asset, Some(number)) => ("ReleaseAsset", below(&format!("/releases/assets/{number}"))),
        (NodeKind::CheckRun, Some(number)) => ("CheckRun", below(&format!("/check-runs/{number}"))),
        (NodeKind::Milestone, Some(number)) => ("Milestone", below(&format!("/milestones/{number}"))),
        (NodeKind::Commit, _) if is_object_id(&node.key) => ("Commit", below(&format!("/commits/{}", node.key))),
        (NodeKind::User, _) => ("User", format!("/users/{}", crate::resolve::encoded_segment(&node.key))),
        _ => return Ok(None),
    };
    Ok(rest.find(&path)?.map(|facts| Object::new(of, repository, facts)))
}

fn is_object_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.chars().all(|c| c.is_ascii_hexdigit())
}

/// An id in the forge's own form that was never shown here, as from an event's payload.
fn foreign(rest: &Rest, repository: &Rc<str>, id: &str) -> Result<Option<Object>, Failure> {
    if id.is_empty() || id.len() > 200 {
        return Ok(None);
    }
    if let Some(number) = id.strip_prefix("IC_").and_then(last_number) {
        let found = at(rest, repository, &NodeId::new(NodeKind::IssueComment, number))?;
        return Ok(found.filter(|found| found.rest()["node_id"] == id));
    }
    let path = format!("/repos/{repository}/issues");
    let (issues, _) =
        rest.list(&path, &[("state", "all"), ("sort", "updated"), ("direction", "desc")], None, MAX_SEARCHED)?;
    let found = issues.iter().find(|issue| issue["node_id"] == id).and_then(|issue| issue["number"].as_u64());
    match found {
        Some(number) => issue_like(rest, repository, number),
        None => {
            let (labels, _) = rest.list(&format!("/repos/{repository}/labels"), &[], None, MAX_SEARCHED)?;
            let found = labels.into_iter().find(|label| label["node_id"] == id);
            let own = rest.get(&format!("/repos/{repository}"))?;
            let of_repository = (own["node_id"] == id).then(|| Object::new("Repository", repository, own));
            Ok(found.map(|facts: Value| Object::new("Label", repository, facts)).or(of_repository))
        }
    }
}

/// GitHub's ids since 2021 are a MessagePack list of numbers, of which the last is the thing's id.
fn last_number(encoded: &str) -> Option<u64> {
    let bytes = URL_SAFE_NO_PAD.decode(encoded.trim_end_matches('=')).ok()?;
    let (head, mut rest) = bytes.split_first()?;
    let count = if head & 0xf0 == 0x90 { head & 0x0f } else { return None };
    let mut last = None;
    for _ in 0..count {
        let (marker, after) = rest.split_first()?;
        let width = match marker {
            0x00..=0x7f => 0,
            0xcc => 1,
            0xcd => 2,
            0xce => 4,
            0xcf => 8,
            _ => return None,
        };
        let digits = after.get(..width)?;
        let value = digits.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        last = Some(if width == 0 { u64::from(*marker) } else { value });
        rest = &after[width..];
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_in_an_id_of_github_is_read() {
        let id = URL_SAFE_NO_PAD.encode([0x93, 0x00, 0xce, 0x01, 0x02, 0x03, 0x04, 0xce, 0x0a, 0x0b, 0x0c, 0x0d]);
        assert_eq!(last_number(&id), Some(0x0a0b_0c0d));
        for text in ["", "kw", "k", "kwDO", "////", "AAAA"] {
            assert_eq!(last_number(text), None, "{text}");
        }
    }
}
