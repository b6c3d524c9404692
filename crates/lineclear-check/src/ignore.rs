//! Comments that say that a finding is known: `# lineclear: ignore[rule, other-rule] why`.

use lineclear_source::{Source, Span};

use crate::rules::reader::UNUSED_IGNORE;
use crate::{Finding, Report};

const MARK: &str = "lineclear: ignore";

/// One comment.
#[derive(Debug)]
struct Ignore<'t> {
    /// The comment from its mark on.
    span: Span,
    /// The lines, as bytes, whose findings it silences: its own, or the next if it stands alone.
    lines: Span,
    /// Rules with their places; empty means that the brackets are missing.
    rules: Vec<(&'t str, Span, std::cell::Cell<bool>)>,
    has_reason: bool,
}

/// Takes away the findings that comments of the file ignore, and adds those that comments give rise to.
/// Gives how many were taken away.
pub(crate) fn apply(source: &Source, findings: &mut Vec<Finding>, report_unused: bool) -> usize {
    let ignores = read(source);
    if ignores.is_empty() {
        return 0;
    }
    let before = findings.len();
    findings.retain(|finding| !is_ignored(&ignores, finding));
    let ignored = before - findings.len();
    if report_unused {
        let mut found = Vec::new();
        let mut report = Report::new(&UNUSED_IGNORE, false, &mut found);
        let mut suggestions = 0;
        ignores.iter().for_each(|ignore| report_on(ignore, &mut suggestions, &mut report));
        findings.extend(found.into_iter().map(|(_, finding)| finding));
    }
    ignored
}

fn is_ignored(ignores: &[Ignore<'_>], finding: &Finding) -> bool {
    let start = finding.diagnostic.span.unwrap_or_default().start;
    let mut is_ignored = false;
    for ignore in ignores.iter().filter(|ignore| ignore.lines.start <= start && start < ignore.lines.end) {
        for (_, _, used) in ignore.rules.iter().filter(|(rule, ..)| *rule == finding.diagnostic.code) {
            used.set(true);
            is_ignored = true;
        }
    }
    is_ignored
}

/// "Did you mean" is a comparison with every rule, so a file gets it this often.
const MOST_SUGGESTIONS: usize = 50;

fn report_on(ignore: &Ignore<'_>, suggestions: &mut usize, report: &mut Report<'_>) {
    if ignore.rules.is_empty() {
        report
            .at(ignore.span, "this comment ignores nothing: it names no rule")
            .help("write `# lineclear: ignore[rule] why it is fine here`");
        return;
    }
    for (rule, span, used) in &ignore.rules {
        if crate::rules::meta(rule).is_none() {
            let known = crate::rules::all().map(|meta| meta.id);
            *suggestions += 1;
            let near = if *suggestions > MOST_SUGGESTIONS { None } else { lineclear_source::suggest(rule, known) };
            let message = match near {
                Some(near) => format!("there is no rule `{rule}`; did you mean `{near}`?"),
                None => format!("there is no rule `{rule}`"),
            };
            report.at(*span, message);
        } else if !used.get() {
            report.at(*span, format!("there is no finding of `{rule}` here to ignore")).help("remove the comment");
        }
    }
    if !ignore.has_reason {
        report
            .at(ignore.span, "this comment does not say why the finding is fine")
            .help("add a few words behind the `]`");
    }
}

/// Where what begins on the line `from..end` ends: behind its block, if the line opens one (`run: |`), else with the line.
fn block_end(text: &str, from: usize, end: usize) -> usize {
    let line = text.get(from..end).unwrap_or_default();
    let opens =
        line.split(" #").next().unwrap_or_default().trim_end().trim_end_matches(['-', '+']).ends_with(['|', '>']);
    if !opens {
        return end;
    }
    let column = |line: &str| line.len() - line.trim_start_matches(' ').len();
    // The key decides, not the dash before it.
    let own = line.len() - line.trim_start_matches([' ', '-']).len();
    let mut at = end;
    for next in text.get(end + 1..).unwrap_or_default().split_inclusive('\n') {
        if !next.trim().is_empty() && column(next) <= own {
            break;
        }
        at += next.len();
    }
    at
}

fn read(source: &Source) -> Vec<Ignore<'_>> {
    let text = source.text();
    memchr::memmem::find_iter(text.as_bytes(), MARK).filter_map(|at| read_one(text, at)).collect()
}

fn read_one(text: &str, at: usize) -> Option<Ignore<'_>> {
    let line_start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line_end = text[at..].find('\n').map_or(text.len(), |newline| at + newline);
    let before = text[line_start..at].trim_end();
    let hash = before.strip_suffix('#')?;
    // Alone on its line, a comment speaks of the next line that is not a comment.
    let lines = if hash.trim().is_empty() {
        let mut from = line_end + 1;
        while text.get(from..).is_some_and(|rest| rest.trim_start_matches(' ').starts_with('#')) {
            from = text[from..].find('\n').map_or(text.len(), |newline| from + newline + 1);
        }
        let end = text.get(from..).and_then(|rest| rest.find('\n')).map_or(text.len(), |newline| from + newline);
        Span::new(line_start, block_end(text, from, end) + 1)
    } else {
        Span::new(line_start, line_end + 1)
    };
    let rest = text[at + MARK.len()..line_end].trim_end();
    let span = Span::new(at, at + MARK.len() + rest.len());
    let listed = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let Some((rules, reason)) = listed else {
        return Some(Ignore { span, lines, rules: Vec::new(), has_reason: false });
    };
    let mut from = at + MARK.len() + 1;
    let mut named = Vec::new();
    for piece in rules.split(',') {
        let name = piece.trim();
        let start = from + (piece.len() - piece.trim_start().len());
        if !name.is_empty() {
            named.push((name, Span::new(start, start + name.len()), std::cell::Cell::new(false)));
        }
        from += piece.len() + 1;
    }
    Some(Ignore { span, lines, rules: named, has_reason: reason.chars().any(char::is_alphanumeric) })
}
