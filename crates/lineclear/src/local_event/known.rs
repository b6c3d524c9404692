//! The events there are, where they happen, and what one that is made here is taken for.

use lineclear_source::suggest;

/// Which reference and commit an event speaks of.
///
/// # Source
/// "Events that trigger workflows" of GitHub's documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The pushed branch or tag.
    Pushed,
    /// `refs/pull/N/merge`.
    PullRequest,
    /// The default branch, with the pull request's branches as base and head.
    PullRequestTarget,
    DefaultBranch,
    /// The branch or tag that was chosen.
    Chosen,
    /// The release's tag.
    Release,
    /// The new branch or tag.
    Created,
    Deployed,
    MergeGroup,
}

/// An event, where it happens, and the activity type that one made here has.
pub(super) type Known = (&'static str, Place, Option<&'static str>);

const EVENTS: &[Known] = &[
    ("branch_protection_rule", Place::DefaultBranch, Some("created")),
    ("check_run", Place::DefaultBranch, Some("completed")),
    ("check_suite", Place::DefaultBranch, Some("completed")),
    ("create", Place::Created, None),
    ("delete", Place::DefaultBranch, None),
    ("deployment", Place::Deployed, None),
    ("deployment_status", Place::Deployed, None),
    ("discussion", Place::DefaultBranch, Some("created")),
    ("discussion_comment", Place::DefaultBranch, Some("created")),
    ("fork", Place::DefaultBranch, None),
    ("gollum", Place::DefaultBranch, None),
    ("image_version", Place::DefaultBranch, Some("ready")),
    ("issue_comment", Place::DefaultBranch, Some("created")),
    ("issues", Place::DefaultBranch, Some("opened")),
    ("label", Place::DefaultBranch, Some("created")),
    ("merge_group", Place::MergeGroup, Some("checks_requested")),
    ("milestone", Place::DefaultBranch, Some("created")),
    ("page_build", Place::DefaultBranch, None),
    ("public", Place::DefaultBranch, None),
    ("pull_request", Place::PullRequest, Some("opened")),
    ("pull_request_review", Place::PullRequest, Some("submitted")),
    ("pull_request_review_comment", Place::PullRequest, Some("created")),
    ("pull_request_target", Place::PullRequestTarget, Some("opened")),
    ("push", Place::Pushed, None),
    ("registry_package", Place::DefaultBranch, Some("published")),
    ("release", Place::Release, Some("published")),
    ("repository_dispatch", Place::DefaultBranch, None),
    ("schedule", Place::DefaultBranch, None),
    ("status", Place::DefaultBranch, None),
    ("watch", Place::DefaultBranch, Some("started")),
    ("workflow_call", Place::Chosen, None),
    ("workflow_dispatch", Place::Chosen, None),
    ("workflow_run", Place::DefaultBranch, Some("completed")),
];

/// The event called `name`.
pub(super) fn find(name: &str) -> Option<Known> {
    EVENTS.iter().find(|(known, ..)| *known == name).copied()
}

/// The name that `name` was most likely meant to be.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    suggest(name, EVENTS.iter().map(|(known, ..)| *known))
}

/// What event a payload is of, by the parts that only it has.
pub(super) fn of_payload(payload: &serde_json::Value) -> Option<&'static str> {
    const SIGNS: [(&str, &str); 14] = [
        ("workflow_run", "workflow_run"),
        ("merge_group", "merge_group"),
        ("review", "pull_request_review"),
        ("deployment_status", "deployment_status"),
        ("deployment", "deployment"),
        ("release", "release"),
        ("client_payload", "repository_dispatch"),
        ("check_run", "check_run"),
        ("check_suite", "check_suite"),
        ("schedule", "schedule"),
        ("inputs", "workflow_dispatch"),
        ("after", "push"),
        ("registry_package", "registry_package"),
        ("discussion", "discussion"),
    ];
    let has = |key: &str| payload.get(key).is_some_and(|value| !value.is_null());
    if let Some((_, name)) = SIGNS.iter().find(|(key, _)| has(key)) {
        return Some(name);
    }
    match (has("pull_request"), has("issue"), has("comment")) {
        (true, _, true) => Some("pull_request_review_comment"),
        (true, ..) => Some("pull_request"),
        (_, true, true) => Some("issue_comment"),
        (_, true, _) => Some("issues"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_that_is_nearly_right_is_recognised() {
        assert_eq!(nearest("pull-request"), Some("pull_request"));
        assert_eq!(nearest("Push"), Some("push"));
        assert_eq!(nearest("workflow_dispach"), Some("workflow_dispatch"));
        assert_eq!(nearest("banana"), None);
    }

    #[test]
    fn a_payload_says_what_event_it_is_of() {
        assert_eq!(of_payload(&json!({ "pull_request": {}, "number": 7 })), Some("pull_request"));
        assert_eq!(of_payload(&json!({ "issue": {}, "comment": {} })), Some("issue_comment"));
        assert_eq!(of_payload(&json!({ "ref": "refs/heads/x", "after": "1" })), Some("push"));
        assert_eq!(of_payload(&json!({ "ref": "x" })), None);
    }
}
