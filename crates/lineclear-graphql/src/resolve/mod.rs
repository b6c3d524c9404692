//! What each field is, found by asking the REST API.
//!
//! Start at [`resolve`]. Most fields stand in REST's answer under another name: [`plain`] has these. The rest is looked up by
//! the type's own module.

mod actor;
mod commit;
mod conversation;
mod plain;
mod pull_request;
mod query;
mod release;
mod repository;
mod search;

use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::{Map, Value};

pub(crate) use actor::actor;
pub(crate) use commit::reference;
pub(crate) use conversation::{REACTIONS, is_minimized};
pub(crate) use query::{APP, is_viewer};
pub(crate) use repository::{issue_like, pull_request, repository_named};

use crate::connection::{connection, edge_field, page_field};
use crate::failure::Failure;
use crate::node;
use crate::object::{Facts, Object, Resolved};
use crate::rest::Rest;

/// What is asked of a field.
#[derive(Debug)]
pub(crate) struct Ask<'q> {
    pub(crate) field: &'q str,
    /// By name; what was left out and has no default is missing.
    pub(crate) arguments: Map<String, Value>,
    /// The fields asked of the answer.
    pub(crate) wants: BTreeSet<String>,
}

impl Ask<'_> {
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.arguments.get(name).and_then(Value::as_str)
    }

    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.arguments.get(name).and_then(Value::as_i64)
    }

    pub(crate) fn texts(&self, name: &str) -> Option<Vec<&str>> {
        let list = self.arguments.get(name)?.as_array()?;
        Some(list.iter().filter_map(Value::as_str).collect())
    }

    /// An order's `field` and `direction`.
    pub(crate) fn order(&self) -> Option<(&str, &str)> {
        let order = self.arguments.get("orderBy")?;
        Some((order["field"].as_str()?, order["direction"].as_str()?))
    }
}

/// What `ask` is of `object`.
pub(crate) fn resolve(rest: &Rest, object: &Object, ask: &Ask) -> Result<Resolved, Failure> {
    match &object.facts {
        Facts::Page(page) => return Ok(page_field(page, edge_name(object.of), ask.field)),
        Facts::Edge(page, index) => return Ok(edge_field(page, *index, ask.field)),
        Facts::Payload(fields) => return Ok(fields.get(ask.field).cloned().unwrap_or(Resolved::NULL)),
        Facts::Rest(_) => {}
    }
    if ask.field == "id" {
        return node::id(rest, object).map(Resolved::value);
    }
    let special = match object.of {
        "Query" => query::field(rest, ask),
        "Repository" => repository::field(rest, object, ask),
        "PullRequest" => pull_request::field(rest, object, ask),
        "Issue" | "IssueComment" => conversation::field(rest, object, ask),
        "Commit" | "Ref" | "Tree" | "Blob" | "GitActor" | "StatusCheckRollup" | "Status" | "StatusContext"
        | "CheckRun" => commit::field(rest, object, ask),
        "Release" => release::field(rest, object, ask),
        "User" | "Bot" | "Organization" => Ok(actor::field(object, ask)),
        "PullRequestCommit" | "PullRequestReview" | "PullRequestChangedFile" | "ReviewRequest" => {
            pull_request::part(object, ask)
        }
        "Reaction" => Ok(conversation::reaction(object, ask)),
        _ => Ok(None),
    }?;
    match special {
        Some(resolved) => Ok(resolved),
        None => plain::field(rest, object, ask.field).map(Resolved::Value),
    }
}

/// The edges of a connection are of the type named alike.
fn edge_name(connection: &'static str) -> &'static str {
    crate::schema::schema().edge_of(connection)
}

/// A field of what REST says, loading the whole object where a list told only a part of it.
pub(crate) fn fact(rest: &Rest, object: &Object, pointer: &str) -> Result<Value, Failure> {
    let first = pointer.split('/').nth(1).unwrap_or_default();
    if let Some(value) = object.rest().pointer(pointer) {
        return Ok(value.clone());
    }
    if object.rest().get(first).is_some_and(Value::is_null) {
        return Ok(Value::Null);
    }
    match whole_route(object) {
        Some(route) => Ok(rest.get(&route)?.pointer(pointer).cloned().unwrap_or(Value::Null)),
        None => Ok(Value::Null),
    }
}

fn whole_route(object: &Object) -> Option<String> {
    Some(match object.of {
        "Repository" => object.route(""),
        "PullRequest" => object.route(&format!("/pulls/{}", object.number())),
        "Issue" => object.route(&format!("/issues/{}", object.number())),
        "Commit" => object.route(&format!("/commits/{}", object.text("/sha"))),
        _ => return None,
    })
}

/// A connection over a list of the REST API.
pub(crate) struct List<'l> {
    pub(crate) of: &'static str,
    pub(crate) node: &'static str,
    pub(crate) path: String,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) keep: &'l dyn Fn(&Value) -> bool,
}

impl<'l> List<'l> {
    pub(crate) fn new(of: &'static str, node: &'static str, path: String) -> Self {
        Self { of, node, path, query: Vec::new(), keep: &|_| true }
    }

    pub(crate) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    pub(crate) fn keep(mut self, keep: &'l dyn Fn(&Value) -> bool) -> Self {
        self.keep = keep;
        self
    }

    pub(crate) fn resolve(self, rest: &Rest, ask: &Ask, repository: &Rc<str>) -> Result<Resolved, Failure> {
        let objects = |value: Value| Object::new(self.node, repository, value);
        connection(self.of, ask, |enough| {
            let query: Vec<(&str, &str)> = self.query.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let mut wanted = enough;
            loop {
                let (items, complete) = rest.list(&self.path, &query, None, wanted)?;
                let read = items.len();
                let kept: Vec<Object> = items.into_iter().filter(|item| (self.keep)(item)).map(objects).collect();
                // Items were left out: read on until there are enough.
                if complete || kept.len() >= enough {
                    return Ok((kept, complete));
                }
                wanted = read.saturating_add(1);
            }
        })
    }
}

/// Percent-encodes a name for a path of REST; slashes stay.
pub(crate) fn encoded(name: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');
    utf8_percent_encode(name, NAME).to_string()
}

/// As [`encoded`], with slashes encoded too.
pub(crate) fn encoded_segment(name: &str) -> String {
    encoded(name).replace('/', "%2F")
}
