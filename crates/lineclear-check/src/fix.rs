//! How a finding could be mended.

use crate::Edit;

/// A set of edits of one file that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What it does, as an order: "add `timeout-minutes: 30`".
    pub title: String,
    /// Whether it may be made without being read.
    pub safety: Safety,
    /// In any order; no two of them overlap.
    pub edits: Vec<Edit>,
}

/// Whether a fix may be made without being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Safety {
    /// What the file does stays the same, or becomes what it was plainly meant to be.
    Safe,
    /// It should be read before it is kept: a permission less, a value that was guessed.
    Review,
}

impl Fix {
    /// A fix that may be made without being read.
    pub fn safe(title: impl Into<String>, edits: Vec<Edit>) -> Self {
        Self { title: title.into(), safety: Safety::Safe, edits }
    }

    /// Ends the lines of what comes in the way of a text that ends its lines with `\r\n`.
    pub(crate) fn end_lines_with_carriage_return(&mut self) {
        for edit in &mut self.edits {
            if edit.text.contains('\n') {
                edit.text = edit.text.replace("\r\n", "\n").replace('\n', "\r\n");
            }
        }
    }

    /// A fix to be read.
    pub fn review(title: impl Into<String>, edits: Vec<Edit>) -> Self {
        Self { title: title.into(), safety: Safety::Review, edits }
    }
}
