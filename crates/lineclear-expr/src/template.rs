//! Text that holds expressions.

use std::sync::Arc;

use lineclear_source::Span;

use crate::known::Known;
use crate::memory::{Memory, TEMPLATE_BYTES};
use crate::parser::check_length;
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

/// A piece of mixed text.
#[derive(Clone, Debug)]
pub enum TemplatePart {
    /// Text as it is.
    Text(String),
    /// The expression of a `${{ }}`.
    Expression(Expr),
}

impl Template {
    /// Reads text that may hold `${{ … }}`; text without any is a literal string.
    /// Spans in errors count bytes from the start of `text`.
    ///
    /// # Errors
    /// A `${{` that is not closed, the faults of every expression in it as [`Expr::parse`] finds them, or a text of more
    /// than [`crate::MAX_LENGTH`] characters; without an expression a text may have any length.
    pub fn parse(text: &str, allowed: Option<&Allowed>) -> Result<Self, Vec<ParseError>> {
        Self::parse_known(text, &Known::new(allowed))
    }

    /// The same, for expressions that may name these contexts, in whatever case, and every function.
    ///
    /// # Errors
    /// As [`Template::parse`].
    pub fn parse_with_contexts(text: &str, contexts: &[String]) -> Result<Self, Vec<ParseError>> {
        Self::parse_known(text, &Known::Contexts(contexts))
    }

    fn parse_known(text: &str, known: &Known<'_>) -> Result<Self, Vec<ParseError>> {
        if !text.contains("${{") {
            return Ok(Self::Literal(text.into()));
        }
        check_length(text).map_err(|error| vec![error])?;
        let segments = segments(text).map_err(|error| vec![error])?;
        let source: Arc<str> = text.into();
        let mut parts = Vec::new();
        let mut errors = Vec::new();
        for segment in &segments {
            if segment.is_expression {
                match Expr::parse_part(&source, segment.span, known) {
                    Ok(expr) => parts.push(TemplatePart::Expression(expr.with_memory(TEMPLATE_BYTES))),
                    Err(more) => errors.extend(more),
                }
            } else {
                let piece = text.get(segment.span.range()).unwrap_or_default();
                parts.push(TemplatePart::Text(piece.to_owned()));
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(match <[TemplatePart; 1]>::try_from(parts) {
            Ok([TemplatePart::Expression(expr)]) => Self::Expression(expr),
            Ok([TemplatePart::Text(text)]) => Self::Literal(text.into()),
            Err(parts) => Self::Mixed(parts),
        })
    }

    /// A template without expressions.
    pub fn literal(value: Value) -> Self {
        Self::Literal(value)
    }

    /// The value in a scope: the literal, the expression's value, or all pieces joined as text.
    ///
    /// # Errors
    /// As [`Expr::evaluate`], with spans in the template's text; or a text of more than 10 MiB, at two bytes a UTF-16 unit.
    pub fn evaluate(&self, scope: &dyn Scope) -> Result<Value, EvaluateError> {
        let parts = match self {
            Self::Literal(value) => return Ok(value.clone()),
            Self::Expression(expr) => return expr.evaluate(scope),
            Self::Mixed(parts) => parts,
        };
        let mut text = String::new();
        let mut bytes = 0;
        for part in parts {
            match part {
                TemplatePart::Text(piece) => text.push_str(piece),
                TemplatePart::Expression(expr) => {
                    let value = expr.evaluate(scope)?;
                    let piece = value.as_text();
                    bytes += Memory::of_text(&piece);
                    if bytes > TEMPLATE_BYTES {
                        let message = "Maximum object size exceeded: the text with its expressions filled in takes more than 10 MiB";
                        return Err(EvaluateError::new(message, expr.span()));
                    }
                    text.push_str(&piece);
                }
            }
        }
        Ok(text.into())
    }

    /// The value as text, by the language's own conversion (`null` is empty).
    ///
    /// # Errors
    /// As [`Template::evaluate`].
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

/// A piece of a text: what is between two expressions, or the inside of a `${{ }}`.
#[derive(Debug, PartialEq)]
pub(crate) struct Segment {
    pub(crate) is_expression: bool,
    pub(crate) span: Span,
}

/// Takes a text apart at its `${{` and `}}`. There is at least one piece; none of text is empty unless it is the only one.
///
/// A `}}` between single quotes does not close.
pub(crate) fn segments(text: &str) -> Result<Vec<Segment>, ParseError> {
    let mut segments = Vec::new();
    let mut at = 0;
    while let Some(found) = text[at..].find("${{") {
        let open = at + found;
        if open > at {
            segments.push(Segment { is_expression: false, span: Span::new(at, open) });
        }
        let inside = open + 3;
        let Some(close) = find_close(&text.as_bytes()[inside..]) else {
            let words = "The expression is not closed. An unescaped ${{ sequence was found, but the closing }} sequence was not found.";
            let error = ParseError::of_all(words, Span::new(open, inside));
            let quotes = text[inside..].matches('\'').count();
            return Err(if quotes % 2 == 1 && text[inside..].contains("}}") {
                error.advise("a single quote in it is not closed")
            } else {
                error
            });
        };
        segments.push(Segment { is_expression: true, span: Span::new(inside, inside + close) });
        at = inside + close + 2;
    }
    if at < text.len() || segments.is_empty() {
        segments.push(Segment { is_expression: false, span: Span::new(at, text.len()) });
    }
    Ok(segments)
}

/// Where the first `}}` outside of single quotes is.
fn find_close(text: &[u8]) -> Option<usize> {
    let mut quoted = false;
    text.iter().enumerate().position(|(at, &byte)| {
        quoted ^= byte == b'\'';
        !quoted && byte == b'}' && text.get(at + 1) == Some(&b'}')
    })
}
