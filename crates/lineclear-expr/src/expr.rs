//! A parsed expression.

use crate::{Allowed, EvaluateError, ParseError, Scope, Value};

/// A parsed expression with the spans of all its parts.
#[derive(Clone, Debug)]
pub struct Expr {
    text: String,
}

/// Why an expression came out as it did: each part that decided, with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    pub value: Value,
    /// Source text of a deciding operand (`github.ref`) and its value, in the order of evaluation.
    pub parts: Vec<(String, Value)>,
}

impl Expr {
    /// Reads one expression, the text between `${{` and `}}`. Spans count bytes from the start of `text`.
    pub fn parse(_text: &str, _allowed: Option<&Allowed>) -> Result<Self, Vec<ParseError>> {
        unimplemented!()
    }

    /// Reads the text of an `if:` key: with or without `${{ }}`; mixed text is a string, always true unless empty.
    ///
    /// Wraps the condition as `success() && (…)` unless a status function is called anywhere in it; an empty text is `success()`.
    pub fn parse_condition(_text: &str, _allowed: Option<&Allowed>) -> Result<Self, Vec<ParseError>> {
        unimplemented!()
    }

    /// The text as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn evaluate(&self, _scope: &dyn Scope) -> Result<Value, EvaluateError> {
        unimplemented!()
    }

    /// Evaluates, and says which parts decided.
    pub fn explain(&self, _scope: &dyn Scope) -> Result<Explanation, EvaluateError> {
        unimplemented!()
    }

    /// Lower-case names of the contexts that the expression mentions, each once.
    pub fn contexts(&self) -> Vec<String> {
        unimplemented!()
    }
}
