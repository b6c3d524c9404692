//! Why an expression came out as it did.

use lineclear_source::Span;

use crate::ast::{NodeKind, Segment};
use crate::sentence::HIDDEN;
use crate::{Function, Node, StatusFunction, Value};

/// Why an expression came out as it did: each part that decided, with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The value of the expression.
    pub value: Value,
    /// Source text of a deciding operand (`github.ref`) and its value, in the order of evaluation.
    ///
    /// Operands that were not looked at, because one before them had decided, are not among them; nor are literals. What
    /// comes from the `secrets` context or holds the job's token has the value `***`.
    pub parts: Vec<(String, Value)>,
    /// Whether the value as a whole comes from secrets and must not be shown.
    pub secret: bool,
}

/// The parts that decided the value of `root`, given what every node that was looked at came to.
///
/// `source` gives the text of a span.
pub(crate) fn deciding_parts<'s>(
    root: Node<'_>,
    record: &[Option<Value>],
    source: impl Fn(Span) -> &'s str,
) -> Vec<(String, Value)> {
    let mut deciders = Vec::new();
    collect(root, record, &mut deciders);
    let mut parts: Vec<(String, Value)> = Vec::new();
    for node in deciders {
        let text = source(node.span());
        if parts.iter().any(|(known, _)| known == text) {
            continue;
        }
        let value = match &record[node.id.index()] {
            Some(_) if is_secret(node) => HIDDEN.into(),
            Some(value) => value.clone(),
            None => continue,
        };
        parts.push((text.to_owned(), value));
    }
    parts
}

/// Finds the nodes below `node` that decided its value.
fn collect<'e>(node: Node<'e>, record: &[Option<Value>], out: &mut Vec<Node<'e>>) {
    let value = |node: Node<'_>| record[node.id.index()].as_ref();
    match node.kind() {
        NodeKind::Literal(_) => {}
        NodeKind::Not(operand) => collect(operand, record, out),
        NodeKind::And(operands) => chain(&operands, |value| !value.is_truthy(), record, out),
        NodeKind::Or(operands) => chain(&operands, Value::is_truthy, record, out),
        NodeKind::Compare { left, right, .. } => {
            collect(left, record, out);
            collect(right, record, out);
        }
        NodeKind::Text(parts) => parts.into_iter().for_each(|part| collect(part, record, out)),
        NodeKind::Call { function: Function::Contains | Function::StartsWith | Function::EndsWith, arguments } => {
            arguments.into_iter().for_each(|argument| collect(argument, record, out));
        }
        NodeKind::Call { function: Function::Case, arguments } => {
            arguments.into_iter().filter(|&argument| value(argument).is_some()).for_each(|argument| {
                collect(argument, record, out);
            });
        }
        // A value made of literals alone explains nothing.
        _ if node.walk().all(|part| !names_something(part)) => {}
        _ => out.push(node),
    }
}

/// The operand of a chain that ended it, or all if none did.
fn chain<'e>(operands: &[Node<'e>], ends: impl Fn(&Value) -> bool, record: &[Option<Value>], out: &mut Vec<Node<'e>>) {
    let ended = operands.iter().position(|operand| record[operand.id.index()].as_ref().is_some_and(&ends));
    let before = out.len();
    if let Some(at) = ended {
        collect(operands[at], record, out);
    }
    // Where a constant ended it, the operands that let it come to that say why.
    if out.len() == before {
        operands[..ended.unwrap_or(operands.len())].iter().for_each(|&operand| collect(operand, record, out));
    }
}

fn names_something(node: Node<'_>) -> bool {
    matches!(
        node.kind(),
        NodeKind::Context(_) | NodeKind::Call { function: Function::Status(_) | Function::HashFiles, .. }
    )
}

/// Whether a value of `node` may hold a secret: it is taken from `secrets`, or from where `github.token` is.
pub(crate) fn is_secret(node: Node<'_>) -> bool {
    node.references().iter().any(|reference| match (reference.context, reference.path.first()) {
        ("secrets", _) => true,
        ("github", Some(Segment::Name(name))) => name.eq_ignore_ascii_case("token"),
        // The whole context, all its values, or one that only the evaluation tells.
        ("github", _) => true,
        _ => false,
    })
}

/// Whether the value of `node` shows a secret rather than what a secret was compared with.
pub(crate) fn shows_secret(node: Node<'_>) -> bool {
    match node.kind() {
        NodeKind::Literal(_) | NodeKind::Not(_) | NodeKind::Compare { .. } => false,
        NodeKind::And(operands) | NodeKind::Or(operands) | NodeKind::Text(operands) => {
            operands.into_iter().any(shows_secret)
        }
        NodeKind::Call { function: Function::Case, arguments } => arguments.into_iter().any(shows_secret),
        NodeKind::Call {
            function: Function::Contains | Function::StartsWith | Function::EndsWith | Function::HashFiles,
            ..
        } => false,
        NodeKind::Call { function: Function::Status(StatusFunction::Success | StatusFunction::Failure), .. } => false,
        _ => is_secret(node),
    }
}
