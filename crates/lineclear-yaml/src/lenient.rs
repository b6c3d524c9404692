//! The forms that YAML forbids and GitHub reads.
//!
//! GitHub's reader is of libyaml's family, which is more generous than the standard in two ways that real files rely on:
//!
//! - a quoted scalar's continuation line may be indented less than its surroundings;
//! - a `#` that touches the token before it begins a comment, as in `- [one]#, two`.
//!
//! When the event parser stops at one of them, the text is changed there so that its length stays: line breaks inside
//! the quoted scalar become spaces, the comment becomes blanks. Every byte offset stays true. The text of a scalar that
//! was changed is then decoded from the file itself.

use std::borrow::Cow;
use std::collections::HashSet;

use lineclear_source::Span;

use crate::syntax::{Fault, SyntaxError, closing_quote, open_quote};

/// Together, the readings that repairs cost may go over this many bytes: a file made of such places only is refused.
const MOST_BYTES_READ_AGAIN: usize = 16 * 1024 * 1024;

/// The text for the event parser, with what was changed in it.
pub(crate) struct Repairs<'a> {
    text: Cow<'a, str>,
    /// Where the quoted scalars begin whose line breaks were taken out.
    rewritten: HashSet<u32>,
    bytes_read_again: usize,
}

impl<'a> Repairs<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text: Cow::Borrowed(text), rewritten: HashSet::new(), bytes_read_again: 0 }
    }

    /// The text as the event parser is to read it.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether the quoted scalar at `span` is not what the file has.
    pub(crate) fn rewrote(&self, span: Span) -> bool {
        self.rewritten.contains(&span.start)
    }

    /// Changes the text at the place of `error`, if it is one of the two forms. Then it is worth reading again.
    pub(crate) fn mend(&mut self, error: &SyntaxError) -> bool {
        let mended = match error.fault {
            Fault::TouchingComment => self.blank_comment(error.at),
            Fault::UnderIndentedQuote => self.join_lines(error.at),
            _ => false,
        };
        self.bytes_read_again = self.bytes_read_again.saturating_add(self.text.len());
        mended && self.bytes_read_again <= MOST_BYTES_READ_AGAIN
    }

    fn blank_comment(&mut self, at: usize) -> bool {
        let rest = self.text.as_bytes().get(at..).unwrap_or_default();
        if rest.first() != Some(&b'#') {
            return false;
        }
        let length = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(rest.len());
        self.blank(at, at + length, |_| true)
    }

    /// Takes the line breaks out of the quoted scalar in which the line at `at` is indented too little.
    fn join_lines(&mut self, at: usize) -> bool {
        self.bytes_read_again = self.bytes_read_again.saturating_add(at);
        let Some(start) = open_quote(&self.text, at) else { return false };
        let Some(end) = closing_quote(&self.text, start) else { return false };
        // At the start of a line, these end the document even inside quotes.
        if has_document_mark(self.text.get(start..end).unwrap_or_default()) {
            return false;
        }
        self.rewritten.insert(Span::new(start, end).start);
        self.blank(start, end, |byte| matches!(byte, b'\r' | b'\n'))
    }

    /// Puts a space for each byte of `start..end` that is `meant`.
    fn blank(&mut self, start: usize, end: usize, meant: fn(u8) -> bool) -> bool {
        let mut bytes = self.text.as_bytes().to_vec();
        for byte in bytes.get_mut(start..end).unwrap_or_default() {
            if meant(*byte) {
                *byte = b' ';
            }
        }
        // Whole characters were replaced, so this is text still.
        match String::from_utf8(bytes) {
            Ok(text) => {
                self.text = Cow::Owned(text);
                true
            }
            Err(_) => false,
        }
    }
}

fn has_document_mark(quoted: &str) -> bool {
    quoted.split(['\r', '\n']).skip(1).any(|line| {
        let mark = line.strip_prefix("---").or_else(|| line.strip_prefix("..."));
        mark.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
    })
}
