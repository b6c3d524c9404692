//! Calls in GitHub's terms, answered by Gitea and Forgejo, whose API is modelled on it and differs in places.

mod checks;
mod content;
mod conversation;
mod release;

use std::collections::BTreeMap;
use std::sync::Mutex;

use lineclear_forge::{ApiRequest, ApiResponse};
use serde_json::{Value, json};

/// Sends a call in Gitea's terms.
type Pass<'p> = &'p dyn Fn(&ApiRequest) -> ApiResponse;

/// The most items that Gitea gives at once, unless set otherwise.
const PAGE: &str = "50";

/// What has to be known from one call to the next.
#[derive(Debug, Default)]
pub(crate) struct Gitea {
    /// The check runs that were made as statuses: by the status's id, commit and name.
    checks: Mutex<BTreeMap<u64, (String, String)>>,
}

/// One call below a repository.
struct Call<'c> {
    request: &'c ApiRequest,
    /// `/repos/{owner}/{repo}`, as sent.
    repository: String,
    pass: Pass<'c>,
}

impl Gitea {
    pub(crate) fn call(&self, request: &ApiRequest, pass: Pass) -> ApiResponse {
        let request = &with_limit(request);
        let parts: Vec<&str> = request.path.split('/').skip(1).collect();
        let ["repos", owner, name, below @ ..] = parts.as_slice() else {
            return match parts.first() {
                Some(&"graphql") => lacks("GraphQL"),
                Some(&"rate_limit") => lacks("rate limits"),
                _ => pass(request),
            };
        };
        let call = Call { request, repository: format!("/repos/{owner}/{name}"), pass };
        match (request.method.as_str(), below) {
            ("POST", ["check-runs"]) => checks::create(self, &call),
            ("PATCH", ["check-runs", id]) => checks::update(self, &call, id),
            ("GET", ["commits", .., "check-runs" | "check-suites"]) => checks::none(&call),
            ("POST", ["statuses", _]) => checks::status(pass(request)),
            ("GET", ["commits", .., "status" | "statuses"] | ["statuses", ..]) => checks::status(pass(request)),
            ("POST", ["issues"]) | ("PATCH", ["issues", _]) => conversation::issue(&call),
            ("POST" | "PUT", ["issues", number, "labels"]) => conversation::set_labels(&call, number),
            ("DELETE", ["issues", number, "labels", name]) => conversation::remove_label(&call, number, name),
            ("POST" | "DELETE", ["issues", number, "assignees"]) => conversation::assign(&call, number),
            ("GET" | "PATCH" | "DELETE", ["labels", name]) => conversation::label(&call, name),
            ("POST", ["pulls"]) => conversation::create_pull(&call),
            ("PATCH", ["pulls", number]) => conversation::edit_pull(&call, number),
            ("PUT", ["pulls", number, "merge"]) => conversation::merge(&call, number),
            ("PUT" | "DELETE", ["issues", "comments", _, "minimized"]) => lacks("way to hide comments"),
            ("GET", ["git", "ref", ..]) => content::reference(&call),
            ("GET", ["git", "matching-refs", ..]) => content::matching(&call),
            ("POST", ["git", "refs"]) => content::create_ref(&call),
            ("DELETE", ["git", "refs", kind, name @ ..]) => content::delete_ref(&call, kind, &name.join("/")),
            ("PATCH", ["git", "refs", ..]) => lacks("way to move a branch over its API: push with git instead"),
            ("POST", ["git", ..]) => lacks("way to write git objects over its API: push with git instead"),
            ("PUT", ["contents", ..]) => content::write(&call),
            ("GET", ["commits", sha, "pulls"]) => content::pulls_of(&call, sha),
            ("GET", ["commits", _, "comments"]) => lacks("comments on commits"),
            ("GET", ["commits", revision @ ..]) if !revision.is_empty() => content::commit(&call, &revision.join("/")),
            ("POST", ["releases", id, "assets"]) => release::upload(&call, id),
            ("DELETE" | "GET" | "PATCH", ["releases", "assets", id]) => release::asset(&call, id),
            ("POST", ["releases", "generate-notes"]) => lacks("generated release notes"),
            (_, ["deployments", ..]) => lacks("deployments"),
            (_, ["code-scanning", ..]) => lacks("code scanning"),
            (_, ["check-runs" | "check-suites", ..]) => lacks("check runs, but commit statuses"),
            (_, ["attestations", ..]) => lacks("attestations"),
            (_, ["pages", ..]) => lacks("pages"),
            (_, ["dependency-graph" | "dependabot", ..]) => lacks("dependency graph"),
            (_, ["dispatches"]) => lacks("repository dispatches: use a workflow's dispatches"),
            (_, ["comments", ..]) | ("POST", ["commits", _, "comments"]) => lacks("comments on commits"),
            _ => pass(request),
        }
    }
}

/// `per_page` is `limit` to Gitea.
fn with_limit(request: &ApiRequest) -> ApiRequest {
    let mut request = request.clone();
    for (name, _) in &mut request.query {
        if name == "per_page" {
            *name = "limit".to_owned();
        }
    }
    request
}

fn lacks(what: &str) -> ApiResponse {
    ApiResponse::error(
        404,
        &format!("Not Found: Gitea has no {}.", what.trim_start_matches("a ").trim_start_matches("no ")),
    )
}

impl Call<'_> {
    fn body(&self) -> Value {
        serde_json::from_slice(&self.request.body).unwrap_or(Value::Null)
    }

    fn send(&self, method: &str, below: &str, body: &Value) -> ApiResponse {
        let request = ApiRequest::new(method, &format!("{}{below}", self.repository));
        (self.pass)(&if body.is_null() { request } else { request.json(body) })
    }

    fn get(&self, below: &str) -> ApiResponse {
        self.send("GET", below, &Value::Null)
    }

    /// All items of a list, page by page; the answer itself where it is an error.
    fn list(&self, below: &str) -> Result<Vec<Value>, ApiResponse> {
        let mut items = Vec::new();
        for page in 1..=40 {
            let request = ApiRequest::new("GET", &format!("{}{below}", self.repository));
            let answer = (self.pass)(&request.query("limit", PAGE).query("page", &page.to_string()));
            if !answer.is_success() {
                return Err(answer);
            }
            let more = answer.headers.iter().any(|(name, value)| name == "link" && value.contains("rel=\"next\""));
            let Value::Array(found) = answer.value() else { break };
            items.extend(found);
            if !more {
                break;
            }
        }
        Ok(items)
    }

    /// The call as it came, with another body.
    fn with_body(&self, body: &Value) -> ApiResponse {
        let mut request = self.request.clone();
        request.body = body.to_string().into_bytes();
        (self.pass)(&request)
    }
}

/// `answer` with its JSON changed, if it succeeded.
fn mapped(answer: ApiResponse, change: impl FnOnce(&mut Value)) -> ApiResponse {
    if !answer.is_success() {
        return answer;
    }
    let mut value = answer.value();
    change(&mut value);
    ApiResponse { body: value.to_string().into_bytes(), ..answer }
}

fn unprocessable(message: &str) -> ApiResponse {
    ApiResponse::json(422, &json!({ "message": message, "status": "422" }))
}
