//! Comparisons of a part of `github` with a text, wherever they stand in an expression.

use lineclear_expr::{Comparison, Function, Node, NodeKind, Segment, Value};

/// `github.name == 'text'` and its like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Compared<'e> {
    /// What is taken from `github`.
    pub(super) name: &'e str,
    /// The text.
    pub(super) text: &'e str,
    /// Where the text stands.
    pub(super) literal: Node<'e>,
    pub(super) how: How,
    /// Whether the outcome of the whole condition rests on it: it stands below nothing but `&&`.
    pub(super) decides: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    Equal,
    NotEqual,
    StartsWith,
}

/// Calls `visit` with every such comparison below `root`.
pub(super) fn visit<'e>(root: Node<'e>, visit: &mut dyn FnMut(Compared<'e>)) {
    walk(root, true, visit);
}

fn walk<'e>(node: Node<'e>, decides: bool, visit: &mut dyn FnMut(Compared<'e>)) {
    let found = match node.kind() {
        NodeKind::And(operands) => {
            operands.into_iter().for_each(|operand| walk(operand, decides, visit));
            return;
        }
        NodeKind::Compare { comparison, left, right } => match comparison {
            Comparison::Equal => pair(left, right).map(|pair| (pair, How::Equal)),
            Comparison::NotEqual => pair(left, right).map(|pair| (pair, How::NotEqual)),
            _ => None,
        },
        NodeKind::Call { function: Function::StartsWith, arguments } => match arguments.as_slice() {
            &[text, prefix] => github(text).zip(text_of(prefix)).map(|found| ((found, prefix), How::StartsWith)),
            _ => None,
        },
        _ => None,
    };
    match found {
        Some((((name, text), literal), how)) => visit(Compared { name, text, literal, how, decides }),
        None => node.children().for_each(|child| walk(child, false, visit)),
    }
}

fn pair<'e>(left: Node<'e>, right: Node<'e>) -> Option<((&'e str, &'e str), Node<'e>)> {
    let one = github(left).zip(text_of(right)).map(|found| (found, right));
    one.or_else(|| github(right).zip(text_of(left)).map(|found| (found, left)))
}

fn text_of<'e>(node: Node<'e>) -> Option<&'e str> {
    match node.kind() {
        NodeKind::Literal(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// The name behind `github.`, if that is all there is.
fn github<'e>(node: Node<'e>) -> Option<&'e str> {
    match node.kind() {
        NodeKind::Property { of, name } => match of.kind() {
            NodeKind::Context("github") => Some(name),
            _ => None,
        },
        NodeKind::Index { .. } => {
            let reference =
                node.as_reference().filter(|reference| reference.context == "github" && reference.complete)?;
            match reference.path.as_slice() {
                [Segment::Name(name)] => Some(name),
                _ => None,
            }
        }
        _ => None,
    }
}
