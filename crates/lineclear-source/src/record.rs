//! A diagnostic as machines read it.

use serde::{Deserialize, Serialize};

use crate::{Diagnostic, Severity, Source};

/// One finding with its place spelled out: an element of the JSON form.
///
/// Lines and columns count from one, columns in characters; the end is exclusive. A finding about the whole file stands
/// at its start and is empty there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiagnosticRecord {
    /// The source's name: a path relative to the repository.
    pub file: String,
    /// The line where it begins.
    pub line: u32,
    /// The column where it begins.
    pub column: u32,
    /// The line where it ends.
    pub end_line: u32,
    /// The column behind its last character.
    pub end_column: u32,
    /// `error`, `warning` or `info`.
    pub severity: Severity,
    /// The finding's stable code.
    pub rule: String,
    /// What is wrong, in one sentence.
    pub message: String,
}

impl DiagnosticRecord {
    /// The record of `diagnostic`, whose span is in `source`.
    pub fn new(diagnostic: &Diagnostic, source: &Source) -> Self {
        let span = diagnostic.span.unwrap_or_default();
        let start = source.position(span.start);
        let end = source.position(span.end.max(span.start));
        Self {
            file: source.name().to_owned(),
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
            severity: diagnostic.severity,
            rule: diagnostic.code.clone().into_owned(),
            message: diagnostic.message.clone(),
        }
    }
}
