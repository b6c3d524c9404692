use serde_json::{Value, json};

use crate::ground::{header, texts, world};

#[test]
fn statuses_make_one_state_together() {
    let world = world();
    let path = format!("statuses/{}", world.facts.sha);
    let combined = || world.read(&format!("commits/{}/status", world.facts.sha));
    assert_eq!((&combined()["state"], &combined()["total_count"]), (&json!("pending"), &json!(0)));
    let made = world.expect(
        201,
        "POST",
        &path,
        &json!({"state": "success", "context": "lint", "description": "fine", "target_url": "http://x"}),
    );
    assert_eq!((&made["context"], &made["creator"]["login"]), (&json!("lint"), &json!("github-actions[bot]")));
    assert_eq!(combined()["state"], "success");
    world.expect(201, "POST", &path, &json!({"state": "pending", "context": "test"}));
    assert_eq!(combined()["state"], "pending");
    world.expect(201, "POST", &path, &json!({"state": "error", "context": "test"}));
    assert_eq!(combined()["state"], "failure");
    assert_eq!(
        texts(&world.read(&format!("commits/{}/statuses", world.facts.sha)), "state"),
        ["error", "pending", "success"]
    );
    assert_eq!(world.read("commits/feature/status")["total_count"], 2);
    let unknown = world.expect(422, "POST", &format!("statuses/{}", "0".repeat(40)), &json!({"state": "success"}));
    assert_eq!(unknown["message"], format!("No commit found for SHA: {}", "0".repeat(40)));
    world.expect(422, "POST", &path, &json!({"state": "success", "description": "x".repeat(141)}));
}

#[test]
fn a_check_run_gathers_annotations_fifty_at_a_time() {
    let world = world();
    let note = |line: u64| json!({"path": "src/lib.rs", "start_line": line, "end_line": line, "annotation_level": "warning", "message": "hm"});
    let notes = |count: u64| -> Vec<Value> { (1..=count).map(note).collect() };
    let output = |count: u64| json!({"title": "t", "summary": "s", "annotations": notes(count)});
    let made = world.expect(
        201,
        "POST",
        "check-runs",
        &json!({"name": "junit", "head_sha": world.facts.sha, "status": "in_progress", "output": output(50)}),
    );
    assert_eq!((&made["status"], &made["pull_requests"][0]["number"]), (&json!("in_progress"), &json!(7)));
    let path = format!("check-runs/{}", made["id"]);
    world.expect(422, "PATCH", &path, &json!({"output": output(51)}));
    let done = world.expect(200, "PATCH", &path, &json!({"conclusion": "failure", "output": output(10)}));
    assert_eq!((&done["status"], &done["conclusion"]), (&json!("completed"), &json!("failure")));
    assert_eq!(done["output"]["annotations_count"], 60);
    let first = world.get(&format!("{path}/annotations?per_page=100"));
    assert_eq!(first.value().as_array().map(Vec::len), Some(60));
    assert_eq!(header(&first, "link"), None);
    assert_eq!(world.expect(422, "PATCH", &path, &json!({"status": "done"}))["errors"][0]["field"], "status");
    world.expect(422, "POST", "check-runs", &json!({"name": "x", "head_sha": world.facts.sha, "status": "completed"}));
}

#[test]
fn the_latest_run_of_a_check_is_listed() {
    let world = world();
    for conclusion in ["failure", "success"] {
        world.expect(
            201,
            "POST",
            "check-runs",
            &json!({"name": "unit", "head_sha": world.facts.sha, "conclusion": conclusion}),
        );
    }
    let list = |query: &str| world.read(&format!("commits/{}/check-runs{query}", world.facts.sha));
    assert_eq!(texts(&list("")["check_runs"], "conclusion"), ["success"]);
    assert_eq!(texts(&list("?filter=all")["check_runs"], "conclusion"), ["success", "failure"]);
    assert_eq!(list("?check_name=other")["total_count"], 0);
    let suites = world.read(&format!("commits/{}/check-suites", world.facts.sha));
    assert_eq!((&suites["total_count"], &suites["check_suites"][0]["latest_check_runs_count"]), (&json!(1), &json!(2)));
}

/// S1-110: environment, result and address of a deployment, and a comment on its commit.
#[test]
fn deployments_have_statuses_and_commits_have_comments() {
    let world = world();
    let made = world.expect(
        201,
        "POST",
        "deployments",
        &json!({"ref": "feature", "environment": "staging", "payload": {"a": 1}}),
    );
    assert_eq!((&made["sha"], &made["environment"]), (&json!(world.facts.sha), &json!("staging")));
    let path = format!("deployments/{}/statuses", made["id"]);
    world.expect(201, "POST", &path, &json!({"state": "success", "environment_url": "https://staging.example.org"}));
    world.expect(422, "POST", &path, &json!({"state": "fine"}));
    assert_eq!(texts(&world.read(&path), "state"), ["success"]);
    assert_eq!(texts(&world.read("environments")["environments"], "name"), ["staging"]);
    let comments = format!("commits/{}/comments", world.facts.sha);
    let comment = world.expect(201, "POST", &comments, &json!({"body": "deployed to staging"}));
    assert_eq!(comment["commit_id"], json!(world.facts.sha));
    assert_eq!(texts(&world.read(&comments), "body"), ["deployed to staging"]);
    let kinds: Vec<String> = world
        .forge
        .posted(lineclear_event::RunId(1))
        .expect("it can be read")
        .into_iter()
        .map(|one| format!("{}: {}", one.kind, one.title))
        .collect();
    assert_eq!(
        kinds,
        [
            "deployment: Deployment of `feature` to staging: success",
            &format!("commit_comment: Comment on commit {}", &world.facts.sha[..7])
        ]
    );
}
