//! Results of tests, shown and never blocking: what fails a job is for the job to say. Flaky tests are counted where everybody sees them.

use lineclear_event::{Statement, TestsStatement};

use super::{Finding, Requirement, Standing, View, who};
use crate::index::Kind;

/// So many tests are named.
const NAMED: usize = 5;

pub(super) fn requirement(view: &View<'_>) -> Option<Requirement> {
    let mut found: Vec<(Standing, Finding)> = Vec::new();
    for (_, entry) in view.index.newest_attempts_of_all(&view.same, Kind::Tests, None) {
        let Statement::Tests(tests) = &entry.evidence.statement else { continue };
        let standing = if tests.totals.failed > 0 { Standing::Fail } else { Standing::Pass };
        let place = format!("{}{}", who(&entry.evidence.by), view.elsewhere(entry));
        found.push((standing, Finding::of(format!("{} {place}", sentence(tests)), entry)));
    }
    if found.is_empty() {
        return None;
    }
    let standing = Standing::of_all(found.iter().map(|(standing, _)| *standing));
    let findings = found.into_iter().map(|(_, finding)| finding).collect();
    Some(Requirement::new("tests", standing, findings).shown_only())
}

/// "unit: 120 passed, 2 flaky (`a`, `b`), 1 failed (`c`)".
fn sentence(tests: &TestsStatement) -> String {
    let names = |names: &[String]| {
        let shown: Vec<String> = names.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
        let more = if names.len() > NAMED { ", …" } else { "" };
        if shown.is_empty() { String::new() } else { format!(" ({}{more})", shown.join(", ")) }
    };
    let name = if tests.name.is_empty() { "the report" } else { &tests.name };
    let mut text = format!("{name}: {} passed", tests.totals.passed);
    if tests.totals.flaky > 0 {
        text.push_str(&format!(", {} flaky{}", tests.totals.flaky, names(&tests.flaky)));
    }
    if tests.totals.failed > 0 {
        text.push_str(&format!(", {} failed{}", tests.totals.failed, names(&tests.failed)));
    }
    text
}
