//! Small questions about text that all readers ask.

use std::ops::Range;

/// How deep groups and substitutions may nest. What is deeper is not taken apart.
pub(crate) const MAX_DEPTH: usize = 48;

/// Finds the ends of `${{ … }}`, in linear time however many are never closed.
#[derive(Debug, Default)]
pub(crate) struct Expressions {
    /// Where it is known that nothing closes an expression.
    open: Range<usize>,
}

impl Expressions {
    /// The end of the expression that begins at `at` and ends before `end`; `None` if none begins there or it is never closed.
    ///
    /// Quotes of the expression are respected, unless that leaves it open: then the first `}}` closes it.
    pub(crate) fn end(&mut self, text: &str, at: usize, end: usize) -> Option<usize> {
        let rest = text.get(at..end)?.strip_prefix("${{")?;
        if self.open.start <= at && end <= self.open.end {
            return None;
        }
        let Some(first) = rest.find("}}") else {
            self.open = at..end;
            return None;
        };
        let bytes = rest.as_bytes();
        let mut is_quoted = false;
        // An expression that goes on for longer is none: its quotes do not pair.
        let limit = bytes.len().min(first + LONGEST_STRING);
        for (index, byte) in bytes.iter().enumerate().take(limit) {
            match byte {
                b'\'' => is_quoted = !is_quoted,
                b'}' if !is_quoted && bytes.get(index + 1) == Some(&b'}') => return Some(at + 3 + index + 2),
                _ => {}
            }
        }
        Some(at + 3 + first + 2)
    }
}

/// How far behind the first `}}` a quoted string of an expression may reach.
const LONGEST_STRING: usize = 1024;

/// The length of the character that begins at byte `at`.
pub(crate) fn char_len(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8)
}

/// Whether the byte may stand in a name.
pub(crate) fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The end of the name that begins at `at` and does not begin with a digit; `at` itself if there is none.
pub(crate) fn name_end(bytes: &[u8], at: usize) -> usize {
    if bytes.get(at).is_none_or(u8::is_ascii_digit) {
        return at;
    }
    at + bytes.get(at..).unwrap_or_default().iter().take_while(|byte| is_name(**byte)).count()
}

/// Where `${{ … }}` stand in a text, each with its braces.
pub fn expressions(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut known = Expressions::default();
    let mut at = 0;
    while let Some(next) = text.get(at..).and_then(|rest| rest.find("${{")) {
        let start = at + next;
        at = match known.end(text, start, text.len()) {
            Some(end) => {
                found.push(start..end);
                end
            }
            None => start + 3,
        };
    }
    found
}
