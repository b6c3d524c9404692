//! `dorny/test-reporter`.
//!
//! # Source
//! `action.yml` and `src/main.ts` of the action, versions 1 and 2. Version 2 writes to the job's summary unless told to create a
//! check run, as version 1 does.

use lineclear_event::AnnotationLevel;
use lineclear_runner::native::{Call, InContainer, NativeAction, NativeError};

use super::{Reports, all_tests, check_run, passed};

/// Shows test results.
#[derive(Debug)]
pub(super) struct TestReporter;

impl NativeAction for TestReporter {
    fn name(&self) -> &'static str {
        "dorny/test-reporter"
    }

    fn in_container(&self) -> InContainer {
        InContainer::BuiltIn
    }

    fn metadata(&self) -> &'static str {
        "
name: Test Reporter
inputs:
  artifact: {}
  name: { required: true }
  path: { required: true }
  path-replace-backslashes: { default: 'false' }
  reporter: { required: true }
  list-suites: { default: all }
  list-tests: { default: all }
  max-annotations: { default: '10' }
  fail-on-error: { default: 'true' }
  fail-on-empty: { default: 'true' }
  only-summary: { default: 'false' }
  use-actions-summary: {}
  badge-title: { default: tests }
  report-title: {}
  collapsed: { default: auto }
  slug-prefix: {}
  directory-mapping: {}
  working-directory: {}
  token: { default: '${{ github.token }}' }
outputs:
  conclusion: { description: success or failure }
  passed: { description: how many passed }
  failed: { description: how many failed }
  skipped: { description: how many were skipped }
  time: { description: milliseconds }
  url: { description: API address of the check run }
  url_html: { description: address of the check run }
  slug_url_html: { description: address of the report }
"
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        let fail_on_error = call.flag("fail-on-error")?;
        let fail_on_empty = call.flag("fail-on-empty")?;
        let reporter = call.input("reporter").to_owned();
        if !["java-junit", "jest-junit", "python-xunit", "swift-xunit"].contains(&reporter.as_str()) {
            return Err(NativeError(format!(
                "the built-in test-reporter reads java-junit, jest-junit, python-xunit and swift-xunit, not `{reporter}`: use the real \
                 action with --no-native-actions"
            )));
        }
        if !call.input("artifact").is_empty() {
            return Err(NativeError(
                "the built-in test-reporter reads files, not artifacts of other runs: use the real action with --no-native-actions"
                    .into(),
            ));
        }
        let path = call.input("path").to_owned();
        let patterns: Vec<&str> = path.split([',', '\n']).collect();
        let reports = Reports::find(call, call.input("working-directory"), &patterns)?;
        for reason in &reports.unreadable {
            call.effects.annotate(AnnotationLevel::Error, reason);
        }
        if reports.files == 0 {
            let message = format!("No file matches path {path}");
            if fail_on_empty {
                return Err(NativeError(message));
            }
            call.effects.annotate(AnnotationLevel::Warning, &message);
        }
        let name = call.input("name").to_owned();
        call.effects.log(&format!("Processing test results for check run {name}"));
        let totals = reports.totals();
        let is_failed = totals.failed > 0 || !reports.unreadable.is_empty();
        let conclusion = if is_failed { "failure" } else { "success" };
        let title = format!("{name}: {} passed, {} failed, {} skipped", passed(totals), totals.failed, totals.skipped);
        if uses_summary(call)? {
            call.effects.summary(&format!("# {name}\n\n{}", reports.markdown()));
        } else {
            let most = call.input("max-annotations").parse().unwrap_or(10);
            let check = check_run::create(call, &name, conclusion, &title, &reports, most)?;
            for (output, key) in [("url", "url"), ("url_html", "html_url")] {
                call.effects.output(output, check[key].as_str().unwrap_or_default());
            }
        }
        reports.tell(call);
        call.effects.output("conclusion", conclusion);
        call.effects.output("passed", &passed(totals).to_string());
        call.effects.output("failed", &totals.failed.to_string());
        call.effects.output("skipped", &totals.skipped.to_string());
        call.effects.output("time", &totals.duration_ms.to_string());
        call.effects.log(&title);
        if is_failed && fail_on_error {
            return Err(NativeError(format!(
                "Failed test were found and 'fail-on-error' option is set to {fail_on_error}"
            )));
        }
        if fail_on_empty && all_tests(totals) == 0 {
            return Err(NativeError("No test report files were found".into()));
        }
        Ok(())
    }
}

/// The default changed with version 2.
fn uses_summary(call: &Call<'_>) -> Result<bool, NativeError> {
    if call.input("use-actions-summary").is_empty() {
        return Ok(!call.env.get("GITHUB_ACTION_REF").is_some_and(|version| version.starts_with("v1")));
    }
    call.flag("use-actions-summary")
}
