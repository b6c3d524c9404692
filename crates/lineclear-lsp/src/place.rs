//! Places in a text: bytes for us, lines and columns for editors.

use lineclear_source::Span;
use lsp_types::{Position, PositionEncodingKind, Range};

/// How an editor counts columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Utf8,
    /// What every editor knows.
    Utf16,
}

impl Encoding {
    /// The best of those that an editor offers.
    pub(crate) fn choose(offered: Option<&[PositionEncodingKind]>) -> Self {
        let has_utf8 = offered.is_some_and(|kinds| kinds.contains(&PositionEncodingKind::UTF8));
        if has_utf8 { Self::Utf8 } else { Self::Utf16 }
    }

    pub(crate) fn kind(self) -> PositionEncodingKind {
        match self {
            Self::Utf8 => PositionEncodingKind::UTF8,
            Self::Utf16 => PositionEncodingKind::UTF16,
        }
    }

    fn width(self, text: &str) -> usize {
        match self {
            Self::Utf8 => text.len(),
            Self::Utf16 => text.encode_utf16().count(),
        }
    }
}

/// Where the lines of a text begin.
#[derive(Clone, Debug)]
pub(crate) struct Lines {
    starts: Vec<usize>,
    encoding: Encoding,
}

impl Lines {
    pub(crate) fn new(text: &str, encoding: Encoding) -> Self {
        let after = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n').map(|(at, _)| at + 1);
        Self { starts: std::iter::once(0).chain(after).collect(), encoding }
    }

    /// The place of byte `offset`; past the end counts as the end.
    pub(crate) fn position(&self, text: &str, offset: usize) -> Position {
        let offset = text.floor_char_boundary(offset.min(text.len()));
        let line = self.starts.partition_point(|&start| start <= offset).saturating_sub(1);
        let start = self.starts.get(line).copied().unwrap_or_default();
        let column = self.encoding.width(text.get(start..offset).unwrap_or_default());
        Position { line: narrow(line), character: narrow(column) }
    }

    pub(crate) fn range(&self, text: &str, span: Span) -> Range {
        Range { start: self.position(text, span.start as usize), end: self.position(text, span.end as usize) }
    }

    /// The byte at a place; a column past a line's end counts as its end, as the protocol says.
    pub(crate) fn offset(&self, text: &str, position: Position) -> usize {
        let line = position.line as usize;
        let Some(&start) = self.starts.get(line) else { return text.len() };
        let end = self.starts.get(line + 1).copied().unwrap_or(text.len());
        let line = text.get(start..end).unwrap_or_default().trim_end_matches(['\n', '\r']);
        let mut left = position.character as usize;
        for (at, char) in line.char_indices() {
            let width = match self.encoding {
                Encoding::Utf8 => char.len_utf8(),
                Encoding::Utf16 => char.len_utf16(),
            };
            if left < width {
                return start + at;
            }
            left -= width;
        }
        start + line.len()
    }
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_counted_as_the_editor_counts_them() {
        let text = "a: é😀b\r\nx";
        for (encoding, column) in [(Encoding::Utf8, 9), (Encoding::Utf16, 6)] {
            let lines = Lines::new(text, encoding);
            let offset = text.find('b').expect("there");
            let position = lines.position(text, offset);
            assert_eq!(position, Position { line: 0, character: column }, "{encoding:?}");
            assert_eq!(lines.offset(text, position), offset);
        }
    }

    #[test]
    fn places_outside_are_at_the_nearest_end() {
        let text = "ab\r\ncd";
        let lines = Lines::new(text, Encoding::Utf16);
        assert_eq!(lines.offset(text, Position { line: 0, character: 99 }), 2);
        assert_eq!(lines.offset(text, Position { line: 9, character: 0 }), text.len());
        assert_eq!(lines.position(text, 999), Position { line: 1, character: 2 });
    }
}
