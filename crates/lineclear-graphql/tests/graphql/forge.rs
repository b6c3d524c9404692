//! A small forge in memory: as much REST as the queries need, one page size, permissions by hand.

use std::sync::Mutex;

use lineclear_forge::{ApiRequest, ApiResponse, Caller, ForgeApi};
use serde_json::{Value, json};

#[derive(Debug, Default)]
pub(crate) struct Forge {
    state: Mutex<State>,
    /// Answers every call so, once set.
    pub(crate) always: Mutex<Option<ApiResponse>>,
    /// Changes are refused.
    pub(crate) read_only: bool,
}

#[derive(Debug, Default)]
struct State {
    comments: Vec<Value>,
    labels: Vec<Value>,
    pull: Value,
    head: String,
    calls: Vec<String>,
    trees: Vec<Value>,
}

pub(crate) const SHA: &str = "1111111111111111111111111111111111111111";

pub(crate) fn caller() -> Caller {
    Caller {
        repository: "octo/demo".into(),
        run: lineclear_event::RunId(1),
        job: lineclear_event::JobKey::new("job"),
        actor: "mona".into(),
        permissions: Default::default(),
    }
}

impl Forge {
    pub(crate) fn new() -> Self {
        let pull = json!({
            "number": 7, "id": 700, "title": "Add feature", "body": null, "state": "open", "draft": false, "merged_at": null,
            "mergeable": true, "user": { "login": "mona", "type": "User" }, "html_url": "https://forge.test/octo/demo/pull/7",
            "created_at": "2026-01-02T00:00:00Z", "updated_at": "2026-01-03T00:00:00Z",
            "head": { "ref": "feature", "sha": SHA, "repo": { "full_name": "octo/demo" } },
            "base": { "ref": "main", "sha": SHA, "repo": { "full_name": "octo/demo" } },
            "labels": [], "assignees": [], "changed_files": 2,
        });
        let labels = ["bug", "good first issue"];
        let labels =
            labels.iter().enumerate().map(|(at, name)| json!({ "id": at + 1, "name": name, "color": "ededed" }));
        let state = State { pull, labels: labels.collect(), head: SHA.into(), ..State::default() };
        Self { state: Mutex::new(state), ..Self::default() }
    }

    pub(crate) fn add_comments(&self, count: u64) {
        for number in 1..=count {
            self.add_comment(&format!("comment {number}"), "github-actions[bot]");
        }
    }

    fn add_comment(&self, body: &str, login: &str) -> Value {
        let mut state = self.state();
        let id = state.comments.len() as u64 + 1;
        let kind = if login.ends_with("[bot]") { "Bot" } else { "User" };
        let comment = json!({
            "id": id, "node_id": format!("OPAQUE{id}"), "body": body, "user": { "login": login, "type": kind },
            "html_url": format!("https://forge.test/octo/demo/pull/7#issuecomment-{id}"),
            "issue_url": "https://forge.test/api/v3/repos/octo/demo/issues/7",
            "created_at": "2026-01-02T00:00:00Z", "updated_at": "2026-01-02T00:00:00Z",
        });
        state.comments.push(comment.clone());
        comment
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no test panics while it holds the forge")
    }

    pub(crate) fn calls(&self) -> Vec<String> {
        self.state().calls.clone()
    }

    pub(crate) fn bodies(&self) -> Vec<String> {
        self.state().comments.iter().map(|comment| comment["body"].as_str().unwrap_or_default().to_owned()).collect()
    }

    pub(crate) fn pull(&self) -> Value {
        self.state().pull.clone()
    }

    pub(crate) fn head(&self) -> String {
        self.state().head.clone()
    }

    pub(crate) fn tree(&self) -> Value {
        self.state().trees.last().cloned().unwrap_or_default()
    }

