//! GitHub's calls as Gitea gets them.

use lineclear_forge::ApiRequest;
use lineclear_forge_remote::ForgeKind;
use serde_json::{Value, json};

use crate::server::{Server, answer, json};
use crate::{call, message, remote};

const SHA: &str = "1111111111111111111111111111111111111111";

/// What a Gitea with one repository answers.
fn gitea() -> Server {
    Server::start(|seen, _| {
        let Some(line) = seen
            .line
            .replacen("/api/v1/repos/o/r", "", 1)
            .split_once(' ')
            .map(|(method, path)| format!("{method} {path}"))
        else {
            return json(500, &Value::Null);
        };
        match line.as_str() {
            "GET /labels?limit=50&page=1" => answer(
                200,
                &[("content-type", "application/json"), ("link", "<http://x/y?page=2>; rel=\"next\"")],
                "[{\"id\":1,\"name\":\"bug\"}]",
            ),
            "GET /labels?limit=50&page=2" => json(200, &json!([{ "id": 2, "name": "good first issue" }])),
            "POST /labels" => json(201, &json!({ "id": 3, "name": seen.json()["name"] })),
            "PUT /issues/7/labels" | "POST /issues/7/labels" | "GET /issues/7/labels" => {
                json(200, &json!([{ "id": 2, "name": "good first issue" }]))
            }
            "DELETE /issues/7/labels/2" => answer(204, &[], ""),
            "PATCH /issues/7" => json(201, &json!({ "number": 7, "state": "closed" })),
            "GET /issues/7" => json(200, &json!({ "number": 7, "assignees": [{ "login": "a" }, { "login": "b" }] })),
            "POST /statuses/1111111111111111111111111111111111111111" => {
                json(201, &json!({ "id": 9, "status": seen.json()["state"], "context": seen.json()["context"] }))
            }
            "GET /commits/main/status" => {
                json(200, &json!({ "state": "success", "statuses": [{ "id": 9, "status": "success" }] }))
            }
            "GET /git/refs/heads/main" => json(
                200,
                &json!([{ "ref": "refs/heads/mainline" }, { "ref": "refs/heads/main", "object": { "sha": SHA } }]),
            ),
            "GET /pulls/7" => json(200, &json!({ "number": 7, "title": "Feature", "merge_commit_sha": SHA })),
            "PATCH /pulls/7" | "POST /pulls" => json(201, &json!({ "number": 7, "title": seen.json()["title"] })),
            "POST /pulls/7/merge" => answer(200, &[], ""),
            "GET /commits/abc/pull" => json(200, &json!({ "number": 7 })),
            "GET /git/commits/feature%2Fx" => json(200, &json!({ "sha": SHA })),
            "POST /branches" => json(201, &json!({ "name": "next" })),
            "POST /contents/a.txt" | "PUT /contents/a.txt" => json(201, &json!({ "content": { "path": "a.txt" } })),
            "GET /releases?limit=50&page=1" => json(200, &json!([{ "id": 4, "assets": [{ "id": 40 }] }])),
            "DELETE /releases/4/assets/40" => answer(204, &[], ""),
            "POST /releases/4/assets?name=a.bin" => json(201, &json!({ "id": 41 })),
            "GET /issues?limit=5&page=1" => json(200, &json!([])),
            _ => json(404, &json!({ "message": "no such route in this test" })),
        }
    })
}

struct Case {
    server: Server,
}

impl Case {
    fn check(&self, request: &ApiRequest, status: u16, expected: &Value) {
        let found = call(&remote(ForgeKind::Gitea, &self.server.url), request);
        assert_eq!(
            (found.status, &found.value()),
            (status, expected),
            "{} {}: {:?}",
            request.method,
            request.path,
            self.server.lines()
        );
    }

    fn last(&self, line: &str) -> Value {
        let seen = self.server.seen().into_iter().rev().find(|seen| seen.line.replace("/api/v1/repos/o/r", "") == line);
        seen.unwrap_or_else(|| panic!("{line} was called: {:?}", self.server.lines())).json()
    }
}

