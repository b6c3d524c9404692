//! A job's `if`, and the sentence that explains it.

use lineclear_expr::{Explanation, Value};
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
                None => why_false(condition.raw(), &explanation),
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

/// "if: `github.ref == 'refs/heads/main'` is false: github.ref = refs/heads/x".
fn why_false(written: &str, explanation: &Explanation) -> String {
    let written = written.split_whitespace().collect::<Vec<_>>().join(" ");
    let inner = written.strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}"));
    let condition = inner.filter(|inner| !inner.contains("${{")).map_or(written.as_str(), str::trim);
    let values: Vec<_> = explanation.parts.iter().map(|(text, value)| part(text, value)).collect();
    let because = if values.is_empty() { String::new() } else { format!(": {}", values.join(", ")) };
    format!("if: `{condition}` is false{because}")
}

/// A part that decided, with its value; what a status function says is put into words.
fn part(text: &str, value: &Value) -> String {
    match (call(text).as_str(), value.is_truthy()) {
        ("failure()", false) => "nothing that it needs failed".to_owned(),
        ("cancelled()", false) => "the run is not cancelled".to_owned(),
        ("success()", true) => "all that it needs succeeded".to_owned(),
        _ => format!("{text} = {}", shown(value)),
    }
}

/// A value in a sentence: text as it is, cut where it is long.
fn shown(value: &Value) -> String {
    const LONGEST: usize = 200;
    let text = match value {
        Value::Null => return "null".to_owned(),
        Value::String(text) if text.is_empty() => return "''".to_owned(),
        Value::Array(_) | Value::Object(_) => value.to_json().to_string(),
        other => other.to_text(),
    };
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