    fn read(&self, path: &str) -> Option<Value> {
        let state = self.state();
        let pull = &state.pull;
        let as_issue = || {
            let mut issue = pull.clone();
            for name in ["head", "base", "mergeable"] {
                issue.as_object_mut().expect("a pull request is an object").remove(name);
            }
            issue["pull_request"] = json!({ "merged_at": null });
            issue
        };
        let issue = |number: u64| {
            json!({ "number": number, "id": number * 100, "title": format!("Broken {number}"), "body": "text", "state": "open",
                "node_id": format!("OPAQUEISSUE{number}"), "user": { "login": "mona" },
                "labels": [{ "id": 1, "name": "bug" }], "created_at": "2026-01-01T00:00:00Z" })
        };
        let commit = |number: u64| {
            json!({ "sha": format!("{number:040}"), "html_url": "https://forge.test/c", "author": { "login": "mona" },
                "parents": [], "commit": { "message": format!("change {number}\n\nwhy"),
                "author": { "name": "Mona", "email": "m@x", "date": "2026-01-01T00:00:00Z" },
                "committer": { "name": "Mona", "email": "m@x", "date": "2026-01-01T00:00:00Z" }, "tree": { "sha": SHA } } })
        };
        Some(match path {
            "" => {
                json!({ "id": 1, "full_name": "octo/demo", "name": "demo", "owner": { "login": "octo", "type": "Organization" },
                "private": true, "default_branch": "main", "has_issues": true, "html_url": "https://forge.test/octo/demo",
                "permissions": { "admin": false, "push": true, "pull": true } })
            }
            "/pulls/7" => pull.clone(),
            "/pulls" => json!([pull]),
            "/issues/7" => as_issue(),
            "/issues/3" => issue(3),
            "/issues" => json!([as_issue(), issue(3), issue(4)]),
            "/issues/7/comments" => state.comments.clone().into(),
            "/labels" => state.labels.clone().into(),
            "/labels/good%20first%20issue" => state.labels[1].clone(),
            "/pulls/7/files" => json!([{ "filename": "a.rs", "status": "added", "additions": 3, "deletions": 0 },
                { "filename": "b.rs", "status": "removed", "additions": 0, "deletions": 2 }]),
            "/pulls/7/commits" => json!([commit(1), commit(2)]),
            "/pulls/7/reviews" => {
                json!([{ "id": 1, "user": { "login": "ana" }, "state": "CHANGES_REQUESTED", "body": "" },
                { "id": 2, "user": { "login": "ana" }, "state": "APPROVED", "body": "fine" }])
            }
            "/git/ref/heads/main" => {
                json!({ "ref": "refs/heads/main", "object": { "sha": state.head, "type": "commit" } })
            }
            "/commits" => (1..=120).map(commit).collect(),
            "/commits/main" => commit(0),
            "/commits/0000000000000000000000000000000000000000/status" => {
                json!({ "statuses": [{ "id": 1, "context": "lint", "state": "success" }] })
            }
            "/commits/0000000000000000000000000000000000000000/check-runs" => {
                json!({ "check_runs": [{ "id": 2, "name": "unit", "status": "completed", "conclusion": "failure" }] })
            }
            path if path.starts_with("/commits/") && path.ends_with("/pulls") => json!([pull]),
            "/contents/README.md" => json!({ "type": "file", "sha": SHA, "size": 2, "content": "aGk=" }),
            "/releases" => {
                json!([{ "id": 9, "tag_name": "v1.0.0", "name": "One", "draft": false, "created_at": "2026-01-01T00:00:00Z",
                "assets": [{ "id": 1, "name": "a.zip", "size": 3 }] }])
            }
            "/releases/latest" => json!({ "id": 9, "tag_name": "v1.0.0" }),
            "/git/commits/1111111111111111111111111111111111111111" => json!({ "sha": SHA, "tree": { "sha": "t0" } }),
            path => {
                let id: u64 = path.strip_prefix("/issues/comments/")?.parse().ok()?;
                state.comments.iter().find(|comment| comment["id"] == id)?.clone()
            }
        })
    }

