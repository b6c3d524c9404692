//! Whether a step runs, and why not (C5).

use std::borrow::Cow;

use lineclear_command::SharedMasker;
use lineclear_expr::{Explanation, Expr, Value, Wording};
use lineclear_workflow::Condition;

use crate::context::{StatusView, StepScope};
use crate::frame::Status;

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
                Decision::Skip { reason: explain(&condition.expr, &explanation, first_failure, scope.masker()) }
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
    condition: &Expr,
    explanation: &Explanation,
    first_failure: Option<&str>,
    masker: &SharedMasker,
) -> String {
    explanation.sentence_of_if(condition, &OfSteps { first_failure, masker })
}

/// Hides the job's secrets, and says of `success()` what made the status what it is.
struct OfSteps<'s> {
    first_failure: Option<&'s str>,
    masker: &'s SharedMasker,
}

impl Wording for OfSteps<'_> {
    fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.masker.mask(text)
    }

    fn part(&self, text: &str, value: &Value) -> Option<String> {
        let failure = self.first_failure.filter(|_| text.eq_ignore_ascii_case("success()"))?;
        Some(format!("{text} = {} ({failure})", value.to_text()))
    }
}
