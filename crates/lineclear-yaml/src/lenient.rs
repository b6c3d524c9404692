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

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use lineclear_source::Source;

    use crate::outline::outline;
    use crate::{Limits, Node, parse};

    #[track_caller]
    fn check(text: &str, expected: Expect) {
        expected.assert_eq(&outline(text));
    }

    /// The text of each item of the sequence under `v`, with what stands in the file at its span.
    fn items(text: &str) -> Vec<(String, String)> {
        let source = Source::new("t.yml", text);
        let parsed = parse(&source, &Limits::default());
        assert_eq!(parsed.diagnostics, [], "{text}");
        let tree = parsed.tree.expect("no fault of syntax");
        let node = tree.root.as_ref().and_then(|root| root.get("v")).expect("a key `v`");
        let items = node.as_sequence().expect("a sequence").iter().filter_map(Node::as_scalar);
        items.map(|scalar| (scalar.text.clone(), source.slice(scalar.span).to_owned())).collect()
    }

    #[test]
    fn a_quoted_value_may_go_on_at_any_indentation() {
        let text = "v:\n  - \"hello\n  wörld\"\n  - 'a''s\n\n\n b \\\n  c'\n  - \"x\\\n y\\n\n\n  z \n\"\n  - \"in\n    place\"\n  - after\n";
        let found = items(text);
        let texts: Vec<_> = found.iter().map(|(text, _)| text.as_str()).collect();
        assert_eq!(texts, ["hello wörld", "a's\n\nb \\ c", "xy\n\nz ", "in place", "after"]);
        assert_eq!(found[0].1, "\"hello\n  wörld\"");
        assert_eq!(found[2].1, "\"x\\\n y\\n\n\n  z \n\"");
    }

    #[test]
    fn it_may_with_line_ends_of_windows_and_as_a_value_of_a_key() {
        check(
            "jobs:\r\n  a:\r\n    name: \"one\r\n  two\r\nthree\"\r\n    if: x\r\n",
            expect![[r#"
                mapping of 1
                  jobs:
                    mapping of 1
                      a:
                        mapping of 2
                          name:
                            "one two three"
                          if:
                            "x"
            "#]],
        );
    }

    #[test]
    fn places_in_it_are_exact() {
        let text = "v:\n  - \"${{ é\n  .b }}\\n${{ c }}\"\n";
        let source = Source::new("t.yml", text);
        let tree = parse(&source, &Limits::default()).tree.expect("no fault of syntax");
        let node = tree.root.as_ref().and_then(|root| root.get("v")).and_then(Node::as_sequence).expect("a sequence");
        let scalar = node[0].as_scalar().expect("a scalar");
        assert_eq!(scalar.text, "${{ é .b }}\n${{ c }}");
        let at = scalar.text.find(".b").expect("it is there");
        assert_eq!(source.slice(scalar.span_of(at..at + 2)), ".b");
        assert_eq!(source.position(u32::try_from(scalar.offset_of(at)).unwrap()).to_string(), "3:3");
        let at = scalar.text.rfind("${{").expect("it is there");
        assert_eq!(source.slice(scalar.span_of(at..scalar.text.len())), "${{ c }}");
    }

    #[test]
    fn a_hash_may_touch_what_it_follows() {
        let text = "v:\n  - [one]#, two, three ]\n  - {a: b}#é\n  - \"one\"#two\n  - 'one'#\n  - [a,#b\n c]\n  - |#note\n    text\n  - plain#text\n  - \"a#b\"\nw: [x]#";
        check(
            text,
            expect![[r#"
                mapping of 2
                  v:
                    sequence of 8
                      sequence of 1
                        "one"
                      mapping of 1
                        a:
                          "b"
                      "one"
                      "one"
                      sequence of 2
                        "a"
                        "c"
                      "text\n"
                      "plain#text"
                      "a#b"
                  w:
                    sequence of 1
                      "x"
            "#]],
        );
    }

    #[test]
    fn both_in_one_file_leave_the_places_after_them_exact() {
        let text = "v:\n  - [é]#ü ö\n  - \"ä\n  b\"\n  - ß\n";
        let source = Source::new("t.yml", text);
        let parsed = parse(&source, &Limits::default());
        let tree = parsed.tree.expect("no fault of syntax");
        let node = tree.root.as_ref().and_then(|root| root.get("v")).and_then(Node::as_sequence).expect("a sequence");
        let found: Vec<_> = node.iter().map(|node| source.slice(node.span())).collect();
        assert_eq!(found, ["[é]", "\"ä\n  b\"", "ß"]);
    }

    #[test]
    fn what_is_wrong_otherwise_stays_wrong() {
        // A document's end inside a quote, a quote that is never closed, a key over two lines.
        for text in ["v:\n  - \"a\n--- b\"\n", "v:\n  - \"a\n  b\n", "v:\n  \"a\n  b\": c\n", "v:\n - 'a\n... b'\n"] {
            assert!(outline(text).contains("error[yaml-syntax]"), "{text}");
        }
        check(
            "v:\n  \"a\n  b\": c\nd: 'x\ny: z'\n",
            expect![[r#"
            no tree
            error[yaml-syntax]: a quoted value ends before this, and nothing may follow it
             --> t.yml:3:5
              |
            2 |   "a
              |   - the quote was opened here
            3 |   b": c
              |     ^^^
              |
              = help: if it was meant to end on the line where it began, close it there with `"`
        "#]],
        );
    }

    #[test]
    fn a_file_made_of_such_places_ends_in_time() {
        let text = format!("v:\n{}", "  - [a]#b\n  - \"a\n  b\"\n".repeat(40_000));
        assert!(outline(&text).starts_with("no tree\nerror[yaml-syntax]"));
        let text = format!("v:\n{}", "  - [a]#b\n  - \"a\n  b\"\n".repeat(40));
        assert!(outline(&text).starts_with("mapping"));
    }
}
