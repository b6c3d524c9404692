use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

fn results(text: &str) -> TestResults {
    read("junit.xml", text, &Limits::default()).expect("a report")
}

fn check(text: &str, expected: Expect) {
    let found = results(text);
    let mut lines = Vec::new();
    for case in &found.cases {
        let place = match (&case.file, case.line) {
            (Some(file), Some(line)) => format!(" at {file}:{line}"),
            (Some(file), None) => format!(" in {file}"),
            _ => String::new(),
        };
        let message = case.message.lines().next().unwrap_or_default();
        lines
            .push(format!("{:?} {} > {} {}ms{place} {message}", case.outcome, case.suite, case.name, case.duration_ms));
    }
    expected.assert_eq(&lines.join("\n"));
}

/// S2-18: what pytest writes.
#[test]
fn pytest() {
    check(
        r#"<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="1" skipped="1" tests="4" time="0.052">
<testcase classname="tests.test_roman" name="test_one" time="0.001" />
<testcase classname="tests.test_roman" name="test_two[a&amp;b]" time="0.002"><failure message="AssertionError: assert 1 == 2&#10; +  where">def test_two():
&gt;       assert f(1) == 2
E       assert 1 == 2

tests/test_roman.py:9: AssertionError</failure></testcase>
<testcase classname="tests.test_roman" name="test_three" time="0.000"><skipped type="pytest.skip" message="not today">tests/test_roman.py:12: not today</skipped></testcase>
<testcase classname="" name="tests.test_broken" time="0.000"><error message="collection failure">ImportError</error></testcase>
</testsuite></testsuites>"#,
        expect![[r#"
            Passed tests.test_roman > test_one 1ms 
            Failed tests.test_roman > test_two[a&b] 2ms at tests/test_roman.py:9 AssertionError: assert 1 == 2
            Skipped tests.test_roman > test_three 0ms not today
            Failed pytest > tests.test_broken 0ms collection failure"#]],
    );
}

/// S1-86, S2-18: passed on a retry is flaky and never a clean pass.
#[test]
fn surefire_with_reruns() {
    check(
        r#"<testsuite name="com.acme.ATest" time="1,002.5" tests="3" failures="1">
<properties><property name="java.version" value="21"/></properties>
<testcase name="flips" classname="com.acme.ATest" time="0.1"><flakyFailure message="first try" type="AssertionError"><stackTrace>at com.acme.ATest.flips(ATest.java:21)</stackTrace><system-out>x</system-out></flakyFailure></testcase>
<testcase name="breaks" classname="com.acme.ATest" time="0.2"><failure message="last" type="java.lang.AssertionError">x(ATest.java:30)</failure><rerunFailure message="again" type="AssertionError"/></testcase>
<testcase name="fine" classname="com.acme.ATest" time="0.3"/>
</testsuite>"#,
        expect![[r#"
            Flaky com.acme.ATest > flips 100ms first try
            Failed com.acme.ATest > breaks 200ms at ATest.java:30 last
            Passed com.acme.ATest > fine 300ms "#]],
    );
}

#[test]
fn jest_playwright_go_and_google_test() {
    check(
        r#"<testsuites name="jest tests" tests="1" failures="1"><testsuite name="adds" file="test/a.test.js"><testcase classname="adds one" name="adds one" time="0.004" file="test/a.test.js"><failure>Error: expect(1)
    at Object.&lt;anonymous&gt; (test/a.test.js:3:13)</failure></testcase></testsuite></testsuites>"#,
        expect!["Failed adds one > adds one 4ms at test/a.test.js:3 Error: expect(1)"],
    );
    check(
        r#"<testsuites id="" name="" tests="1"><testsuite name="greeting.spec.js" hostname="chromium"><testcase name="greets" classname="greeting.spec.js" time="0.4"><failure message="greeting.spec.js:5:1 greets" type="FAILURE"><![CDATA[  [chromium] › greeting.spec.js:5:1 › greets]]></failure></testcase></testsuite></testsuites>"#,
        expect!["Failed greeting.spec.js > greets 400ms at greeting.spec.js:5 greeting.spec.js:5:1 greets"],
    );
    check(
        r#"<testsuites><testsuite name="example.com/a"><testcase classname="a" name="TestA/sub_one" time="0.000"><failure message="Failed" type="">    a_test.go:9: expected 3</failure></testcase><testcase classname="a" name="TestA/sub_one" time="0.000"/></testsuite></testsuites>"#,
        expect!["Flaky a > TestA/sub_one 0ms at a_test.go:9 Failed"],
    );
    check(
        r#"<testsuites><testsuite name="Sum"><testcase name="Adds" file="/w/sum.cc" line="12" status="run" result="completed" time="0." classname="Sum"><failure message="/w/sum.cc:14&#x0A;Expected equality" type=""/></testcase><testcase name="Off" status="notrun" result="suppressed" classname="Sum"/></testsuite></testsuites>"#,
        expect![[r#"
            Failed Sum > Adds 0ms at /w/sum.cc:14 /w/sum.cc:14
            Skipped Sum > Off 0ms "#]],
    );
}

#[test]
fn suites_in_suites_and_a_suite_that_fails_without_a_case() {
    check(
        r#"<testsuites><testsuite name="outer"><testsuite name="inner"><testcase name="a"/></testsuite><testcase name="b"/></testsuite><testsuite name="broken"><error message="does not compile"/></testsuite></testsuites>"#,
        expect![[r#"
            Passed inner > a 0ms 
            Passed outer > b 0ms 
            Failed broken > broken 0ms does not compile"#]],
    );
}

#[test]
fn damage_is_told_with_its_line() {
    let error = |text: &str| read("a", text, &Limits::default()).expect_err("damaged");
    assert!(matches!(error("<testsuite>\n<testcase name='a'>"), Wrong::Truncated { line: 2, .. }));
    assert!(matches!(error("<html/>"), Wrong::Unexpected { line: 1, .. }));
    assert!(matches!(error("\n\n"), Wrong::Unexpected { .. }));
    let deep = "<testsuite>".repeat(1000);
    assert!(matches!(error(&deep), Wrong::TooDeep { limit: 128, .. }));
}

fn case() -> impl Strategy<Value = String> {
    let inside = prop::sample::select(vec![
        "",
        "<failure message='m'/>",
        "<error>e</error>",
        "<skipped/>",
        "<flakyFailure/>",
        "<failure/><rerunFailure/>",
        "<system-out>x</system-out>",
    ]);
    ("[ab]", inside, 0_u32..5000)
        .prop_map(|(name, inside, ms)| format!("<testcase name='{name}' time='0.{ms:04}'>{inside}</testcase>"))
}

proptest! {
    #[test]
    fn totals_add_up(cases in prop::collection::vec(case(), 0..40), limit in 0_usize..20) {
        let text = format!("<testsuites><testsuite>{}</testsuite></testsuites>", cases.concat());
        let limits = Limits { cases: limit, ..Limits::default() };
        let found = read("a", &text, &limits).expect("a report");
        let totals = found.totals;
        let all = totals.passed + totals.flaky + totals.failed + totals.skipped;
        prop_assert_eq!(all, found.cases.len() as u64 + found.left_out);
        prop_assert!(all <= cases.len() as u64 && found.cases.len() <= limit);
        // No try of a test that failed is lost: there is a failed or flaky test for it.
        let has_failure = cases.iter().any(|case| case.contains("failure") || case.contains("error"));
        let flaky = cases.iter().any(|case| case.contains("flaky"));
        prop_assert_eq!(has_failure || flaky, totals.failed + totals.flaky > 0);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "(<|>|/|testsuite|testcase|failure| name='x'|&amp;|&|!\\[CDATA\\[|\\]\\]>|a|\n){0,60}") {
        let _ = read("a", &text, &Limits::default());
    }
}
