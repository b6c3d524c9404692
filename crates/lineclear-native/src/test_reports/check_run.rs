//! A check run that shows test results, with annotations where tests failed.

use lineclear_event::{TestCase, TestOutcome};
use lineclear_forge::ApiRequest;
use lineclear_runner::native::Call;
use serde_json::{Value, json};

use super::Reports;
use crate::caching::text;
use crate::forge::{self, ForgeError};

/// Most annotations of one request, and most characters of a summary.
const MOST_ANNOTATIONS: usize = 50;
const LONGEST_SUMMARY: usize = 65_000;

/// The commit that checks are about: the head of a pull request rather than its merge commit.
fn head_sha(call: &Call<'_>) -> String {
    let github = &call.contexts.github;
    let head = text(&github["event"]["pull_request"]["head"], "sha");
    if head.is_empty() { text(github, "sha").to_owned() } else { head.to_owned() }
}

/// Creates the check run. Gives its `id`, `url` and `html_url`.
///
/// # Errors
/// As of [`forge::send`].
pub(super) fn create(
    call: &Call<'_>,
    name: &str,
    conclusion: &str,
    title: &str,
    reports: &Reports,
    most_annotations: usize,
) -> Result<Value, ForgeError> {
    let annotations: Vec<Value> = reports
        .cases(TestOutcome::Failed)
        .filter_map(annotation)
        .take(most_annotations.min(MOST_ANNOTATIONS))
        .collect();
    let summary: String = reports.markdown().chars().take(LONGEST_SUMMARY).collect();
    let body = json!({
        "name": name,
        "head_sha": head_sha(call),
        "status": "completed",
        "conclusion": conclusion,
        "output": { "title": title, "summary": summary, "annotations": annotations },
    });
    forge::send(call, &ApiRequest::new("POST", &format!("{}/check-runs", forge::repository(call))).json(&body))
}

fn annotation(case: &TestCase) -> Option<Value> {
    let file = case.file.as_ref()?;
    let line = case.line.unwrap_or(1);
    let title = if case.suite.is_empty() { case.name.clone() } else { format!("{} ► {}", case.suite, case.name) };
    let message = if case.message.is_empty() { "Failed" } else { &case.message };
    Some(json!({
        "path": file,
        "start_line": line,
        "end_line": line,
        "annotation_level": "failure",
        "title": title,
        "message": message,
    }))
}
