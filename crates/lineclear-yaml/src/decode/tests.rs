use lineclear_source::{Source, Span};
use proptest::prelude::*;

use super::*;
use crate::{Limits, Node, Scalar, parse};

fn value(text: &str) -> Scalar {
    let parsed = parse(&Source::new("t.yml", text), &Limits::default());
    let root = parsed.tree.and_then(|tree| tree.root).unwrap_or_else(|| panic!("{text:?}: {:?}", parsed.diagnostics));
    let node = root.get("k").cloned().unwrap_or(root);
    let Node::Scalar(scalar) = node else { panic!("{text:?} is no scalar") };
    scalar.as_ref().clone()
}

/// Each character of the scalar's text with the piece of the file it came from.
fn origins(text: &str) -> Vec<(char, String)> {
    let scalar = value(text);
    let piece = |span: Span| text.get(span.range()).unwrap_or("not text").to_owned();
    scalar.text.char_indices().map(|(at, char)| (char, piece(scalar.span_of(at..at + char.len_utf8())))).collect()
}

#[track_caller]
fn check(text: &str, expected: &[(char, &str)]) {
    let found = origins(text);
    let found: Vec<_> = found.iter().map(|(char, piece)| (*char, piece.as_str())).collect();
    assert_eq!(found, expected, "{text:?}");
}

#[test]
fn plain_text_folds_its_lines() {
    check("k: é\n", &[('é', "é")]);
    check(
        "k: a  b \n  ü\n\n\n  c # d\n",
        &[
            ('a', "a"),
            (' ', " "),
            (' ', " "),
            ('b', "b"),
            (' ', "\n"),
            ('ü', "ü"),
            ('\n', "\n"),
            ('\n', "\n"),
            ('c', "c"),
        ],
    );
    check("k: a\\\r\n  b\n", &[('a', "a"), ('\\', "\\"), (' ', "\r\n"), ('b', "b")]);
}

#[test]
fn single_quoted_text_doubles_its_mark() {
    check("k: 'a''é \n  \n  b'\n", &[('a', "a"), ('\'', "''"), ('é', "é"), ('\n', "\n"), ('b', "b")]);
    check("k: ' a '\n", &[(' ', " "), ('a', "a"), (' ', " ")]);
    check("k: 'a\n  '\n", &[('a', "a"), (' ', "\n")]);
}

#[test]
fn double_quoted_text_has_escapes() {
    check(
        "k: \"é\\t\\x41\\u00fc\\U0001F600\\uD83D\\uDE00\\\"\\\\b\"\n",
        &[
            ('é', "é"),
            ('\t', "\\t"),
            ('A', "\\x41"),
            ('ü', "\\u00fc"),
            ('😀', "\\U0001F600"),
            ('😀', "\\uD83D\\uDE00"),
            ('"', "\\\""),
            ('\\', "\\\\"),
            ('b', "b"),
        ],
    );
    check(
        "k: \"a \\\n   \n\n  \\ b\n  c\\\n  d\"\n",
        &[
            ('a', "a"),
            (' ', " "),
            ('\n', "\n"),
            ('\n', "\n"),
            (' ', "\\ "),
            ('b', "b"),
            (' ', "\n"),
            ('c', "c"),
            ('d', "d"),
        ],
    );
}

#[test]
fn literal_text_loses_its_indentation() {
    check(
        "k: | # é\n\n   é\n    b\n  \n   c  \n\n\nl: 1\n",
        &[
            ('\n', "\n"),
            ('é', "é"),
            ('\n', "\n"),
            (' ', " "),
            ('b', "b"),
            ('\n', "\n"),
            ('\n', "\n"),
            ('c', "c"),
            (' ', " "),
            (' ', " "),
            ('\n', "\n"),
        ],
    );
    check("k: |-\n  a\n\n", &[('a', "a")]);
    check("k: |+\r\n  a\r\n\r\n", &[('a', "a"), ('\n', "\r\n"), ('\n', "\r\n")]);
    check("k: |1\n  a\n", &[(' ', " "), ('a', "a"), ('\n', "\n")]);
    check("k: |\n  a", &[('a', "a"), ('\n', "")]);
    check("k: |\n\ta\n".replace('\t', "  \t").as_str(), &[('\t', "\t"), ('a', "a"), ('\n', "\n")]);
    check("--- |\nä\nb\n", &[('ä', "ä"), ('\n', "\n"), ('b', "b"), ('\n', "\n")]);
    check("k: |+\n\n  \nl: 1\n", &[('\n', "\n"), ('\n', "\n")]);
}

