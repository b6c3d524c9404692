//! Findings for the forge.

use std::io::Read;

use base64::Engine;
use lineclear_event::Fact;
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::forge::{RecordingForge, pull_request};

const SARIF: &str = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"Bandit"}},"results":[
  {"ruleId":"B602","level":"error","message":{"text":"shell"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"a.py"},"region":{"startLine":3}}}]}]}]}"#;
const UPLOAD: &str = "PUT /repos/octo/App/code-scanning/analysis";

fn upload(inputs: &str) -> String {
    let inputs: String = inputs.lines().map(|line| format!("    {line}\n")).collect();
    format!("- id: up\n  if: always()\n  uses: github/codeql-action/upload-sarif@v3\n  with:\n{inputs}")
}

fn accepting(bench: &mut Bench, forge: &RecordingForge) {
    bench.github["workflow_ref"] = "octo/App/.github/workflows/ci.yml@refs/heads/main".into();
    forge.answer(UPLOAD, 202, json!({ "id": "sarif-1", "url": "u" }));
    forge.answer("GET /repos/octo/App/code-scanning/sarifs/sarif-1", 200, json!({ "processing_status": "pending" }));
    forge.answer("GET /repos/octo/App/code-scanning/sarifs/sarif-1", 200, json!({ "processing_status": "complete" }));
}

fn unpacked(forge: &RecordingForge) -> Value {
    let packed = forge.body(UPLOAD)["sarif"].as_str().expect("a text").to_owned();
    let packed = base64::engine::general_purpose::STANDARD.decode(packed).expect("base64");
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut text).expect("gzip");
    serde_json::from_str(&text).expect("JSON")
}

/// S1-53, S1-68: uploaded under its category, also after a failure, and kept with the run.
#[test]
fn findings_are_uploaded_under_their_category() {
    let (mut bench, forge) = pull_request(&[("bandit.sarif", SARIF)]);
    accepting(&mut bench, &forge);
    let show = "- if: always()\n  run: 'echo \"id=${{ steps.up.outputs.sarif-id }}\"'";
    let steps = format!("- run: exit 1\n{}{show}", upload("sarif_file: bandit.sarif\ncategory: bandit"));
    let done =
        bench.job(&steps).failed().says(&["Analysis upload status is pending.", "Analysis upload status is complete."]);
    assert_eq!(done.value("id"), "sarif-1");
    assert_eq!(unpacked(&forge)["runs"][0]["automationDetails"]["id"], "bandit/");
    let body = forge.body(UPLOAD);
    assert_eq!((body["ref"].as_str(), body["base_ref"].as_str()), (Some("refs/pull/7/merge"), Some("refs/heads/main")));
    assert_eq!((&body["tool_names"], &body["workflow_run_id"]), (&json!(["Bandit"]), &json!(42)));
    let Some(Fact::Findings(findings)) = done.facts.first() else { panic!("{:?}", done.facts) };
    assert_eq!((findings.category.as_str(), findings.levels["error"]), ("bandit", 1));
    assert!(done.summary.contains("a.py:3: B602: shell"), "{}", done.summary);
}

#[test]
fn a_folder_of_files_is_one_upload_named_after_its_job() {
    let (mut bench, forge) = pull_request(&[("out/a.sarif", SARIF), ("out/deep/b.sarif", SARIF), ("out/c.txt", "x")]);
    accepting(&mut bench, &forge);
    bench.job(&upload("sarif_file: out\nwait-for-processing: false")).succeeded().never_says(&["Waiting"]);
    let runs = unpacked(&forge)["runs"].clone();
    assert_eq!(runs.as_array().map(Vec::len), Some(2));
    assert_eq!(runs[0]["automationDetails"]["id"], ".github/workflows/ci.yml:job/");
}

/// S1-10: without `security-events: write` the upload is refused, and the step says what is missing.
#[test]
fn a_refusal_names_the_permission() {
    let (bench, forge) = pull_request(&[("a.sarif", SARIF)]);
    forge.answer(UPLOAD, 403, json!({ "message": "Resource not accessible by integration" }));
    bench
        .job(&upload("sarif_file: a.sarif"))
        .failed()
        .says(&["Resource not accessible by integration", "'security-events: write'"]);
}

#[test]
fn files_that_are_no_sarif_are_not_uploaded() {
    let (bench, forge) = pull_request(&[
        ("bad.sarif", "{\n\"version\": "),
        ("old.sarif", r#"{"version":"2.0.0","runs":[]}"#),
        ("empty/x", ""),
    ]);
    let done = bench.job(&upload("sarif_file: bad.sarif")).failed().says(&["Invalid SARIF.", "line 2"]);
    // Whatever becomes of the step: the record knows that a scanner's report was there, and that nobody could read it.
    let Some(Fact::Findings(unread)) = done.facts.first() else { panic!("{:?}", done.facts) };
    assert!(unread.counts.is_empty() && unread.unreadable.contains("line 2"), "{unread:?}");
    bench.job(&upload("sarif_file: old.sarif")).failed().says(&["version `2.0.0`"]);
    bench.job(&upload("sarif_file: none.sarif")).failed().says(&["Path does not exist:"]);
    bench.job(&upload("sarif_file: empty")).failed().says(&["No SARIF files found to upload in"]);
    assert_eq!(forge.calls(), [""; 0]);
}
