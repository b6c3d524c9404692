//! Evaluates what a step's keys hold, and says in one sentence where it cannot.

use lineclear_expr::{EvaluateError, Scope, Value};
use lineclear_source::Source;
use lineclear_workflow::{Env as EnvBlock, Text};

use crate::environment::Env;

/// A sentence: which key, where, and why it has no value.
pub(crate) fn cannot(source: &Source, key: &str, text: &Text, error: &EvaluateError) -> String {
    place(source, key, text, &format!("cannot be evaluated: {}", error.message))
}

fn place(source: &Source, key: &str, text: &Text, what: &str) -> String {
    format!("`{key}` ({}:{}) {what}", source.name(), source.position(text.span().start))
}

pub(crate) fn text(source: &Source, key: &str, text: &Text, scope: &dyn Scope) -> Result<String, String> {
    text.template.evaluate_text(scope).map_err(|error| cannot(source, key, text, &error))
}

/// A value that has to be a boolean; text that spells one counts.
pub(crate) fn boolean(source: &Source, key: &str, text: &Text, scope: &dyn Scope) -> Result<bool, String> {
    match text.template.evaluate(scope).map_err(|error| cannot(source, key, text, &error))? {
        Value::Bool(value) => Ok(value),
        Value::String(word) if matches!(&*word, "true" | "True" | "TRUE") => Ok(true),
        Value::String(word) if matches!(&*word, "false" | "False" | "FALSE") => Ok(false),
        other => Err(place(source, key, text, &format!("must be true or false, not `{}`", other.to_text()))),
    }
}

/// A value that has to be a number; text that spells one counts.
pub(crate) fn number(source: &Source, key: &str, text: &Text, scope: &dyn Scope) -> Result<f64, String> {
    let value = text.template.evaluate(scope).map_err(|error| cannot(source, key, text, &error))?;
    let number = match &value {
        Value::Number(number) => *number,
        Value::String(word) if !word.trim().is_empty() => value.to_number(),
        _ => f64::NAN,
    };
    if number.is_finite() {
        Ok(number)
    } else {
        Err(place(source, key, text, &format!("must be a number, not `{}`", value.to_text())))
    }
}

/// An `env:` block. Its entries see the environment around it, never each other.
pub(crate) fn env(source: &Source, block: &EnvBlock, scope: &dyn Scope) -> Result<Env, String> {
    let mut env = Env::default();
    match block {
        EnvBlock::Names(entries) => {
            for (name, value) in entries {
                let name_text = text(source, "env", name, scope)?;
                let value = text(source, &format!("env.{name_text}"), value, scope)?;
                env.set(name_text, value);
            }
        }
        EnvBlock::Expression(whole) => {
            match whole.template.evaluate(scope).map_err(|error| cannot(source, "env", whole, &error))? {
                Value::Object(object) => {
                    for (name, value) in object.iter() {
                        env.set(name.to_owned(), value.to_text());
                    }
                }
                Value::Null => {}
                other => {
                    let what = format!("must be an object of names and values, not `{}`", other.to_text());
                    return Err(place(source, "env", whole, &what));
                }
            }
        }
    }
    Ok(env)
}
