//! What every forge promises, as tests that each form runs against itself.
//!
//! A [`Ground`] says what the forge has been set up with. Each promise leaves the ground as it found it, or adds to it; none
//! needs another one to have run.

use serde_json::{Value, json};

use crate::{ApiRequest, ApiResponse, Caller, ForgeApi};

/// What a forge has before the promises are tried: one repository with an open pull request of two changed files.
#[derive(Clone, Debug)]
pub struct Ground {
    /// May write everything.
    pub caller: Caller,
    pub pull: u64,
    /// The head of the pull request.
    pub head: String,
    pub base_branch: String,
    /// A text file in the repository, with its content.
    pub file: (String, String),
}

impl Ground {
    fn call(&self, forge: &dyn ForgeApi, method: &str, below: &str, body: &Value) -> ApiResponse {
        let path = format!("/repos/{}/{below}", self.caller.repository);
        let request = ApiRequest::new(method, path.trim_end_matches('/'));
        forge.call(&self.caller, &if body.is_null() { request } else { request.json(body) })
    }

    fn get(&self, forge: &dyn ForgeApi, below: &str, query: &[(&str, &str)]) -> ApiResponse {
        let path = format!("/repos/{}/{below}", self.caller.repository);
        let request =
            query.iter().fold(ApiRequest::new("GET", path.trim_end_matches('/')), |request, (name, value)| {
                request.query(name, value)
            });
        forge.call(&self.caller, &request)
    }

    fn ok(&self, forge: &dyn ForgeApi, method: &str, below: &str, body: &Value) -> Value {
        let response = self.call(forge, method, below, body);
        assert!(response.is_success(), "{method} {below}: {} {}", response.status, response.value());
        response.value()
    }
}

/// All promises.
pub fn holds(forge: &dyn ForgeApi, ground: &Ground) {
    a_comment_is_made_found_edited_and_removed(forge, ground);
    labels_are_made_when_they_are_given(forge, ground);
    pages_lead_through_everything(forge, ground);
    the_newest_status_of_a_context_counts(forge, ground);
    a_check_run_is_made_and_completed(forge, ground);
    files_can_be_read(forge, ground);
    the_pull_request_shows_what_it_changes(forge, ground);
    what_is_not_there_is_not_found(forge, ground);
    what_cannot_be_understood_is_refused(forge, ground);
}

/// A comment edited stays one comment, under one id.
pub fn a_comment_is_made_found_edited_and_removed(forge: &dyn ForgeApi, ground: &Ground) {
    let list = format!("issues/{}/comments", ground.pull);
    let count = || ground.get(forge, &list, &[("per_page", "100")]).value().as_array().map_or(0, Vec::len);
    let before = count();
    let made = ground.call(forge, "POST", &list, &json!({"body": "one"}));
    assert_eq!(made.status, 201);
    let made = made.value();
    let id = made["id"].as_u64().expect("a comment has an id");
    assert!(made["html_url"].as_str().is_some_and(|url| url.contains(&format!("issuecomment-{id}"))), "{made}");
    assert_eq!(count(), before + 1);
    let one = format!("issues/comments/{id}");
    let edited = ground.ok(forge, "PATCH", &one, &json!({"body": "two"}));
    assert_eq!((&edited["id"], &edited["body"]), (&made["id"], &json!("two")));
    assert_eq!(count(), before + 1);
    assert_eq!(ground.ok(forge, "GET", &one, &Value::Null)["body"], "two");
    assert_eq!(ground.call(forge, "DELETE", &one, &Value::Null).status, 204);
    assert_eq!(ground.call(forge, "GET", &one, &Value::Null).status, 404);
    assert_eq!(count(), before);
}

pub fn labels_are_made_when_they_are_given(forge: &dyn ForgeApi, ground: &Ground) {
    let list = format!("issues/{}/labels", ground.pull);
    let names = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(|label| label["name"].as_str()).map(str::to_owned).collect()
    };
    let given = ground.ok(forge, "POST", &list, &json!({"labels": ["contract label"]}));
    assert!(names(&given).contains(&"contract label".to_owned()), "{given}");
    let left = ground.ok(forge, "DELETE", &format!("{list}/contract%20label"), &Value::Null);
    assert!(!names(&left).contains(&"contract label".to_owned()), "{left}");
    assert_eq!(ground.call(forge, "DELETE", &format!("{list}/contract%20label"), &Value::Null).status, 404);
}