fn request(method: &str, below: &str) -> ApiRequest {
    ApiRequest::new(method, &format!("/repos/o/r/{below}"))
}

#[test]
fn labels_go_by_number() {
    let case = Case { server: gitea() };
    let set = json!([{ "id": 2, "name": "good first issue" }]);
    case.check(&request("POST", "issues/7/labels").json(&json!({ "labels": ["Good first issue", "new"] })), 200, &set);
    assert_eq!(case.last("POST /issues/7/labels"), json!({ "labels": [2, 3] }));
    assert_eq!(case.last("POST /labels"), json!({ "name": "new", "color": "#ededed" }));
    case.check(&request("DELETE", "issues/7/labels/good%20first%20issue"), 200, &set);
    case.check(&request("GET", "labels/bug"), 200, &json!({ "id": 1, "name": "bug" }));
    case.check(
        &request("PATCH", "issues/7")
            .json(&json!({ "labels": ["bug"], "state": "closed", "state_reason": "completed" })),
        201,
        &json!({ "number": 7, "state": "closed" }),
    );
    assert_eq!(case.last("PUT /issues/7/labels"), json!({ "labels": [1] }));
    assert_eq!(case.last("PATCH /issues/7"), json!({ "state": "closed" }));
    call(
        &remote(ForgeKind::Gitea, &case.server.url),
        &request("DELETE", "issues/7/assignees").json(&json!({ "assignees": ["b"] })),
    );
    assert_eq!(case.last("PATCH /issues/7"), json!({ "assignees": ["a"] }));
}

#[test]
fn check_runs_become_statuses() {
    let server = gitea();
    let forge = remote(ForgeKind::Gitea, &server.url);
    let body = json!({ "name": "unit", "head_sha": SHA, "status": "in_progress", "output": { "title": "running", "summary": "s" } });
    let made = call(&forge, &request("POST", "check-runs").json(&body));
    assert_eq!((made.status, &made.value()["id"], &made.value()["status"]), (201, &json!(9), &json!("in_progress")));
    let done = call(
        &forge,
        &request("PATCH", "check-runs/9").json(&json!({ "conclusion": "failure", "output": { "title": "1 failed" } })),
    );
    assert_eq!((done.status, &done.value()["conclusion"]), (200, &json!("failure")));
    let posted: Vec<Value> = server.seen().iter().map(|seen| seen.json()).collect();
    assert_eq!(posted[0], json!({ "context": "unit", "state": "pending", "description": "running", "target_url": "" }));
    assert_eq!(
        posted[1],
        json!({ "context": "unit", "state": "failure", "description": "1 failed", "target_url": "" })
    );
    assert_eq!(call(&forge, &request("PATCH", "check-runs/77").json(&json!({}))).status, 404);
    let checks = call(&forge, &request("GET", "commits/main/check-runs"));
    assert_eq!(checks.value(), json!({ "total_count": 0, "check_runs": [] }));
    let status = call(&forge, &request("GET", "commits/main/status"));
    assert_eq!(status.value()["statuses"][0]["state"], "success");
}

#[test]
fn drafts_are_titles_and_merges_have_other_words() {
    let case = Case { server: gitea() };
    case.check(
        &request("PATCH", "pulls/7").json(&json!({ "draft": true })),
        201,
        &json!({ "number": 7, "title": "WIP: Feature", "draft": true }),
    );
    case.check(
        &request("PATCH", "pulls/7").json(&json!({ "draft": false, "title": "WIP: Feature" })),
        201,
        &json!({ "number": 7, "title": "Feature", "draft": false }),
    );
    case.check(
        &request("POST", "pulls").json(&json!({ "draft": true, "title": "New", "head": "a", "base": "b" })),
        201,
        &json!({ "number": 7, "title": "WIP: New", "draft": true }),
    );
    let merged = json!({ "sha": SHA, "merged": true, "message": "Pull Request successfully merged" });
    case.check(
        &request("PUT", "pulls/7/merge").json(&json!({ "merge_method": "squash", "commit_title": "T" })),
        200,
        &merged,
    );
    assert_eq!(case.last("POST /pulls/7/merge"), json!({ "Do": "squash", "MergeTitleField": "T" }));
}

