//! `mikepenz/action-junit-report`.
//!
//! # Source
//! `action.yml` and `src/main.ts` of the action, versions 3 to 6.

use lineclear_event::{AnnotationLevel, TestOutcome};
use lineclear_runner::native::{Call, InContainer, NativeAction, NativeError};

use super::{Reports, all_tests, check_run, passed};

/// Shows test results.
#[derive(Debug)]
pub(super) struct JunitReport;

impl NativeAction for JunitReport {
    fn name(&self) -> &'static str {
        "mikepenz/action-junit-report"
    }

    fn in_container(&self) -> InContainer {
        InContainer::BuiltIn
    }

    fn metadata(&self) -> &'static str {
        "
name: JUnit Report Action
inputs:
  token: { default: '${{ github.token }}' }
  github_token: {}
  report_paths: { default: '**/junit-reports/TEST-*.xml' }
  check_name: { default: JUnit Test Report }
  suite_regex: {}
  annotate_only: { default: 'false' }
  annotate_notice: { default: 'true' }
  check_annotations: { default: 'true' }
  update_check: { default: 'false' }
  commit: {}
  fail_on_failure: { default: 'false' }
  fail_on_parse_error: { default: 'false' }
  require_tests: { default: 'false' }
  require_passed_tests: { default: 'false' }
  include_passed: { default: 'false' }
  include_skipped: { default: 'true' }
  include_empty_in_summary: { default: 'true' }
  include_time_in_summary: { default: 'false' }
  simplified_summary: { default: 'false' }
  group_suite: { default: 'false' }
  group_reports: { default: 'true' }
  check_retries: { default: 'false' }
  check_title_template: {}
  summary: {}
  test_files_prefix: {}
  exclude_sources: {}
  transformers: {}
  job_name: {}
  job_summary: { default: 'true' }
  job_summary_text: {}
  detailed_summary: { default: 'false' }
  flaky_summary: { default: 'false' }
  verbose_summary: { default: 'true' }
  skip_success_summary: { default: 'false' }
  comment: { default: 'false' }
  updateComment: { default: 'true' }
  annotations_limit: {}
  skip_annotations: { default: 'false' }
  follow_symlink: { default: 'false' }
  truncate_stack_traces: { default: 'true' }
  separator: {}
  bread_crumb_delimiter: {}
  pr_id: {}
outputs:
  total: { description: how many tests }
  passed: { description: how many passed }
  skipped: { description: how many were skipped }
  failed: { description: how many failed }
  retried: { description: how many passed on another try }
  time: { description: seconds }
  summary: { description: the summary }
  detailed_summary: { description: the summary with its cases }
  flaky_summary: { description: what passed on another try }
  report_url: { description: addresses of the check runs }
"
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        let [fail, fail_parse, require, require_passed, only, in_summary] = [
            "fail_on_failure",
            "fail_on_parse_error",
            "require_tests",
            "require_passed_tests",
            "annotate_only",
            "job_summary",
        ]
        .map(|name| call.flag(name));
        let (fail, fail_parse, require, require_passed) = (fail?, fail_parse?, require?, require_passed?);
        let (only, in_summary) = (only?, in_summary?);
        let check_name = call.input("check_name").lines().next().unwrap_or_default().to_owned();
        let patterns: Vec<String> = call.lines("report_paths").into_iter().map(str::to_owned).collect();
        call.effects.log(&format!("Retrieved {} reports globs to process.", patterns.len()));
        let patterns: Vec<&str> = patterns.iter().flat_map(|pattern| pattern.split(',')).collect();
        let reports = Reports::find(call, "", &patterns)?;
        for reason in &reports.unreadable {
            call.effects.annotate(AnnotationLevel::Error, reason);
        }
        let totals = reports.totals();
        let all = all_tests(totals);
        for (name, value) in [
            ("total", all),
            ("passed", passed(totals)),
            ("skipped", totals.skipped),
            ("failed", totals.failed),
            ("retried", totals.flaky),
        ] {
            call.effects.output(name, &value.to_string());
        }
        call.effects.output("time", &format!("{}.{:03}", totals.duration_ms / 1000, totals.duration_ms % 1000));
        call.effects.output("summary", &reports.markdown());
        if require && all == 0 {
            return Err(NativeError(format!("❌ No test results found for {check_name}")));
        }
        if require_passed && passed(totals) == 0 {
            return Err(NativeError(format!("❌ No passed test results found for {check_name}")));
        }
        let title = format!(
            "{all} tests run, {} passed, {} skipped, {} failed.",
            passed(totals),
            totals.skipped,
            totals.failed
        );
        call.effects.log(&format!("ℹ️ {check_name} - {title}"));
        if in_summary {
            call.effects.summary(&format!("# {check_name}\n\n{}", reports.markdown()));
        }
        reports.tell(call);
        if only {
            let failed: Vec<String> =
                reports.cases(TestOutcome::Failed).map(|case| format!("{}: {}", case.name, case.message)).collect();
            for message in failed.iter().take(50) {
                call.effects.annotate(AnnotationLevel::Error, message);
            }
        } else {
            let conclusion = if totals.failed > 0 { "failure" } else { "success" };
            match check_run::create(call, &check_name, conclusion, &title, &reports, 50) {
                Ok(check) => call.effects.output("report_url", check["html_url"].as_str().unwrap_or_default()),
                // As the real action: without the permission there are no checks, and the step goes on.
                Err(error) => {
                    let message = format!("❌ Failed to create checks using the provided token. ({error})");
                    call.effects.annotate(AnnotationLevel::Error, &message);
                    let hint = "⚠️ This usually indicates insufficient permissions. More details: https://github.com/mikepenz/action-junit-report/issues/23";
                    call.effects.annotate(AnnotationLevel::Warning, hint);
                }
            }
        }
        if fail && totals.failed > 0 {
            return Err(NativeError(format!("❌ Tests reported {} failures", totals.failed)));
        }
        match reports.unreadable.first() {
            Some(reason) if fail_parse => Err(NativeError(reason.clone())),
            _ => Ok(()),
        }
    }
}
