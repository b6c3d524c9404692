//! Cuts an instruction's text into words.

use std::ops::Range;

use crate::{Text, Word};

/// The words between white space, quotes counting as nothing.
pub(super) fn plain(text: &Text) -> Vec<Word> {
    let whole = text.as_str();
    let mut words = Vec::new();
    let mut start = None;
    for (at, char) in whole.char_indices() {
        match (char.is_whitespace(), start) {
            (true, Some(from)) => {
                words.push(Word { text: text.slice(from..at) });
                start = None;
            }
            (false, None) => start = Some(at),
            _ => {}
        }
    }
    words.extend(start.map(|from| Word { text: text.slice(from..whole.len()) }));
    words
}

/// The words between white space that is neither quoted nor escaped.
pub(super) fn quoted(text: &Text, escape: char) -> Vec<Word> {
    quoted_ranges(text.as_str(), escape).into_iter().map(|range| Word { text: text.slice(range) }).collect()
}

pub(super) fn quoted_ranges(text: &str, escape: char) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut rest = 0;
    while let Some(range) = next_quoted(text, rest, escape) {
        rest = range.end;
        ranges.push(range);
    }
    ranges
}

/// The next word from byte `from` on.
pub(super) fn next_quoted(text: &str, from: usize, escape: char) -> Option<Range<usize>> {
    let rest = text.get(from..)?;
    let start = from + rest.find(|char: char| !char.is_whitespace())?;
    let mut quote = None;
    let mut chars = text.get(start..)?.char_indices();
    while let Some((at, char)) = chars.next() {
        match quote {
            None if char.is_whitespace() => return Some(start..start + at),
            None if char == '"' || char == '\'' => quote = Some(char),
            // Inside of single quotes nothing is escaped.
            None | Some('"') if char == escape => {
                chars.next();
            }
            Some(open) if char == open => quote = None,
            _ => {}
        }
    }
    Some(start..text.len())
}
