use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::ground::{World, world};

fn packed(text: &[u8]) -> String {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(text).expect("memory takes it");
    STANDARD.encode(packed.finish().expect("memory takes it"))
}

fn sarif(category: &str, results: &Value) -> Value {
    json!({"version": "2.1.0", "runs": [{
        "tool": {"driver": {"name": "Bandit", "version": "1.7", "rules": [
            {"id": "B101", "shortDescription": {"text": "assert used"}, "properties": {"security-severity": "7.5", "tags": ["security"]}},
        ]}},
        "automationDetails": {"id": category},
        "results": results,
    }]})
}

fn result(path: &str, line: u64) -> Value {
    json!({"ruleId": "B101", "ruleIndex": 0, "level": "error", "message": {"text": "assert"}, "locations": [{"physicalLocation": {
        "artifactLocation": {"uri": path}, "region": {"startLine": line, "endLine": line, "startColumn": 1, "endColumn": 9}}}]})
}

fn upload(world: &World, text: &Value) -> Value {
    let body = json!({"commit_oid": world.facts.sha, "ref": "refs/pull/7/merge", "sarif": packed(text.to_string().as_bytes()),
        "workflow_run_id": 1, "tool_names": ["Bandit"], "analysis_key": ".github/workflows/ci.yml:scan"});
    world.expect(202, "PUT", "code-scanning/analysis", &body)
}

/// S1-68: findings are stored under their category; S1-10 is proven with the guard in `permissions`.
#[test]
fn an_upload_becomes_alerts_of_its_category() {
    let world = world();
    let answer = upload(&world, &sarif("bandit/", &json!([result("a.py", 3), result("b.py", 5)])));
    let id = answer["id"].as_str().expect("an id").to_owned();
    assert_eq!(world.read(&format!("code-scanning/sarifs/{id}"))["processing_status"], "complete");
    let alerts = world.read("code-scanning/alerts?category=bandit&tool_name=Bandit&direction=asc");
    assert_eq!(alerts.as_array().map(Vec::len), Some(2));
    for (pointer, expected) in [
        ("/0/number", json!(1)),
        ("/0/state", json!("open")),
        ("/0/rule/id", json!("B101")),
        ("/0/rule/description", json!("assert used")),
        ("/0/rule/severity", json!("error")),
        ("/0/rule/security_severity_level", json!("high")),
        ("/0/tool/version", json!("1.7")),
        ("/0/most_recent_instance/category", json!("bandit")),
        ("/0/most_recent_instance/location/path", json!("a.py")),
        ("/0/most_recent_instance/location/start_line", json!(3)),
        ("/0/most_recent_instance/commit_sha", json!(world.facts.sha)),
    ] {
        assert_eq!(alerts.pointer(pointer), Some(&expected), "{pointer}");
    }
    assert_eq!(world.read(&format!("code-scanning/analyses?sarif_id={id}"))[0]["results_count"], 2);

    // The next upload of the category fixes what it no longer has; another category touches nothing.
    upload(&world, &sarif("bandit/", &json!([result("b.py", 5)])));
    upload(&world, &sarif("other/run-1", &json!([result("c.py", 1)])));
    let states: Vec<(Value, Value)> = world
        .read("code-scanning/alerts?direction=asc")
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| (one["most_recent_instance"]["location"]["path"].clone(), one["state"].clone()))
        .collect();
    assert_eq!(
        states,
        [(json!("a.py"), json!("fixed")), (json!("b.py"), json!("open")), (json!("c.py"), json!("open"))]
    );
    world.expect(
        200,
        "PATCH",
        "code-scanning/alerts/2",
        &json!({"state": "dismissed", "dismissed_reason": "used in tests"}),
    );
    upload(&world, &sarif("bandit/", &json!([result("b.py", 5)])));
    assert_eq!(world.read("code-scanning/alerts/2")["state"], "dismissed");
    let posted = world.forge.posted(lineclear_event::RunId(1)).expect("it can be read");
    assert_eq!(posted.len(), 4);
    assert_eq!(
        posted[0].markdown,
        "- Bandit (bandit): 2 findings\n  - `a.py:3` B101: assert\n  - `b.py:5` B101: assert"
    );
}

#[test]
fn uploads_that_cannot_be_read_are_said_to_be() {
    let world = world();
    let put = |status: u16, sarif: &str| {
        world.expect(
            status,
            "PUT",
            "code-scanning/analysis",
            &json!({"commit_oid": world.facts.sha, "ref": "refs/heads/main", "sarif": sarif}),
        )
    };
    put(400, "not base64!");
    put(400, &STANDARD.encode("not gzip"));
    // A bomb: 300 MiB of zeros in 300 KiB.
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![0; 1 << 20];
    for _ in 0..300 {
        bomb.write_all(&zeros).expect("memory takes it");
    }
    assert!(
        put(400, &STANDARD.encode(bomb.finish().expect("memory takes it")))["message"]
            .as_str()
            .is_some_and(|text| text.contains("200 MiB"))
    );
    for text in ["{}", "[]", "{\"runs\": [{}]}", "not json"] {
        let answer = put(202, &packed(text.as_bytes()));
        let status = world.read(&format!("code-scanning/sarifs/{}", answer["id"].as_str().unwrap_or_default()));
        assert_eq!(status["processing_status"], "failed", "{text}");
        assert!(status["errors"][0].is_string(), "{text}");
    }
    let good = packed(sarif("", &json!([])).to_string().as_bytes());
    for body in [
        json!({"ref": "refs/heads/main", "sarif": good}),
        json!({"commit_sha": "abc", "ref": "refs/heads/main", "sarif": good}),
        json!({"commit_sha": world.facts.sha, "ref": "main", "sarif": good}),
        json!({"commit_sha": world.facts.sha, "ref": "refs/heads/main"}),
    ] {
        let status = world.call("POST", "code-scanning/sarifs", &body).status;
        assert!(matches!(status, 400 | 422), "{status} {body}");
    }
    assert_eq!(world.get("code-scanning/sarifs/00000000-0000-4000-8000-000000000000").status, 404);
    assert_eq!(world.read("code-scanning/alerts"), json!([]));
}
