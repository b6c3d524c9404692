//! The keys of a job that are evaluated when it is about to begin.

use lineclear_expr::{EvaluateError, Scope, Value};
use lineclear_source::{Source, Span, shortened};
use lineclear_workflow::{Concurrency, Queue, Text};

use crate::groups::{Demand, MAX_NAME};

/// How much of a key's text a fault shows, in characters.
const LONGEST_SHOWN: usize = 120;

/// "runs-on at .github/workflows/ci.yml:7:14: `${{ fromJSON(inputs.on) }}`: …": which key, where, what it says, what is wrong.
pub(crate) fn fault(key: &str, source: &Source, span: Span, error: &EvaluateError) -> String {
    let written = shortened(unquoted(source.slice(span).trim()), LONGEST_SHOWN);
    let place = format!("{key} at {}:{}", source.name(), source.position(span.start));
    if written.is_empty() {
        format!("{place}: {}", error.message)
    } else {
        format!("{place}: `{written}`: {}", error.message)
    }
}

/// Without the quotes that YAML asks for.
fn unquoted(text: &str) -> &str {
    let within = |quote| text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    within('"').or_else(|| within('\'')).unwrap_or(text)
}

/// The value of `text`; a failure has the text's span.
pub(crate) fn value(text: &Text, scope: &dyn Scope) -> Result<Value, EvaluateError> {
    text.template.evaluate(scope).map_err(|error| EvaluateError { span: text.span(), ..error })
}

/// A key that is true or false.
///
/// # Errors
/// A value that is neither, nor the word for it; an expression without a value is no `false`.
pub(crate) fn boolean(text: &Text, scope: &dyn Scope) -> Result<bool, EvaluateError> {
    let value = value(text, scope)?;
    match &value {
        Value::Bool(value) => Ok(*value),
        Value::String(word) if word.eq_ignore_ascii_case("true") => Ok(true),
        Value::String(word) if word.eq_ignore_ascii_case("false") => Ok(false),
        other => {
            let message = match other {
                Value::Null => "this has no value, and true or false is expected; `… == true` makes one of it".into(),
                Value::String(word) if word.is_empty() => {
                    "this is empty, and true or false is expected; `… == true` makes one of it".into()
                }
                other => format!("true or false is expected, not `{}`", other.to_text()),
            };
            Err(EvaluateError { message, span: text.span() })
        }
    }
}

/// A key that is a time in minutes; `default` where it is absent.
///
/// # Errors
/// No number, or none above zero.
pub(crate) fn minutes(text: Option<&Text>, scope: &dyn Scope, default: f64) -> Result<f64, EvaluateError> {
    let Some(text) = text else { return Ok(default) };
    let value = value(text, scope)?;
    let number = match &value {
        Value::Number(number) => *number,
        Value::String(digits) if !digits.trim().is_empty() => value.to_number(),
        _ => f64::NAN,
    };
    if number > 0.0 {
        return Ok(number);
    }
    let message = format!("a number of minutes above zero is expected, not `{}`", value.to_text());
    Err(EvaluateError { message, span: text.span() })
}

/// Milliseconds in `minutes`, which are above zero; more than there is room for is the longest time there is.
pub(crate) fn millis(minutes: f64) -> i64 {
    // A cast from float to integer saturates.
    (minutes * 60_000.0).ceil() as i64
}

/// Minutes as people write them: `5`, `0.5`.
pub(crate) fn minutes_in_words(minutes: f64) -> String {
    Value::Number(minutes).to_text()
}

/// An evaluated `concurrency`.
///
/// # Errors
/// An expression failed, the group has no name or one that is too long, or `cancel-in-progress` comes with `queue: max`.
pub(crate) fn demand(concurrency: &Concurrency, scope: &dyn Scope) -> Result<Demand, EvaluateError> {
    let group = value(&concurrency.group, scope)?;
    let wrong = |message: String| EvaluateError { message, span: concurrency.group.span() };
    if matches!(group, Value::Array(_) | Value::Object(_)) {
        return Err(wrong("the name of a concurrency group is text, not a list or a mapping".into()));
    }
    let group = group.to_text();
    if group.is_empty() {
        return Err(wrong("the name of a concurrency group came out empty".into()));
    }
    let length = group.chars().count();
    if length > MAX_NAME {
        return Err(wrong(format!("the name of a concurrency group has at most {MAX_NAME} characters, not {length}")));
    }
    let cancel_in_progress = match &concurrency.cancel_in_progress {
        Some(text) => boolean(text, scope)?,
        None => false,
    };
    if cancel_in_progress && concurrency.queue == Queue::Max {
        let message = "`cancel-in-progress` and `queue: max` exclude each other; leave one out".into();
        return Err(EvaluateError { message, span: concurrency.span });
    }
    Ok(Demand { group, cancel_in_progress, queue: concurrency.queue })
}
