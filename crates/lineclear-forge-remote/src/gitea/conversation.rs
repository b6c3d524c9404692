//! Issues, labels and pull requests: labels go by number, drafts by their title.

use lineclear_forge::ApiResponse;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::{Call, mapped, unprocessable};

/// Titles that begin so are drafts to Gitea, unless set otherwise.
const DRAFT: &str = "WIP: ";

/// Creating and editing: labels are set by number, apart where an issue is edited; Gitea knows no reason of a state.
pub(super) fn issue(call: &Call) -> ApiResponse {
    let mut body = call.body();
    let Some(fields) = body.as_object_mut() else { return unprocessable("Problems parsing JSON") };
    fields.remove("state_reason");
    let labels = fields.remove("labels");
    let ids = match &labels {
        Some(labels) => match ids_of(call, labels) {
            Ok(ids) => Some(ids),
            Err(answer) => return answer,
        },
        None => None,
    };
    let creates = call.request.method == "POST";
    if creates {
        if let Some(ids) = ids {
            body["labels"] = ids.into();
        }
        return call.with_body(&body);
    }
    let below = call.request.path.strip_prefix(&call.repository).unwrap_or_default();
    if let Some(ids) = ids {
        let answer = call.send("PUT", &format!("{below}/labels"), &json!({ "labels": ids }));
        if !answer.is_success() {
            return answer;
        }
    }
    if body.as_object().is_some_and(serde_json::Map::is_empty) { call.get(below) } else { call.with_body(&body) }
}

/// Names of labels as their numbers. A name that is not there is created, as GitHub does.
fn ids_of(call: &Call, labels: &Value) -> Result<Vec<u64>, ApiResponse> {
    let known = call.list("/labels")?;
    let mut ids = Vec::new();
    for label in labels.as_array().into_iter().flatten() {
        let name = label.as_str().or(label["name"].as_str());
        let Some(name) = name else {
            ids.extend(label.as_u64());
            continue;
        };
        let same = |label: &&Value| label["name"].as_str().is_some_and(|known| known.eq_ignore_ascii_case(name));
        let id = match known.iter().find(same) {
            Some(label) => label["id"].as_u64(),
            None => {
                let created = call.send("POST", "/labels", &json!({ "name": name, "color": "#ededed" }));
                if !created.is_success() {
                    return Err(created);
                }
                created.value()["id"].as_u64()
            }
        };
        ids.extend(id);
    }
    Ok(ids)
}

pub(super) fn set_labels(call: &Call, number: &str) -> ApiResponse {
    let body = call.body();
    let labels = if body.is_array() { &body } else { &body["labels"] };
    match ids_of(call, labels) {
        Ok(ids) => call.send(&call.request.method, &format!("/issues/{number}/labels"), &json!({ "labels": ids })),
        Err(answer) => answer,
    }
}

fn find_label(call: &Call, encoded: &str) -> Result<Value, ApiResponse> {
    let name = percent_decode_str(encoded).decode_utf8_lossy();
    let found = call
        .list("/labels")?
        .into_iter()
        .find(|label| label["name"].as_str().is_some_and(|known| known.eq_ignore_ascii_case(&name)));
    found.ok_or_else(|| ApiResponse::error(404, "Not Found"))
}

pub(super) fn remove_label(call: &Call, number: &str, name: &str) -> ApiResponse {
    let label = match find_label(call, name) {
        Ok(label) => label,
        Err(answer) => return answer,
    };
    let answer = call.send("DELETE", &format!("/issues/{number}/labels/{}", label["id"]), &Value::Null);
    // GitHub answers with what remains.
    if answer.is_success() { call.get(&format!("/issues/{number}/labels")) } else { answer }
}

pub(super) fn label(call: &Call, name: &str) -> ApiResponse {
    let label = match find_label(call, name) {
        Ok(label) => label,
        Err(answer) => return answer,
    };
    let below = format!("/labels/{}", label["id"]);
    match call.request.method.as_str() {
        "GET" => ApiResponse::json(200, &label),
        "DELETE" => call.send("DELETE", &below, &Value::Null),
        _ => {
            let mut body = call.body();
            if let Some(name) = body.get("new_name").cloned() {
                body["name"] = name;
            }
            call.send("PATCH", &below, &body)
        }
    }
}

/// Gitea sets the whole list.
pub(super) fn assign(call: &Call, number: &str) -> ApiResponse {
    let below = format!("/issues/{number}");
    let answer = call.get(&below);
    if !answer.is_success() {
        return answer;
    }
    let (issue, body) = (answer.value(), call.body());
    let named: Vec<&str> = body["assignees"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let held = issue["assignees"].as_array().into_iter().flatten().filter_map(|user| user["login"].as_str());
    let mut logins: Vec<&str> = held.filter(|login| !named.contains(login)).collect();
    if call.request.method == "POST" {
        logins.extend(named);
    }
    call.send("PATCH", &below, &json!({ "assignees": logins }))
}

pub(super) fn create_pull(call: &Call) -> ApiResponse {
    let mut body = call.body();
    if body["draft"] == Value::Bool(true) {
        body["title"] = titled(body["title"].as_str().unwrap_or_default(), true).into();
    }
    mapped(call.with_body(&body), name_draft)
}

pub(super) fn edit_pull(call: &Call, number: &str) -> ApiResponse {
    let mut body = call.body();
    if let Some(draft) = body["draft"].as_bool() {
        let title = match body["title"].as_str() {
            Some(title) => title.to_owned(),
            None => {
                let answer = call.get(&format!("/pulls/{number}"));
                if !answer.is_success() {
                    return answer;
                }
                answer.value()["title"].as_str().unwrap_or_default().to_owned()
            }
        };
        body["title"] = titled(&title, draft).into();
    }
    mapped(call.with_body(&body), name_draft)
}

/// The title of a draft, or of what is none.
fn titled(title: &str, draft: bool) -> String {
    let bare = ["WIP:", "[WIP]"].iter().find_map(|mark| title.strip_prefix(mark)).unwrap_or(title).trim_start();
    if draft { format!("{DRAFT}{bare}") } else { bare.to_owned() }
}

/// Older servers do not say whether it is a draft.
fn name_draft(pull: &mut Value) {
    if pull.get("draft").is_none() {
        let title = pull["title"].as_str().unwrap_or_default();
        pull["draft"] = (title.starts_with("WIP:") || title.starts_with("[WIP]")).into();
    }
}

pub(super) fn merge(call: &Call, number: &str) -> ApiResponse {
    let body = call.body();
    let mut merge = json!({ "Do": body["merge_method"].as_str().unwrap_or("merge") });
    for (from, to) in
        [("commit_title", "MergeTitleField"), ("commit_message", "MergeMessageField"), ("sha", "head_commit_id")]
    {
        if body[from].is_string() {
            merge[to] = body[from].clone();
        }
    }
    let answer = call.send("POST", &format!("/pulls/{number}/merge"), &merge);
    if !answer.is_success() {
        return answer;
    }
    let sha = call.get(&format!("/pulls/{number}")).value()["merge_commit_sha"].clone();
    ApiResponse::json(200, &json!({ "sha": sha, "merged": true, "message": "Pull Request successfully merged" }))
}