/// `Link` leads from page to page, each entry is seen once.
pub fn pages_lead_through_everything(forge: &dyn ForgeApi, ground: &Ground) {
    let issue = ground.ok(forge, "POST", "issues", &json!({"title": "contract: pages"}));
    let list = format!("issues/{}/comments", issue["number"]);
    for number in 0..7 {
        ground.ok(forge, "POST", &list, &json!({"body": format!("comment {number}")}));
    }
    let mut seen = Vec::new();
    let mut page = Some(1);
    while let Some(number) = page {
        let response = ground.get(forge, &list, &[("per_page", "3"), ("page", &number.to_string())]);
        let bodies = response.value();
        seen.extend(bodies.as_array().into_iter().flatten().filter_map(|one| one["body"].as_str()).map(str::to_owned));
        let link = response.headers.iter().find(|(name, _)| name == "link").map(|(_, value)| value.clone());
        let next = link.as_deref().unwrap_or_default().split(", ").find(|part| part.contains("rel=\"next\""));
        page = next.and_then(|part| part.split("page=").last()?.split(['&', '>']).next()?.parse::<u64>().ok());
        assert!(seen.len() <= 7, "{seen:?}");
    }
    let expected: Vec<String> = (0..7).map(|number| format!("comment {number}")).collect();
    assert_eq!(seen, expected);
    ground.ok(forge, "PATCH", &format!("issues/{}", issue["number"]), &json!({"state": "closed"}));
}

pub fn the_newest_status_of_a_context_counts(forge: &dyn ForgeApi, ground: &Ground) {
    let path = format!("statuses/{}", ground.head);
    ground.ok(forge, "POST", &path, &json!({"state": "pending", "context": "contract"}));
    let made = ground.ok(forge, "POST", &path, &json!({"state": "success", "context": "contract"}));
    assert_eq!(made["state"], "success");
    let combined = ground.ok(forge, "GET", &format!("commits/{}/status", ground.head), &Value::Null);
    let of_context: Vec<&Value> =
        combined["statuses"].as_array().into_iter().flatten().filter(|one| one["context"] == "contract").collect();
    assert_eq!(of_context.len(), 1, "{combined}");
    assert_eq!(of_context[0]["state"], "success");
}

pub fn a_check_run_is_made_and_completed(forge: &dyn ForgeApi, ground: &Ground) {
    let made = ground.ok(forge, "POST", "check-runs", &json!({"name": "contract", "head_sha": ground.head}));
    assert_eq!(made["status"], "queued");
    let path = format!("check-runs/{}", made["id"]);
    let output = json!({"title": "t", "summary": "s"});
    let done = ground.ok(forge, "PATCH", &path, &json!({"conclusion": "success", "output": output}));
    assert_eq!((&done["status"], &done["conclusion"]), (&json!("completed"), &json!("success")));
    let listed = ground.ok(forge, "GET", &format!("commits/{}/check-runs", ground.head), &Value::Null);
    assert!(
        listed["check_runs"].as_array().is_some_and(|runs| runs.iter().any(|run| run["id"] == made["id"])),
        "{listed}"
    );
}

pub fn files_can_be_read(forge: &dyn ForgeApi, ground: &Ground) {
    let (path, content) = &ground.file;
    let raw = ApiRequest::new("GET", &format!("/repos/{}/contents/{path}", ground.caller.repository));
    let mut raw = raw.query("ref", &ground.head);
    raw.headers.push(("accept".into(), "application/vnd.github.raw+json".into()));
    let response = forge.call(&ground.caller, &raw);
    assert_eq!(String::from_utf8_lossy(&response.body), *content);
    let shown = ground.get(forge, &format!("contents/{path}"), &[("ref", &ground.head)]).value();
    assert_eq!((&shown["type"], &shown["encoding"], &shown["path"]), (&json!("file"), &json!("base64"), &json!(path)));
}

pub fn the_pull_request_shows_what_it_changes(forge: &dyn ForgeApi, ground: &Ground) {
    let path = format!("pulls/{}", ground.pull);
    let pull = ground.ok(forge, "GET", &path, &Value::Null);
    assert_eq!((&pull["head"]["sha"], &pull["base"]["ref"]), (&json!(ground.head), &json!(ground.base_branch)));
    let files = ground.ok(forge, "GET", &format!("{path}/files"), &Value::Null);
    assert_eq!(files.as_array().map(Vec::len), Some(2), "{files}");
    let commits = ground.ok(forge, "GET", &format!("{path}/commits"), &Value::Null);
    assert_eq!(commits.as_array().and_then(|all| all.last()).map(|last| &last["sha"]), Some(&json!(ground.head)));
}

pub fn what_is_not_there_is_not_found(forge: &dyn ForgeApi, ground: &Ground) {
    for below in [
        "issues/999999",
        "issues/999999/comments",
        "pulls/999999",
        "contents/no/such/file",
        "releases/tags/no-such-tag",
    ] {
        let response = ground.call(forge, "GET", below, &Value::Null);
        assert_eq!(response.status, 404, "{below}: {}", response.value());
        assert!(response.value()["message"].is_string(), "{below}");
    }
}

pub fn what_cannot_be_understood_is_refused(forge: &dyn ForgeApi, ground: &Ground) {
    let path = format!("/repos/{}/issues", ground.caller.repository);
    let broken = ApiRequest { body: b"{\"title\": ".to_vec(), ..ApiRequest::new("POST", &path) };
    assert_eq!(forge.call(&ground.caller, &broken).status, 400);
    assert_eq!(ground.call(forge, "POST", "issues", &json!({"body": "no title"})).status, 422);
    let state = json!({"state": "perhaps"});
    assert_eq!(ground.call(forge, "POST", &format!("statuses/{}", ground.head), &state).status, 422);
}
