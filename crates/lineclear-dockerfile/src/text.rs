//! Text that was put together from several places of a file.

use std::ops::Range;

use lineclear_source::Span;

/// Text that was put together from pieces of a file, with the way back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    text: String,
    /// Where each piece begins, in the text and in the file. In the order of both.
    pieces: Vec<(u32, u32)>,
}

impl Text {
    /// A piece of the file that begins at byte `at`.
    pub fn verbatim(text: &str, at: usize) -> Self {
        let mut whole = Self::default();
        whole.push(text, at);
        whole
    }

    /// Adds what stands at byte `at` of the file.
    pub fn push(&mut self, text: &str, at: usize) {
        let clamp = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        self.pieces.push((clamp(self.text.len()), clamp(at)));
        self.text.push_str(text);
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The byte of the file that byte `index` of the text came from; an index past the end counts as the end.
    pub fn offset_of(&self, index: usize) -> usize {
        let index = index.min(self.text.len());
        let after = self.pieces.partition_point(|(text, _)| *text as usize <= index);
        match after.checked_sub(1).and_then(|at| self.pieces.get(at)) {
            Some((text, file)) => *file as usize + (index - *text as usize),
            None => 0,
        }
    }

    /// Where a range of the text stands in the file: from its first to its last byte.
    pub fn span_of(&self, range: Range<usize>) -> Span {
        let start = self.offset_of(range.start);
        let end = range.end.min(self.text.len());
        if end <= range.start {
            return Span::new(start, start);
        }
        Span::new(start, self.offset_of(end - 1) + 1)
    }

    /// Where all of it stands.
    pub fn span(&self) -> Span {
        self.span_of(0..self.text.len())
    }

    /// A part of the text; empty where the range does not fit.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Self {
        let Some(text) = self.text.get(range.clone()) else { return Self::verbatim("", self.offset_of(range.start)) };
        let mut part = Self::verbatim("", self.offset_of(range.start));
        let clamp = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        part.text.push_str(text);
        for (at, file) in &self.pieces {
            if (*at as usize) > range.start && (*at as usize) < range.end {
                part.pieces.push((at - clamp(range.start), *file));
            }
        }
        part
    }

    /// The text without white space around it.
    #[must_use]
    pub fn trimmed(&self) -> Self {
        let start = self.text.len() - self.text.trim_start().len();
        let end = self.text.trim_end().len();
        self.slice(start..end.max(start))
    }
}
