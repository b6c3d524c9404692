//! Annotations before they belong to a job and a step.

use lineclear_event::AnnotationLevel;

/// A message with an optional place, as a command or a problem matcher gave it, its places made consistent.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    pub level: AnnotationLevel,
    pub message: String,
    pub title: Option<String>,
    /// As written; the runner makes it relative to the workspace.
    pub file: Option<String>,
    pub line: Option<u32>,
    pub end_line: Option<u32>,
    pub column: Option<u32>,
    pub end_column: Option<u32>,
}
