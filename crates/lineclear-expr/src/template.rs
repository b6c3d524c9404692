//! Text that holds expressions.

use crate::{Allowed, EvaluateError, Expr, ParseError, Scope, Value};

/// A scalar of a workflow: a literal value, or text with `${{ … }}` in it.
#[derive(Clone, Debug)]
pub enum Template {
    /// No expression in it: the YAML scalar's own value (`true`, `3.1`, a string, null).
    Literal(Value),
    /// Exactly one expression and nothing else: keeps the type of the expression's value.
    Expression(Expr),
    /// Text and expressions, joined as a string.
    Mixed(Vec<TemplatePart>),
}

#[derive(Clone, Debug)]
pub enum TemplatePart {
    Text(String),
    Expression(Expr),
}

impl Template {
    /// Reads text that may hold `${{ … }}`; text without any is a literal string.
    /// Spans in errors count bytes from the start of `text`.
    pub fn parse(_text: &str, _allowed: Option<&Allowed>) -> Result<Self, Vec<ParseError>> {
        unimplemented!()
    }

    pub fn literal(value: Value) -> Self {
        Self::Literal(value)
    }

    pub fn evaluate(&self, _scope: &dyn Scope) -> Result<Value, EvaluateError> {
        unimplemented!()
    }

    /// The value as text, by the language's own conversion (`null` is empty).
    pub fn evaluate_text(&self, scope: &dyn Scope) -> Result<String, EvaluateError> {
        self.evaluate(scope).map(|value| value.to_text())
    }

    /// The literal text if there is no expression in it.
    pub fn as_literal(&self) -> Option<&Value> {
        match self {
            Self::Literal(value) => Some(value),
            _ => None,
        }
    }

    /// Every expression in it, in order.
    pub fn expressions(&self) -> Vec<&Expr> {
        match self {
            Self::Literal(_) => Vec::new(),
            Self::Expression(expr) => vec![expr],
            Self::Mixed(parts) => parts
                .iter()
                .filter_map(|part| match part {
                    TemplatePart::Expression(expr) => Some(expr),
                    TemplatePart::Text(_) => None,
                })
                .collect(),
        }
    }
}
