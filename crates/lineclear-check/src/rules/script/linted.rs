//! What linters say of scripts, brought back to the file.

use std::ops::Range;

use lineclear_source::Severity;

use super::shells::edit_span;
use crate::linter::{Lines, Remark, RemarkLevel, Snippet, masked};
use crate::{Edit, File, Fix, Report, ScriptSite};

/// A script that is handed to a linter.
#[derive(Debug)]
pub(super) struct Linted<'f, 'a> {
    pub(super) site: &'f ScriptSite<'a>,
    /// Where its expressions stand.
    pub(super) expressions: Vec<Range<usize>>,
}

impl<'f, 'a> Linted<'f, 'a> {
    /// The script, and what the linter gets of it.
    pub(super) fn new(site: &'f ScriptSite<'a>, dialect: &'static str) -> (Self, Snippet) {
        let expressions = lineclear_shell::expressions(site.raw());
        let text = masked(site.raw(), &expressions);
        (Self { site, expressions }, Snippet { text, dialect })
    }

    /// Whether the range touches an expression: what is said of it may be said of the mask.
    pub(super) fn touches_expression(&self, range: &Range<usize>) -> bool {
        self.expressions.iter().any(|expression| expression.start < range.end && range.start < expression.end)
    }

    /// Reports a remark at `range` of the script.
    pub(super) fn report(
        &self,
        file: &File<'_>,
        lines: &Lines<'_>,
        remark: &Remark,
        range: Range<usize>,
        report: &mut Report<'_>,
    ) {
        let severity = match remark.level {
            RemarkLevel::Error => Severity::Error,
            RemarkLevel::Warning => Severity::Warning,
            RemarkLevel::Info | RemarkLevel::Style => Severity::Info,
        };
        let code = if remark.code.is_empty() { String::new() } else { format!(" ({})", remark.code) };
        let message = format!("{}{code}", sentence(&remark.message));
        let fix = if report.wants_fixes() { self.fix(file, lines, remark) } else { None };
        report.at(self.site.span_of(range), message).severity(severity).fix(fix);
    }

    fn fix(&self, file: &File<'_>, lines: &Lines<'_>, remark: &Remark) -> Option<Fix> {
        let mut edits = Vec::new();
        for (place, text) in &remark.replacements {
            let range = lines.range(*place)?;
            if self.touches_expression(&range) || text.contains('\n') {
                return None;
            }
            // An insertion stands where the character does that it stands before, or behind the one before it.
            let span = if range.is_empty() {
                let before = range.start.checked_sub(1).filter(|at| self.site.raw().is_char_boundary(*at))?;
                let end = edit_span(file, self.site, before..range.start)?.end;
                lineclear_source::Span { start: end, end }
            } else {
                edit_span(file, self.site, range)?
            };
            edits.push(Edit::replace(span, text.as_str()));
        }
        (!edits.is_empty()).then(|| Fix::review(format!("as {} proposes", remark.code), edits))
    }
}

/// The linter's words as one sentence in lower case without a full stop.
fn sentence(message: &str) -> String {
    let message = message.trim().trim_end_matches('.');
    let mut letters = message.chars();
    let Some(first) = letters.next() else { return String::new() };
    // A name in capitals stays what it is.
    let is_word = letters.clone().next().is_none_or(|second| !second.is_uppercase());
    if is_word { first.to_lowercase().chain(letters).collect() } else { message.to_owned() }
}
