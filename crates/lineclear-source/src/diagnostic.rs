//! What is wrong with a text, as a value.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::Span;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; nothing has to be done.
    Info,
    /// Likely a mistake; the text can be used as it is.
    Warning,
    /// The text cannot be used as it is.
    Error,
}

/// A finding: what is wrong, where, what was expected, and what to do about it.
///
/// The span is in the source that the finding's reader was given. One without a span speaks of the whole file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How much it matters.
    pub severity: Severity,
    /// Kebab-case and stable: `unknown-key`, `expression-syntax`.
    pub code: Cow<'static, str>,
    /// One sentence without a full stop, in lower case: "`job` is not a key of a job; did you mean `jobs`?".
    pub message: String,
    /// The place, if it is not the whole file.
    pub span: Option<Span>,
    /// Other places that explain this one, each with a few words.
    pub labels: Vec<Label>,
    /// What to do, each line a suggestion of its own.
    pub help: Vec<String>,
}

/// A second place that belongs to a finding, such as the first of two equal keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// A few words in lower case: "first defined here".
    pub message: String,
}

impl Diagnostic {
    /// A finding without place, labels or help.
    pub fn new(severity: Severity, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { severity, code: code.into(), message: message.into(), span: None, labels: Vec::new(), help: Vec::new() }
    }

    /// A finding that matters most.
    pub fn error(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message)
    }

    /// A finding that leaves the text usable.
    pub fn warning(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message)
    }

    /// The same finding at `span`.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    /// The same finding with one more place that explains it.
    #[must_use]
    pub fn label(mut self, span: Span, message: impl Into<String>) -> Self {
        self.labels.push(Label { span, message: message.into() });
        self
    }

    /// The same finding with one more line of what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Whether the text cannot be used because of it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