#[test]
fn refs_commits_and_files_are_found_where_gitea_has_them() {
    let case = Case { server: gitea() };
    case.check(
        &request("GET", "git/ref/heads/main"),
        200,
        &json!({ "ref": "refs/heads/main", "object": { "sha": SHA } }),
    );
    case.check(&request("GET", "git/matching-refs/tags/v9"), 200, &json!([]));
    case.check(
        &request("POST", "git/refs").json(&json!({ "ref": "refs/heads/next", "sha": SHA })),
        201,
        &json!({ "ref": "refs/heads/next", "object": { "sha": SHA, "type": "commit" } }),
    );
    assert_eq!(case.last("POST /branches"), json!({ "new_branch_name": "next", "old_ref_name": SHA }));
    case.check(&request("GET", "commits/heads/feature/x"), 200, &json!({ "sha": SHA }));
    case.check(&request("GET", "commits/abc/pulls"), 200, &json!([{ "number": 7 }]));
    case.check(
        &request("PUT", "contents/a.txt").json(&json!({ "content": "aGk=", "message": "m" })),
        201,
        &json!({ "content": { "path": "a.txt" } }),
    );
    case.check(
        &request("PUT", "contents/a.txt").json(&json!({ "content": "aGk=", "sha": SHA })),
        201,
        &json!({ "content": { "path": "a.txt" } }),
    );
    let methods: Vec<String> = case
        .server
        .lines()
        .into_iter()
        .filter(|line| line.ends_with("/contents/a.txt"))
        .map(|line| line[..4].trim().to_owned())
        .collect();
    assert_eq!(methods, ["POST", "PUT"]);
    case.check(&request("GET", "issues").query("per_page", "5").query("page", "1"), 200, &json!([]));
}

#[test]
fn files_of_releases_are_sent_as_forms_and_found_by_number() {
    let case = Case { server: gitea() };
    let mut upload = request("POST", "releases/4/assets").query("name", "a.bin");
    upload.body = b"--lineclear-form-boundary\r\n\x00\xff".to_vec();
    case.check(&upload, 201, &json!({ "id": 41 }));
    let seen = &case.server.seen()[0];
    assert_eq!(seen.header("content-type"), Some("multipart/form-data; boundary=lineclear-form-boundaryx"));
    assert!(memchr_find(&seen.body, &upload.body) && seen.body.ends_with(b"\r\n--lineclear-form-boundaryx--\r\n"));
    case.check(&request("DELETE", "releases/assets/40"), 204, &Value::Null);
    let mut evil = request("POST", "releases/4/assets").query("name", "a\"\r\nx: y");
    evil.body = vec![1];
    assert_eq!(call(&remote(ForgeKind::Gitea, &case.server.url), &evil).status, 422);
}

fn memchr_find(body: &[u8], part: &[u8]) -> bool {
    body.windows(part.len()).any(|window| window == part)
}

#[test]
fn what_gitea_lacks_is_named() {
    let server = gitea();
    let forge = remote(ForgeKind::Gitea, &server.url);
    for (method, below, expected) in [
        ("POST", "deployments", "Not Found: Gitea has no deployments."),
        ("PUT", "code-scanning/analysis", "Not Found: Gitea has no code scanning."),
        ("POST", "git/trees", "Not Found: Gitea has no way to write git objects over its API: push with git instead."),
        ("PUT", "issues/comments/1/minimized", "Not Found: Gitea has no way to hide comments."),
        ("POST", "releases/generate-notes", "Not Found: Gitea has no generated release notes."),
    ] {
        let answer = call(&forge, &request(method, below).json(&json!({})));
        assert_eq!((answer.status, message(&answer).as_str()), (404, expected));
    }
    assert_eq!(message(&call(&forge, &ApiRequest::new("POST", "/graphql"))), "Not Found: Gitea has no GraphQL.");
    assert!(server.seen().is_empty());
}
