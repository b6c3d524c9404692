//! Calls that no honest client makes: each is answered, none does harm.

use lineclear_forge::{ApiRequest, ForgeApi};
use serde_json::{Value, json};

use crate::ground::{everything, git, request, world};

#[test]
fn paths_do_not_lead_out_of_the_repository() {
    let world = world();
    for path in [
        "contents/../../etc/passwd",
        "contents/%2e%2e/%2e%2e/etc/passwd",
        "contents/..%2f..%2fetc%2fpasswd",
        "contents/.git/config",
        "contents/src/%00",
        "contents/src\\lib.rs",
        "contents/README.md?ref=--output=/tmp/x",
        "contents/README.md?ref=HEAD:README.md",
        "contents/README.md?ref=main@{0}",
        "contents/README.md?ref=main^{tree}",
        "git/ref/../config",
        "git/trees/HEAD:src",
        "git/blobs/--help",
        "commits/--all",
        "commits?sha=--all",
        "compare/--all...main",
        "compare/main..",
        "pulls/7/../../secret",
        "branches/%2e%2e",
        "tarball/--remote=x",
    ] {
        let status = world.get(path).status;
        assert!(matches!(status, 404 | 422), "{path}: {status}");
    }
    for body in
        [json!({"message": "m", "content": "YQ=="}), json!({"message": "m", "content": "YQ==", "branch": "../main"})]
    {
        for path in ["contents/.git/config", "contents/a/.GIT/hooks/x", "contents/%2e%2e/x"] {
            let status = world.call("PUT", path, &body).status;
            assert!(matches!(status, 404 | 422), "{path}: {status}");
        }
    }
    for path in ["../x", "/x/../y", ".git/x", "a//b", ""] {
        let tree = json!({"tree": [{"path": path, "mode": "100644", "content": "x"}]});
        assert_eq!(world.call("POST", "git/trees", &tree).status, 422, "{path}");
    }
}

#[test]
fn bodies_of_wrong_types_are_refused_by_every_route() {
    let world = world();
    let routes = [
        ("POST", "issues"),
        ("PATCH", "issues/7"),
        ("POST", "issues/7/comments"),
        ("PUT", "issues/7/labels"),
        ("POST", "issues/7/assignees"),
        ("PUT", "issues/7/lock"),
        ("POST", "labels"),
        ("POST", "milestones"),
        ("POST", "pulls"),
        ("PATCH", "pulls/7"),
        ("POST", "pulls/7/reviews"),
        ("POST", "pulls/7/comments"),
        ("POST", "pulls/7/requested_reviewers"),
        ("PUT", "pulls/7/merge"),
        ("POST", "check-runs"),
        ("POST", "releases"),
        ("POST", "releases/generate-notes"),
        ("POST", "deployments"),
        ("PUT", "code-scanning/analysis"),
        ("PUT", "contents/a"),
        ("POST", "git/blobs"),
        ("POST", "git/trees"),
        ("POST", "git/commits"),
        ("POST", "git/refs"),
        ("POST", "git/tags"),
        ("POST", "merges"),
        ("POST", "dispatches"),
        ("POST", "actions/workflows/ci.yml/dispatches"),
        ("POST", "actions/variables"),
        ("POST", "attestations"),
        ("POST", "pages/deployments"),
    ];
    let keys = [
        "title",
        "body",
        "labels",
        "assignees",
        "milestone",
        "state",
        "name",
        "head",
        "base",
        "event",
        "comments",
        "head_sha",
        "output",
        "tag_name",
        "ref",
        "sha",
        "sarif",
        "commit_oid",
        "message",
        "content",
        "tree",
        "parents",
        "author",
        "object",
        "tag",
        "event_type",
        "inputs",
        "value",
        "bundle",
        "artifact_id",
        "pages_build_version",
        "reviewers",
        "lock_reason",
        "path",
    ];
    let status = |method: &str, path: &str, body: Vec<u8>| {
        let sent = ApiRequest { body, ..request(method, path) };
        world.forge.call(&everything(), &sent).status
    };
    for (method, path) in routes {
        assert_eq!(status(method, path, b"{not json".to_vec()), 400, "{method} {path}");
        assert_eq!(status(method, path, vec![0xff, 0xfe]), 400, "{method} {path}");
        assert_eq!(status(method, path, "[".repeat(100_000).into_bytes()), 400, "{method} {path}");
        for value in [json!(7), json!(-1), json!([[1]]), json!({"a": {}}), json!(true), json!("\u{0}\n")] {
            let body: serde_json::Map<String, Value> =
                keys.iter().map(|key| ((*key).to_owned(), value.clone())).collect();
            let got = status(method, path, Value::Object(body).to_string().into_bytes());
            assert!(got < 500, "{method} {path} {value}: {got}");
        }
    }
    assert_eq!(status("POST", "issues", vec![b' '; 33 << 20]), 413);
    // A comment may have 65536 characters.
    let comment = |length: usize| world.call("POST", "issues/7/comments", &json!({"body": "ä".repeat(length)})).status;
    assert_eq!((comment(65_536), comment(65_537)), (201, 422));
    assert_eq!(world.call("POST", "issues/7/comments", &json!({"body": ""})).status, 422);
    assert_eq!(world.call("POST", "issues", &json!({"title": "x".repeat(257)})).status, 422);
}

