//! One run as every command introduces it.

use std::collections::BTreeMap;

use lineclear_source::Style;
use lineclear_store::RunSummary;
use serde::Serialize;

use crate::history::{History, Status, commits, words};
use crate::report::duration;
use crate::settings::now;

/// A run as JSON documents have it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct RunEntry {
    pub(super) id: u64,
    pub(super) number: u64,
    pub(super) repository: String,
    pub(super) file: String,
    pub(super) workflow: String,
    pub(super) event: String,
    #[serde(rename = "ref")]
    pub(super) reference: String,
    pub(super) sha: String,
    /// A conclusion, `running` or `killed`.
    pub(super) status: &'static str,
    /// Milliseconds since 1970.
    pub(super) started: i64,
    pub(super) finished: Option<i64>,
    pub(super) duration_ms: Option<u64>,
    /// Subject of the commit, if git knows it.
    pub(super) subject: Option<String>,
}

impl RunEntry {
    pub(super) fn new(run: &RunSummary, subjects: &BTreeMap<String, String>) -> Self {
        let header = &run.header;
        let duration_ms = match Status::of(run) {
            Status::Running => Some(now().millis_since(header.run.started)),
            Status::Ended(_) | Status::Killed => run.finished.map(|end| end.millis_since(header.run.started)),
        };
        Self {
            id: header.id.0,
            number: header.number,
            repository: header.run.repository.clone(),
            file: header.run.file.clone(),
            workflow: header.run.workflow.clone(),
            event: header.run.event.clone(),
            reference: header.run.reference.clone(),
            sha: header.run.sha.clone(),
            status: Status::of(run).as_str(),
            started: header.run.started.0,
            finished: run.finished.map(|end| end.0),
            duration_ms,
            subject: subjects.get(&header.run.sha).cloned(),
        }
    }
}

/// The entry of one run, its commit's subject asked of git.
pub(super) fn entry(history: &History, run: &RunSummary) -> RunEntry {
    let subjects = commits::subjects(&history.checkout.root, &[run.header.run.sha.as_str()]);
    RunEntry::new(run, &subjects)
}

/// `✗ ci.yml#12 failure  push on main, 1a2b3c4 add a test  5m ago, took 3.1s  (run 1795250130123)`.
pub(super) fn heading(history: &History, run: &RunSummary, style: Style) -> String {
    let entry = entry(history, run);
    let status = Status::of(run);
    let mut text = format!(
        "{} {} {}  {} on {}",
        status.sign(style),
        style.bold(&format!("{}#{}", file_name(&entry.file), entry.number)),
        status.word(style),
        entry.event,
        short_reference(&entry.reference)
    );
    if commits::is_commit(&entry.sha) {
        text.push_str(&format!(", {}", commits::short(&entry.sha)));
        if let Some(subject) = &entry.subject {
            text.push_str(&format!(" {}", lineclear_source::clipped(subject, 60)));
        }
    }
    let age = words::age(run.header.run.started, now());
    let took = entry.duration_ms.map(|millis| format!(", took {}", duration(millis))).unwrap_or_default();
    text.push_str(&style.dim(&format!("  {age}{took}  (run {})", entry.id)));
    text.push('\n');
    crate::history::terminal::harmless(text.trim_end(), style).into_owned() + "\n"
}

/// `ci.yml` of `.github/workflows/ci.yml`.
pub(super) fn file_name(file: &str) -> &str {
    file.rsplit('/').next().unwrap_or(file)
}

/// `main` of `refs/heads/main`, `v1` of `refs/tags/v1`, `#7` of `refs/pull/7/merge`.
pub(super) fn short_reference(reference: &str) -> String {
    if let Some(rest) = reference.strip_prefix("refs/pull/") {
        return format!("#{}", rest.split('/').next().unwrap_or(rest));
    }
    let short = reference.strip_prefix("refs/heads/").or_else(|| reference.strip_prefix("refs/tags/"));
    short.unwrap_or(if reference.is_empty() { "no branch" } else { reference }).to_owned()
}
