//! `EnricoMi/publish-unit-test-result-action`, also in its forms for one system.
//!
//! # Source
//! `action.yml` and the README of the action, version 2.

use lineclear_event::AnnotationLevel;
use lineclear_forge::ApiRequest;
use lineclear_runner::native::{Call, InContainer, NativeAction, NativeError};
use serde_json::{Value, json};

use super::{Reports, all_tests, check_run, passed};
use crate::caching::text;
use crate::forge;

pub(super) const NAMES: [&str; 5] = [
    "enricomi/publish-unit-test-result-action",
    "enricomi/publish-unit-test-result-action/linux",
    "enricomi/publish-unit-test-result-action/macos",
    "enricomi/publish-unit-test-result-action/windows",
    "enricomi/publish-unit-test-result-action/composite",
];

/// Shows test results in a check run, a comment and the job's summary.
#[derive(Debug)]
pub(super) struct PublishUnitTestResult(pub(super) &'static str);

impl NativeAction for PublishUnitTestResult {
    fn name(&self) -> &'static str {
        self.0
    }

    fn in_container(&self) -> InContainer {
        InContainer::BuiltIn
    }

    fn metadata(&self) -> &'static str {
        "
name: Publish Test Results
inputs:
  github_token: { default: '${{ github.token }}' }
  github_token_actor: { default: 'github-actions' }
  github_retries: { default: '10' }
  commit: {}
  check_name: { default: Test Results }
  comment_title: {}
  comment_mode: { default: always }
  fail_on: { default: test failures }
  action_fail: { default: 'false' }
  action_fail_on_inconclusive: { default: 'false' }
  files: {}
  junit_files: {}
  nunit_files: {}
  xunit_files: {}
  trx_files: {}
  time_unit: { default: seconds }
  test_file_prefix: {}
  report_individual_runs: { default: 'false' }
  report_suite_logs: { default: none }
  deduplicate_classes_by_file_name: { default: 'false' }
  large_files: {}
  ignore_runs: { default: 'false' }
  check_run: { default: 'true' }
  job_summary: { default: 'true' }
  compare_to_earlier_commit: { default: 'true' }
  pull_request_build: { default: merge }
  event_file: {}
  event_name: {}
  search_pull_requests: { default: 'false' }
  test_changes_limit: { default: '10' }
  check_run_annotations: {}
  check_run_annotations_branch: {}
  seconds_between_github_reads: { default: '0.25' }
  seconds_between_github_writes: { default: '2' }
  secondary_rate_limit_wait_seconds: { default: '60' }
  json_file: {}
  json_thousands_separator: {}
  json_suite_details: { default: 'false' }
  json_test_case_results: { default: 'false' }
  root_log_level: { default: INFO }
  log_level: { default: INFO }
outputs:
  json: { description: the results as JSON }
"
    }

    fn stands_for(&self, reference: &str) -> bool {
        !reference.starts_with("v1")
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        let others = ["nunit_files", "xunit_files", "trx_files"];
        if let Some(other) = others.into_iter().find(|name| !call.input(name).is_empty()) {
            return Err(NativeError(format!(
                "the built-in publish-unit-test-result-action reads JUnit XML, and `{other}` asks for something else: use the real action \
                 with --no-native-actions"
            )));
        }
        let (summary, check) = (call.flag("job_summary")?, call.flag("check_run")?);
        let (action_fail, inconclusive) = (call.flag("action_fail")?, call.flag("action_fail_on_inconclusive")?);
        let patterns: Vec<String> =
            call.lines("files").into_iter().chain(call.lines("junit_files")).map(str::to_owned).collect();
        let patterns: Vec<&str> =
            if patterns.is_empty() { vec!["*.xml"] } else { patterns.iter().map(String::as_str).collect() };
        call.effects.log(&format!("Reading files {}", patterns.join(", ")));
        let reports = Reports::find(call, "", &patterns)?;
        for reason in &reports.unreadable {
            call.effects.annotate(AnnotationLevel::Error, &format!("Error processing result file: {reason}"));
        }
        let conclusion = conclusion(call.input("fail_on"), &reports);
        let totals = reports.totals();
        let title = title(&reports);
        call.effects.log(&format!("Finished reading {} files: {title}", reports.files));
        let name = call.input("check_name").to_owned();
        let mut url = Value::Null;
        if check {
            let run = check_run::create(call, &name, conclusion, &title, &reports, 50)?;
            url = run["html_url"].clone();
        }
        let heading =
            if call.input("comment_title").is_empty() { name } else { call.input("comment_title").to_owned() };
        let body = format!("## {heading}\n\n{}", reports.markdown());
        if summary {
            call.effects.summary(&body);
        }
        comment(call, &heading, &body, totals.failed > 0)?;
        reports.tell(call);
        let stats = json!({
            "files": reports.files,
            "errors": reports.unreadable,
            "duration": totals.duration_ms / 1000,
            "tests": all_tests(totals),
            "tests_succ": passed(totals),
            "tests_skip": totals.skipped,
            "tests_fail": totals.failed,
            "tests_error": 0,
        });
        let told = json!({ "title": title, "conclusion": conclusion, "stats": stats, "check_url": url });
        call.effects.output("json", &told.to_string());
        let fails = (conclusion == "failure" && action_fail) || (conclusion == "neutral" && inconclusive);
        if fails {
            return Err(NativeError(format!(
                "This action finished successfully, but test results have status {conclusion}."
            )));
        }
        Ok(())
    }
}

