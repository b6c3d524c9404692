//! Whether a job would run, as far as that is known before anything runs.
//!
//! A condition is evaluated in the world where everything it waits for succeeds. Where that leaves it open, the other worlds
//! are tried: a needed job that is skipped for certain, one that fails, a run that is cancelled. A condition that reads
//! something unknown in a world that matters is decided at run time.

use std::cell::Cell;

use lineclear_expr::{EvaluateError, Explanation, Scope, StatusFunction, Value};
use lineclear_workflow::Condition;

use crate::model::{Decision, Verdict};
use crate::{JobScope, NeedsStatus};

/// A scope that notices when something is asked for that only the run will know.
#[derive(Debug)]
pub(crate) struct PlanScope<'a> {
    inner: &'a JobScope,
    status: Option<NeedsStatus>,
    unknown: &'a [&'static str],
    asked: Cell<Option<&'static str>>,
}

impl<'a> PlanScope<'a> {
    /// `unknown` names the contexts that are not known yet.
    pub(crate) fn new(inner: &'a JobScope, unknown: &'a [&'static str]) -> Self {
        Self { inner, status: None, unknown, asked: Cell::new(None) }
    }

    fn in_world(inner: &'a JobScope, unknown: &'a [&'static str], status: NeedsStatus) -> Self {
        Self { status: Some(status), ..Self::new(inner, unknown) }
    }

    /// The unknown context that was asked for, if one was.
    pub(crate) fn asked(&self) -> Option<&'static str> {
        self.asked.get()
    }

    /// What `evaluate` gives, or `None` if it asked for something unknown.
    pub(crate) fn known<T>(
        &self,
        evaluate: impl FnOnce(&dyn Scope) -> Result<T, EvaluateError>,
    ) -> Result<Option<T>, EvaluateError> {
        let result = evaluate(self);
        if self.asked.get().is_some() { Ok(None) } else { result.map(Some) }
    }
}

impl Scope for PlanScope<'_> {
    fn context(&self, name: &str) -> Option<Value> {
        if let Some(unknown) = self.unknown.iter().find(|unknown| **unknown == name) {
            self.asked.set(Some(unknown));
        }
        self.inner.context(name)
    }

    fn status(&self, function: StatusFunction, args: &[String]) -> Option<bool> {
        let status = self.status?;
        // Named jobs are looked up among the needs, and those are open. Where all goes well, so do the named ones; where
        // something does not, only the run will tell whether it is one of them.
        let is_open = self.unknown.contains(&"needs");
        if is_open && !args.is_empty() && !status.all_succeeded {
            self.asked.set(Some("needs"));
        }
        let args = if is_open { &[] } else { args };
        let scope = JobScope { needs: self.inner.needs.clone(), status: Some(status), ..JobScope::default() };
        scope.status(function, args)
    }
}

/// What is known of the jobs that a job waits for, directly and through others.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ancestors {
    /// Ids of the needed jobs, as written.
    pub(crate) needs: Vec<String>,
    /// One that is skipped for certain.
    pub(crate) skipped: Option<String>,
    /// One that fails for certain.
    pub(crate) failed: Option<String>,
    /// One of which only the run will tell whether it is skipped.
    pub(crate) open: Option<String>,
    /// Whether any of them may run, and so may fail.
    pub(crate) may_fail: bool,
}

