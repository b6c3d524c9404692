//! What holds for every text: nothing panics, and what was printed is read back as it was.

use std::fmt::Write;

use lineclear_source::{Source, Style, render};
use lineclear_yaml::{Limits, Node, Parsed, Resolved, parse};
use proptest::prelude::*;

/// Reads and renders: both have to end well for any text.
fn read(text: &str) -> Parsed {
    let source = Source::new("t.yml", text);
    let parsed = parse(&source, &Limits::default());
    for diagnostic in &parsed.diagnostics {
        let shown = render(diagnostic, &source, Style::Plain);
        assert!(shown.ends_with('\n'));
    }
    if let Some(root) = parsed.tree.as_ref().and_then(|tree| tree.root.as_ref()) {
        visit(root, &source);
    }
    parsed
}

/// Every span is whole characters of the text, and lies within that of its collection unless it is an alias's.
fn visit(node: &Node, source: &Source) {
    let span = node.span();
    assert!(source.text().get(span.range()).is_some(), "{span:?} of {:?}", source.text());
    match node {
        Node::Scalar(scalar) => {
            for (at, char) in scalar.text.char_indices() {
                let span = scalar.span_of(at..at + char.len_utf8());
                assert!(source.text().get(span.range()).is_some(), "{span:?} of {:?}", source.text());
            }
        }
        Node::Sequence { items, .. } => items.iter().for_each(|item| visit(item, source)),
        Node::Mapping { entries, .. } => {
            for entry in entries.iter() {
                assert!(source.text().get(entry.key.span.range()).is_some());
                visit(&entry.value, source);
            }
        }
    }
}

/// Pieces that mean something in YAML, so that random texts get past the first line.
fn piece() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "a", "key", "é", "😀", ": ", ":", "\n", "\n", "\n  ", "\n    ", "\r\n", "- ", "-", "? ", "[", "]", "{", "}",
        ", ", ",", "\"", "'", "|", ">", "|-\n", ">+\n", "|2\n", "#", " # c", "&a ", "*a", "*b", "!x ", "!!str ",
        "!!int ", "<<", "${{ x }}", "---", "...", "%YAML", "\\", "\\n", "\\u00e9", "\\x", "\t", " ", "  ", "~", "null",
        "1", "0x1F", "@", "`", "\u{feff}", "\u{85}", "\u{2028}", "\0", "\u{1b}", "\r", "''", "\\\n", "]#", "\"#",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_text_is_read_without_panic(text in "\\PC{0,80}") {
        read(&text);
    }

    #[test]
    fn any_text_of_meaningful_pieces_is_read_without_panic(pieces in proptest::collection::vec(piece(), 0..40)) {
        read(&pieces.concat());
    }

    #[test]
    fn any_bytes_as_text_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        read(&String::from_utf8_lossy(&bytes));
    }
}

/// A value to print and to read back.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Null,
    Bool(bool),
    Number(i32),
    Text(String),
    List(Vec<Value>),
    /// Keys are made unique, ignoring case, by their index.
    Map(Vec<(String, Value)>),
}

fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[a-zé😀 ]{0,8}",
        "\\PC{0,12}",
        "[ \n\ta-c'\"#:\\\\-]{0,12}",
        Just("true".to_owned()),
        Just("<<".to_owned())
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i32>().prop_map(Value::Number),
        text.prop_map(Value::Text),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let pairs = proptest::collection::vec(("[a-zA-Z_é]{1,5}", inner.clone()), 0..4);
        prop_oneof![
            proptest::collection::vec(inner, 0..4).prop_map(Value::List),
            pairs.prop_map(|pairs| {
                let unique = pairs.into_iter().enumerate().map(|(at, (key, value))| (format!("{key}{at}"), value));
                Value::Map(unique.collect())
            }),
        ]
    })
}

/// How scalars and collections are written.
#[derive(Clone, Copy, Debug)]
enum Manner {
    Block,
    Flow,
}

