//! Where rules put what they find.

use std::sync::Arc;

use lineclear_source::{Source, Span};

use crate::{Finding, RuleMeta};

/// Collects the findings of one rule.
#[derive(Debug)]
pub struct Report<'r> {
    meta: &'static RuleMeta,
    wants_fixes: bool,
    /// Findings, each with the file it stands in where that is another than the one that is looked at.
    found: &'r mut Vec<(Option<Arc<str>>, Finding)>,
}

impl<'r> Report<'r> {
    /// For the findings of the rule with this `meta`.
    pub fn new(meta: &'static RuleMeta, wants_fixes: bool, found: &'r mut Vec<(Option<Arc<str>>, Finding)>) -> Self {
        Self { meta, wants_fixes, found }
    }

    /// A finding at `span` of the file that is looked at. `message`: one sentence in lower case without a full stop.
    pub fn at(&mut self, span: Span, message: impl Into<String>) -> &mut Finding {
        self.push(None, Finding::new(self.meta, Some(span), message.into()))
    }

    /// A finding about the whole file.
    pub fn whole(&mut self, message: impl Into<String>) -> &mut Finding {
        self.push(None, Finding::new(self.meta, None, message.into()))
    }

    /// A finding at `span` of another file (for [`RepositoryRule`](crate::RepositoryRule)s).
    pub fn in_file(&mut self, source: &Source, span: Span, message: impl Into<String>) -> &mut Finding {
        self.push(Some(source.name().into()), Finding::new(self.meta, Some(span), message.into()))
    }

    /// Whether anybody will look at fixes: making one that is costly can be left out otherwise.
    pub fn wants_fixes(&self) -> bool {
        self.wants_fixes
    }

    fn push(&mut self, file: Option<Arc<str>>, finding: Finding) -> &mut Finding {
        let at = self.found.len();
        self.found.push((file, finding));
        &mut self.found[at].1
    }
}
