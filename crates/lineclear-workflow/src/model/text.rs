//! Scalars and trees that may hold expressions.

use std::sync::Arc;

use lineclear_expr::{Expr, Template, Value};
use lineclear_source::{Span, Spanned};
use lineclear_yaml::Scalar;

/// The key `${{ insert }}`: its value is an object whose pairs take the entry's place.
pub const INSERT: &str = "${{ insert }}";

/// A scalar that may hold expressions, with the YAML scalar it came from (for exact places).
#[derive(Clone, Debug)]
pub struct Text {
    pub template: Template,
    pub scalar: Arc<Scalar>,
}

impl Text {
    pub fn span(&self) -> Span {
        self.scalar.span
    }

    /// The text as written, expressions unevaluated.
    pub fn raw(&self) -> &str {
        &self.scalar.text
    }

    /// Whether this key is [`INSERT`], however it was spaced.
    pub fn is_insert(&self) -> bool {
        matches!(self.template.as_literal(), Some(Value::String(text)) if &**text == INSERT)
    }
}

/// The condition of an `if:` key, with the implicit `success()` already in it.
#[derive(Clone, Debug)]
pub struct Condition {
    pub expr: Expr,
    pub scalar: Arc<Scalar>,
}

impl Condition {
    pub fn span(&self) -> Span {
        self.scalar.span
    }

    /// The condition as written.
    pub fn raw(&self) -> &str {
        &self.scalar.text
    }
}

/// A value of any shape whose scalars may hold expressions: `matrix`, `with`, `env`.
#[derive(Clone, Debug)]
pub enum TextTree {
    Scalar(Text),
    Sequence(Spanned<Vec<TextTree>>),
    Mapping(Spanned<Vec<(Text, TextTree)>>),
}

impl TextTree {
    pub fn span(&self) -> Span {
        match self {
            Self::Scalar(text) => text.span(),
            Self::Sequence(items) => items.span,
            Self::Mapping(entries) => entries.span,
        }
    }
}

/// An `env:` block: names and values in file order, or one expression that gives an object.
///
/// A name may be [`INSERT`].
#[derive(Clone, Debug)]
pub enum Env {
    Names(Vec<(Text, Text)>),
    Expression(Text),
}
