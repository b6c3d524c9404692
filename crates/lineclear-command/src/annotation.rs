//! Annotations before they belong to a job and a step.
//!
//! # Source
//! `ActionCommandManager.cs` of `actions/runner` (the rules of `IssueCommandExtension`).

use std::borrow::Cow;

use lineclear_event::AnnotationLevel;

use crate::{Command, Masker};

/// Longer messages are cut, as GitHub does.
const LONGEST_MESSAGE: usize = 4096;

/// A message with an optional place, as a command or a problem matcher gave it, its places made consistent.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    pub origin: NoteOrigin,
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

/// Where a note comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteOrigin {
    /// A command, or the runner itself: it says what it means.
    Command,
    /// A problem matcher, which guesses: what it takes for a file may be none.
    Matcher,
}

impl Note {
    /// A note without a place, of a command or of the runner. It is neither masked nor cut yet: [`Note::masked`] does both.
    pub fn new(level: AnnotationLevel, message: impl Into<String>) -> Self {
        Self {
            origin: NoteOrigin::Command,
            level,
            message: message.into(),
            title: None,
            file: None,
            line: None,
            end_line: None,
            column: None,
            end_column: None,
        }
    }

    /// The note with its secrets hidden, and then with a long message cut: a mask does not know the half of a secret.
    #[must_use]
    pub fn masked(mut self, masker: &Masker) -> Self {
        for text in [Some(&mut self.message), self.title.as_mut(), self.file.as_mut()].into_iter().flatten() {
            if let Cow::Owned(masked) = masker.mask(text) {
                *text = masked;
            }
        }
        if let Some((at, _)) = self.message.char_indices().nth(LONGEST_MESSAGE) {
            self.message.truncate(at);
        }
        self
    }

    /// The note that a `notice`, `warning` or `error` command asks for; `None` for another command.
    pub(crate) fn from_command(command: &Command) -> Option<Self> {
        let level = match command.name.as_str() {
            "notice" => AnnotationLevel::Notice,
            "warning" => AnnotationLevel::Warning,
            "error" => AnnotationLevel::Error,
            _ => return None,
        };
        let number = |name: &str| command.property(name).and_then(|text| text.trim().parse().ok());
        let mut note = Self::new(level, &*command.data);
        note.title = command.property("title").map(str::to_owned);
        note.file = command.property("file").map(str::to_owned);
        (note.line, note.end_line) = (number("line"), number("endline"));
        (note.column, note.end_column) = (number("col"), number("endcolumn"));
        note.make_consistent();
        Some(note)
    }

    fn make_consistent(&mut self) {
        self.line = self.line.or(self.end_line);
        self.column = self.column.or(self.end_column);
        if self.line.is_none() || self.end_line.is_some_and(|end| Some(end) != self.line) {
            (self.column, self.end_column) = (None, None);
        }
        if matches!((self.line, self.end_line), (Some(line), Some(end)) if end < line) {
            (self.line, self.end_line) = (None, None);
        }
        if matches!((self.column, self.end_column), (Some(column), Some(end)) if end < column) {
            (self.column, self.end_column) = (None, None);
        }
    }
}

/// The word that stands before an annotation's message in the log.
pub fn log_prefix(level: AnnotationLevel) -> &'static str {
    match level {
        AnnotationLevel::Notice => "##[notice]",
        AnnotationLevel::Warning => "##[warning]",
        AnnotationLevel::Error => "##[error]",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SharedMasker;

    fn check(line: &str, expected: [Option<u32>; 4]) {
        let note = Note::from_command(&Command::parse(line).expect("a command")).expect("an annotation");
        assert_eq!([note.line, note.end_line, note.column, note.end_column], expected, "{line}");
    }

    #[test]
    fn places_are_made_consistent() {
        check("::error line=3,endLine=3,col=1,endColumn=4::x", [Some(3), Some(3), Some(1), Some(4)]);
        check("::error endLine=3::x", [Some(3), Some(3), None, None]);
        check("::error line=1,endColumn=4::x", [Some(1), None, Some(4), Some(4)]);
        check("::error col=4::x", [None; 4]);
        check("::error line=1,endLine=2,col=4::x", [Some(1), Some(2), None, None]);
        check("::error line=2,endLine=1::x", [None; 4]);
        check("::error line=2,col=5,endColumn=4::x", [Some(2), None, None, None]);
        check("::error line=two::x", [None; 4]);
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let note = Note::new(AnnotationLevel::Error, "é".repeat(5000)).masked(&Masker::default());
        assert_eq!(note.message.chars().count(), LONGEST_MESSAGE);
    }

    #[test]
    fn a_secret_across_the_cut_of_a_message_is_masked_first() {
        let masker = SharedMasker::default();
        masker.add("hunter2-secret");
        for before in LONGEST_MESSAGE - 14..=LONGEST_MESSAGE {
            let note =
                Note::new(AnnotationLevel::Error, "x".repeat(before) + "hunter2-secret").masked(&masker.current());
            assert_eq!(note.message.trim_start_matches('x').trim_end_matches('*'), "", "the secret begins at {before}");
        }
    }
}