fn print(value: &Value, manner: Manner, indent: usize, text: &mut String) {
    let pad = " ".repeat(indent);
    match value {
        Value::Null => text.push_str(" null"),
        Value::Bool(value) => write!(text, " {value}").expect("text takes everything"),
        Value::Number(value) => write!(text, " {value}").expect("text takes everything"),
        Value::Text(value) => print_text(value, manner, indent, text),
        Value::List(items) if items.is_empty() => text.push_str(" []"),
        Value::Map(pairs) if pairs.is_empty() => text.push_str(" {}"),
        Value::List(items) => match manner {
            Manner::Flow => {
                text.push_str(" [");
                for item in items {
                    print(item, manner, indent, text);
                    text.push(',');
                }
                text.push(']');
            }
            Manner::Block => {
                for item in items {
                    write!(text, "\n{pad}-").expect("text takes everything");
                    print(item, manner, indent + 2, text);
                }
            }
        },
        Value::Map(pairs) => match manner {
            Manner::Flow => {
                text.push_str(" {");
                for (key, value) in pairs {
                    write!(text, "{key}:").expect("text takes everything");
                    print(value, manner, indent, text);
                    text.push_str(", ");
                }
                text.push('}');
            }
            Manner::Block => {
                for (key, value) in pairs {
                    write!(text, "\n{pad}{key}:").expect("text takes everything");
                    print(value, manner, indent + 2, text);
                }
            }
        },
    }
}

fn print_text(value: &str, manner: Manner, indent: usize, text: &mut String) {
    let literal = !value.is_empty() && !value.starts_with([' ', '\n', '\t']) && !value.contains(['\r', '\u{feff}']);
    let literal = literal && value.lines().all(|line| !line.trim().is_empty() || line.is_empty());
    let printable = value.chars().all(|char| char == '\n' || char == '\t' || !char.is_control());
    if matches!(manner, Manner::Block) && literal && printable && value.contains('\n') {
        let kept = value.trim_end_matches('\n').len();
        let header = match value.len() - kept {
            0 => "|-",
            1 => "|",
            _ => "|+",
        };
        write!(text, " {header}").expect("text takes everything");
        for line in value.strip_suffix('\n').unwrap_or(value).split('\n') {
            let pad = if line.is_empty() { 0 } else { indent };
            write!(text, "\n{}{line}", " ".repeat(pad)).expect("text takes everything");
        }
        return;
    }
    if printable
        && !value.contains(['\n', '\t', '\u{feff}'])
        && !value.chars().any(|char| matches!(char, '\u{fffe}' | '\u{ffff}'))
    {
        write!(text, " '{}'", value.replace('\'', "''")).expect("text takes everything");
        return;
    }
    text.push_str(" \"");
    for char in value.chars() {
        match char {
            '"' | '\\' => write!(text, "\\{char}").expect("text takes everything"),
            ' '..='~' => text.push(char),
            _ => write!(text, "\\U{:08x}", u32::from(char)).expect("text takes everything"),
        }
    }
    text.push('"');
}

fn back(node: &Node) -> Value {
    match node {
        Node::Scalar(scalar) => match scalar.resolve() {
            Resolved::Null => Value::Null,
            Resolved::Bool(value) => Value::Bool(value),
            #[expect(clippy::cast_possible_truncation, reason = "printed from an `i32`")]
            Resolved::Number(value) => Value::Number(value as i32),
            Resolved::String => Value::Text(scalar.text.clone()),
        },
        Node::Sequence { items, .. } => Value::List(items.iter().map(back).collect()),
        Node::Mapping { entries, .. } => {
            Value::Map(entries.iter().map(|entry| (entry.key.text.clone(), back(&entry.value))).collect())
        }
    }
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(value in value(), flow in any::<bool>()) {
        let mut text = String::new();
        print(&value, if flow { Manner::Flow } else { Manner::Block }, 0, &mut text);
        text.push('\n');
        let parsed = read(&text);
        prop_assert_eq!(&parsed.diagnostics, &[], "{}", text);
        let root = parsed.tree.and_then(|tree| tree.root);
        prop_assert_eq!(root.as_ref().map(back), Some(value), "{}", text);
    }
}
