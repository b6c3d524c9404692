//! Whether a step runs, and why not (C5).

use lineclear_command::SharedMasker;
use lineclear_expr::{Explanation, Value};
use lineclear_workflow::Condition;

use crate::context::{StatusView, StepScope};
use crate::frame::Status;

/// Longer values are cut in a reason.
const LONGEST_VALUE: usize = 80;

/// What a condition decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Run {
        /// Whether the step would also run in a cancelled job: then a cancellation does not interrupt it.
        keeps_on_cancel: bool,
    },
    Skip {
        reason: String,
    },
    /// The condition has no value: the step fails.
    Broken {
        reason: String,
    },
}

/// Decides over one step. `first_failure` says what made the status what it is.
pub(crate) fn decide(
    condition: Option<&Condition>,
    scope: &mut StepScope<'_>,
    source: &lineclear_source::Source,
    first_failure: Option<&str>,
) -> Decision {
    let Some(condition) = condition else {
        // The common case, with nothing to evaluate.
        return match scope.asked_status() {
            Status::Success => {
                scope.view = StatusView::IfCancelled;
                let keeps_on_cancel = scope.asked_status() == Status::Success;
                scope.view = StatusView::Now;
                Decision::Run { keeps_on_cancel }
            }
            status => Decision::Skip { reason: implicit(status, first_failure) },
        };
    };
    let broken = |message: &str| Decision::Broken {
        reason: format!(
            "the condition `{}` ({}:{}) cannot be evaluated: {message}",
            condition.raw().trim(),
            source.name(),
            source.position(condition.span().start)
        ),
    };
    match condition.expr.evaluate(scope) {
        Err(error) => broken(&error.message),
        Ok(value) if value.is_truthy() => {
            scope.view = StatusView::IfCancelled;
            let keeps_on_cancel = condition.expr.evaluate(scope).is_ok_and(|value| value.is_truthy());
            scope.view = StatusView::Now;
            Decision::Run { keeps_on_cancel }
        }
        Ok(_) => match condition.expr.explain(scope) {
            Ok(explanation) => {
                Decision::Skip { reason: explain(condition.raw(), &explanation, first_failure, scope.masker()) }
            }
            Err(error) => broken(&error.message),
        },
    }
}

fn implicit(status: Status, first_failure: Option<&str>) -> String {
    match (status, first_failure) {
        (Status::Cancelled, _) => "the job was cancelled".to_owned(),
        (_, Some(failure)) => failure.to_owned(),
        (_, None) => "an earlier step failed".to_owned(),
    }
}

/// "if: `github.ref == 'refs/heads/main'` is false: github.ref = refs/heads/x". Values are masked.
pub(crate) fn explain(
    raw: &str,
    explanation: &Explanation,
    first_failure: Option<&str>,
    masker: &SharedMasker,
) -> String {
    let parts: Vec<String> = explanation
        .parts
        .iter()
        .map(|(text, value)| match first_failure {
            Some(failure) if text.eq_ignore_ascii_case("success()") => {
                format!("{text} = {} ({failure})", shown(value, masker))
            }
            _ => format!("{text} = {}", shown(value, masker)),
        })
        .collect();
    let raw = raw.trim();
    let raw = raw.strip_prefix("${{").and_then(|raw| raw.strip_suffix("}}")).map_or(raw, str::trim);
    if parts.is_empty() {
        format!("if: `{raw}` is {}", falsy(&explanation.value, masker))
    } else {
        format!("if: `{raw}` is {}: {}", falsy(&explanation.value, masker), parts.join(", "))
    }
}

fn falsy(value: &Value, masker: &SharedMasker) -> String {
    match value {
        Value::Bool(_) => "false".to_owned(),
        other => shown(other, masker),
    }
}

fn shown(value: &Value, masker: &SharedMasker) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::String(text) if text.is_empty() => "''".to_owned(),
        other => {
            // Masked before it is cut: a mask does not know the half of a secret.
            let text = other.to_text();
            let text = masker.mask(&text);
            match text.char_indices().nth(LONGEST_VALUE) {
                Some((at, _)) => format!("{}…", &text[..at]),
                None => text.into_owned(),
            }
        }
    }
}
