use std::collections::BTreeMap;

use lineclear_event::{Conclusion, Envelope, JobKey, Outcome, RunEvent, RunId, Timestamp};
use lineclear_forge::ForgeApi;
use lineclear_forge_local::Dispatched;
use lineclear_store::{
    ArtifactMeta, ArtifactRequest, Artifacts, CacheScope, Caches, NewCache, NewRun, SaveOutcome, Store,
};
use serde_json::json;

use crate::ground::{World, everything, header, request, texts, world, write};

fn start_run(world: &World) -> RunId {
    let header = NewRun {
        repository: "octo/app".into(),
        file: ".github/workflows/ci.yml".into(),
        workflow: "CI".into(),
        event: "pull_request".into(),
        reference: "refs/pull/7/merge".into(),
        sha: world.facts.sha.clone(),
        started: Timestamp(1_700_000_000_000),
    };
    let record = world.store.begin(header).expect("a run begins");
    let run = record.header().id;
    let job = JobKey::new("build");
    let say = |event: RunEvent, at: i64| record.event(&Envelope { event, run, at: Timestamp(at) }).expect("it is kept");
    say(RunEvent::JobStarted { job: job.clone(), name: "Build".into() }, 1_700_000_001_000);
    say(RunEvent::StepStarted { job: job.clone(), step: "s".into(), name: "Compile".into() }, 1_700_000_002_000);
    let finished = RunEvent::StepFinished {
        job: job.clone(),
        step: "s".into(),
        name: "Compile".into(),
        outcome: Outcome::Success,
        conclusion: Conclusion::Success,
        duration_ms: 1000,
        exit_code: Some(0),
        reason: None,
    };
    say(finished, 1_700_000_003_000);
    record.log(&job, "s", Timestamp(1_700_000_002_000), b"hello\n").expect("it is kept");
    let ended = RunEvent::JobFinished {
        job,
        name: "Build".into(),
        conclusion: Conclusion::Success,
        outputs: BTreeMap::new(),
        duration_ms: 2000,
        reason: None,
    };
    say(ended, 1_700_000_004_000);
    record.finish(Conclusion::Success, Timestamp(1_700_000_005_000)).expect("it ends");
    run
}

fn upload(world: &World, run: RunId, name: &str) -> ArtifactMeta {
    write(world.folder.path(), "report.txt", name);
    let request = ArtifactRequest {
        run,
        name: name.into(),
        files: vec![("report.txt".into(), world.folder.path().join("report.txt"))],
        overwrite: false,
        retention_days: None,
        compression_level: 6,
        now: Timestamp(1_700_000_002_500),
    };
    world.store.upload(&request).expect("it is kept")
}

#[test]
fn runs_and_jobs_are_those_of_the_store() {
    let world = world();
    let run = start_run(&world);
    let shown = world.read(&format!("actions/runs/{run}"));
    for (pointer, expected) in [
        ("/id", json!(run.0)),
        ("/status", json!("completed")),
        ("/conclusion", json!("success")),
        ("/head_branch", json!("feature")),
        ("/path", json!(".github/workflows/ci.yml")),
        ("/event", json!("pull_request")),
        ("/run_attempt", json!(1)),
        ("/pull_requests/0/number", json!(7)),
    ] {
        assert_eq!(shown.pointer(pointer), Some(&expected), "{pointer}");
    }
    // As codeql-action finds its workflow.
    let workflow = world.read(&format!("actions/workflows/{}", shown["workflow_id"]));
    assert_eq!((&workflow["path"], &workflow["name"]), (&json!(".github/workflows/ci.yml"), &json!("CI")));
    assert_eq!(world.read("actions/workflows/ci.yml/runs")["total_count"], 1);
    let jobs = world.read(&format!("actions/runs/{run}/jobs"));
    assert_eq!((&jobs["total_count"], &jobs["jobs"][0]["name"]), (&json!(1), &json!("Build")));
    assert_eq!(
        jobs["jobs"][0]["steps"][0],
        json!({"name": "Compile", "status": "completed", "conclusion": "success", "number": 1,
        "started_at": "2023-11-14T22:13:22Z", "completed_at": "2023-11-14T22:13:23Z"})
    );
    let log = world.get(&format!("actions/jobs/{}/logs", jobs["jobs"][0]["id"]));
    assert_eq!(String::from_utf8_lossy(&log.body), "2023-11-14T22:13:22.0000000Z hello\n");
    assert_eq!(world.read("actions/runs?status=failure")["total_count"], 0);
    assert_eq!(world.get("actions/runs/99").status, 404);
}

