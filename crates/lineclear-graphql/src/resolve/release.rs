//! Releases.

use std::rc::Rc;

use serde_json::Value;

use super::{Ask, List, actor, commit, repository_named};
use crate::connection::{connection, whole};
use crate::failure::Failure;
use crate::object::{Object, Resolved};
use crate::rest::Rest;

/// The release that the forge calls latest; `None` where there is none.
pub(super) fn latest(rest: &Rest, repository: &Rc<str>) -> Result<Option<Object>, Failure> {
    let found = rest.find(&format!("/repos/{repository}/releases/latest"))?;
    Ok(found.map(|facts| Object::new("Release", repository, facts)))
}

pub(super) fn releases(rest: &Rest, object: &Object, ask: &Ask) -> Result<Resolved, Failure> {
    let (of, node, path) = ("ReleaseConnection", "Release", object.route("/releases"));
    let Some((field, direction)) = ask.order() else {
        return List::new(of, node, path).resolve(rest, ask, &object.repository);
    };
    // REST knows one order, newest first.
    connection(of, ask, |enough| {
        let newest_first = field == "CREATED_AT" && direction == "DESC";
        let (mut items, complete) = rest.list(&path, &[], None, if newest_first { enough } else { usize::MAX })?;
        let key = if field == "NAME" { "name" } else { "created_at" };
        let text = |release: &Value| release[key].as_str().unwrap_or_default().to_owned();
        if !newest_first {
            items.sort_by_key(text);
            if direction == "DESC" {
                items.reverse();
            }
        }
        Ok((items.into_iter().map(|facts| Object::new(node, &object.repository, facts)).collect(), complete))
    })
}

pub(super) fn field(rest: &Rest, object: &Object, ask: &Ask) -> Result<Option<Resolved>, Failure> {
    let repository = &object.repository;
    let facts = object.rest();
    Ok(Some(match ask.field {
        "author" => Resolved::maybe(actor(repository, &facts["author"]).map(|mut author| {
            author.of = "User";
            author
        })),
        // GitHub tells no time of change over REST.
        "updatedAt" => {
            let dates = ["updated_at", "published_at", "created_at"].map(|name| facts[name].clone());
            Resolved::Value(dates.into_iter().find(Value::is_string).unwrap_or(Value::Null))
        }
        "isLatest" => {
            let latest = latest(rest, repository)?;
            Resolved::value(latest.is_some_and(|latest| latest.rest()["id"] == facts["id"]))
        }
        "tag" => Resolved::maybe(commit::reference(rest, repository, &format!("tags/{}", object.text("/tag_name")))?),
        "tagCommit" => {
            let tag = super::encoded(object.text("/tag_name"));
            let found = rest.find(&object.route(&format!("/commits/{tag}")))?;
            Resolved::maybe(found.map(|facts| Object::new("Commit", repository, facts)))
        }
        "releaseAssets" => {
            let name = ask.text("name");
            let assets = facts["assets"].as_array().cloned().unwrap_or_default().into_iter();
            let assets = assets.filter(|asset| name.is_none_or(|name| asset["name"] == name));
            whole(
                "ReleaseAssetConnection",
                ask,
                assets.map(|asset| Object::new("ReleaseAsset", repository, asset)).collect(),
            )?
        }
        "repository" => Resolved::maybe(repository_named(rest, repository)?),
        _ => return Ok(None),
    }))
}
