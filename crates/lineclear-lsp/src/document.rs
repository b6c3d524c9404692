//! An open file: its text, and what the checker says of it.

use std::path::PathBuf;
use std::sync::Arc;

use lineclear_check::{FileKind, Finding};
use lineclear_source::Source;
use lsp_types::{TextDocumentContentChangeEvent, Uri};

use crate::place::{Encoding, Lines};

/// An open file.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) uri: Uri,
    pub(crate) version: i32,
    /// The root of its repository.
    pub(crate) root: PathBuf,
    /// Its path from there, with forward slashes.
    pub(crate) path: String,
    pub(crate) kind: FileKind,
    pub(crate) text: Arc<str>,
    pub(crate) lines: Lines,
    /// Those of the text as it is; none while it has not been checked since its last change.
    pub(crate) findings: Option<Vec<Finding>>,
    encoding: Encoding,
}

impl Document {
    pub(crate) fn new(
        uri: Uri,
        version: i32,
        root: PathBuf,
        path: String,
        kind: FileKind,
        text: String,
        encoding: Encoding,
    ) -> Self {
        let lines = Lines::new(&text, encoding);
        Self { uri, version, root, path, kind, text: text.into(), lines, findings: None, encoding }
    }

    /// Takes over what was typed, change by change.
    pub(crate) fn change(&mut self, version: i32, changes: Vec<TextDocumentContentChangeEvent>) {
        for change in changes {
            let text = match change.range {
                None => change.text,
                Some(range) => {
                    let start = self.lines.offset(&self.text, range.start);
                    let end = self.lines.offset(&self.text, range.end).max(start);
                    let mut text = String::with_capacity(self.text.len() + change.text.len());
                    text.push_str(self.text.get(..start).unwrap_or_default());
                    text.push_str(&change.text);
                    text.push_str(self.text.get(end..).unwrap_or_default());
                    text
                }
            };
            self.lines = Lines::new(&text, self.encoding);
            self.text = text.into();
        }
        self.version = version;
        self.findings = None;
    }

    pub(crate) fn source(&self) -> Source {
        Source::new(self.path.as_str(), Arc::clone(&self.text))
    }
}