/// S2-19: what `listWorkflowRunArtifacts` reads, and the link of each.
#[test]
fn artifacts_of_a_run_are_listed_and_linked() {
    let world = world();
    let run = start_run(&world);
    let report = upload(&world, run, "report");
    upload(&world, run, "logs");
    let listed = world.read(&format!("actions/runs/{run}/artifacts"));
    let mut names = texts(&listed["artifacts"], "name");
    names.sort();
    assert_eq!((&listed["total_count"], names), (&json!(2), vec!["logs".to_owned(), "report".to_owned()]));
    let only = world.read(&format!("actions/runs/{run}/artifacts?name=report"));
    assert_eq!((&only["artifacts"][0]["id"], &only["artifacts"][0]["size_in_bytes"]), (&json!(report.id), &json!(6)));
    assert_eq!(only["artifacts"][0]["workflow_run"]["id"], json!(run.0));
    assert_eq!(
        only["artifacts"][0]["archive_download_url"],
        json!(format!("http://127.0.0.1:9/api/v3/repos/octo/app/actions/artifacts/{}/zip", report.id))
    );
    let path = format!("actions/artifacts/{}", report.id);
    let zip = world.get(&format!("{path}/zip"));
    assert_eq!(
        (zip.status, header(&zip, "location")),
        (302, Some(format!("http://127.0.0.1:9/blob/1/{}", report.id).as_str()))
    );
    assert_eq!(world.read("actions/artifacts")["total_count"], 2);
    world.expect(204, "DELETE", &path, &json!({}));
    assert_eq!(world.get(&path).status, 404);
    assert_eq!(world.get(&format!("{path}/zip")).status, 404);
}

#[test]
fn caches_are_listed_and_removed_by_key() {
    let world = world();
    write(world.folder.path(), "cached/a", "abc");
    for key in ["npm-1", "npm-2"] {
        let new = NewCache {
            repository: "octo/app".into(),
            key: key.into(),
            version: "v".into(),
            scope: CacheScope("refs/heads/main".into()),
            paths: vec!["cached".into()],
            now: Timestamp(1_700_000_000_000),
        };
        let saved = world.store.save(&new, world.folder.path()).expect("it is kept");
        assert!(matches!(saved, SaveOutcome::Saved(_)), "{saved:?}");
    }
    assert_eq!(world.read("actions/caches?key=npm-")["total_count"], 2);
    assert_eq!(world.read("actions/cache/usage")["active_caches_count"], 2);
    let gone = world.send(&request("DELETE", "actions/caches?key=npm-1"));
    assert_eq!((gone.status, &gone.value()["total_count"]), (200, &json!(1)));
    assert_eq!(world.send(&request("DELETE", "actions/caches?key=npm-1")).status, 404);
    assert_eq!(texts(&world.read("actions/caches")["actions_caches"], "key"), ["npm-2"]);
}

#[test]
fn dispatches_are_recorded() {
    let world = world();
    let path = "actions/workflows/ci.yml/dispatches";
    world.expect(204, "POST", path, &json!({"ref": "main", "inputs": {"level": "high"}}));
    assert_eq!(world.expect(422, "POST", path, &json!({"ref": "no-such"}))["message"], "No ref found for: no-such");
    world.expect(404, "POST", "actions/workflows/no.yml/dispatches", &json!({"ref": "main"}));
    world.expect(204, "POST", "dispatches", &json!({"event_type": "deploy", "client_payload": {"a": 1}}));
    let dispatched = |workflow: Option<&str>, reference: &str, event_type: &str, payload| Dispatched {
        workflow: workflow.map(str::to_owned),
        reference: reference.into(),
        event_type: event_type.into(),
        payload,
    };
    assert_eq!(
        world.forge.dispatched(RunId(1)).expect("it can be read"),
        [
            dispatched(Some(".github/workflows/ci.yml"), "main", "workflow_dispatch", json!({"level": "high"})),
            dispatched(None, "refs/heads/main", "deploy", json!({"a": 1})),
        ]
    );
}

#[test]
fn variables_pages_and_attestations() {
    let world = world();
    world.expect(201, "POST", "actions/variables", &json!({"name": "level", "value": "1"}));
    world.expect(204, "PATCH", "actions/variables/LEVEL", &json!({"value": "2"}));
    assert_eq!(world.read("actions/variables")["variables"][0]["value"], "2");
    let deployment = world.expect(
        200,
        "POST",
        "pages/deployments",
        &json!({"artifact_id": 5, "pages_build_version": "abc", "oidc_token": "x"}),
    );
    assert_eq!(deployment["page_url"], "https://octo.github.io/app/");
    assert_eq!(world.read(&format!("pages/deployments/{}", deployment["id"]))["status"], "succeed");
    use base64::Engine as _;
    let statement = json!({"predicateType": "https://slsa.dev/provenance/v1", "subject": [{"name": "app", "digest": {"sha256": "ab"}}]});
    let payload = base64::engine::general_purpose::STANDARD.encode(statement.to_string());
    world.expect(201, "POST", "attestations", &json!({"bundle": {"dsseEnvelope": {"payload": payload}}}));
    assert_eq!(world.read("attestations/sha256:ab")["attestations"].as_array().map(Vec::len), Some(1));
    world.expect(422, "POST", "attestations", &json!({"bundle": {}}));
    // "Nothing changed" would be a lie.
    assert_eq!(world.get("dependency-graph/compare/main...feature").status, 403);
    let other = world.forge.call(&everything(), &lineclear_forge::ApiRequest::new("GET", "/users/ada"));
    assert_eq!(other.value()["login"], "ada");
}
