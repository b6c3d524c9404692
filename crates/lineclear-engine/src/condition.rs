//! A job's `if`, and the sentence that explains it.

use lineclear_expr::{Explanation, Value, Wording};
use lineclear_plan::{JobScope, NeedsStatus};

use crate::evaluate::fault;
use crate::run::{NodeId, Run};

/// What a condition came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decided {
    In,
    /// It is false, for this reason.
    Out(String),
    /// It has no value.
    Faulty(String),
}

impl Run {
    /// Decides the `if` of a job as things stand: its needs as far as they have finished, and whether the run is cancelled.
    pub(crate) fn decide(&self, node: NodeId) -> Decided {
        let lineage = self.lineage_of_needs(node);
        let status = lineage.status(self.cancel.is_some());
        let Some(condition) = &self.job(node).condition else {
            return match lineage.culprit {
                _ if status.cancelled => Decided::Out(self.cancelled_because()),
                None => Decided::In,
                Some(culprit) => Decided::Out(self.blame(node, culprit)),
            };
        };
        let scope = self.scope(node, Some(status));
        match condition.expr.explain(&scope) {
            Ok(explanation) if explanation.value.is_truthy() => Decided::In,
            Ok(_) if status.cancelled => Decided::Out(self.cancelled_because()),
            Ok(explanation) => Decided::Out(match lineage.culprit.filter(|_| asked_for_success(&explanation)) {
                Some(culprit) => self.blame(node, culprit),
                None => explanation.sentence_of_if(&condition.expr, &OfNeeds),
            }),
            Err(error) => Decided::Faulty(fault("if", &self.entered(node).workflow.source, condition.span(), &error)),
        }
    }

    /// What the keys of a job are evaluated against, before it has a matrix.
    pub(crate) fn scope(&self, node: NodeId, status: Option<NeedsStatus>) -> JobScope {
        JobScope {
            github: self.github.value.clone(),
            needs: self.needs_context(node),
            inputs: self.frame(self.node(node).frame).inputs.value.clone(),
            vars: self.vars.value.clone(),
            status,
            ..JobScope::default()
        }
    }

    pub(crate) fn cancelled_because(&self) -> String {
        match &self.cancel {
            Some(cancel) => format!("the run was cancelled: {}", cancel.reason),
            None => "the run was cancelled".to_owned(),
        }
    }
}

/// Whether a `success()` about all needs, written or implied, was one of the parts that made the condition false.
fn asked_for_success(explanation: &Explanation) -> bool {
    explanation.parts.iter().any(|(text, value)| call(text) == "success()" && !value.is_truthy())
}

/// A part of an expression without spaces, in lower case.
fn call(text: &str) -> String {
    text.replace(char::is_whitespace, "").to_lowercase()
}

/// Puts what a status function says of a job's needs into words.
struct OfNeeds;

impl Wording for OfNeeds {
    fn part(&self, text: &str, value: &Value) -> Option<String> {
        let words = match (call(text).as_str(), value.is_truthy()) {
            ("failure()", false) => "nothing that it needs failed",
            ("cancelled()", false) => "the run is not cancelled",
            ("success()", true) => "all that it needs succeeded",
            _ => return None,
        };
        Some(words.to_owned())
    }
}
