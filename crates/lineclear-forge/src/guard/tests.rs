use std::collections::BTreeMap;

use lineclear_event::{JobKey, RunId};
use serde_json::json;

use super::*;

fn caller(permissions: &[(&str, &str)]) -> Caller {
    Caller {
        repository: "octo/app".into(),
        run: RunId(1),
        job: JobKey::new("build"),
        actor: "ada".into(),
        permissions: permissions.iter().map(|(scope, level)| ((*scope).into(), (*level).into())).collect(),
    }
}

#[derive(Debug)]
struct AnswersAll;

impl ForgeApi for AnswersAll {
    fn call(&self, _: &Caller, _: &ApiRequest) -> ApiResponse {
        ApiResponse::json(200, &json!({"reached": true}))
    }
}

fn check(permissions: &[(&str, &str)], method: &str, path: &str, expected: Decision) {
    let path = format!("/repos/octo/app/{path}");
    let decision = decide(&caller(permissions), Visibility::Private, method, path.trim_end_matches('/'));
    assert_eq!(decision, expected, "{permissions:?} {method} {path}");
}

/// S1-1, S1-8, S1-9, S1-10, S1-11, S2-23, S2-24: each with its scope, with a lower level, and without.
#[test]
fn each_call_needs_its_own_scope() {
    for (method, path, scope, level) in [
        ("POST", "issues", "issues", "write"),
        ("POST", "issues/7/comments", "issues", "write"),
        ("POST", "issues/7/comments", "pull-requests", "write"),
        ("PATCH", "issues/comments/9", "pull-requests", "write"),
        ("GET", "issues/7/comments", "pull-requests", "read"),
        ("PUT", "issues/7/labels", "pull-requests", "write"),
        ("DELETE", "issues/7/labels/a%2Fb", "issues", "write"),
        ("GET", "issues", "issues", "read"),
        ("POST", "pulls", "pull-requests", "write"),
        ("GET", "pulls/7/files", "pull-requests", "read"),
        ("GET", "pulls/7", "contents", "read"),
        ("POST", "pulls/7/requested_reviewers", "pull-requests", "write"),
        ("PUT", "pulls/7/merge", "contents", "write"),
        ("GET", "contents/a/b", "contents", "read"),
        ("PUT", "contents/a/b", "contents", "write"),
        ("POST", "git/refs", "contents", "write"),
        ("PATCH", "git/refs/heads/main", "contents", "write"),
        ("POST", "releases", "contents", "write"),
        ("POST", "releases/1/assets", "contents", "write"),
        ("POST", "dispatches", "contents", "write"),
        ("POST", "commits/abc/comments", "contents", "read"),
        ("POST", "statuses/abc", "statuses", "write"),
        ("GET", "commits/heads/main/status", "statuses", "read"),
        ("POST", "check-runs", "checks", "write"),
        ("GET", "commits/abc/check-runs", "checks", "read"),
        ("PUT", "code-scanning/analysis", "security-events", "write"),
        ("POST", "code-scanning/sarifs", "security-events", "write"),
        ("GET", "code-scanning/alerts", "security-events", "read"),
        ("POST", "deployments", "deployments", "write"),
        ("POST", "deployments/1/statuses", "deployments", "write"),
        ("GET", "actions/runs/1/artifacts", "actions", "read"),
        ("DELETE", "actions/caches", "actions", "write"),
        ("POST", "actions/workflows/ci.yml/dispatches", "actions", "write"),
        ("POST", "attestations", "attestations", "write"),
        ("POST", "pages/deployments", "pages", "write"),
    ] {
        check(&[(scope, level)], method, path, Decision::Allowed);
        check(&[(scope, "write")], method, path, Decision::Allowed);
        let others: Vec<(&str, &str)> =
            ALL.iter().filter(|known| !unlocks(method, path, known)).map(|s| (*s, "write")).collect();
        let Some(need) = need(method, &format!("/{path}")) else { panic!("{method} {path} is in the table") };
        check(&others, method, path, Decision::Lacks(need));
        check(&[], method, path, Decision::Lacks(need));
        check(&[(scope, "none")], method, path, Decision::Lacks(need));
        if level == "write" {
            check(&[(scope, "read")], method, path, Decision::Lacks(need));
        }
    }
}

const ALL: [&str; 15] = [
    "actions",
    "attestations",
    "checks",
    "contents",
    "deployments",
    "discussions",
    "id-token",
    "issues",
    "models",
    "packages",
    "pages",
    "pull-requests",
    "repository-projects",
    "security-events",
    "statuses",
];

fn unlocks(method: &str, path: &str, scope: &str) -> bool {
    need(method, &format!("/{path}")).is_some_and(|need| need.contains(&scope.replace('-', "_")))
}

#[test]
fn metadata_is_always_readable() {
    for path in ["", "languages", "topics", "tags", "comments/1", "code-scanning/codeql-action/features"] {
        check(&[], "GET", path, Decision::Allowed);
        check(&[], "HEAD", path, Decision::Allowed);
    }
    assert_eq!(decide(&caller(&[]), Visibility::Private, "GET", "/rate_limit"), Decision::Allowed);
    assert_eq!(decide(&caller(&[]), Visibility::Private, "GET", "/"), Decision::Allowed);
}

