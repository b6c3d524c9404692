//! Lines around a place, for telling what its writer had in mind.

use lineclear_source::Span;

fn is_break(byte: &u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

/// One line, without its line break.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    pub(super) text: &'a str,
    /// Its first byte's offset.
    pub(super) start: usize,
}

impl<'a> Line<'a> {
    /// The line that byte `at` is in.
    pub(super) fn at(text: &'a str, at: usize) -> Self {
        let bytes = text.as_bytes();
        let at = at.min(bytes.len());
        let start = bytes.iter().take(at).rposition(is_break).map_or(0, |at| at + 1);
        let end = bytes.iter().skip(at).position(is_break).map_or(bytes.len(), |length| at + length);
        Self { text: text.get(start..end).unwrap_or_default(), start }
    }

    /// The line before this one that is neither blank nor a comment only.
    pub(super) fn previous(self, text: &'a str) -> Option<Self> {
        let mut line = self;
        loop {
            let before = line.start.checked_sub(1)?;
            line = Self::at(text, before);
            let content = line.text.trim();
            if !content.is_empty() && !content.starts_with('#') {
                return Some(line);
            }
        }
    }

    /// How many spaces it begins with.
    pub(super) fn indent(self) -> usize {
        self.text.bytes().take_while(|&byte| byte == b' ').count()
    }

    /// From its first character that is not blank to its last.
    pub(super) fn content(self) -> Span {
        let start = self.start + (self.text.len() - self.text.trim_start().len());
        Span::new(start, (self.start + self.text.trim_end().len()).max(start))
    }

    /// Its text without indentation and the dashes of list items, and where that begins.
    pub(super) fn behind_dashes(self) -> (&'a str, usize) {
        let mut text = self.text.trim_start();
        while let Some(rest) = text.strip_prefix("- ") {
            text = rest.trim_start();
        }
        (text, self.start + self.text.len() - text.len())
    }
}
