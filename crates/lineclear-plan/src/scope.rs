//! What a job's own keys are evaluated against.

use lineclear_event::JobContexts;
use lineclear_expr::{Scope, StatusFunction, Value};

/// Evaluates the keys of a job: `if`, `strategy`, `name`, `runs-on` and so on.
#[derive(Clone, Debug, Default)]
pub struct JobScope {
    pub github: Value,
    pub needs: Value,
    pub strategy: Value,
    pub matrix: Value,
    pub inputs: Value,
    pub vars: Value,
    /// Answers to `success()`, `failure()` and `cancelled()` for all needs and their ancestors; `None` outside an `if`.
    pub status: Option<NeedsStatus>,
}

/// How the direct and transitive needs of a job ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NeedsStatus {
    pub all_succeeded: bool,
    pub any_failed: bool,
    pub cancelled: bool,
}

impl JobScope {
    pub fn from_contexts(contexts: &JobContexts) -> Self {
        Self {
            github: Value::from_json(&contexts.github),
            needs: Value::from_json(&contexts.needs),
            strategy: Value::from_json(&contexts.strategy),
            matrix: Value::from_json(&contexts.matrix),
            inputs: Value::from_json(&contexts.inputs),
            vars: Value::from_json(&contexts.vars),
            status: None,
        }
    }
}

impl Scope for JobScope {
    fn context(&self, name: &str) -> Option<Value> {
        Some(match name {
            "github" => self.github.clone(),
            "needs" => self.needs.clone(),
            "strategy" => self.strategy.clone(),
            "matrix" => self.matrix.clone(),
            "inputs" => self.inputs.clone(),
            "vars" => self.vars.clone(),
            _ => return None,
        })
    }

    /// With job ids as arguments, `success()` and `failure()` ask for those jobs alone.
    fn status(&self, function: StatusFunction, args: &[String]) -> Option<bool> {
        let status = self.status?;
        let result_is = |job: &String, wanted: &str| {
            let result = self.needs.get(job).get("result");
            matches!(result, Value::String(result) if &*result == wanted)
        };
        if !args.is_empty() && !status.cancelled {
            match function {
                StatusFunction::Success => return Some(args.iter().all(|job| result_is(job, "success"))),
                StatusFunction::Failure => return Some(args.iter().any(|job| result_is(job, "failure"))),
                StatusFunction::Always | StatusFunction::Cancelled => {}
            }
        }
        Some(match function {
            StatusFunction::Success => status.all_succeeded && !status.cancelled,
            StatusFunction::Failure => status.any_failed && !status.cancelled,
            StatusFunction::Cancelled => status.cancelled,
            StatusFunction::Always => true,
        })
    }
}
