//! Good files get no error, and what else is said of them is known.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use expect_test::expect_file;
use lineclear_source::Severity;

use crate::files::{check, good};

/// The fewest files that are worth the name of a proof.
const FEWEST: usize = 300;

/// `tests/corpus/findings.txt` says how often each rule warns; `UPDATE_EXPECT=1` writes it anew, to be read before it is kept.
#[test]
fn good_files_get_no_error() {
    let files = good();
    assert!(files.len() >= FEWEST, "there are only {} files", files.len());
    let mut wrong = String::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for file in &files {
        let checked = check(&file.name, &file.text);
        for finding in &checked.findings {
            let found = &finding.diagnostic;
            if found.severity == Severity::Warning {
                *counts.entry(found.code.to_string()).or_default() += 1;
            }
            if found.is_error() {
                let place = checked.source.position(found.span.unwrap_or_default().start);
                let _ = writeln!(wrong, "{}:{place}: {}: {}", file.name, found.code, found.message);
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    let text: String = counts.iter().map(|(what, count)| format!("{count:4} {what}\n")).collect();
    expect_file!["../corpus/findings.txt"].assert_eq(&text);
}
