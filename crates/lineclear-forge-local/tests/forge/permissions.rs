//! What a job's permissions let through, with the guard before a real forge.

use std::collections::BTreeMap;

use base64::Engine as _;
use flate2::Compression;
use flate2::write::GzEncoder;
use lineclear_forge::{ApiRequest, ApiResponse, ForgeApi, Guarded, Visibility};
use serde_json::{Value, json};
use std::io::Write as _;

use crate::ground::{ALL, World, caller, header, request, world};

fn guarded(world: World) -> (Guarded<lineclear_forge_local::LocalForge>, tempfile::TempDir, String) {
    (Guarded::new(world.forge), world.folder, world.facts.sha)
}

fn sarif() -> String {
    let text = json!({"runs": [{"tool": {"driver": {"name": "Bandit"}}, "results": [], "automationDetails": {"id": "bandit/"}}]});
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(text.to_string().as_bytes()).expect("memory takes it");
    base64::engine::general_purpose::STANDARD.encode(packed.finish().expect("memory takes it"))
}

/// What jobs do, each with the scope it needs: S1-1, S1-8, S1-9, S1-10, S1-11, S2-23.
fn deeds(sha: &str) -> Vec<(&'static str, ApiRequest)> {
    let scanning = json!({"commit_oid": sha, "ref": "refs/heads/feature", "sarif": sarif()});
    let body = |method: &str, path: &str, body: &Value| request(method, path).json(body);
    vec![
        ("pull-requests", body("POST", "issues/7/comments", &json!({"body": "hi"}))),
        ("issues", body("POST", "issues", &json!({"title": "t"}))),
        ("statuses", body("POST", &format!("statuses/{sha}"), &json!({"state": "success"}))),
        ("checks", body("POST", "check-runs", &json!({"name": "n", "head_sha": sha}))),
        ("contents", body("POST", "releases", &json!({"tag_name": "v9", "target_commitish": "main"}))),
        ("contents", body("PUT", "contents/a.txt", &json!({"message": "m", "content": "YQ=="}))),
        ("deployments", body("POST", "deployments", &json!({"ref": "main"}))),
        ("security-events", body("PUT", "code-scanning/analysis", &scanning)),
        ("actions", body("POST", "actions/workflows/ci.yml/dispatches", &json!({"ref": "main"}))),
        ("pages", body("POST", "pages/deployments", &json!({"artifact_id": 1, "pages_build_version": "1"}))),
    ]
}

#[test]
fn each_deed_is_done_with_its_scope_and_refused_without() {
    let (forge, _folder, sha) = guarded(world());
    let call = |scopes: &[(&str, &str)], request: &ApiRequest| forge.call(&caller(scopes), request);
    for (scope, deed) in deeds(&sha) {
        let what = format!("{} {}", deed.method, deed.path);
        // S1-9: the job's permissions are all there is; a job with only another scope, or with none, is refused.
        let others: Vec<(&str, &str)> = ALL
            .iter()
            .filter(|known| **known != scope && !(scope == "pull-requests" && **known == "issues"))
            .map(|scope| (*scope, "write"))
            .collect();
        for refused in [call(&[], &deed), call(&[(scope, "read")], &deed), call(&others, &deed)] {
            assert_eq!(refused.status, 403, "{what}");
            assert_eq!(refused.value()["message"], "Resource not accessible by integration", "{what}");
            assert!(
                header(&refused, "x-accepted-github-permissions").is_some_and(|need| need.contains("write")),
                "{what}"
            );
        }
        let done = call(&[(scope, "write")], &deed);
        assert!(done.is_success(), "{what}: {} {}", done.status, done.value());
    }
}

