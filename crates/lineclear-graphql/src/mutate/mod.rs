//! Changes, made over REST, so that a job's `permissions:` hold for them as for any other call.

mod comment;
mod commit;
mod issue;
mod pull_request;

use std::collections::BTreeMap;
use std::rc::Rc;

use lineclear_forge::{NodeId, NodeKind};
use serde_json::Value;

use crate::failure::Failure;
use crate::node;
use crate::object::{Facts, Object, Resolved};
use crate::resolve::Ask;
use crate::rest::Rest;
use crate::schema::schema;

/// What a mutation is given, with the forge it acts on.
pub(crate) struct Change<'c> {
    rest: &'c Rest<'c>,
    input: &'c Value,
}

type Fields = Vec<(&'static str, Resolved)>;

/// Carries out one mutation.
pub(crate) fn mutate(rest: &Rest, ask: &Ask) -> Result<Resolved, Failure> {
    let input = ask.arguments.get("input").unwrap_or(&Value::Null);
    let change = Change { rest, input };
    let fields = match ask.field {
        "addComment" => comment::add(&change),
        "updateIssueComment" => comment::update(&change),
        "deleteIssueComment" => comment::delete(&change),
        "minimizeComment" => comment::minimize(&change),
        "unminimizeComment" => comment::unminimize(&change),
        "addReaction" => comment::react(&change),
        "addLabelsToLabelable" => issue::add_labels(&change),
        "removeLabelsFromLabelable" => issue::remove_labels(&change),
        "createIssue" => issue::create(&change),
        "updateIssue" => issue::update(&change),
        "closeIssue" => issue::close(&change),
        "reopenIssue" => issue::reopen(&change),
        "updatePullRequest" => pull_request::update(&change),
        "closePullRequest" => pull_request::set_state(&change, "closed"),
        "reopenPullRequest" => pull_request::set_state(&change, "open"),
        "convertPullRequestToDraft" => pull_request::set_draft(&change, true),
        "markPullRequestReadyForReview" => pull_request::set_draft(&change, false),
        "enablePullRequestAutoMerge" => pull_request::refuse_auto_merge(&change),
        "createCommitOnBranch" => commit::create(&change),
        other => Err(Failure::unprocessable(format!("`{other}` is not offered."))),
    }?;
    let mut payload: BTreeMap<&'static str, Resolved> = fields.into_iter().collect();
    payload.insert("clientMutationId", Resolved::value(input["clientMutationId"].clone()));
    let of = schema().field("Mutation", ask.field).map_or("", |definition| definition.of.name());
    Ok(Resolved::Object(Object { of, repository: Rc::from(""), facts: Facts::Payload(Rc::new(payload)) }))
}

impl Change<'_> {
    fn text(&self, name: &str) -> &str {
        self.input[name].as_str().unwrap_or_default()
    }

    /// The object whose id the input's field `name` gives, of one of the types.
    fn subject(&self, name: &str, types: &[&str]) -> Result<Object, Failure> {
        let id = self.text(name);
        let object = node::load(self.rest, id)?;
        if types.contains(&object.of) {
            Ok(object)
        } else {
            let message = format!(
                "Could not resolve to {} node with the global id of '{id}': it is of type {}.",
                types.join(" or "),
                object.of
            );
            Err(Failure::not_found(message))
        }
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> Result<Value, Failure> {
        self.rest.send(method, path, body).map_err(Failure::from)
    }

    /// Names of the labels whose ids are given.
    fn labels(&self, name: &str) -> Result<Option<Vec<String>>, Failure> {
        let Some(ids) = self.input[name].as_array() else { return Ok(None) };
        let label = |id: &Value| -> Result<String, Failure> {
            let id = id.as_str().unwrap_or_default();
            let label = node::load(self.rest, id)?;
            if label.of != "Label" {
                return Err(Failure::not_found(format!(
                    "Could not resolve to Label node with the global id of '{id}'."
                )));
            }
            Ok(label.text("/name").to_owned())
        };
        ids.iter().map(label).collect::<Result<_, _>>().map(Some)
    }

    /// Logins of the users whose ids are given.
    fn logins(&self, name: &str) -> Result<Option<Vec<String>>, Failure> {
        let Some(ids) = self.input[name].as_array() else { return Ok(None) };
        let login = |id: &Value| -> Result<String, Failure> {
            let id = id.as_str().unwrap_or_default();
            let known = self.rest.memory.find(id).map(|place| place.node).or_else(|| id.parse::<NodeId>().ok());
            let known = known.filter(|node| matches!(node.kind, NodeKind::User | NodeKind::Bot));
            known.map(|node| node.key).ok_or_else(|| {
                Failure::not_found(format!("Could not resolve to User node with the global id of '{id}'."))
            })
        };
        ids.iter().map(login).collect::<Result<_, _>>().map(Some)
    }
}