/// `neutral` where there is nothing to judge.
fn conclusion(fail_on: &str, reports: &Reports) -> &'static str {
    if reports.files == 0 {
        return "neutral";
    }
    match fail_on {
        "nothing" => "success",
        "errors" if reports.unreadable.is_empty() => "success",
        "errors" => "failure",
        _ if reports.totals().failed > 0 || !reports.unreadable.is_empty() => "failure",
        _ if all_tests(reports.totals()) == 0 => "neutral",
        _ => "success",
    }
}

fn title(reports: &Reports) -> String {
    let totals = reports.totals();
    let mut parts = Vec::new();
    for (count, what) in [(totals.failed, "fail"), (totals.skipped, "skipped"), (passed(totals), "pass")] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    match (reports.files, totals.failed) {
        (0, _) => "No test results found".into(),
        (_, 0) if parts.is_empty() => "No tests found".into(),
        (_, 0) if totals.skipped == 0 => format!("All {} tests pass", all_tests(totals)),
        _ => parts.join(", "),
    }
}

/// One comment on the pull request, edited by later runs.
fn comment(call: &mut Call<'_>, heading: &str, body: &str, has_failures: bool) -> Result<(), NativeError> {
    let wanted = match call.input("comment_mode") {
        "off" => false,
        "failures" | "test failures" | "errors" => has_failures,
        _ => true,
    };
    let Some(number) = forge::pull_number(call).filter(|_| wanted) else { return Ok(()) };
    let repository = forge::repository(call);
    let comments = forge::list(call, &format!("{repository}/issues/{number}/comments"), None)?;
    let start = format!("## {heading}\n");
    // As the real action: by its heading and the author.
    let is_own = |comment: &&Value| {
        let login = comment["user"]["login"].as_str().unwrap_or_default();
        text(comment, "body").starts_with(&start) && (login.is_empty() || login.starts_with("github-actions"))
    };
    let request = match comments.iter().find(is_own).and_then(|comment| comment["id"].as_u64()) {
        Some(id) => ApiRequest::new("PATCH", &format!("{repository}/issues/comments/{id}")),
        None => ApiRequest::new("POST", &format!("{repository}/issues/{number}/comments")),
    };
    forge::send(call, &request.json(&json!({ "body": body })))?;
    Ok(())
}
