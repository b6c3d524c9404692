//! `runs-on`, evaluated.

use lineclear_expr::{EvaluateError, Scope, Value};
use lineclear_source::Span;
use lineclear_workflow::{RunsOn, Text};

/// What a machine has to be for a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// It must have every one of these, ignoring case. As written, in order.
    pub labels: Vec<String>,
    /// The runner group it must belong to.
    pub group: Option<String>,
}

impl Machine {
    /// Evaluates `runs-on`. One expression may give a label, a list of labels, or a mapping of `group` and `labels`.
    ///
    /// # Errors
    /// An expression failed, a label is no text, or nothing at all is asked for.
    pub fn evaluate(runs_on: &RunsOn, scope: &dyn Scope) -> Result<Self, EvaluateError> {
        let mut machine = Self::default();
        let span = match runs_on {
            RunsOn::Labels(labels) => {
                for label in &labels.value {
                    machine.add(value(label, scope)?, label.span())?;
                }
                labels.span
            }
            RunsOn::Group { group, labels, span } => {
                if let Some(group) = group {
                    machine.group = Some(value(group, scope)?.to_text()).filter(|name| !name.is_empty());
                }
                for label in labels {
                    machine.add_labels(value(label, scope)?, label.span())?;
                }
                *span
            }
        };
        match machine.labels.is_empty() && machine.group.is_none() {
            true => Err(EvaluateError { message: "`runs-on` came out empty; name at least one label".into(), span }),
            false => Ok(machine),
        }
    }

    fn add(&mut self, value: Value, span: Span) -> Result<(), EvaluateError> {
        let Value::Object(mapping) = value else { return self.add_labels(value, span) };
        for (key, value) in mapping.iter() {
            match key {
                "group" => self.group = Some(value.to_text()).filter(|name| !name.is_empty()),
                "labels" => self.add_labels(value.clone(), span)?,
                other => {
                    let message = format!("`runs-on` has the keys `group` and `labels`, not `{other}`");
                    return Err(EvaluateError { message, span });
                }
            }
        }
        Ok(())
    }

    fn add_labels(&mut self, value: Value, span: Span) -> Result<(), EvaluateError> {
        match value {
            Value::Array(items) => items.iter().try_for_each(|item| match item {
                Value::Array(_) | Value::Object(_) => Err(no_label(item, span)),
                item => self.add_labels(item.clone(), span),
            }),
            Value::Object(_) => Err(no_label(&value, span)),
            label => {
                let label = label.to_text();
                if !label.is_empty() {
                    self.labels.push(label);
                }
                Ok(())
            }
        }
    }
}

/// `runs-on` as it was written: what is shown where it cannot be evaluated yet.
pub(crate) fn unevaluated(runs_on: &RunsOn) -> Machine {
    let raw = |texts: &[Text]| texts.iter().map(|text| text.raw().to_owned()).collect();
    match runs_on {
        RunsOn::Labels(labels) => Machine { labels: raw(&labels.value), group: None },
        RunsOn::Group { group, labels, .. } => {
            Machine { labels: raw(labels), group: group.as_ref().map(|group| group.raw().to_owned()) }
        }
    }
}

fn value(text: &Text, scope: &dyn Scope) -> Result<Value, EvaluateError> {
    text.template.evaluate(scope).map_err(|error| EvaluateError { span: text.span(), ..error })
}

fn no_label(value: &Value, span: Span) -> EvaluateError {
    let found = if matches!(value, Value::Array(_)) { "a list" } else { "a mapping" };
    EvaluateError { message: format!("a label of `runs-on` is text, not {found}"), span }
}
