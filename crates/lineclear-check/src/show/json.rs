//! JSON: `{"diagnostics":[…]}`.

use lineclear_source::{DiagnosticRecord, Source};
use serde::Serialize;

use crate::{Finding, Safety};

/// One finding as programs read it.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    /// Place, severity, rule and message.
    #[serde(flatten)]
    pub diagnostic: DiagnosticRecord,
    /// What to do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub help: Vec<String>,
    /// How it can be mended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<FixRecord>,
}

/// A repair as programs read it.
#[derive(Clone, Debug, Serialize)]
pub struct FixRecord {
    /// What it does.
    pub title: String,
    /// Whether `--fix` makes it; `--fix=all` makes it in any case.
    pub safe: bool,
    /// The edits, all against the file as it is.
    pub edits: Vec<EditRecord>,
}

/// An edit: what goes, by lines and columns as of findings, and what comes.
#[derive(Clone, Debug, Serialize)]
pub struct EditRecord {
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    text: String,
}

impl Record {
    /// The record of a finding in `source`.
    pub fn new(finding: &Finding, source: &Source) -> Self {
        let fix = finding.fix.as_ref().map(|fix| FixRecord {
            title: fix.title.clone(),
            safe: fix.safety == Safety::Safe,
            edits: fix
                .edits
                .iter()
                .map(|edit| {
                    let (start, end) = (source.position(edit.span.start), source.position(edit.span.end));
                    let text = edit.text.clone();
                    EditRecord {
                        line: start.line,
                        column: start.column,
                        end_line: end.line,
                        end_column: end.column,
                        text,
                    }
                })
                .collect(),
        });
        let diagnostic = DiagnosticRecord::new(&finding.diagnostic, source);
        Self { diagnostic, help: finding.diagnostic.help.clone(), fix }
    }
}

/// The whole document, ending in a newline.
pub fn document(records: &[Record]) -> String {
    #[derive(Serialize)]
    struct Document<'r> {
        diagnostics: &'r [Record],
    }
    // Numbers and texts can always be written.
    let mut text = serde_json::to_string(&Document { diagnostics: records }).unwrap_or_default();
    text.push('\n');
    text
}