#[test]
fn strange_pages_are_answered() {
    let world = world();
    for query in [
        "page=0",
        "page=-1",
        "page=x",
        "page=18446744073709551615",
        "per_page=0",
        "per_page=100000",
        "per_page=x&page=9999",
    ] {
        for path in ["issues", "commits", "pulls/7/files", "pulls/7/commits", "commits/feature"] {
            let status = world.get(&format!("{path}?{query}")).status;
            assert_eq!(status, 200, "{path}?{query}");
        }
    }
    for _ in 0..101 {
        world.expect(201, "POST", "issues/7/comments", &json!({"body": "x"}));
    }
    assert_eq!(world.read("issues/7/comments?per_page=1000").as_array().map(Vec::len), Some(100));
}

#[test]
fn people_in_commits_cannot_forge_lines() {
    let world = world();
    let tree = world.read("git/trees/main")["sha"].clone();
    for person in [
        json!({"name": "a\nparent x", "email": "e"}),
        json!({"name": "a>", "email": "e"}),
        json!({"name": "a", "email": "e>"}),
        json!({"name": "a", "email": "e", "date": "yesterday\n"}),
        json!({"name": " ", "email": "e"}),
        json!({"name": "a", "email": "e", "date": "notadate42"}),
    ] {
        let body = json!({"message": "m", "tree": tree, "parents": [], "author": person});
        assert_eq!(world.call("POST", "git/commits", &body).status, 422, "{person}");
    }
    let tag = json!({"tag": "x\nobject y", "message": "m", "object": world.facts.sha, "type": "commit"});
    assert_eq!(world.call("POST", "git/tags", &tag).status, 422);
}

/// The settings and hooks of the user's repository are never those of the forge.
#[test]
fn the_users_hooks_do_not_run() {
    let world = world();
    let hooks = world.repository().join(".git/hooks");
    std::fs::create_dir_all(&hooks).expect("a folder");
    let marker = world.folder.path().join("hooked");
    for hook in ["reference-transaction", "post-commit", "pre-commit", "update"] {
        let script = format!("#!/bin/sh\ntouch '{}'\n", marker.display());
        std::fs::write(hooks.join(hook), script).expect("a file");
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(hooks.join(hook), std::fs::Permissions::from_mode(0o755)).expect("a mode");
    }
    world.expect(201, "PUT", "contents/a", &json!({"message": "m", "content": "YQ=="}));
    world.expect(200, "PUT", "pulls/7/merge", &json!({}));
    assert!(!marker.exists());
    assert_eq!(git(&world.repository(), &["status", "--porcelain"]), "");
}
