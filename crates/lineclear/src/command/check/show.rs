//! Findings on standard output.

use std::collections::BTreeMap;

use lineclear_check::show::{Record, annotation, document, sarif};
use lineclear_check::{Finding, Safety};
use lineclear_source::{DiagnosticRecord, Severity, render};

use super::Format;
use crate::checking::Outcome;
use crate::output;

/// Shows all findings; `known` of them were left out because a baseline has them.
pub(super) fn show(format: Format, outcomes: &[Outcome], known: usize, statistics: bool) {
    match format {
        Format::Text => text(outcomes),
        Format::Short => short(outcomes),
        Format::Json => {
            let records: Vec<Record> = outcomes
                .iter()
                .flat_map(|outcome| outcome.findings.iter().map(|finding| Record::new(finding, &outcome.source)))
                .collect();
            output::print(&document(&records));
        }
        Format::Sarif => {
            let all =
                outcomes.iter().flat_map(|outcome| outcome.findings.iter().map(|finding| (finding, &outcome.source)));
            output::print(&sarif(all));
        }
        Format::Github => {
            let mut lines = String::new();
            for outcome in outcomes {
                for finding in &outcome.findings {
                    lines.push_str(&annotation(&DiagnosticRecord::new(&finding.diagnostic, &outcome.source)));
                }
            }
            output::print(&lines);
        }
    }
    if statistics {
        count_rules(format, outcomes);
    }
    if matches!(format, Format::Text | Format::Short) {
        output::complain(&summary(outcomes, known));
    }
}

fn text(outcomes: &[Outcome]) {
    let style = output::stdout_style();
    for outcome in outcomes {
        let mut text = String::new();
        for finding in &outcome.findings {
            let mut diagnostic = finding.diagnostic.clone();
            if let Some(fix) = &finding.fix {
                let flag = if fix.safety == Safety::Safe { "--fix" } else { "--fix=all" };
                diagnostic.help.push(format!("`{flag}` would {}", fix.title));
            }
            text.push_str(&render(&diagnostic, &outcome.source, style));
            text.push('\n');
        }
        if !text.is_empty() && !output::print_to_reader(&text) {
            return;
        }
    }
}

fn short(outcomes: &[Outcome]) {
    let mut lines = String::new();
    for outcome in outcomes {
        for finding in &outcome.findings {
            let record = DiagnosticRecord::new(&finding.diagnostic, &outcome.source);
            let DiagnosticRecord { file, line, column, rule, message, .. } = &record;
            lines.push_str(&format!("{file}:{line}:{column}: {}[{rule}] {message}\n", word(record.severity)));
        }
    }
    output::print(&lines);
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

/// How many findings each rule has, the most frequent first. Beside JSON and SARIF it goes to standard error.
fn count_rules(format: Format, outcomes: &[Outcome]) {
    let mut counts: BTreeMap<(&str, Severity), usize> = BTreeMap::new();
    for finding in outcomes.iter().flat_map(|outcome| &outcome.findings) {
        *counts.entry((&finding.diagnostic.code, finding.diagnostic.severity)).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|&(rule, count)| (std::cmp::Reverse(count), rule));
    let lines: String = counts
        .into_iter()
        .map(|((rule, severity), count)| format!("{count:>6}  {:7}  {rule}\n", word(severity)))
        .collect();
    match format {
        Format::Text | Format::Short => output::print(&lines),
        Format::Json | Format::Sarif | Format::Github => output::complain(lines.trim_end()),
    }
}

/// One line: how much was found, where, and what can be done about it.
fn summary(outcomes: &[Outcome], known: usize) -> String {
    let all: Vec<&Finding> = outcomes.iter().flat_map(|outcome| &outcome.findings).collect();
    let of = |severity: Severity| all.iter().filter(|finding| finding.diagnostic.severity == severity).count();
    let files = counted(outcomes.len(), "file");
    let known = if known > 0 { format!("; {known} known ones are left out") } else { String::new() };
    let ignored: usize = outcomes.iter().map(|outcome| outcome.ignored).sum();
    let ignored = if ignored > 0 { format!("; {ignored} ignored by comments") } else { String::new() };
    if all.is_empty() {
        return format!("{files} checked, nothing found{known}{ignored}");
    }
    let mut parts = Vec::new();
    for (severity, name) in [(Severity::Error, "error"), (Severity::Warning, "warning")] {
        if of(severity) > 0 {
            parts.push(counted(of(severity), name));
        }
    }
    if of(Severity::Info) > 0 {
        parts.push(format!("{} worth knowing", of(Severity::Info)));
    }
    let with = outcomes.iter().filter(|outcome| !outcome.findings.is_empty()).count();
    let mut line = format!("{} in {with} of {files}{known}{ignored}", parts.join(", "));
    let fixable =
        |safety: Safety| all.iter().filter(|f| f.fix.as_ref().is_some_and(|fix| fix.safety == safety)).count();
    match (fixable(Safety::Safe), fixable(Safety::Review)) {
        (0, 0) => {}
        (safe, 0) => line.push_str(&format!("; `--fix` repairs {safe}")),
        (0, review) => line.push_str(&format!("; `--fix=all` repairs {review}, to be read")),
        (safe, review) => line.push_str(&format!("; `--fix` repairs {safe}, `--fix=all` {review} more, to be read")),
    }
    line
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
