//! Replacements of byte ranges, and how they are applied.

use lineclear_source::{Source, Span};

/// Puts `text` in the place of `span`; an empty span inserts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Edit {
    /// What goes.
    pub span: Span,
    /// What comes.
    pub text: String,
}

/// Why edits cannot be applied together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EditError {
    /// Two edits change the same bytes.
    Overlap(Span, Span),
    /// A span is not in the text, or begins inside of a character.
    OutOfText(Span),
}

impl std::fmt::Display for EditError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Overlap(one, other) => {
                write!(f, "two edits change bytes {}..{} and {}..{}", one.start, one.end, other.start, other.end)
            }
            Self::OutOfText(span) => write!(f, "an edit of bytes {}..{} is not in the text", span.start, span.end),
        }
    }
}

impl std::error::Error for EditError {}

impl Edit {
    /// Puts `text` in the place of `span`.
    pub fn replace(span: Span, text: impl Into<String>) -> Self {
        Self { span, text: text.into() }
    }

    /// Puts `text` before byte `at`.
    pub fn insert(at: u32, text: impl Into<String>) -> Self {
        Self { span: Span { start: at, end: at }, text: text.into() }
    }

    /// Takes away all lines that `span` touches, with their ends.
    pub fn remove_lines(source: &Source, span: Span) -> Self {
        let text = source.text();
        let start = text.get(..span.start as usize).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
        let last = (span.end as usize).max(span.start as usize + 1) - 1;
        let end = text.get(last..).and_then(|rest| rest.find('\n')).map_or(text.len(), |at| last + at + 1);
        Self::replace(Span::new(start, end), "")
    }

    /// Adds an entry to the mapping at `mapping` (as the model's spans have it: from its first key or `{`): as the first one.
    /// `entry` is one `key: value`, or several lines of a block with no indentation of their own.
    pub fn add_first_entry(source: &Source, mapping: Span, entry: &str) -> Self {
        let at = mapping.start;
        if source.text().as_bytes().get(at as usize) == Some(&b'{') {
            let is_empty = source.slice(mapping).trim_matches(['{', '}', ' ']).is_empty();
            let has_blank = source.text().as_bytes().get(at as usize + 1).is_some_and(u8::is_ascii_whitespace);
            let new = match (is_empty, has_blank) {
                (true, _) => format!(" {entry} "),
                (false, true) => format!(" {entry},"),
                // `,key` is not what anyone writes.
                (false, false) => format!(" {entry}, "),
            };
            return Self::insert(at + 1, new);
        }
        let indent = " ".repeat(indent_of(source, at));
        Self::insert(at, format!("{}\n{indent}", indented(entry, &indent)))
    }

    /// Adds an entry to a block mapping behind the entry whose value ends at `after`; `key` is any key of the mapping, for its
    /// indentation. `None` in a flow mapping, or where something else than a comment stands behind the value on its line.
    pub fn add_entry_after(source: &Source, key: Span, after: Span, entry: &str) -> Option<Self> {
        let text = source.text();
        // A block scalar's span may end behind its line's end.
        let last = text.get(..after.end as usize)?.trim_end_matches(['\n', '\r']).len();
        let line_end = text.get(last..)?.find('\n').map_or(text.len(), |at| last + at);
        let rest = text.get(last..line_end)?.trim();
        if !(rest.is_empty() || rest.starts_with('#')) {
            return None;
        }
        let line_end = text.get(..line_end)?.trim_end_matches('\r').len();
        let indent = " ".repeat(indent_of(source, key.start));
        let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
        Some(Self::insert(u32::try_from(line_end).ok()?, format!("{newline}{indent}{}", indented(entry, &indent))))
    }
}

/// How many columns stand before byte `at` on its line: the indentation of a key that begins there (`- key` counts its dash).
pub(crate) fn indent_of(source: &Source, at: u32) -> usize {
    let before = source.text().get(..at as usize).unwrap_or_default();
    before.rsplit('\n').next().map_or(0, |line| line.chars().count())
}

fn indented(entry: &str, indent: &str) -> String {
    entry.replace('\n', &format!("\n{indent}"))
}

/// The text with all edits made.
///
/// # Errors
/// [`EditError::Overlap`] where two edits change the same bytes; two insertions at one place are made in their order.
pub fn apply(text: &str, edits: &[Edit]) -> Result<String, EditError> {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort_by_key(|edit| edit.span);
    sorted.dedup();
    let mut result = String::with_capacity(text.len());
    let mut at = 0;
    let mut last = Span::default();
    for edit in sorted {
        let range = edit.span.range();
        if range.start < at {
            return Err(EditError::Overlap(last, edit.span));
        }
        let kept = text.get(at..range.start).filter(|_| text.is_char_boundary(range.end));
        result.push_str(kept.ok_or(EditError::OutOfText(edit.span))?);
        result.push_str(&edit.text);
        at = range.end;
        last = edit.span;
    }
    result.push_str(text.get(at..).unwrap_or_default());
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_made_in_the_order_of_the_text() {
        let edits = [Edit::insert(3, "!"), Edit::replace(Span::new(0, 1), "x"), Edit::insert(1, "-")];
        assert_eq!(apply("abc", &edits), Ok("x-bc!".to_owned()));
    }

    #[test]
    fn edits_that_overlap_or_lie_outside_are_refused() {
        let both = [Edit::replace(Span::new(0, 2), ""), Edit::replace(Span::new(1, 3), "")];
        assert_eq!(apply("abc", &both), Err(EditError::Overlap(Span::new(0, 2), Span::new(1, 3))));
        assert_eq!(apply("abc", &[Edit::insert(9, "x")]), Err(EditError::OutOfText(Span::new(9, 9))));
        assert_eq!(apply("é", &[Edit::insert(1, "x")]), Err(EditError::OutOfText(Span::new(1, 1))));
    }

    #[test]
    fn entries_take_the_indentation_of_their_mapping() {
        let source = Source::new("a.yml", "job:\n  runs-on: x # y\n  steps: []\n");
        let first = Edit::add_first_entry(&source, Span::new(7, 34), "a: 1");
        assert_eq!(apply(source.text(), &[first]).unwrap(), "job:\n  a: 1\n  runs-on: x # y\n  steps: []\n");
        let after = Edit::add_entry_after(&source, Span::new(7, 14), Span::new(16, 17), "b:\n  c: 1").unwrap();
        assert_eq!(apply(source.text(), &[after]).unwrap(), "job:\n  runs-on: x # y\n  b:\n    c: 1\n  steps: []\n");
        let flow = Source::new("a.yml", "job: { a: 1 }\n");
        let first = Edit::add_first_entry(&flow, Span::new(5, 13), "b: 2");
        assert_eq!(apply(flow.text(), &[first]).unwrap(), "job: { b: 2, a: 1 }\n");
        let tight = Source::new("a.yml", "job: {a: 1}\n");
        let first = Edit::add_first_entry(&tight, Span::new(5, 11), "b: 2");
        assert_eq!(apply(tight.text(), &[first]).unwrap(), "job: { b: 2, a: 1}\n");
        assert_eq!(Edit::add_entry_after(&flow, Span::new(7, 8), Span::new(10, 11), "b: 2"), None);
    }

    #[test]
    fn lines_go_with_their_ends() {
        let source = Source::new("a.yml", "a\nb\nc");
        assert_eq!(apply("a\nb\nc", &[Edit::remove_lines(&source, Span::new(2, 3))]).unwrap(), "a\nc");
        assert_eq!(apply("a\nb\nc", &[Edit::remove_lines(&source, Span::new(4, 5))]).unwrap(), "a\nb\n");
    }
}
