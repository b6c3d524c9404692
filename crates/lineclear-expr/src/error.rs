//! What can be wrong with an expression.

use lineclear_source::{Diagnostic, Span};

/// Why a text is no expression. The span is in the text that was given to the parser.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// What is wrong and what to do about it: "Unrecognized named-value: 'gihub'; did you mean `github`?".
    pub message: String,
    /// The offending part.
    pub span: Span,
    /// What is wrong in GitHub's own words and nothing else: "Unrecognized named-value: 'gihub'".
    pub words: String,
    /// Whether GitHub's form of the message names the place; it does not where the text as a whole is at fault.
    pub placed: bool,
}

/// Why an expression has no value. The span is that of the call or part that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EvaluateError {
    /// What went wrong, in GitHub's words where it has some.
    pub message: String,
    /// The call or part that failed, in the text that was given to the parser.
    pub span: Span,
}

impl ParseError {
    /// A fault at `span`.
    pub fn new(words: impl Into<String>, span: Span) -> Self {
        let words = words.into();
        Self { message: words.clone(), span, words, placed: true }
    }

    /// A fault of the text as a whole, such as its length.
    pub(crate) fn of_all(words: impl Into<String>, span: Span) -> Self {
        Self { placed: false, ..Self::new(words, span) }
    }

    /// The same with advice behind the words.
    #[must_use]
    pub(crate) fn advise(mut self, advice: &str) -> Self {
        self.message.push_str("; ");
        self.message.push_str(advice);
        self
    }

    /// The message as GitHub words it, which names the place and repeats the expression:
    /// "Unrecognized named-value: 'foo'. Located at position 1 within expression: foo". `text` is what the parser was given.
    pub fn located(&self, text: &str) -> String {
        if !self.placed {
            return self.words.clone();
        }
        let before = text.get(..self.span.start as usize).unwrap_or_default();
        let position = before.chars().map(char::len_utf16).sum::<usize>() + 1;
        format!("{}. Located at position {position} within expression: {text}", self.words)
    }

    /// The fault as a finding with code `expression-syntax`, for a text that begins at byte `offset` of its source.
    pub fn to_diagnostic(&self, offset: usize) -> Diagnostic {
        Diagnostic::error("expression-syntax", self.message.as_str()).at(self.span.shifted(offset))
    }
}

impl EvaluateError {
    /// A failure at `span`.
    pub fn new(message: impl Into<String>, span: Span) -> Self {
        Self { message: message.into(), span }
    }

    /// The failure as a finding with code `expression-failed`, for a text that begins at byte `offset` of its source.
    pub fn to_diagnostic(&self, offset: usize) -> Diagnostic {
        Diagnostic::error("expression-failed", self.message.as_str()).at(self.span.shifted(offset))
    }
}
