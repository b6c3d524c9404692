//! What can be wrong with an expression.

use lineclear_source::Span;

/// Why a text is no expression. The span is in the text that was given to the parser.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    pub message: String,
    pub span: Span,
}

/// Why an expression has no value. The span is that of the call or part that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EvaluateError {
    pub message: String,
    pub span: Span,
}
