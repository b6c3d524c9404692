//! Actions that show tests and coverage.

use lineclear_event::Fact;
use serde_json::json;

use crate::forge::pull_request;

const JUNIT: &str = r#"<testsuites><testsuite name="s" tests="4"><testcase classname="c" name="a" time="0.5"/><testcase classname="c" name="b"><failure message="no">t.py:3: E</failure></testcase><testcase classname="c" name="d"><flakyFailure message="once"/></testcase><testcase classname="c" name="e"><skipped/></testcase></testsuite></testsuites>"#;
const GOOD: &str = r#"<testsuite name="s"><testcase name="a"/></testsuite>"#;
const COVERAGE: &str = r#"<coverage line-rate="0.5"><packages><package><classes><class filename="app/a.py"><lines><line number="1" hits="1"/><line number="2" hits="0"/></lines></class></classes></package></packages></coverage>"#;
const CHECKS: &str = "POST /repos/octo/App/check-runs";

fn step(uses: &str, inputs: &str) -> String {
    let inputs: String = inputs.lines().map(|line| format!("    {line}\n")).collect();
    format!("- id: it\n  if: always()\n  uses: {uses}\n  with:\n{inputs}")
}

fn show(outputs: &[&str]) -> String {
    let shown: Vec<String> = outputs.iter().map(|name| format!("${{{{ steps.it.outputs.{name} }}}}")).collect();
    format!("- if: always()\n  run: 'echo \"seen={}\"'\n", shown.join(" "))
}

#[test]
fn test_reporter_makes_a_check_and_fails_on_failures() {
    let (bench, forge) = pull_request(&[("out/junit.xml", JUNIT), ("out/good.xml", GOOD)]);
    forge.answer(CHECKS, 201, json!({ "id": 3, "url": "api", "html_url": "page" }));
    let inputs = "name: Tests\npath: out/j*.xml\nreporter: java-junit";
    let outputs = show(&["conclusion", "passed", "failed", "skipped", "url_html"]);
    let done = bench.job(&format!("{}{outputs}", step("dorny/test-reporter@v1", inputs))).failed();
    assert_eq!(done.value("seen"), "failure 2 1 1 page");
    let check = forge.body(CHECKS);
    assert_eq!((&check["name"], &check["conclusion"]), (&json!("Tests"), &json!("failure")));
    assert_eq!(check["head_sha"], "1111111111111111111111111111111111111111");
    assert_eq!(check["output"]["annotations"][0]["path"], "t.py");
    let Some(Fact::Tests(tests)) = done.facts.first() else { panic!("{:?}", done.facts) };
    assert_eq!((tests.name.as_str(), tests.totals.flaky), ("out/junit.xml", 1));
    // Version 2 writes to the summary.
    let inputs = "name: Tests\npath: out/good.xml\nreporter: jest-junit";
    let done = bench.job(&step("dorny/test-reporter@v2", inputs)).succeeded();
    assert!(done.summary.contains("# Tests") && done.summary.contains("out/good.xml"), "{}", done.summary);
    bench
        .job(&step("dorny/test-reporter@v2", "name: T\npath: none\nreporter: java-junit"))
        .failed()
        .says(&["No file matches path none"]);
    bench
        .job(&step("dorny/test-reporter@v2", "name: T\npath: x\nreporter: dotnet-trx"))
        .failed()
        .says(&["--no-native-actions"]);
}

#[test]
fn action_junit_report_counts_what_was_retried() {
    let (bench, forge) = pull_request(&[("out/junit.xml", JUNIT)]);
    forge.answer(CHECKS, 201, json!({ "id": 3, "html_url": "page" }));
    let outputs = show(&["total", "passed", "skipped", "failed", "retried"]);
    let inputs = "report_paths: '**/junit.xml'";
    let done = bench.job(&format!("{}{outputs}", step("mikepenz/action-junit-report@v5", inputs))).succeeded();
    assert_eq!(done.value("seen"), "4 2 1 1 1");
    let fails = step("mikepenz/action-junit-report@v5", &format!("{inputs}\nfail_on_failure: true"));
    bench.job(&fails).failed().says(&["❌ Tests reported 1 failures"]);
    let none = step("mikepenz/action-junit-report@v5", "report_paths: none.xml\nrequire_tests: true");
    bench.job(&none).failed().says(&["❌ No test results found for JUnit Test Report"]);
}

#[test]
fn publish_unit_test_result_keeps_one_comment() {
    let (bench, forge) = pull_request(&[("out/junit.xml", JUNIT)]);
    forge.answer(CHECKS, 201, json!({ "id": 3, "html_url": "page" }));
    for _ in 0..2 {
        let done = bench
            .job(&format!(
                "{}{}",
                step("EnricoMi/publish-unit-test-result-action@v2", "files: out/*.xml"),
                show(&["json"])
            ))
            .succeeded();
        assert!(done.value("seen").contains("conclusion:failure"), "{}", done.log);
    }
    assert_eq!(forge.comments().len(), 1);
    assert!(forge.comments()[0].starts_with("## Test Results\n"));
}

#[test]
fn coverage_is_summed_up_and_recorded() {
    let (bench, _) = pull_request(&[("coverage.xml", COVERAGE)]);
    let inputs = "filename: coverage.xml\nformat: markdown\noutput: both\nbadge: true";
    let done = bench
        .job(&format!("{}- run: cat code-coverage-results.md", step("irongut/CodeCoverageSummary@v1.3.0", inputs)));
    let done = done.succeeded().says(&["app | 50%", "**Summary** | **50%** (1 / 2)", "Coverage-50%25-yellow"]);
    assert!(matches!(&done.facts[..], [Fact::Coverage(coverage)] if coverage.lines == 2));
    let low =
        step("irongut/CodeCoverageSummary@v1.3.0", "filename: coverage.xml\nfail_below_min: true\nthresholds: 60 80");
    bench.job(&low).failed().says(&["below minimum threshold of 60%"]);
    let done = bench.job(&step("codecov/codecov-action@v5", "files: coverage.xml")).succeeded();
    let done = done.says(&["nothing was sent to Codecov"]);
    assert!(matches!(&done.facts[..], [Fact::Coverage(_)]));
    bench.job(&step("codecov/codecov-action@v4", "directory: none\nfail_ci_if_error: true")).failed();
}
