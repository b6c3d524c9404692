//! Refs, commits and files.

use lineclear_forge::ApiResponse;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Value, json};

use super::{Call, lacks, mapped, unprocessable};

/// What stands behind a prefix of the call's path below the repository.
fn behind<'c>(call: &'c Call, prefix: &str) -> &'c str {
    call.request.path.strip_prefix(&call.repository).and_then(|below| below.strip_prefix(prefix)).unwrap_or_default()
}

/// GitHub gives one ref; Gitea a list of those that begin so.
pub(super) fn reference(call: &Call) -> ApiResponse {
    let name = behind(call, "/git/ref/");
    let answer = call.get(&format!("/git/refs/{name}"));
    if !answer.is_success() {
        return answer;
    }
    let wanted = format!("refs/{}", percent_decode_str(name).decode_utf8_lossy());
    let found = match answer.value() {
        Value::Array(list) => list.into_iter().find(|one| one["ref"] == wanted),
        one => Some(one).filter(|one| one["ref"] == wanted),
    };
    found.map_or_else(|| ApiResponse::error(404, "Not Found"), |found| ApiResponse::json(200, &found))
}

pub(super) fn matching(call: &Call) -> ApiResponse {
    let answer = call.get(format!("/git/refs/{}", behind(call, "/git/matching-refs/")).trim_end_matches('/'));
    match answer.status {
        404 => ApiResponse::json(200, &json!([])),
        _ => mapped(answer, |value| {
            if value.is_object() {
                *value = json!([value]);
            }
        }),
    }
}

pub(super) fn create_ref(call: &Call) -> ApiResponse {
    let body = call.body();
    let (name, sha) = (body["ref"].as_str().unwrap_or_default(), body["sha"].clone());
    let answer = match (name.strip_prefix("refs/heads/"), name.strip_prefix("refs/tags/")) {
        (Some(branch), _) => call.send("POST", "/branches", &json!({ "new_branch_name": branch, "old_ref_name": sha })),
        (_, Some(tag)) => call.send("POST", "/tags", &json!({ "tag_name": tag, "target": sha })),
        _ => return unprocessable("Reference name must start with 'refs/heads/' or 'refs/tags/'."),
    };
    mapped(answer, |value| *value = json!({ "ref": name, "object": { "sha": sha, "type": "commit" } }))
}

pub(super) fn delete_ref(call: &Call, kind: &str, name: &str) -> ApiResponse {
    let below = match kind {
        "heads" => format!("/branches/{name}"),
        "tags" => format!("/tags/{name}"),
        _ => return lacks("refs but branches and tags that can be deleted"),
    };
    call.send("DELETE", &below, &Value::Null)
}

/// A file without its present id is a new one, which Gitea creates with `POST`.
pub(super) fn write(call: &Call) -> ApiResponse {
    let mut request = call.request.clone();
    if call.body()["sha"].is_null() {
        request.method = "POST".to_owned();
    }
    (call.pass)(&request)
}

/// A revision may be a branch with slashes in its name.
pub(super) fn commit(call: &Call, revision: &str) -> ApiResponse {
    let revision = ["heads/", "tags/"].iter().find_map(|prefix| revision.strip_prefix(prefix)).unwrap_or(revision);
    call.get(&format!("/git/commits/{}", revision.replace('/', "%2F")))
}

/// Gitea knows the one pull request that a commit was merged by.
pub(super) fn pulls_of(call: &Call, sha: &str) -> ApiResponse {
    let sha = utf8_percent_encode(&percent_decode_str(sha).decode_utf8_lossy(), NON_ALPHANUMERIC).to_string();
    let answer = call.get(&format!("/commits/{sha}/pull"));
    match answer.status {
        404 => ApiResponse::json(200, &json!([])),
        _ => mapped(answer, |value| *value = json!([value])),
    }
}