    fn change(&self, method: &str, path: &str, body: &Value) -> Option<(u16, Value)> {
        if method == "POST" && path == "/issues/7/comments" {
            return Some((201, self.add_comment(body["body"].as_str().unwrap_or_default(), "github-actions[bot]")));
        }
        let mut state = self.state();
        if let Some(id) = path.strip_prefix("/issues/comments/") {
            let (id, part) = id.split_once('/').unwrap_or((id, ""));
            let id: u64 = id.parse().ok()?;
            let at = state.comments.iter().position(|comment| comment["id"] == id)?;
            match (method, part) {
                ("DELETE", "") => {
                    state.comments.remove(at);
                    return Some((204, Value::Null));
                }
                ("PATCH", "") => state.comments[at]["body"] = body["body"].clone(),
                ("PUT", "minimized") => state.comments[at]["minimized"] = body.clone(),
                ("DELETE", "minimized") => state.comments[at]["minimized"] = Value::Null,
                ("POST", "reactions") => {
                    return Some((201, json!({ "id": 5, "content": body["content"], "user": { "login": "mona" } })));
                }
                _ => return None,
            }
            return Some((200, state.comments[at].clone()));
        }
        Some(match (method, path) {
            ("PATCH", "/pulls/7" | "/issues/7") => {
                for (name, value) in body.as_object().into_iter().flatten() {
                    state.pull[name] = value.clone();
                }
                (200, state.pull.clone())
            }
            ("POST", "/issues/7/labels") => {
                state.pull["labels"] =
                    body["labels"].as_array()?.iter().map(|name| json!({ "id": 1, "name": name })).collect();
                (200, state.pull["labels"].clone())
            }
            ("DELETE", "/issues/7/labels/good%20first%20issue") => {
                state.pull["labels"] = json!([]);
                (200, json!([]))
            }
            ("POST", "/issues") => (
                201,
                json!({ "number": 8, "title": body["title"], "body": body["body"], "labels": body["labels"].as_array()?.iter().map(|name| json!({ "name": name })).collect::<Value>(), "state": "open" }),
            ),
            ("POST", "/git/blobs") => (201, json!({ "sha": "b1" })),
            ("POST", "/git/trees") => {
                state.trees.push(body.clone());
                (201, json!({ "sha": "t1" }))
            }
            ("POST", "/git/commits") => (
                201,
                json!({ "sha": "2222222222222222222222222222222222222222", "message": body["message"], "parents": [] }),
            ),
            ("PATCH", "/git/refs/heads/main") => {
                state.head = body["sha"].as_str()?.to_owned();
                (200, json!({ "ref": "refs/heads/main", "object": { "sha": state.head, "type": "commit" } }))
            }
            _ => return None,
        })
    }
}

impl ForgeApi for Forge {
    fn call(&self, _caller: &Caller, request: &ApiRequest) -> ApiResponse {
        self.state().calls.push(format!("{} {}", request.method, request.path));
        if let Some(answer) = self.always.lock().expect("no test panics while it holds the answer").clone() {
            return answer;
        }
        if request.path == "/user" {
            return ApiResponse::error(403, "Resource not accessible by integration");
        }
        if request.path == "/rate_limit" {
            return ApiResponse::json(200, &json!({ "rate": { "limit": 1000, "remaining": 990, "reset": 0 } }));
        }
        let Some(path) = request.path.strip_prefix("/repos/octo/demo") else {
            return ApiResponse::error(404, "Not Found");
        };
        if request.method != "GET" {
            if self.read_only {
                return ApiResponse::error(403, "Resource not accessible by integration");
            }
            let body = serde_json::from_slice(&request.body).unwrap_or_default();
            return match self.change(&request.method, path, &body) {
                Some((204, _)) => ApiResponse::empty(204),
                Some((status, value)) => ApiResponse::json(status, &value),
                None => ApiResponse::error(404, "Not Found"),
            };
        }
        let Some(value) = self.read(path) else { return ApiResponse::error(404, "Not Found") };
        let Value::Array(items) = value else { return ApiResponse::json(200, &value) };
        let number = |name: &str| {
            request.query.iter().find(|(known, _)| known == name).and_then(|(_, value)| value.parse::<usize>().ok())
        };
        // Like Gitea: never more than 50 at once, whatever is asked for.
        let (size, page) = (number("per_page").unwrap_or(30).min(50), number("page").unwrap_or(1));
        let more = items.len() > size * page;
        let items: Vec<Value> = items.into_iter().skip(size * (page - 1)).take(size).collect();
        let mut response = ApiResponse::json(200, &items.into());
        if more {
            response.headers.push(("link".into(), "<https://forge.test/next>; rel=\"next\"".into()));
        }
        response
    }
}
