//! The forge's API by the official client.

use std::sync::{Arc, Mutex};

use lineclear_forge::{ApiRequest, ApiResponse, Caller, ForgeApi};
use serde_json::{Value, json};

use crate::client::{call, call_with_log};
use crate::http::send;
use crate::world::World;

/// A forge with some issues.
#[derive(Debug, Default)]
struct Small {
    calls: Mutex<Vec<(Caller, ApiRequest)>>,
}

impl ForgeApi for Small {
    fn call(&self, caller: &Caller, request: &ApiRequest) -> ApiResponse {
        self.calls.lock().expect("no poison").push((caller.clone(), request.clone()));
        let get = |name: &str| request.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/repos/octo/app/issues") => {
                let page: u64 = get("page").and_then(|page| page.parse().ok()).unwrap_or(1);
                let mut answer =
                    ApiResponse::json(200, &json!([{ "number": page, "title": format!("on page {page}") }]));
                if page < 3 {
                    let host = request.header("host").expect("a host");
                    let next = format!("<http://{host}/api/v3/repos/octo/app/issues?page={}>; rel=\"next\"", page + 1);
                    answer.headers.push(("link".into(), next));
                }
                answer.headers.push(("x-ratelimit-remaining".into(), "77".into()));
                answer
            }
            ("POST", "/repos/octo/app/issues/7/comments") => {
                let body: Value = serde_json::from_slice(&request.body).expect("JSON");
                match caller.permissions.get("issues").map(String::as_str) {
                    Some("write") => ApiResponse::json(201, &json!({ "id": 1, "body": body["body"] })),
                    _ => ApiResponse::error(403, "Resource not accessible by integration"),
                }
            }
            ("POST", "/graphql") => {
                let body: Value = serde_json::from_slice(&request.body).expect("JSON");
                ApiResponse::json(200, &json!({ "data": { "asked": body["variables"] } }))
            }
            ("DELETE", "/repos/octo/app/issues/7/labels/a%2Fb%20c") => ApiResponse::empty(204),
            ("POST", "/repos/octo/app/releases/3/assets") => ApiResponse::json(
                201,
                &json!({ "name": get("name"), "size": request.body.len(), "type": request.header("content-type") }),
            ),
            _ => ApiResponse::error(404, "Not Found"),
        }
    }
}

fn world() -> (World, Arc<Small>) {
    let forge = Arc::new(Small::default());
    let given = forge.clone();
    (World::with(|config| config.forge = given), forge)
}

#[test]
fn each_client_reads_pages_writes_and_asks_by_graphql() {
    let (world, forge) = world();
    let job = world.job_of(1, "talk", |job| {
        job.caller.permissions.insert("issues".into(), "write".into());
    });
    for client in ["github6", "github9"] {
        let calls = [
            json!(["paginate", "GET /repos/{owner}/{repo}/issues", { "owner": "octo", "repo": "app" }]),
            json!(["rest", "issues", "createComment", { "owner": "octo", "repo": "app", "issue_number": 7, "body": "hej ☂" }]),
            json!(["graphql", "query($n: Int) { asked }", { "n": 5 }]),
            json!(["request", "GET /repos/octo/app/issues", {}]),
            json!(["request", "DELETE /repos/{o}/{r}/issues/7/labels/{name}", { "o": "octo", "r": "app", "name": "a/b c" }]),
        ];
        let (results, log) = call_with_log(&world, &job, client, &calls);
        assert!(results.iter().all(|result| result["error"].is_null()), "{results:?}\n{log}");
        let numbers: Vec<u64> = results[0]["value"]
            .as_array()
            .expect("issues")
            .iter()
            .filter_map(|issue| issue["number"].as_u64())
            .collect();
        assert_eq!(numbers, [1, 2, 3]);
        assert_eq!(results[1]["value"]["body"], "hej ☂");
        assert_eq!(results[2]["value"]["asked"]["n"], 5);
        let headers = &results[3]["value"]["headers"];
        assert_eq!(headers["x-ratelimit-remaining"], "77", "the forge's own word stays");
        for name in ["x-ratelimit-limit", "x-ratelimit-reset", "x-ratelimit-used", "x-github-request-id"] {
            assert!(headers[name].as_str().is_some_and(|value| !value.is_empty()), "{name}: {headers}");
        }
        assert_eq!(results[4]["value"]["status"], 204);
    }
    let calls = forge.calls.lock().expect("no poison");
    assert!(calls.iter().all(|(caller, _)| caller == job.access.caller()));
    assert!(calls.iter().all(|(_, request)| request.header("authorization").is_none()), "the token stays here");
}

