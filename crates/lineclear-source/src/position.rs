//! Where something stands in a text.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A byte range in one source text, `start..end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// The byte behind the last.
    pub end: u32,
}

impl Span {
    /// The span from byte `start` up to, but not including, byte `end`.
    pub fn new(start: usize, end: usize) -> Self {
        let clamp = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: clamp(start), end: clamp(end.max(start)) }
    }

    /// The smallest span that holds both.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The same span, `by` bytes further on: from a part's own coordinates to those of the text it was cut from.
    #[must_use]
    pub fn shifted(self, by: usize) -> Self {
        Self::new(self.start as usize + by, self.end as usize + by)
    }

    /// As a range of indices.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Whether it holds no byte: a place between two.
    pub fn is_empty(self) -> bool {
        self.start >= self.end
    }
}

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// `value`, written at `span`.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }

    /// Another value at the same place.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned { value: convert(self.value), span: self.span }
    }

    /// The value borrowed, at the same place.
    pub fn as_ref(&self) -> Spanned<&T> {
        Spanned { value: &self.value, span: self.span }
    }
}

impl<T> std::ops::Deref for Spanned<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

/// A place for people: line and column count from one, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// From one.
    pub line: u32,
    /// From one, in characters.
    pub column: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// One file's text with the name it is shown under. Cheap to clone.
#[derive(Clone)]
pub struct Source {
    name: Arc<str>,
    text: Arc<str>,
    line_starts: Arc<[u32]>,
}

impl Source {
    /// `name` is what messages call the file: a path relative to the repository, with forward slashes.
    pub fn new(name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        let text: Arc<str> = text.into();
        let after_each_newline =
            text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n').map(|(at, _)| to_u32(at + 1));
        // By way of a vector of about the right size: a shared slice cannot grow.
        let mut line_starts = Vec::with_capacity(text.len() / 24 + 1);
        line_starts.extend(std::iter::once(0).chain(after_each_newline));
        Self { name: name.into(), text, line_starts: line_starts.into() }
    }

    /// What messages call the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text, shared: for values that have to look into it later.
    pub fn shared_text(&self) -> Arc<str> {
        self.text.clone()
    }

    /// The text of `span`; empty where the span does not fit this text.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or_default()
    }

    /// Line and column of byte `offset`; an offset past the end counts as the end, one inside a character as its start.
    pub fn position(&self, offset: u32) -> Position {
        let index = self.line_index(offset as usize);
        let start = self.line_starts.get(index).map_or(0, |&start| start as usize);
        let end = self.text.floor_char_boundary((offset as usize).min(self.text.len()));
        let column = self.text.get(start..end).map_or(0, |before| before.chars().count());
        Position { line: to_u32(index + 1), column: to_u32(column + 1) }
    }

    /// The index, from zero, of the line that byte `offset` is in.
    pub(crate) fn line_index(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|&start| start as usize <= offset).saturating_sub(1)
    }

    /// The offset where the line of this index begins, and its text without the line break.
    pub(crate) fn line(&self, index: usize) -> (usize, &str) {
        let offset = |index: usize| self.line_starts.get(index).map_or(self.text.len(), |&start| start as usize);
        let start = offset(index);
        let line = self.text.get(start..offset(index + 1)).unwrap_or_default();
        let line = line.strip_suffix('\n').unwrap_or(line);
        (start, line.strip_suffix('\r').unwrap_or(line))
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({}, {} bytes)", self.name, self.text.len())
    }
}

fn to_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_from_one() {
        let source = Source::new("a.yml", "é: 1\nb: ü2\n");
        assert_eq!(source.position(0).to_string(), "1:1");
        assert_eq!(source.position(2).to_string(), "1:2");
        assert_eq!(source.position(6).to_string(), "2:1");
        assert_eq!(source.position(11).to_string(), "2:5");
        assert_eq!(source.position(9999).to_string(), "3:1");
    }
}