#[test]
fn folded_text_joins_lines_but_for_blank_and_indented_ones() {
    check(
        "k: >\n\n  é\n  b\n\n  c\n   d\n   e\n\n  f\n\n\n",
        &[
            ('\n', "\n"),
            ('é', "é"),
            (' ', "\n"),
            ('b', "b"),
            ('\n', "\n"),
            ('c', "c"),
            ('\n', "\n"),
            (' ', " "),
            ('d', "d"),
            ('\n', "\n"),
            (' ', " "),
            ('e', "e"),
            ('\n', "\n"),
            ('\n', "\n"),
            ('f', "f"),
            ('\n', "\n"),
        ],
    );
    check("k: >-\n  a\n\n\n  b\n\n", &[('a', "a"), ('\n', "\n"), ('\n', "\n"), ('b', "b")]);
    check("k: >+\n  a\n\n", &[('a', "a"), ('\n', "\n"), ('\n', "\n")]);
}

#[test]
fn a_range_ends_where_its_last_character_does() {
    let text = "k: |\n  ab\n  cd\n";
    let scalar = value(text);
    let piece = |range| text.get(scalar.span_of(range).range());
    assert_eq!(piece(0..2), Some("ab"));
    assert_eq!(piece(0..3), Some("ab\n"));
    assert_eq!(piece(1..4), Some("b\n  c"));
    assert_eq!(piece(3..5), Some("cd"));
    assert_eq!(piece(3..999), Some("cd\n"));
    assert_eq!(scalar.span_of(3..3), Span::new(12, 12));
    assert_eq!((scalar.offset_of(3), scalar.offset_of(6), scalar.offset_of(999)), (12, 15, 15));
}

#[test]
fn a_scalar_made_by_hand_stands_at_its_span() {
    let scalar = Scalar::new("abc", Span::new(7, 9), ScalarStyle::Plain);
    assert_eq!((scalar.offset_of(2), scalar.span_of(1..2)), (7, Span::new(7, 9)));
}

/// A line of a block or of a quoted scalar; some are blank, some begin with blanks.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[ab éß]{0,6}", "[ ]{1,3}[a-c😀]{1,4}", "[a'\"#:|>-]{1,5}[ab]"]
}

fn indented(lines: &[String], indent: usize, line_end: &str) -> String {
    lines.iter().map(|line| format!("{}{line}{line_end}", " ".repeat(indent))).collect()
}

proptest! {
    /// The two readings of a scalar agree, whatever its style.
    #[test]
    fn decoding_gives_the_text_that_the_parser_gave(
        lines in proptest::collection::vec(line(), 1..6),
        header in prop_oneof![Just("|"), Just("|-"), Just("|+"), Just(">"), Just(">-"), Just(">+"), Just("|2"), Just(">2+")],
        line_end in prop_oneof![Just("\n"), Just("\r\n")],
        quote in prop_oneof![Just('\''), Just('"')],
    ) {
        let block = format!("k: {header}{line_end}{}l: 1{line_end}", indented(&lines, 2, line_end));
        let at_end = format!("k: {header}{line_end}{}", indented(&lines, 2, line_end).trim_end_matches(['\r', '\n']));
        let inner = indented(&lines, 2, line_end).replace(['\'', '"'], "");
        let quoted = format!("k: {quote}{inner}  x{quote}{line_end}");
        for text in [block, at_end, quoted] {
            let parsed = parse(&Source::new("t.yml", text.as_str()), &Limits::default());
            let Some(root) = parsed.tree.and_then(|tree| tree.root) else { continue };
            let Some(Node::Scalar(scalar)) = root.get("k").cloned() else { continue };
            let mut last = 0;
            for (at, char) in scalar.text.char_indices() {
                let span = scalar.span_of(at..at + char.len_utf8());
                prop_assert_eq!(span.start as usize, scalar.offset_of(at));
                let piece = text.get(span.range()).expect("whole characters");
                let same = piece.chars().eq([char]);
                let broken = matches!(char, '\n' | ' ') && matches!(piece, "\n" | "\r\n" | "");
                prop_assert!(same || broken, "{:?}: {:?} at {} came from {:?}", text, char, at, piece);
                prop_assert!(span.start >= last, "{:?}: {} after {}", text, span.start, last);
                last = span.end;
            }
        }
    }
}
