//! What workflows of the repository may do when they do not say it.

use lineclear_forge::ApiResponse;
use serde_json::json;

use super::not_offered;
use crate::call::{Answer, Call};

/// `rest` is what stands behind `actions/permissions/`.
pub(super) fn route(method: &str, rest: &[&str], call: &Call<'_>) -> Answer {
    match (method, rest) {
        ("GET", []) => Ok(ApiResponse::json(200, &json!({"enabled": true, "allowed_actions": "all"}))),
        ("GET", ["workflow"]) => Ok(ApiResponse::json(
            200,
            &json!({
                "default_workflow_permissions": call.facts().default_workflow_permissions.word(),
                "can_approve_pull_request_reviews": false,
            }),
        )),
        ("GET", ["access"]) => Ok(ApiResponse::json(200, &json!({"access_level": "none"}))),
        _ => not_offered(call),
    }
}
