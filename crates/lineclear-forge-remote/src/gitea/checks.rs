//! Check runs become commit statuses, which Gitea has.

use std::sync::PoisonError;

use lineclear_forge::ApiResponse;
use serde_json::{Value, json};

use super::{Call, Gitea, mapped, unprocessable};

/// Check runs that can be changed later.
const MAX_CHECKS: usize = 1_000;
/// Longer descriptions are cut; Gitea's column has room for 255.
const MAX_DESCRIPTION: usize = 250;

pub(super) fn create(gitea: &Gitea, call: &Call) -> ApiResponse {
    let body = call.body();
    let (Some(sha), Some(name)) = (body["head_sha"].as_str(), body["name"].as_str()) else {
        return unprocessable("Invalid request: `name` and `head_sha` are required.");
    };
    let answer = post(call, sha, name, &body);
    if !answer.is_success() {
        return answer;
    }
    let status = answer.value();
    if let Some(id) = status["id"].as_u64() {
        let mut checks = gitea.checks.lock().unwrap_or_else(PoisonError::into_inner);
        checks.insert(id, (sha.to_owned(), name.to_owned()));
        if checks.len() > MAX_CHECKS {
            checks.pop_first();
        }
    }
    ApiResponse::json(201, &check(&status, sha, name, &body, status["id"].clone()))
}

pub(super) fn update(gitea: &Gitea, call: &Call, id: &str) -> ApiResponse {
    let known = id.parse().ok().and_then(|id: u64| {
        let checks = gitea.checks.lock().unwrap_or_else(PoisonError::into_inner);
        Some((id, checks.get(&id)?.clone()))
    });
    let Some((id, (sha, name))) = known else {
        return ApiResponse::error(
            404,
            "Not Found: Gitea has no check runs; only those made in this run are known, as commit statuses.",
        );
    };
    let body = call.body();
    let answer = post(call, &sha, body["name"].as_str().unwrap_or(&name), &body);
    if !answer.is_success() {
        return answer;
    }
    ApiResponse::json(200, &check(&answer.value(), &sha, &name, &body, id.into()))
}

fn post(call: &Call, sha: &str, name: &str, body: &Value) -> ApiResponse {
    if sha.is_empty() || !sha.chars().all(|c| c.is_ascii_hexdigit()) {
        return unprocessable("Invalid request: `head_sha` is no commit.");
    }
    let state = match (body["conclusion"].as_str(), body["status"].as_str()) {
        (Some("success" | "neutral" | "skipped"), _) => "success",
        (Some("failure" | "timed_out" | "action_required" | "startup_failure"), _) => "failure",
        (Some(_), _) => "error",
        (None, Some("completed")) => "success",
        (None, _) => "pending",
    };
    let description: String =
        body["output"]["title"].as_str().unwrap_or_default().chars().take(MAX_DESCRIPTION).collect();
    let status = json!({ "context": name, "state": state, "description": description, "target_url": body["details_url"].as_str().unwrap_or_default() });
    call.send("POST", &format!("/statuses/{sha}"), &status)
}

/// A status in the form of a check run.
fn check(status: &Value, sha: &str, name: &str, body: &Value, id: Value) -> Value {
    json!({
        "id": id,
        "name": name,
        "head_sha": sha,
        "status": body["status"].as_str().unwrap_or(if body["conclusion"].is_string() { "completed" } else { "queued" }),
        "conclusion": body["conclusion"],
        "url": status["url"],
        "html_url": status["target_url"],
        "details_url": body["details_url"],
        "output": body["output"],
        "started_at": status["created_at"],
        "completed_at": if body["conclusion"].is_string() { status["updated_at"].clone() } else { Value::Null },
    })
}

/// The checks of a commit are seen as its statuses, once.
pub(super) fn none(call: &Call) -> ApiResponse {
    let key = if call.request.path.ends_with("check-suites") { "check_suites" } else { "check_runs" };
    ApiResponse::json(200, &json!({ "total_count": 0, key: [] }))
}

/// Gitea calls a status's state `status`.
pub(super) fn status(answer: ApiResponse) -> ApiResponse {
    let name = |status: &mut Value| {
        if status.get("state").is_none() && status["status"].is_string() {
            status["state"] = status["status"].clone();
        }
    };
    mapped(answer, |value| match value {
        Value::Array(list) => list.iter_mut().for_each(name),
        combined if combined["statuses"].is_array() => {
            if let Some(list) = combined["statuses"].as_array_mut() {
                list.iter_mut().for_each(name);
            }
        }
        one if one.is_object() => name(one),
        _ => {}
    })
}
