//! `github.event`: what comes with the events that start a workflow.

use lineclear_workflow::{Triggers, Workflow};

use super::{Origin, Property, Type, inputs};

/// What every payload may have.
const EVERYWHERE: &[&str] = &["action", "enterprise", "installation", "organization", "repository", "sender"];

/// The names at the top of each event's payload, and of the runs it starts.
///
/// An event that is not listed may have any.
///
/// # Source
/// "Webhook events and payloads" of GitHub's documentation; for `schedule` and `workflow_dispatch`, which are no webhooks or have more
/// than theirs, what runs show.
const PAYLOADS: &[(&str, &[&str])] = &[
    ("branch_protection_rule", &["rule", "changes"]),
    ("check_run", &["check_run", "requested_action"]),
    ("check_suite", &["check_suite", "actions_meta"]),
    ("create", &["ref", "ref_type", "master_branch", "description", "pusher_type"]),
    ("delete", &["ref", "ref_type", "pusher_type"]),
    ("deployment", &["deployment", "workflow", "workflow_run"]),
    ("deployment_status", &["deployment_status", "deployment", "check_run", "workflow", "workflow_run"]),
    ("fork", &["forkee"]),
    ("gollum", &["pages"]),
    ("issue_comment", &["issue", "comment", "changes"]),
    ("issues", &["issue", "assignee", "label", "milestone", "changes", "type", "issue_field", "issue_field_value"]),
    ("label", &["label", "changes"]),
    ("merge_group", &["merge_group", "reason"]),
    ("milestone", &["milestone", "changes"]),
    ("page_build", &["build", "id"]),
    ("public", &[]),
    ("pull_request", PULL_REQUEST),
    ("pull_request_target", PULL_REQUEST),
    ("pull_request_review", &["pull_request", "review", "changes"]),
    ("pull_request_review_comment", &["pull_request", "comment", "changes"]),
    (
        "push",
        &[
            "after",
            "base_ref",
            "before",
            "commits",
            "compare",
            "created",
            "deleted",
            "forced",
            "head_commit",
            "pusher",
            "ref",
        ],
    ),
    ("release", &["release", "changes"]),
    ("repository_dispatch", &["branch", "client_payload"]),
    ("schedule", &["schedule", "workflow"]),
    (
        "status",
        &[
            "avatar_url",
            "branches",
            "commit",
            "context",
            "created_at",
            "description",
            "id",
            "name",
            "sha",
            "state",
            "target_url",
            "updated_at",
        ],
    ),
    ("watch", &[]),
    ("workflow_dispatch", &["inputs", "ref", "workflow"]),
    ("workflow_run", &["workflow_run", "workflow"]),
];

const PULL_REQUEST: &[&str] = &[
    "pull_request",
    "number",
    "changes",
    "label",
    "assignee",
    "milestone",
    "requested_reviewer",
    "requested_team",
    "before",
    "after",
    "reason",
    "stack",
];

/// Whether only the events that are listed start it: a called workflow sees its caller's event.
pub(super) fn is_certain(triggers: &Triggers) -> bool {
    !triggers.events.is_empty() && triggers.events.iter().all(|trigger| payload(&trigger.event.value).is_some())
}

/// Whether a run may be that of a pull request: one of its own events, or the caller's.
pub(super) fn may_be_pull_request(triggers: &Triggers) -> bool {
    let is_one = |event: &str| event.starts_with("pull_request") || event == "merge_group";
    !is_certain(triggers) || triggers.events.iter().any(|trigger| is_one(&trigger.event.value))
}

/// `github.event` of a workflow.
pub(super) fn event(workflow: &Workflow) -> Type {
    let mut properties = Vec::new();
    for trigger in &workflow.on.events {
        if trigger.event.value == "workflow_dispatch" {
            let is_called = workflow.on.get("workflow_call").is_some();
            properties.push(Property::new("inputs", inputs::of_event(trigger, is_called)));
        }
    }
    if !is_certain(&workflow.on) {
        return Type::open(Origin::Event, properties, Type::Any);
    }
    let of_triggers = workflow.on.events.iter().filter_map(|trigger| payload(&trigger.event.value)).flatten();
    for &name in EVERYWHERE.iter().chain(of_triggers) {
        if !properties.iter().any(|property| property.name == name) {
            properties.push(Property::new(name, Type::Any));
        }
    }
    Type::strict(Origin::Event, properties)
}

/// The names at the top of an event's payload, if they are known.
fn payload(event: &str) -> Option<&'static [&'static str]> {
    PAYLOADS.iter().find(|(name, _)| *name == event).map(|(_, names)| *names)
}

/// The events whose payload has `name` at its top.
pub(crate) fn events_with(name: &str) -> impl Iterator<Item = &'static str> {
    PAYLOADS
        .iter()
        .filter(move |(_, names)| names.iter().any(|own| own.eq_ignore_ascii_case(name)))
        .map(|(event, _)| *event)
}
