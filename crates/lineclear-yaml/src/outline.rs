//! A tree as lines of text, for tests.

use lineclear_source::{Source, Style, render};

use crate::{Limits, Node, Resolved, parse};

/// Reads `text` with the limits of a workflow and writes down the tree, then the diagnostics.
pub(crate) fn outline(text: &str) -> String {
    outline_within(text, &Limits::default())
}

pub(crate) fn outline_within(text: &str, limits: &Limits) -> String {
    let source = Source::new("t.yml", text);
    let parsed = parse(&source, limits);
    let mut lines = String::new();
    match &parsed.tree {
        None => lines.push_str("no tree\n"),
        Some(tree) => match &tree.root {
            None => lines.push_str("empty\n"),
            Some(root) => write(root, 0, &mut lines),
        },
    }
    for diagnostic in &parsed.diagnostics {
        lines.push_str(&render(diagnostic, &source, Style::Plain));
    }
    lines
}

fn write(node: &Node, depth: usize, lines: &mut String) {
    let indent = "  ".repeat(depth);
    match node {
        Node::Scalar(scalar) => {
            let value = match scalar.resolve() {
                Resolved::Null => "null".to_owned(),
                Resolved::Bool(value) => value.to_string(),
                Resolved::Number(value) => value.to_string(),
                Resolved::String => format!("{:?}", scalar.text),
            };
            lines.push_str(&format!("{indent}{value}\n"));
        }
        Node::Sequence { items, .. } => {
            lines.push_str(&format!("{indent}sequence of {}\n", items.len()));
            items.iter().for_each(|item| write(item, depth + 1, lines));
        }
        Node::Mapping { entries, .. } => {
            lines.push_str(&format!("{indent}mapping of {}\n", entries.len()));
            for entry in entries.iter() {
                lines.push_str(&format!("{indent}  {}:\n", entry.key.text));
                write(&entry.value, depth + 2, lines);
            }
        }
    }
}
