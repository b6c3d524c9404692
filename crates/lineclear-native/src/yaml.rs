//! Settings of actions that are written in YAML.

use lineclear_source::{Severity, Source};
use lineclear_yaml::{Limits, Node, Resolved, parse};
use serde_json::{Map, Value};

/// The value that a text stands for; null for an empty one.
///
/// # Errors
/// A sentence with line and column of what is wrong.
pub(crate) fn value(name: &str, text: &str) -> Result<Value, String> {
    let source = Source::new(name, text);
    let parsed = parse(&source, &Limits::default());
    if let Some(error) = parsed.diagnostics.iter().find(|found| found.severity == Severity::Error) {
        return Err(match error.span {
            Some(span) => {
                let at = source.position(span.start);
                format!("{name}:{}:{}: {}", at.line, at.column, error.message)
            }
            None => format!("{name}: {}", error.message),
        });
    }
    Ok(parsed.tree.and_then(|tree| tree.root).map_or(Value::Null, |root| of_node(&root)))
}

/// The reader bounds how deep a node is.
fn of_node(node: &Node) -> Value {
    match node {
        Node::Scalar(scalar) => match scalar.resolve() {
            Resolved::Null => Value::Null,
            Resolved::Bool(value) => Value::Bool(value),
            Resolved::Number(number) => serde_json::Number::from_f64(number).map_or(Value::Null, Value::Number),
            Resolved::String => Value::String(scalar.text.to_string()),
        },
        Node::Sequence { items, .. } => Value::Array(items.iter().map(of_node).collect()),
        Node::Mapping { entries, .. } => {
            let entries = entries.iter().map(|entry| (entry.key.text.to_string(), of_node(&entry.value)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
    }
}
