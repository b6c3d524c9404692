//! The dependency graph: the embedded forge has none, and says so rather than "nothing changed".

use lineclear_forge::ApiResponse;
use serde_json::json;

use super::not_offered;
use crate::call::{Answer, Call, Refusal, time};

pub(super) fn route(call: &Call<'_>, method: &str, rest: &[&str]) -> Answer {
    match (method, rest) {
        ("GET", ["compare", ..] | ["sbom"]) => Err(Refusal::said(
            403,
            "Dependency review is not supported on this repository: the embedded forge has no dependency graph",
        )),
        ("POST", ["snapshots"]) => {
            call.fields()?;
            let message = "The snapshot was taken; the embedded forge has no dependency graph to enter it into.";
            let answer = json!({"id": 1, "created_at": time(call.now), "result": "ACCEPTED", "message": message});
            Ok(ApiResponse::json(201, &answer))
        }
        _ => not_offered(call),
    }
}
