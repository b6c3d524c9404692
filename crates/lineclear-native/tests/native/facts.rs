//! What native actions tell the run's record.

use lineclear_event::{Fact, UsedKind};

use crate::bench::Bench;

const JUNIT: &str = r#"<testsuite name="s"><testcase name="a"><flakyFailure message="once"/></testcase></testsuite>"#;
const PLAYWRIGHT: &str = r#"{"config":{"rootDir":"/w","projects":[]},"suites":[{"title":"a.spec.js","file":"a.spec.js","specs":[{"title":"t","line":3,"tests":[{"status":"flaky","results":[{"status":"failed"},{"status":"passed"}]}]}]}],"errors":[]}"#;

/// S2-18: reports among what is kept are read, once, into the record and the summary.
#[test]
fn reports_among_uploaded_files_are_read() {
    let bench = Bench::new(&[
        ("out/junit.xml", JUNIT),
        ("out/results.json", PLAYWRIGHT),
        ("out/package.json", "{}"),
        ("out/broken.xml", "<testsuite>\n<testcase"),
        ("out/page.html", "<html/>"),
    ]);
    let done = bench.job("- uses: actions/upload-artifact@v4\n  with: { path: out }").succeeded();
    let done = done.says(&[
        "Read 3 reports into the run's record: 0 passed, 2 flaky, 0 failed, 0 skipped",
        "`out/broken.xml` cannot be read as JUnit XML: line 2: the file ends inside <testsuite>",
    ]);
    let names: Vec<&str> = done
        .facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Tests(tests) => Some(tests.name.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(names, ["out/junit.xml", "out/results.json"]);
    assert_eq!(done.summary.matches("### Tests").count(), 1);
}

const NODE_TEST: &str = "const test = require('node:test');\nconst assert = require('node:assert');\n\ntest('adds', () => assert.equal(1 + 1, 2));\ntest('fails', () => assert.equal(1, 2));\ntest('later', { skip: 'not today' }, () => {});\n";

/// S2-18: what a real test runner writes, with its numbers.
#[test]
fn reports_of_the_test_runner_of_node_are_read() {
    let bench = Bench::new(&[("all.test.js", NODE_TEST)]);
    let test = "- run: node --test --test-reporter=junit --test-reporter-destination=junit.xml all.test.js || true";
    let done =
        bench.job(&format!("{test}\n- uses: actions/upload-artifact@v4\n  with: {{ path: junit.xml }}")).succeeded();
    let [Fact::Tests(tests)] = &done.facts[..] else { panic!("{:?}", done.facts) };
    assert_eq!((tests.totals.passed, tests.totals.failed, tests.totals.skipped), (1, 1, 1));
    let failed = tests.cases.iter().find(|case| case.name == "fails").expect("it failed");
    assert_eq!((failed.file.as_deref(), failed.line), (Some("all.test.js"), Some(5)), "{failed:?}");
    assert!(done.summary.contains("| `junit.xml` | 1 | 0 | 1 | 1 |"), "{}", done.summary);
}

/// S1-69, S1-88: what is no report of tests is kept all the same, and nothing is said of it.
#[test]
fn other_files_are_kept_without_a_word() {
    let bench = Bench::new(&[
        ("pip-audit.json", r#"{"dependencies":[]}"#),
        ("traces/trace.zip", "PK"),
        ("traces/video.webm", "v"),
    ]);
    let done = bench.job("- uses: actions/upload-artifact@v4\n  with: { path: '.' }").succeeded();
    assert!(done.facts.is_empty() && done.summary.is_empty());
    done.says(&["there will be 3 files uploaded"]).never_says(&["into the run's record"]);
}

#[test]
fn look_ups_in_caches_and_versions_of_tools_are_facts() {
    let bench = Bench::new(&[("a.txt", "a")]);
    let facts = |steps: &str| format!("{:?}", bench.job(steps).succeeded().facts);
    let cache = "- uses: actions/cache@v4\n  with: { path: a.txt, key: k }";
    let missed = facts(cache);
    assert!(
        missed.starts_with(r#"[Cache { key: "k", matched: None, reason: ""#) && missed.ends_with("size: 0 }]"),
        "{missed}"
    );
    let hit = facts(cache);
    assert!(
        hit.starts_with(r#"[Cache { key: "k", matched: Some("k"), reason: ""#) && !hit.contains("size: 0"),
        "{hit}"
    );
    let done = bench.job("- uses: actions/setup-node@v4").succeeded();
    let [Fact::Used { kind: UsedKind::Tool, name, version }] = &done.facts[..] else { panic!("{:?}", done.facts) };
    assert!(name == "node" && version.starts_with(|digit: char| digit.is_ascii_digit()), "{name} {version}");
}

const NPM: &str = r#"{"auditReportVersion":2,"vulnerabilities":{"lodash":{"name":"lodash","severity":"critical","via":[{"source":1,
  "title":"Prototype Pollution","url":"https://example.org/advisories/GHSA-jf85-cpcp-j695","severity":"critical","range":"<4.17.12"}]}}}"#;

/// S1-72, S1-73: what scanners found is known by its severity though their steps were let through.
#[test]
fn reports_of_scanners_are_facts_though_the_scanner_may_fail() {
    let bench =
        Bench::new(&[("out/npm-audit.json", NPM), ("out/trivy.json", ""), ("out/bandit.json", "{\"results\": [")]);
    let scan = "- run: exit 1\n  continue-on-error: true";
    let done = bench.job(&format!("{scan}\n- uses: actions/upload-artifact@v4\n  with: {{ path: out }}")).succeeded();
    let done = done.says(&[
        "Read 3 reports into the run's record: 1 findings",
        "`out/trivy.json` cannot be read as trivy's JSON: line 1: the file ends inside the report",
        "It counts as no scan.",
    ]);
    let found: Vec<_> = done
        .facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Findings(found) => Some((found.tool.as_str(), found.counts.clone(), found.unreadable.is_empty())),
            _ => None,
        })
        .collect();
    let none = std::collections::BTreeMap::new();
    let critical = [(lineclear_event::Severity::Critical, 1)].into_iter().collect();
    assert_eq!(found, [("bandit", none.clone(), false), ("npm-audit", critical, true), ("trivy", none, false)]);
    assert!(
        done.summary.contains("**critical** lodash &lt;4.17.12: GHSA-jf85-cpcp-j695: Prototype Pollution"),
        "{}",
        done.summary
    );
}
