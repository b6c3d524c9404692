//! One thing that was found.

use lineclear_source::{Diagnostic, Label, Severity, Span};

use crate::{Fix, RuleMeta};

/// A diagnostic, and how it could be mended. The diagnostic's code is the rule's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong, and where.
    pub diagnostic: Diagnostic,
    /// How it could be mended, if fixes were asked for and there is a way.
    pub fix: Option<Fix>,
}

impl Finding {
    pub(crate) fn new(meta: &RuleMeta, span: Option<Span>, message: String) -> Self {
        let mut diagnostic = Diagnostic::new(meta.severity, meta.id, message);
        diagnostic.span = span;
        Self { diagnostic, fix: None }
    }

    /// One more line of what to do.
    pub fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.diagnostic.help.push(help.into());
        self
    }

    /// One more place that explains it.
    pub fn label(&mut self, span: Span, message: impl Into<String>) -> &mut Self {
        self.diagnostic.labels.push(Label { span, message: message.into() });
        self
    }

    /// Another severity than the rule's.
    pub fn severity(&mut self, severity: Severity) -> &mut Self {
        self.diagnostic.severity = severity;
        self
    }

    /// How it could be mended.
    pub fn fix(&mut self, fix: Option<Fix>) -> &mut Self {
        self.fix = fix;
        self
    }
}
