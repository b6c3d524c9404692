//! The report of Playwright's `json` reporter.
//!
//! # Source
//! `JSONReport` in `packages/playwright/types/testReporter.d.ts`.

use lineclear_event::{TestCase, TestOutcome, TestResults};
use serde::Deserialize;

use crate::json::{self, or_default};
use crate::tests_found::TestsFound;
use crate::{Limits, Wrong};

#[derive(Deserialize)]
struct Report {
    #[serde(default, deserialize_with = "or_default")]
    suites: Vec<Suite>,
    #[serde(default, deserialize_with = "or_default")]
    errors: Vec<TestError>,
}

#[derive(Deserialize)]
struct Suite {
    #[serde(default, deserialize_with = "or_default")]
    title: String,
    #[serde(default, deserialize_with = "or_default")]
    file: String,
    #[serde(default, deserialize_with = "or_default")]
    specs: Vec<Spec>,
    #[serde(default, deserialize_with = "or_default")]
    suites: Vec<Suite>,
}

#[derive(Deserialize)]
struct Spec {
    #[serde(default, deserialize_with = "or_default")]
    title: String,
    #[serde(default, deserialize_with = "or_default")]
    file: String,
    line: Option<u32>,
    #[serde(default, deserialize_with = "or_default")]
    tests: Vec<Test>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Test {
    #[serde(default, deserialize_with = "or_default")]
    project_name: String,
    #[serde(default, deserialize_with = "or_default")]
    expected_status: String,
    #[serde(default, deserialize_with = "or_default")]
    status: String,
    #[serde(default, deserialize_with = "or_default")]
    results: Vec<TestResult>,
}

#[derive(Deserialize)]
struct TestResult {
    #[serde(default, deserialize_with = "or_default")]
    status: String,
    #[serde(default, deserialize_with = "or_default")]
    duration: f64,
    error: Option<TestError>,
}

#[derive(Deserialize)]
struct TestError {
    #[serde(default, deserialize_with = "or_default")]
    message: String,
    location: Option<Location>,
}

#[derive(Deserialize)]
struct Location {
    #[serde(default, deserialize_with = "or_default")]
    file: String,
    line: Option<u32>,
}

pub(crate) fn read(name: &str, text: &str, limits: &Limits) -> Result<TestResults, Wrong> {
    let report: Report = json::read(text, "the report")?;
    let mut found = TestsFound::new(limits);
    // What failed outside of all tests: a file that does not load, a server that does not start.
    for error in &report.errors {
        let (file, line) = error.place();
        found.add(TestCase {
            suite: String::new(),
            name: "(outside of all tests)".into(),
            outcome: TestOutcome::Failed,
            duration_ms: 0,
            message: error.message.clone(),
            file,
            line,
        });
    }
    let mut titles = Vec::new();
    for suite in &report.suites {
        suite.read(&mut titles, &mut found);
    }
    Ok(found.finish(name))
}

impl Suite {
    /// The parser's limit of nesting bounds the depth.
    fn read<'r>(&'r self, titles: &mut Vec<&'r str>, found: &mut TestsFound<'_>) {
        titles.push(&self.title);
        for spec in &self.specs {
            for test in &spec.tests {
                let file = if spec.file.is_empty() { &self.file } else { &spec.file };
                found.add(test.case(titles, spec, file));
            }
        }
        for suite in &self.suites {
            suite.read(titles, found);
        }
        titles.pop();
    }
}

impl Test {
    fn case(&self, titles: &[&str], spec: &Spec, file: &str) -> TestCase {
        let outcome = self.outcome();
        let suite: Vec<&str> = std::iter::once(self.project_name.as_str())
            .chain(titles.iter().copied())
            .filter(|title| !title.is_empty())
            .collect();
        // Of a flaky test it is the first try that tells why.
        let error = match outcome {
            TestOutcome::Failed | TestOutcome::Flaky => self.results.iter().find_map(|result| result.error.as_ref()),
            TestOutcome::Passed | TestOutcome::Skipped => None,
        };
        let at =
            error.and_then(|error| error.location.as_ref()).filter(|at| !at.file.is_empty() && at.file.ends_with(file));
        let milliseconds: f64 = self.results.iter().map(|result| result.duration.max(0.0)).sum();
        TestCase {
            suite: suite.join(" › "),
            name: spec.title.clone(),
            outcome,
            duration_ms: milliseconds.round() as u64,
            message: error.map(|error| error.message.clone()).unwrap_or_default(),
            file: (!file.is_empty()).then(|| file.to_owned()),
            line: at.and_then(|at| at.line).or(spec.line),
        }
    }

