//! `bandit -f json`.
//!
//! # Source
//! `bandit/formatters/json.py` of bandit 1.7 to 1.9, and what 1.9.4 wrote (`tests/scanners`). What its configuration excludes (`[tool.bandit]`
//! in `pyproject.toml`, `# nosec`) is not in the report.

use std::collections::BTreeMap;

use lineclear_event::{Finding, Findings, Severity};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::unexpected;
use crate::findings_found::FindingsFound;
use crate::json::{self, or_default};
use crate::{Limits, Wrong};

const TOTALS: &str = "_totals";

#[derive(Deserialize)]
struct Report {
    #[serde(default, deserialize_with = "or_default")]
    errors: Vec<Unread>,
    /// By file, and the sum of all as [`TOTALS`].
    metrics: Option<BTreeMap<String, IgnoredAny>>,
    results: Option<Vec<Issue>>,
}

/// A file that bandit could not read.
#[derive(Deserialize)]
struct Unread {
    #[serde(default, deserialize_with = "or_default")]
    filename: String,
    #[serde(default, deserialize_with = "or_default")]
    reason: String,
}

#[derive(Deserialize)]
struct Issue {
    #[serde(default, deserialize_with = "or_default")]
    test_id: String,
    #[serde(default, deserialize_with = "or_default")]
    filename: String,
    line_number: Option<u64>,
    #[serde(default, deserialize_with = "or_default")]
    issue_severity: String,
    #[serde(default, deserialize_with = "or_default")]
    issue_text: String,
}

pub(crate) fn read(name: &str, text: &str, limits: &Limits) -> Result<Findings, Wrong> {
    let report: Report = json::read(text, "the report")?;
    let Some(issues) = report.results else { return Err(unexpected("no `results`", "a list of them")) };
    let mut found = FindingsFound::new(limits);
    for issue in issues {
        let file = issue.filename.strip_prefix("./").unwrap_or(&issue.filename);
        found.add(Finding {
            severity: Severity::of_word(&issue.issue_severity),
            id: issue.test_id,
            place: issue.line_number.map_or_else(|| file.to_owned(), |line| format!("{file}:{line}")),
            version: String::new(),
            fixed: String::new(),
            title: issue.issue_text,
        });
    }
    let unread: Vec<_> = report.errors.into_iter().map(|file| (file.filename, file.reason)).collect();
    found.not_looked_at(&unread, "file");
    if report.metrics.is_some_and(|files| files.keys().all(|file| file == TOTALS)) && found.is_empty() {
        found.incomplete("it looked at no file");
    }
    Ok(found.finish(name, "bandit"))
}
