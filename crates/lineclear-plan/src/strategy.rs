//! `strategy` without its matrix: `fail-fast` and `max-parallel`, and the `strategy` context.

use lineclear_expr::{EvaluateError, Object, Scope, Value};
use lineclear_workflow::{Strategy, Text};

/// How the legs of a job stand by each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StrategySettings {
    /// Whether a failing leg cancels the others.
    pub fail_fast: bool,
    /// How many legs run at once; `None` for as many as there is room for.
    pub max_parallel: Option<usize>,
}

impl Default for StrategySettings {
    fn default() -> Self {
        Self { fail_fast: true, max_parallel: None }
    }
}

impl StrategySettings {
    /// Evaluates the two keys; an absent strategy gives the defaults.
    ///
    /// # Errors
    /// An expression failed, or its value is no boolean or no positive whole number.
    pub fn evaluate(strategy: Option<&Strategy>, scope: &dyn Scope) -> Result<Self, EvaluateError> {
        let Some(strategy) = strategy else { return Ok(Self::default()) };
        let mut settings = Self::default();
        if let Some(text) = &strategy.fail_fast {
            settings.fail_fast = boolean(text, scope, "fail-fast")?;
        }
        if let Some(text) = &strategy.max_parallel {
            let value = value(text, scope)?;
            settings.max_parallel = Some(count(&value).ok_or_else(|| EvaluateError {
                message: format!("`max-parallel` is a positive whole number, not `{}`", value.to_text()),
                span: text.span(),
            })?);
        }
        Ok(settings)
    }

    /// The `strategy` context of leg `index` (from zero) of `total`. A job without a matrix is leg 0 of 1.
    pub fn context(&self, index: usize, total: usize) -> Value {
        let mut context = Object::new();
        context.insert("fail-fast", self.fail_fast);
        context.insert("job-index", number(index));
        context.insert("job-total", number(total));
        context.insert("max-parallel", number(self.max_parallel.unwrap_or(total)));
        context.into()
    }
}

fn boolean(text: &Text, scope: &dyn Scope, key: &str) -> Result<bool, EvaluateError> {
    let value = value(text, scope)?;
    match &value {
        Value::Bool(value) => Ok(*value),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        other => {
            let message = format!("`{key}` is true or false, not `{}`", other.to_text());
            Err(EvaluateError { message, span: text.span() })
        }
    }
}

fn value(text: &Text, scope: &dyn Scope) -> Result<Value, EvaluateError> {
    text.template.evaluate(scope).map_err(|error| EvaluateError { span: text.span(), ..error })
}

fn count(value: &Value) -> Option<usize> {
    let number = match value {
        Value::Number(number) => *number,
        Value::String(text) if !text.trim().is_empty() => value.to_number(),
        _ => return None,
    };
    // Casting a float saturates, and more legs at once than there can be is the same as no limit.
    (number >= 1.0 && number.fract() == 0.0).then_some(number as usize)
}

fn number(count: usize) -> Value {
    Value::Number(count as f64)
}