    fn outcome(&self) -> TestOutcome {
        let expected = if self.expected_status.is_empty() { "passed" } else { &self.expected_status };
        let is_failed = |result: &TestResult| result.status != expected && result.status != "skipped";
        let last = self.results.last();
        match self.status.as_str() {
            "skipped" => TestOutcome::Skipped,
            "flaky" => TestOutcome::Flaky,
            "unexpected" => TestOutcome::Failed,
            // Whatever the summary says: with a failed try it is no clean pass.
            "expected" if self.results.iter().any(is_failed) => TestOutcome::Flaky,
            "expected" => TestOutcome::Passed,
            _ => match last {
                None => TestOutcome::Skipped,
                Some(last) if last.status == "skipped" => TestOutcome::Skipped,
                Some(last) if is_failed(last) => TestOutcome::Failed,
                Some(_) if self.results.iter().any(is_failed) => TestOutcome::Flaky,
                Some(_) => TestOutcome::Passed,
            },
        }
    }
}

impl TestError {
    fn place(&self) -> (Option<String>, Option<u32>) {
        match &self.location {
            Some(at) if !at.file.is_empty() => (Some(at.file.clone()), at.line),
            _ => (None, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(status: &str, results: &str) -> String {
        format!(
            r#"{{"config":{{"rootDir":"/w/e2e"}},"suites":[{{"title":"a.spec.js","file":"a.spec.js","specs":[],"suites":[{{"title":"greets","specs":[{{"title":"by name","ok":true,"file":"a.spec.js","line":5,"tests":[{{"projectName":"chromium","expectedStatus":"passed","status":"{status}","results":[{results}]}}]}}]}}]}}],"errors":[]}}"#
        )
    }

    fn outcome(text: &str) -> TestOutcome {
        read("results.json", text, &Limits::default()).expect("a report").cases[0].outcome
    }

    /// Passed on a retry is flaky, however the report calls it.
    #[test]
    fn a_test_that_passed_on_its_second_try_is_flaky() {
        let failed = r#"{"status":"failed","duration":100,"retry":0,"error":{"message":"\u001b[31mno\u001b[39m","location":{"file":"/w/e2e/a.spec.js","line":8}}}"#;
        let passed = r#"{"status":"passed","duration":20.4,"retry":1}"#;
        let found = read("results.json", &test("flaky", &format!("{failed},{passed}")), &Limits::default());
        let found = found.expect("a report");
        let expected = TestCase {
            suite: "chromium › a.spec.js › greets".into(),
            name: "by name".into(),
            outcome: TestOutcome::Flaky,
            duration_ms: 120,
            message: "no".into(),
            file: Some("a.spec.js".into()),
            line: Some(8),
        };
        assert_eq!(found.cases, [expected]);
        assert_eq!((found.totals.passed, found.totals.flaky), (0, 1));
        assert_eq!(outcome(&test("expected", &format!("{failed},{passed}"))), TestOutcome::Flaky);
        assert_eq!(outcome(&test("", &format!("{failed},{passed}"))), TestOutcome::Flaky);
        assert_eq!(outcome(&test("expected", passed)), TestOutcome::Passed);
        assert_eq!(outcome(&test("unexpected", failed)), TestOutcome::Failed);
        assert_eq!(outcome(&test("", failed)), TestOutcome::Failed);
        assert_eq!(outcome(&test("skipped", "")), TestOutcome::Skipped);
    }

    #[test]
    fn a_failure_that_is_expected_is_a_pass() {
        let text = test("expected", r#"{"status":"failed"}"#)
            .replace(r#""expectedStatus":"passed""#, r#""expectedStatus":"failed""#);
        assert_eq!(outcome(&text), TestOutcome::Passed);
    }

    #[test]
    fn what_fails_outside_of_tests_is_a_failure() {
        let found = read(
            "r",
            r#"{"suites":null,"errors":[{"message":"Timed out waiting 60000ms from config.webServer."}]}"#,
            &Limits::default(),
        );
        assert_eq!(found.expect("a report").totals.failed, 1);
    }

    #[test]
    fn damage_is_told_with_its_line() {
        let error = |text: &str| read("r", text, &Limits::default()).expect_err("damaged");
        assert!(matches!(error("{\n\"suites\": ["), Wrong::Truncated { line: 2, .. }));
        assert!(matches!(error("{\n\"suites\": 3}"), Wrong::Syntax { line: 2, .. }));
        let deep = format!("{}{}", r#"{"suites":[{"#.repeat(200), "}]}".repeat(200));
        assert!(matches!(error(&deep), Wrong::Syntax { .. }));
    }
}
