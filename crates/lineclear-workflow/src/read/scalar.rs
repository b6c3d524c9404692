//! Scalars that hold no expression: names, ids, choices, lists of strings.

use std::sync::Arc;

use lineclear_expr::Value;
use lineclear_source::{Diagnostic, Span, Spanned};
use lineclear_yaml::{Node, Resolved, Scalar};

use super::Reader;
use super::mapping::any_of;
use crate::code;

/// The value that a scalar without expressions has.
pub(super) fn value_of(scalar: &Scalar) -> Value {
    match scalar.resolve() {
        Resolved::Null => Value::Null,
        Resolved::Bool(value) => Value::Bool(value),
        Resolved::Number(value) => Value::Number(value),
        Resolved::String => Value::string(scalar.text.as_str()),
    }
}

/// The text of a scalar: a number or boolean as GitHub writes it, so `1.10` is `1.1`.
pub(super) fn text_of(scalar: &Scalar) -> String {
    match scalar.resolve() {
        Resolved::String => scalar.text.clone(),
        Resolved::Null | Resolved::Bool(_) | Resolved::Number(_) => value_of(scalar).to_text(),
    }
}

/// Whether a text holds the start of an expression, which GitHub never reads as anything else.
pub(super) fn has_expression(text: &str) -> bool {
    text.contains("${{")
}

/// The string of an expression that is nothing but a string, such as `${{ 'x' }}`: GitHub reads it everywhere.
fn quoted_literal(text: &str) -> Option<String> {
    let inner = text.strip_prefix("${{")?.strip_suffix("}}")?.trim();
    let quoted = inner.strip_prefix('\'')?.strip_suffix('\'')?.replace("''", "\u{0}");
    (!quoted.contains('\'')).then(|| quoted.replace('\u{0}', "'"))
}

impl Reader {
    /// A string at a place without expressions. Numbers, booleans and null are converted.
    pub(super) fn string(&mut self, node: &Node, place: &str) -> Option<Spanned<String>> {
        let Node::Scalar(scalar) = node else {
            self.wrong_type(node, place, "a string");
            return None;
        };
        self.plain_text(scalar, place)
    }

    /// The text of a scalar, which must not hold an expression.
    pub(super) fn plain_text(&mut self, scalar: &Arc<Scalar>, place: &str) -> Option<Spanned<String>> {
        if let Some(text) = quoted_literal(&scalar.text) {
            return Some(Spanned::new(text, scalar.span));
        }
        if has_expression(&scalar.text) {
            let message = format!("{place} cannot hold an expression: it is read before any is evaluated");
            self.error(code::EXPRESSION_NOT_ALLOWED, scalar.span, message);
            return None;
        }
        Some(Spanned::new(text_of(scalar), scalar.span))
    }

    /// A string that is not empty.
    pub(super) fn filled_string(&mut self, node: &Node, place: &str) -> Option<Spanned<String>> {
        let text = self.string(node, place)?;
        if text.is_empty() {
            self.error(code::INVALID_VALUE, text.span, format!("{place} must not be empty"));
            return None;
        }
        Some(text)
    }

    /// One string, or a sequence of strings, none of them empty.
    pub(super) fn strings(&mut self, node: &Node, place: &str) -> Option<Vec<Spanned<String>>> {
        match node {
            Node::Sequence { items, .. } => {
                Some(items.iter().filter_map(|item| self.filled_string(item, &format!("an item of {place}"))).collect())
            }
            Node::Scalar(_) => Some(self.filled_string(node, place)?).map(|only| vec![only]),
            Node::Mapping { .. } => {
                self.wrong_type(node, place, "a string or a sequence of strings");
                None
            }
        }
    }

    /// A string that must be one of `choices`.
    pub(super) fn choice(
        &mut self,
        node: &Node,
        place: &str,
        choices: &[&'static str],
    ) -> Option<Spanned<&'static str>> {
        let text = self.string(node, place)?;
        if let Some(found) = choices.iter().copied().find(|choice| *choice == text.value) {
            return Some(Spanned::new(found, text.span));
        }
        self.not_a_choice(&text.value, text.span, place, choices);
        None
    }

    pub(super) fn not_a_choice(&mut self, text: &str, span: Span, place: &str, choices: &[&str]) {
        let near = self.suggest(text, choices.iter().copied());
        let message = match near {
            Some(near) => format!("`{text}` is not a value of {place}; did you mean `{near}`?"),
            None => format!("`{text}` is not a value of {place}"),
        };
        self.report(
            Diagnostic::error(code::INVALID_VALUE, message).at(span).help(format!("possible are {}", any_of(choices))),
        );
    }

    /// A boolean at a place without expressions. A quoted `true` or `false` is accepted.
    pub(super) fn flag(&mut self, node: &Node, place: &str) -> Option<bool> {
        let flag = node.as_scalar().and_then(|scalar| as_bool(scalar));
        if flag.is_none() {
            match node {
                Node::Scalar(scalar) if has_expression(&scalar.text) => {
                    self.plain_text(scalar, place);
                }
                _ => self.wrong_type(node, place, "true or false"),
            }
        }
        flag
    }

    /// Reports an id with forbidden characters, length or prefix.
    pub(super) fn check_id(&mut self, id: &Spanned<String>, what: &str) -> bool {
        let fault = id_fault(id);
        if let Some(fault) = fault {
            let message = format!("`{}` cannot be the id of {what}: {fault}", id.value);
            self.error(code::ID_SYNTAX, id.span, message);
        }
        fault.is_none()
    }
}

/// A boolean, also a quoted one.
pub(super) fn as_bool(scalar: &Scalar) -> Option<bool> {
    match scalar.resolve() {
        Resolved::Bool(value) => Some(value),
        Resolved::String => match scalar.text.trim() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        },
        Resolved::Null | Resolved::Number(_) => None,
    }
}

/// A number, also a quoted one.
pub(super) fn as_number(scalar: &Scalar) -> Option<f64> {
    match scalar.resolve() {
        Resolved::Number(value) => Some(value),
        Resolved::String => {
            let text = scalar.text.trim();
            let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+'));
            if is_decimal { text.parse().ok() } else { None }
        }
        Resolved::Null | Resolved::Bool(_) => None,
    }
}

/// What is wrong with an id, if anything.
pub(super) fn id_fault(id: &str) -> Option<&'static str> {
    let letter_or_underscore = |c: char| c.is_ascii_alphabetic() || c == '_';
    if id.is_empty() {
        Some("it is empty")
    } else if !id.starts_with(letter_or_underscore) {
        Some("an id starts with a letter or `_`")
    } else if !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
        Some("an id holds only letters, digits, `_` and `-`")
    } else if id.starts_with("__") {
        Some("ids that start with `__` are reserved")
    } else if id.len() >= 100 {
        Some("an id has fewer than 100 characters")
    } else {
        None
    }
}
