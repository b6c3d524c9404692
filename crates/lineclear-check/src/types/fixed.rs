//! The contexts that look the same in every workflow.

use super::{Origin, Property, Type};

/// `github`, but for `event`.
///
/// # Source
/// The contexts reference of GitHub's documentation and the variables that its runner exports from this context.
const GITHUB: &[&str] = &[
    "action",
    "action_path",
    "action_ref",
    "action_repository",
    "action_status",
    "actor",
    "actor_id",
    "api_url",
    "artifact_cache_size_limit",
    "artifacts",
    "artifacts_list",
    "base_ref",
    "env",
    "event_name",
    "event_path",
    "graphql_url",
    "head_ref",
    "job",
    "job_workflow_sha",
    "output",
    "path",
    "ref",
    "ref_name",
    "ref_type",
    "repository",
    "repository_id",
    "repository_owner",
    "repository_owner_id",
    "repository_visibility",
    "repositoryUrl",
    "retention_days",
    "run_attempt",
    "run_id",
    "run_number",
    "secret_source",
    "server_url",
    "sha",
    "state",
    "step_summary",
    "token",
    "triggering_actor",
    "workflow",
    "workflow_ref",
    "workflow_sha",
    "workspace",
];

const RUNNER: &[&str] = &["arch", "debug", "environment", "name", "os", "temp", "tool_cache", "workspace"];

/// What `github` has only in the runs of pull requests.
const OF_PULL_REQUESTS: &[&str] = &["base_ref", "head_ref"];

/// `github` with this `event`, of runs some of which may be those of pull requests.
pub(super) fn github(event: Type, has_pull_requests: bool) -> Type {
    let mut properties = texts(GITHUB);
    if !has_pull_requests {
        properties.retain(|property| !OF_PULL_REQUESTS.contains(&&*property.name));
    }
    properties.push(Property::new("ref_protected", Type::Any));
    properties.push(Property::new("event", event));
    Type::strict(Origin::Fixed("github"), properties)
}

/// `runner`
pub(super) fn runner() -> Type {
    Type::strict(Origin::Fixed("runner"), texts(RUNNER))
}

/// `strategy`
pub(super) fn strategy() -> Type {
    Type::strict(
        Origin::Fixed("strategy"),
        vec![
            Property::new("fail-fast", Type::Bool),
            Property::new("job-index", Type::Number),
            Property::new("job-total", Type::Number),
            Property::new("max-parallel", Type::Number),
        ],
    )
}

/// `job` with these services.
pub(super) fn job(services: Type) -> Type {
    let mut properties =
        texts(&["status", "workflow_ref", "workflow_sha", "workflow_repository", "workflow_file_path"]);
    properties.push(Property::new("check_run_id", Type::Number));
    properties
        .push(Property::new("container", Type::strict(Origin::Fixed("job.container"), texts(&["id", "network"]))));
    properties.push(Property::new("services", services));
    Type::strict(Origin::Fixed("job"), properties)
}

/// One entry of `job.services`.
pub(super) fn service() -> Type {
    let mut properties = texts(&["id", "network"]);
    properties.push(Property::new("ports", Type::open(Origin::Other, Vec::new(), Type::String)));
    Type::strict(Origin::Fixed("a service"), properties)
}

/// Properties that are text.
pub(super) fn texts(names: &[&'static str]) -> Vec<Property> {
    names.iter().map(|name| Property::new(*name, Type::String)).collect()
}