#[test]
fn what_a_job_may_not_do_is_refused_as_github_words_it() {
    let (world, _) = world();
    let job = world.job("reader");
    let comment =
        json!(["rest", "issues", "createComment", { "owner": "octo", "repo": "app", "issue_number": 7, "body": "x" }]);
    let results = call(&world, &job, "github9", &[comment]);
    assert_eq!(results[0]["status"], 403);
    assert!(results[0]["error"].as_str().is_some_and(|error| error.contains("Resource not accessible by integration")));
    let stranger = world.job("stranger").env("GITHUB_TOKEN", "ghs_nobody");
    let results = call(&world, &stranger, "github9", &[json!(["request", "GET /repos/octo/app/issues", {}])]);
    assert_eq!(results[0]["status"], 401, "{results:?}");
    assert!(results[0]["error"].as_str().is_some_and(|error| error.contains("Bad credentials")), "{results:?}");
}

#[test]
fn the_token_is_taken_in_every_form_and_ends_with_the_job() {
    use base64::Engine;
    let (world, _) = world();
    let job = world.job("forms");
    let token = job.access.forge_token.clone();
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("x-access-token:{token}"));
    let ask = |path: &str, authorization: &str| {
        send(&world.address(), "GET", path, &[("Authorization", authorization), ("User-Agent", "test")], b"").status
    };
    let path = "/api/v3/repos/octo/app/issues";
    for form in [format!("token {token}"), format!("Bearer {token}"), format!("Basic {basic}")] {
        assert_eq!(ask(path, &form), 200, "{form}");
    }
    assert_eq!(ask(path, &format!("Bearer {}", job.access.runtime_token)), 401, "another token of the job");
    assert_eq!(send(&world.address(), "GET", path, &[], b"").json()["message"], "Bad credentials");
    assert_eq!(ask("/api/v3", &format!("token {token}")), 404);
    drop(job);
    assert_eq!(ask(path, &format!("token {token}")), 401);
}

#[test]
fn graphql_and_assets_have_their_own_places() {
    let (world, _) = world();
    let job = world.job("places");
    let authorization = format!("token {}", job.access.forge_token);
    let headers = [("Authorization", authorization.as_str()), ("Content-Type", "application/x-thing")];
    for path in ["/api/graphql", "/graphql"] {
        assert_eq!(send(&world.address(), "POST", path, &headers, br#"{"query":"{a}","variables":{}}"#).status, 200);
    }
    let path = "/api/uploads/repos/octo/app/releases/3/assets?name=a%20b.bin&label=x";
    let answer = send(&world.address(), "POST", path, &headers, &vec![7; 40 << 20]);
    assert_eq!(answer.status, 201, "an asset may be larger than a call");
    assert_eq!(answer.json(), json!({ "name": "a b.bin", "size": 40 << 20, "type": "application/x-thing" }));
    let large =
        send(&world.address(), "POST", "/api/v3/repos/octo/app/issues/7/comments", &headers, &vec![b' '; 40 << 20]);
    assert_eq!(large.status, 413);
}

#[test]
fn without_a_forge_the_client_is_told_why() {
    let world = World::new();
    let job = world.job("alone");
    let answer = send(
        &world.address(),
        "GET",
        "/api/v3/user",
        &[("Authorization", &format!("token {}", job.access.forge_token))],
        b"",
    );
    assert_eq!((answer.status, &answer.json()["message"]), (503, &json!("no forge is offered to this job")));
}
