//! The `github` context.

use lineclear_event::{ForgeEvent, RunId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Addresses that jobs are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform {
    pub server_url: String,
    pub api_url: String,
    pub graphql_url: String,
    pub retention_days: u32,
}

impl Default for Platform {
    fn default() -> Self {
        Self {
            server_url: "https://github.com".into(),
            api_url: "https://api.github.com".into(),
            graphql_url: "https://api.github.com/graphql".into(),
            retention_days: 90,
        }
    }
}

/// Which execution it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunIdentity {
    pub id: RunId,
    pub number: u64,
    pub attempt: u32,
}

impl Default for RunIdentity {
    /// The first run of a workflow: what a plan assumes.
    fn default() -> Self {
        Self { id: RunId(1), number: 1, attempt: 1 }
    }
}

/// The `github` context of a run, as far as it is known before a job starts: all keys of GitHub's but `token`, `workspace`,
/// `event_path`, `job` and those of the step and action.
///
/// `workflow_file` is the path of the run's own workflow; called workflows see the same context. Numbers are text, as on
/// GitHub; only `ref_protected` is a boolean.
///
/// # Source
/// "github context" in GitHub's documentation.
pub fn github_context(
    event: &ForgeEvent,
    platform: &Platform,
    run: RunIdentity,
    workflow_name: &str,
    workflow_file: &str,
) -> Value {
    let mut context = keys(event, platform, run, workflow_name, workflow_file);
    if let Some(keys) = context.as_object_mut() {
        keys.insert("event".into(), event.payload.clone());
    }
    context
}

/// The same as a value of the expression language, around a payload that was converted before.
pub(crate) fn github_value(
    event: &ForgeEvent,
    payload: lineclear_expr::Value,
    platform: &Platform,
    run: RunIdentity,
    workflow_name: &str,
    workflow_file: &str,
) -> lineclear_expr::Value {
    let mut context = lineclear_expr::Object::new();
    if let Some(keys) = keys(event, platform, run, workflow_name, workflow_file).as_object() {
        keys.iter().for_each(|(key, value)| context.insert(key.as_str(), lineclear_expr::Value::from_json(value)));
    }
    context.insert("event", payload);
    context.into()
}

/// All keys but `event`.
fn keys(event: &ForgeEvent, platform: &Platform, run: RunIdentity, workflow_name: &str, workflow_file: &str) -> Value {
    let repository = event.repository.full_name();
    let host = platform.server_url.split_once("://").map_or(platform.server_url.as_str(), |(_, host)| host);
    let reference = Reference::of(&event.reference);
    json!({
        "actor": event.actor,
        "actor_id": text(event.payload.pointer("/sender/id")),
        "api_url": platform.api_url,
        "base_ref": event.base_ref,
        "event_name": event.name,
        "graphql_url": platform.graphql_url,
        "head_ref": event.head_ref,
        "ref": event.reference,
        "ref_name": reference.name,
        "ref_protected": false,
        "ref_type": reference.kind,
        "repository": repository,
        "repositoryUrl": format!("git://{}/{repository}.git", host.trim_end_matches('/')),
        "repository_id": event.repository.id,
        "repository_owner": event.repository.owner,
        "repository_owner_id": event.repository.owner_id,
        "repository_visibility": if event.repository.private { "private" } else { "public" },
        "retention_days": platform.retention_days.to_string(),
        "run_attempt": run.attempt.to_string(),
        "run_id": run.id.to_string(),
        "run_number": run.number.to_string(),
        "secret_source": secret_source(event),
        "server_url": platform.server_url,
        "sha": event.sha,
        "triggering_actor": event.actor,
        "workflow": workflow_name,
        "workflow_ref": format!("{repository}/{workflow_file}@{}", event.reference),
        "workflow_sha": event.sha,
    })
}

/// A git reference taken apart: `GITHUB_REF_NAME` and `GITHUB_REF_TYPE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference<'a> {
    /// `main`, `v1`, `7/merge`.
    pub name: &'a str,
    /// `branch` or `tag`; empty where there is no reference. A pull request's merge counts as a branch.
    pub kind: &'static str,
}

impl<'a> Reference<'a> {
    /// Takes `refs/heads/main`, `refs/tags/v1`, `refs/pull/7/merge` or a bare name apart.
    pub fn of(reference: &'a str) -> Self {
        if let Some(name) = reference.strip_prefix("refs/tags/") {
            return Self { name, kind: "tag" };
        }
        let name = ["refs/heads/", "refs/pull/", "refs/"].iter().find_map(|prefix| reference.strip_prefix(prefix));
        Self { name: name.unwrap_or(reference), kind: if reference.is_empty() { "" } else { "branch" } }
    }
}

