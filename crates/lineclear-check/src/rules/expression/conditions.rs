//! What is certain of a condition before anything runs.

use lineclear_expr::{Node, NodeKind};

use crate::types::constant;

/// Whether a value counts as true or as false in every run; nothing where that depends.
pub(super) fn truth(node: Node<'_>) -> Option<bool> {
    match node.kind() {
        NodeKind::Not(operand) => truth(operand).map(|truth| !truth),
        NodeKind::And(operands) => all_or_any(&operands, false),
        NodeKind::Or(operands) => all_or_any(&operands, true),
        // Most conditions are comparisons of a context, and contexts are not constant.
        NodeKind::Context(_) | NodeKind::Property { .. } => None,
        _ => constant(node).map(|value| value.is_truthy()),
    }
}

/// The operand that decides a chain of `&&` (by being false) or of `||` (by being true), if one does.
pub(super) fn deciding<'e>(operands: &[Node<'e>], deciding: bool) -> Option<Node<'e>> {
    operands.iter().copied().find(|&operand| truth(operand) == Some(deciding))
}

fn all_or_any(operands: &[Node<'_>], decides: bool) -> Option<bool> {
    if deciding(operands, decides).is_some() {
        return Some(decides);
    }
    operands.iter().all(|&operand| truth(operand).is_some()).then_some(!decides)
}