#[test]
fn what_no_row_knows_is_refused_whatever_the_token_holds() {
    let all: Vec<(&str, &str)> = ALL.iter().map(|scope| (*scope, "write")).collect();
    check(&all, "POST", "transfer", Decision::UnknownChange);
    check(&all, "PUT", "collaborators/eve", Decision::UnknownChange);
    check(&all, "TRACE", "issues", Decision::UnknownChange);
    check(&all, "GET", "secret-scanning/alerts", Decision::UnknownQuestion);
    check(&all, "PATCH", "", Decision::Lacks("administration=write"));
    check(&all, "GET", "actions/secrets", Decision::Lacks("secrets=read"));
    check(&all, "PUT", "contents/.github/workflows/ci.yml", Decision::Lacks("contents=write,workflows=write"));
    check(&all, "PUT", "contents/.github%2Fworkflows%2Fci.yml", Decision::Lacks("contents=write,workflows=write"));
    check(&all, "PUT", "contents/.github%2Fworkflows/labels", Decision::Lacks("contents=write,workflows=write"));
    check(&[("statuses", "read")], "GET", "commits/x%2Fstatus", Decision::Lacks("contents=read"));
    check(&[("contents", "read")], "GET", "commits/x%2Fstatus", Decision::Lacks("statuses=read"));
    check(&[("contents", "read")], "GET", "pulls/comments", Decision::Lacks("pull_requests=read"));
    for path in ["/graphql", "/gists", "/repos", "/orgs/o/repos", "/app/installations/1/access_tokens"] {
        assert_eq!(decide(&caller(&all), Visibility::Private, "POST", path), Decision::UnknownChange, "{path}");
    }
    assert_eq!(decide(&caller(&all), Visibility::Private, "GET", "/user"), Decision::NoPerson);
    assert_eq!(decide(&caller(&all), Visibility::Private, "GET", "/user/repos"), Decision::NoPerson);
}

#[test]
fn another_repository_is_not_told_of() {
    let all: Vec<(&str, &str)> = ALL.iter().map(|scope| (*scope, "write")).collect();
    for path in [
        "/repos/octo/other/issues",
        "/repos/else/app/issues",
        "/repos/octo/app/../other/issues",
        "/repos/octo/app/%2e%2e/other/issues",
        "/repos/octo%2Fapp/x/issues",
        "/repos//octo/app/issues",
    ] {
        assert_eq!(decide(&caller(&all), Visibility::Private, "GET", path), Decision::Hidden, "{path}");
    }
    assert_eq!(decide(&caller(&all), Visibility::Private, "GET", "/repos/Octo/App/issues"), Decision::Allowed);
}

#[test]
fn a_public_repository_can_be_read_but_not_changed_without_scopes() {
    let ask =
        |method: &str, path: &str| decide(&caller(&[]), Visibility::Public, method, &format!("/repos/octo/app/{path}"));
    assert_eq!(ask("GET", "contents/a"), Decision::Allowed);
    assert_eq!(ask("GET", "issues/7/comments"), Decision::Allowed);
    assert_eq!(ask("GET", "code-scanning/alerts"), Decision::Lacks("security_events=read"));
    assert_eq!(ask("POST", "commits/abc/comments"), Decision::Lacks("contents=read"));
    assert_eq!(ask("POST", "issues"), Decision::Lacks("issues=write"));
}

#[test]
fn a_refusal_reads_as_github_words_it() {
    let guarded = Guarded::new(AnswersAll);
    let call = |method: &str, path: &str| guarded.call(&caller(&[]), &ApiRequest::new(method, path));
    let refused = call("POST", "/repos/octo/app/issues/7/comments");
    assert_eq!(refused.status, 403);
    assert_eq!(refused.value()["message"], "Resource not accessible by integration");
    let header = refused
        .headers
        .iter()
        .find(|(name, _)| name == "x-accepted-github-permissions")
        .map(|(_, value)| value.as_str());
    assert_eq!(header, Some("issues=write; pull_requests=write"));
    assert_eq!(call("GET", "/repos/octo/other").status, 404);
    assert_eq!(call("GET", "/repos/octo/other").value()["message"], "Not Found");
    let unknown = call("POST", "/repos/octo/app/transfer");
    assert_eq!(unknown.status, 403);
    assert!(unknown.value()["message"].as_str().is_some_and(|text| text.contains("POST /repos/octo/app/transfer")));
    assert_eq!(call("GET", "/user").status, 403);
    assert_eq!(call("GET", "/repos/octo/app").value(), json!({"reached": true}));
}

#[test]
fn every_row_can_be_reached() {
    let mut seen = BTreeMap::new();
    for (methods, pattern, _) in table::REPOSITORY {
        let path = pattern.replace("**", "x/y").replace('*', "x");
        let path = segments(&format!("/{path}")).unwrap_or_else(|| panic!("{pattern}"));
        for method in methods.split(' ') {
            let first = table::REPOSITORY
                .iter()
                .position(|(known, other, _)| known.split(' ').any(|m| m == method) && fits(other, &path))
                .expect("its own row fits");
            let (_, before, need) = table::REPOSITORY[first];
            let own = table::REPOSITORY.iter().find(|(m, p, _)| m == methods && p == pattern).expect("itself");
            assert!(
                before == *pattern || need == own.2 || before.matches('*').count() < pattern.matches('*').count() + 1,
                "{method} {pattern} is shadowed by {before}"
            );
            assert!(seen.insert((method, *pattern), ()).is_none(), "{method} {pattern} stands twice");
        }
    }
}