/// How a condition came out in one world.
enum Outcome {
    Known(bool, Explanation),
    Asked(&'static str),
    Error(String),
}

impl Outcome {
    fn is_false(&self) -> bool {
        matches!(self, Self::Known(false, _))
    }
}

/// Decides for a job with `condition`, in `scope`, of which the contexts `unknown` are open.
pub(crate) fn decide(
    condition: Option<&Condition>,
    scope: &JobScope,
    unknown: &[&'static str],
    ancestors: &Ancestors,
) -> Decision {
    let Some(condition) = condition else { return without_condition(ancestors) };
    let outcome = |status| evaluate(condition, scope, unknown, status);
    let all_well = NeedsStatus { all_succeeded: true, any_failed: false, cancelled: false };
    let failed = NeedsStatus { all_succeeded: false, any_failed: true, cancelled: false };
    let skipped = NeedsStatus::default();
    let cancelled = NeedsStatus { cancelled: true, ..NeedsStatus::default() };

    // What will be if nothing unforeseen happens.
    let expected = match (&ancestors.failed, &ancestors.skipped) {
        (Some(_), _) => failed,
        (None, Some(_)) => skipped,
        (None, None) => all_well,
    };
    match outcome(expected) {
        Outcome::Error(message) => decision(Verdict::Fails, format!("{} has no value: {message}", shown(condition))),
        Outcome::Asked(context) => {
            let reason = format!("{} depends on `{context}`, which only the run will tell", shown(condition));
            decision(Verdict::KnownAtRunTime, reason)
        }
        Outcome::Known(true, explanation) => {
            let reason = explanation.sentence_of_if(&condition.expr, &());
            match &ancestors.open {
                // It would not run after a skipped job, and whether that one is skipped is open.
                Some(open) if outcome(skipped).is_false() => {
                    decision(Verdict::KnownAtRunTime, format!("needs {open}, which is decided at run time; {reason}"))
                }
                _ => decision(Verdict::Runs, reason),
            }
        }
        Outcome::Known(false, explanation) => {
            if ancestors.may_fail && !outcome(failed).is_false() {
                return decision(Verdict::KnownAtRunTime, format!("{} waits for a failure", shown(condition)));
            }
            if !outcome(cancelled).is_false() {
                let reason = format!("{} is true only if the run is cancelled", shown(condition));
                return decision(Verdict::KnownAtRunTime, reason);
            }
            // Had all gone well, would it run? Then it is the needed job that keeps it.
            let (blocker, word) = match (&ancestors.failed, &ancestors.skipped) {
                (Some(job), _) => (Some(job), "fails"),
                (None, Some(job)) => (Some(job), "is skipped"),
                (None, None) => (None, ""),
            };
            match blocker {
                Some(job) if !outcome(all_well).is_false() => {
                    decision(Verdict::Skipped, format!("needs {job}, which {word}"))
                }
                _ => {
                    let explanation = match outcome(all_well) {
                        Outcome::Known(false, explanation) => explanation,
                        _ => explanation,
                    };
                    decision(Verdict::Skipped, explanation.sentence_of_if(&condition.expr, &()))
                }
            }
        }
    }
}

fn without_condition(ancestors: &Ancestors) -> Decision {
    match (&ancestors.failed, &ancestors.skipped, &ancestors.open) {
        (Some(job), ..) => decision(Verdict::Skipped, format!("needs {job}, which fails")),
        (None, Some(job), _) => decision(Verdict::Skipped, format!("needs {job}, which is skipped")),
        (None, None, Some(job)) => {
            decision(Verdict::KnownAtRunTime, format!("needs {job}, which is decided at run time"))
        }
        (None, None, None) if ancestors.needs.is_empty() => decision(Verdict::Runs, "no condition".into()),
        (None, None, None) => decision(Verdict::Runs, format!("no condition; after {}", ancestors.needs.join(", "))),
    }
}

fn evaluate(condition: &Condition, scope: &JobScope, unknown: &[&'static str], status: NeedsStatus) -> Outcome {
    let scope = PlanScope::in_world(scope, unknown, status);
    let result = condition.expr.explain(&scope);
    match (scope.asked(), result) {
        (Some(context), _) => Outcome::Asked(context),
        (None, Ok(explanation)) => Outcome::Known(explanation.value.is_truthy(), explanation),
        (None, Err(error)) => Outcome::Error(error.message),
    }
}

pub(crate) fn decision(verdict: Verdict, reason: String) -> Decision {
    Decision { verdict, reason }
}

/// "if: `github.ref == 'x'`".
fn shown(condition: &Condition) -> String {
    format!("if: `{}`", condition.expr.short_text())
}