/// S1-8: `contents: read` reads, and writes nothing at all.
#[test]
fn contents_read_reads_and_writes_nothing() {
    let (forge, _folder, sha) = guarded(world());
    let job = caller(&[("contents", "read")]);
    for path in
        ["contents/README.md", "commits/main", "git/trees/main", "branches", "compare/main...feature", "pulls/7", ""]
    {
        assert_eq!(forge.call(&job, &request("GET", path)).status, 200, "{path}");
    }
    for (_, deed) in deeds(&sha) {
        assert_eq!(forge.call(&job, &deed).status, 403, "{} {}", deed.method, deed.path);
    }
    // As on GitHub, reading the code is enough to comment on a commit.
    let comment = request("POST", &format!("commits/{sha}/comments")).json(&json!({"body": "hi"}));
    assert_eq!(forge.call(&job, &comment).status, 201);
}

/// S2-23: a job with `packages: write`, `pull-requests: write` and `contents: read` comments, and nothing more.
#[test]
fn three_scopes_allow_what_they_say() {
    let (forge, _folder, sha) = guarded(world());
    let job = caller(&[("packages", "write"), ("pull-requests", "write"), ("contents", "read")]);
    let mut done: BTreeMap<String, u16> = BTreeMap::new();
    for (_, deed) in deeds(&sha) {
        done.insert(format!("{} {}", deed.method, deed.path), forge.call(&job, &deed).status);
    }
    let allowed: Vec<&String> = done.iter().filter(|(_, status)| **status < 400).map(|(deed, _)| deed).collect();
    assert_eq!(allowed, ["POST /repos/octo/app/issues/7/comments"]);
}

/// A pull request is an issue with a number, and an issue is no pull request.
#[test]
fn writing_pull_requests_does_not_touch_plain_issues() {
    let (forge, _folder, _) = guarded(world());
    let made = forge.call(&caller(&[("issues", "write")]), &request("POST", "issues").json(&json!({"title": "plain"})));
    let number = made.value()["number"].as_u64().expect("a number");
    let comment = |issue: u64, scope: &str| -> ApiResponse {
        let request = request("POST", &format!("issues/{issue}/comments")).json(&json!({"body": "x"}));
        forge.call(&caller(&[(scope, "write")]), &request)
    };
    assert_eq!(comment(number, "pull-requests").status, 403);
    assert_eq!(comment(number, "issues").status, 201);
    assert_eq!(comment(7, "pull-requests").status, 201);
    assert_eq!(comment(7, "issues").status, 201);
}

#[test]
fn other_repositories_and_people_are_out_of_reach() {
    let (forge, _folder, _) = guarded(world());
    let job = crate::ground::everything();
    assert_eq!(forge.call(&job, &ApiRequest::new("GET", "/repos/octo/other")).status, 404);
    assert_eq!(forge.call(&job, &ApiRequest::new("GET", "/repos/octo/app/../other/issues")).status, 404);
    assert_eq!(forge.call(&job, &ApiRequest::new("GET", "/user")).status, 403);
    assert_eq!(forge.call(&job, &ApiRequest::new("POST", "/repos/octo/app/transfer")).status, 403);
    assert_eq!(forge.call(&job, &ApiRequest::new("GET", "/rate_limit")).status, 200);
    assert_eq!(forge.call(&job, &request("GET", "actions/permissions/workflow")).status, 403);
}

/// S1-17: the one behind the guard can ask for it.
#[test]
fn the_default_permissions_can_be_read() {
    let world = world();
    assert_eq!(world.read("actions/permissions/workflow")["default_workflow_permissions"], "read");
}

#[test]
fn what_the_embedded_forge_does_not_offer_is_said() {
    let world = world();
    let response = world.get("secret-scanning/alerts");
    assert_eq!(response.status, 404);
    let message = response.value()["message"].as_str().unwrap_or_default().to_owned();
    assert_eq!(message, "Not Found: the embedded forge does not offer `GET /repos/octo/app/secret-scanning/alerts`");
}

#[test]
fn a_public_repository_is_readable_without_scopes() {
    let world = world();
    let forge = Guarded::new(world.forge).with_visibility(Visibility::Public);
    assert_eq!(forge.call(&caller(&[]), &request("GET", "issues/7/comments")).status, 200);
    assert_eq!(forge.call(&caller(&[]), &request("POST", "issues/7/comments").json(&json!({"body": "x"}))).status, 403);
}
