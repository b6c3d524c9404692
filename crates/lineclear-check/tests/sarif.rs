//! What is written as SARIF is SARIF 2.1.0: it is read by types made from the standard's schema, which refuse what is missing or of another type,
//! and writing it again from them loses nothing, which names that the standard does not have would.

use lineclear_check::show::sarif;
use lineclear_check::{Checker, FileKind, Memory, Project, Settings};
use lineclear_source::Source;
use serde_json::Value;

const TEXT: &str = "\
on: issues
jobs:
  \"a b\":
    runs-on: ubuntu-latest
    steps:
      - run: echo \"${{ github.event.issue.title }}\"
      - uses: actions/checkout@v1
  ü:
    runs-on: ubuntu-latest
    env: { A: 1 }
    env: { B: 2 }
    steps:
      - run: make
";

#[test]
fn the_log_is_read_by_types_of_the_standard_and_nothing_is_lost() {
    let settings = Settings { fixes: true, pedantic: true, ..Settings::default() };
    let memory = Memory::default();
    let source = Source::new(".github/workflows/50% of #1.yml", TEXT);
    let checked = Checker::new(&settings).check(source, FileKind::Workflow, &Project::new(&memory));
    assert!(checked.findings.len() > 5, "{:?}", checked.findings);
    let text = sarif(checked.findings.iter().map(|finding| (finding, &checked.source)));
    let read: serde_sarif::sarif::Sarif = serde_json::from_str(&text).expect("it fits the schema");
    let written = serde_json::to_value(&read).expect("it can be written");
    let own: Value = serde_json::from_str(&text).expect("it is JSON");
    assert_eq!(lost(&own, &written, ""), Vec::<String>::new());
    let run = &own["runs"][0];
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let rules = run["tool"]["driver"]["rules"].as_array().expect("a list");
    for result in run["results"].as_array().expect("a list") {
        let index = result["ruleIndex"].as_u64().and_then(|index| usize::try_from(index).ok()).expect("an index");
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert_eq!(
            result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            ".github/workflows/50%25%20of%20%231.yml"
        );
    }
    assert!(text.contains("\"fixes\"") && text.contains("\"relatedLocations\""), "both are in the example");
}

/// The paths that are in `own` and not, or otherwise, in `written`.
fn lost(own: &Value, written: &Value, path: &str) -> Vec<String> {
    match (own, written) {
        (Value::Object(own), Value::Object(written)) => own
            .iter()
            .flat_map(|(name, value)| match written.get(name) {
                Some(other) => lost(value, other, &format!("{path}/{name}")),
                None => vec![format!("{path}/{name}")],
            })
            .collect(),
        (Value::Array(own), Value::Array(written)) if own.len() == written.len() => {
            own.iter().zip(written).enumerate().flat_map(|(at, (a, b))| lost(a, b, &format!("{path}/{at}"))).collect()
        }
        (own, written) if own == written => Vec::new(),
        _ => vec![path.to_owned()],
    }
}
