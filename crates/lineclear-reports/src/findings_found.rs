//! Findings as they are met in a report, on their way to [`Findings`].

use std::cmp::Reverse;
use std::collections::BTreeMap;

use lineclear_event::{Finding, Findings, Severity};

use crate::Limits;
use crate::tests_found::shortened;

/// Characters of an id, a place or a version: none is longer where it means anything.
const WORD: usize = 300;
/// Characters of the reason why a report counts as no scan.
const REASON: usize = 500;

/// Gathers the findings of one report.
#[derive(Debug)]
pub(crate) struct FindingsFound<'l> {
    limits: &'l Limits,
    counts: BTreeMap<Severity, u64>,
    found: Vec<Finding>,
    first: Vec<String>,
    ignored: u64,
    incomplete: String,
}

impl<'l> FindingsFound<'l> {
    pub(crate) fn new(limits: &'l Limits) -> Self {
        Self {
            limits,
            counts: BTreeMap::new(),
            found: Vec::new(),
            first: Vec::new(),
            ignored: 0,
            incomplete: String::new(),
        }
    }

    pub(crate) fn add(&mut self, finding: Finding) {
        let line = |text: &str, most| shortened(text.lines().next().unwrap_or_default(), most);
        let finding = Finding {
            severity: finding.severity,
            id: line(&finding.id, WORD),
            place: line(&finding.place, WORD),
            version: line(&finding.version, WORD),
            fixed: line(&finding.fixed, WORD),
            title: line(&finding.title, self.limits.message),
        };
        *self.counts.entry(finding.severity).or_default() += 1;
        let parts = [&finding.place, &finding.id, &finding.title].map(String::as_str);
        self.say(&parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": "));
        self.found.push(finding);
    }

    /// A line for people that is no finding: a file that was not looked at.
    pub(crate) fn say(&mut self, line: &str) {
        if self.first.len() < self.limits.findings {
            self.first.push(shortened(line, self.limits.message));
        }
    }

    /// The scanner says of itself that it did not look at everything: what it found is shown, and its report counts as no scan.
    pub(crate) fn incomplete(&mut self, why: &str) {
        if self.incomplete.is_empty() {
            self.incomplete = shortened(why, REASON);
        }
    }

    /// [`incomplete`](Self::incomplete) by what was left out, each with its reason; nothing if that is nothing.
    pub(crate) fn not_looked_at(&mut self, left_out: &[(String, String)], kind: &str) {
        let Some((name, why)) = left_out.first() else { return };
        let line = |text: &str| shortened(text.lines().next().unwrap_or_default(), WORD);
        let plural = if left_out.len() == 1 { "" } else { "s" };
        let more = if left_out.len() == 1 { "" } else { ", …" };
        let count = left_out.len();
        self.incomplete(&format!("it did not look at {count} {kind}{plural} ({}: {}{more})", line(name), line(why)));
        for (name, why) in left_out {
            self.say(&format!("{name}: not looked at: {why}"));
        }
    }

    /// Counts findings that someone took responsibility for.
    pub(crate) fn ignore(&mut self, findings: usize) {
        self.ignored = self.ignored.saturating_add(findings as u64);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// All of it, the worst findings first and no more of them than are kept.
    pub(crate) fn finish(mut self, name: &str, tool: &str) -> Findings {
        self.found.sort_by(|a, b| (Reverse(a.severity), &a.place, a).cmp(&(Reverse(b.severity), &b.place, b)));
        self.found.truncate(self.limits.kept_findings);
        Findings {
            name: name.to_owned(),
            tool: tool.to_owned(),
            counts: self.counts,
            found: self.found,
            first: self.first,
            ignored: self.ignored,
            unreadable: self.incomplete,
            ..Findings::default()
        }
    }
}