/// Whether the event is a pull request from a fork: its jobs see no secret and may not write.
pub fn is_fork_pull_request(event: &ForgeEvent) -> bool {
    if !matches!(event.name.as_str(), "pull_request" | "pull_request_review" | "pull_request_review_comment") {
        return false;
    }
    let Some(head) = event.payload.pointer("/pull_request/head/repo") else { return false };
    let base = event.payload.pointer("/pull_request/base/repo/full_name").and_then(Value::as_str);
    match (head.get("full_name").and_then(Value::as_str), base) {
        (Some(head), Some(base)) => !head.eq_ignore_ascii_case(base),
        // The fork was deleted since.
        _ => head.is_null() || head.get("fork").and_then(Value::as_bool).unwrap_or(false),
    }
}

/// Which store the run's secrets come from.
fn secret_source(event: &ForgeEvent) -> &'static str {
    if is_fork_pull_request(event) {
        "None"
    } else if event.actor == "dependabot[bot]" && event.name != "workflow_dispatch" && event.name != "schedule" {
        "Dependabot"
    } else {
        "Actions"
    }
}

fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use lineclear_event::{Changed, Repository};

    use super::*;

    fn event(reference: &str) -> ForgeEvent {
        ForgeEvent {
            name: "push".into(),
            payload: json!({ "sender": { "id": 42 }, "ref": reference }),
            repository: Repository {
                owner: "Octo".into(),
                name: "App".into(),
                default_branch: "main".into(),
                id: "7".into(),
                owner_id: "3".into(),
                private: true,
            },
            reference: reference.into(),
            sha: "1a2b".into(),
            base_ref: String::new(),
            head_ref: String::new(),
            actor: "mona".into(),
            changed: Changed::Unknown { reason: "not asked".into() },
        }
    }

    #[test]
    fn every_key_of_the_documentation_has_its_value_and_numbers_are_text() {
        let run = RunIdentity { id: RunId(9), number: 4, attempt: 2 };
        let context =
            github_context(&event("refs/heads/feature/x"), &Platform::default(), run, "CI", ".github/workflows/ci.yml");
        for (key, expected) in [
            ("actor", "mona"),
            ("actor_id", "42"),
            ("api_url", "https://api.github.com"),
            ("base_ref", ""),
            ("event_name", "push"),
            ("graphql_url", "https://api.github.com/graphql"),
            ("head_ref", ""),
            ("ref", "refs/heads/feature/x"),
            ("ref_name", "feature/x"),
            ("ref_type", "branch"),
            ("repository", "Octo/App"),
            ("repositoryUrl", "git://github.com/Octo/App.git"),
            ("repository_id", "7"),
            ("repository_owner", "Octo"),
            ("repository_owner_id", "3"),
            ("repository_visibility", "private"),
            ("retention_days", "90"),
            ("run_attempt", "2"),
            ("run_id", "9"),
            ("run_number", "4"),
            ("secret_source", "Actions"),
            ("server_url", "https://github.com"),
            ("sha", "1a2b"),
            ("triggering_actor", "mona"),
            ("workflow", "CI"),
            ("workflow_ref", "Octo/App/.github/workflows/ci.yml@refs/heads/feature/x"),
            ("workflow_sha", "1a2b"),
        ] {
            assert_eq!(context[key], json!(expected), "{key}");
        }
        assert_eq!(context["ref_protected"], json!(false));
        assert_eq!(context["event"]["ref"], json!("refs/heads/feature/x"));
        assert!(context.get("token").is_none() && context.get("workspace").is_none());
    }

    #[test]
    fn names_and_types_of_references() {
        assert_eq!(Reference::of("refs/tags/v1/x"), Reference { name: "v1/x", kind: "tag" });
        assert_eq!(Reference::of("refs/pull/7/merge"), Reference { name: "7/merge", kind: "branch" });
        assert_eq!(Reference::of(""), Reference { name: "", kind: "" });
    }

    #[test]
    fn a_pull_request_from_another_repository_is_from_a_fork() {
        let mut event = event("refs/pull/7/merge");
        event.name = "pull_request".into();
        let pull_request = |head: Value| json!({ "pull_request": { "head": { "repo": head }, "base": { "repo": { "full_name": "Octo/App" } } } });
        event.payload = pull_request(json!({ "full_name": "mona/App", "fork": true }));
        assert!(is_fork_pull_request(&event));
        event.payload = pull_request(json!({ "full_name": "octo/app" }));
        assert!(!is_fork_pull_request(&event));
        event.payload = pull_request(Value::Null);
        assert!(is_fork_pull_request(&event), "a fork that is gone");
        event.name = "pull_request_target".into();
        assert!(!is_fork_pull_request(&event), "this event runs with the base repository's rights");
    }
}
