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

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::Span;

    #[test]
    fn a_record_has_its_place_in_lines_and_characters() {
        let source = Source::new(".github/workflows/ci.yml", "on: push\nñame: 'ü'\n");
        let diagnostic =
            Diagnostic::warning("unknown-key", "`ñame` is not a key").at(Span::new(9, 14)).help("rename it");
        let record = DiagnosticRecord::new(&diagnostic, &source);
        let json = serde_json::to_string_pretty(&record).unwrap();
        expect![[r#"
            {
              "file": ".github/workflows/ci.yml",
              "line": 2,
              "column": 1,
              "end_line": 2,
              "end_column": 5,
              "severity": "warning",
              "rule": "unknown-key",
              "message": "`ñame` is not a key"
            }"#]]
        .assert_eq(&json);
        assert_eq!(serde_json::from_str::<DiagnosticRecord>(&json).unwrap(), record);
    }

    #[test]
    fn a_record_of_the_whole_file_stands_at_its_start() {
        let source = Source::new("a.yml", "on: push\n");
        let record = DiagnosticRecord::new(&Diagnostic::error("empty", "nothing here"), &source);
        assert_eq!((record.line, record.column, record.end_line, record.end_column), (1, 1, 1, 1));
    }

    #[test]
    fn a_span_over_a_line_end_or_past_the_text_has_a_place_all_the_same() {
        let source = Source::new("a.yml", "é\r\nb");
        let place = |start, end| {
            let record = DiagnosticRecord::new(&Diagnostic::error("x", "y").at(Span::new(start, end)), &source);
            (record.line, record.column, record.end_line, record.end_column)
        };
        assert_eq!(place(0, 4), (1, 1, 2, 1));
        assert_eq!(place(4, 5), (2, 1, 2, 2));
        assert_eq!(place(5, 900), (2, 2, 2, 2));
        assert_eq!(place(900, 901), (2, 2, 2, 2));
        assert_eq!(place(1, 2), (1, 1, 1, 2));
    }
}
