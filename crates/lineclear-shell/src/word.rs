//! Words are put together piece by piece.

use std::ops::Range;

use crate::{Part, Quoting, Word};

/// A word that is being read.
#[derive(Debug)]
pub(crate) struct Builder {
    text: String,
    parts: Vec<Part>,
    /// The literal that is open: where its text begins in `text`, how it is quoted, and where it stands.
    literal: Option<(usize, Quoting, Range<usize>)>,
    start: usize,
}

impl Builder {
    /// A word that begins at `start`.
    pub(crate) fn new(start: usize) -> Self {
        Self { text: String::new(), parts: Vec::new(), literal: None, start }
    }

    /// Text that stands at `span`. What follows without a break is one literal.
    pub(crate) fn literal(&mut self, text: &str, quoting: Quoting, span: Range<usize>) {
        match &mut self.literal {
            Some((_, open, at)) if *open == quoting => at.end = span.end,
            _ => {
                self.end_literal();
                self.literal = Some((self.text.len(), quoting, span));
            }
        }
        self.text.push_str(text);
    }

    /// What follows is a literal of its own, even if it is quoted alike.
    pub(crate) fn end_literal(&mut self) {
        if let Some((from, quoting, span)) = self.literal.take() {
            let text = self.text.get(from..).unwrap_or_default().to_owned();
            if self.parts.is_empty() {
                // Most words are one piece.
                self.parts.reserve_exact(1);
            }
            self.parts.push(Part::Literal { text, quoting, span });
        }
    }

    /// A piece that is not literal, and its text as it is written.
    pub(crate) fn part(&mut self, part: Part, written: &str) {
        self.end_literal();
        self.parts.push(part);
        self.text.push_str(written);
    }

    /// Pieces that stand inside of the last one.
    pub(crate) fn inner(&mut self, parts: Vec<Part>) {
        self.end_literal();
        self.parts.extend(parts.into_iter().filter(|part| !matches!(part, Part::Literal { .. })));
    }

    /// All of another word.
    pub(crate) fn append(&mut self, word: Word) {
        self.end_literal();
        self.text.push_str(&word.text);
        self.parts.extend(word.parts);
    }

    /// Text that belongs to no piece, such as the white space of an array.
    pub(crate) fn gap(&mut self, text: &str) {
        self.end_literal();
        self.text.push_str(text);
    }

    /// Whether nothing came yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty() && self.parts.is_empty() && self.literal.is_none()
    }

    /// The word, which ends at `end`.
    pub(crate) fn finish(mut self, end: usize) -> Word {
        self.end_literal();
        Word { text: self.text, parts: self.parts, span: self.start..end.max(self.start) }
    }
}
