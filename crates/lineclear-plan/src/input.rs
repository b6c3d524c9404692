//! Inputs of a dispatch and of a called workflow: checked, completed with their defaults, typed.

use std::collections::BTreeMap;

use lineclear_expr::{Object, Scope, Value};
use lineclear_workflow::{Input, InputKind, Workflow};

/// Longest payload of a dispatch, in characters.
const MAX_PAYLOAD: usize = 65_535;

/// Why an input is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// The workflow declares no such input.
    #[error("unknown input `{name}`; {}", known(declared))]
    Unknown { name: String, declared: Vec<String> },
    #[error("required input `{name}` is missing{}", describe(description.as_deref()))]
    Missing { name: String, description: Option<String> },
    #[error("input `{name}` is a boolean: `true` or `false`, not `{found}`")]
    NotABoolean { name: String, found: String },
    #[error("input `{name}` is a number, not `{found}`")]
    NotANumber { name: String, found: String },
    #[error("input `{name}` is a string, not {found}")]
    NotAString { name: String, found: &'static str },
    #[error("input `{name}` is one of {}, not `{found}`", list(options))]
    NotAChoice { name: String, found: String, options: Vec<String> },
    #[error("the inputs have {length} characters together; at most {MAX_PAYLOAD} are allowed")]
    TooLong { length: usize },
    /// The default's expression failed.
    #[error("the default of input `{name}` has no value: {message}")]
    Default { name: String, message: String },
    /// The workflow has no `workflow_dispatch` or `workflow_call`.
    #[error("{file} takes no inputs: it has no `{event}` trigger")]
    NotATrigger { file: String, event: &'static str },
}

/// The inputs of a dispatch.
#[derive(Clone, Debug, PartialEq)]
pub struct DispatchInputs {
    /// The `inputs` context: booleans are booleans, numbers are numbers.
    pub typed: Value,
    /// `github.event.inputs`: an object of text.
    pub payload: serde_json::Value,
}

/// Checks the inputs given to `workflow_dispatch` and completes them with the defaults.
///
/// Names are found ignoring case. A boolean that is neither given nor has a default is false, a number zero, a choice its
/// first option, everything else the empty text. An empty text counts as not given where a value is required.
///
/// # Errors
/// All that is wrong, in the order of the inputs.
pub fn dispatch_inputs(
    workflow: &Workflow,
    given: &BTreeMap<String, String>,
) -> Result<DispatchInputs, Vec<InputError>> {
    let Some(trigger) = workflow.on.get("workflow_dispatch") else {
        let file = workflow.source.name().to_owned();
        return Err(vec![InputError::NotATrigger { file, event: "workflow_dispatch" }]);
    };
    let mut errors: Vec<_> = unknown(given.keys(), &trigger.inputs).collect();
    let mut typed = Object::new();
    let mut payload = serde_json::Map::new();
    for input in &trigger.inputs {
        let name = &input.name.value;
        let text = given.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, text)| text.clone());
        let default = || input.default.as_ref().map(default_text);
        let known = text.or_else(default);
        // Nothing stands for a number that was asked for: the zero is only for one that may be left out.
        let is_missing = known.is_none() && input.kind == InputKind::Number;
        let text = known.unwrap_or_else(|| fallback(&input.kind));
        if input.required && (is_missing || text.is_empty()) {
            errors.push(InputError::Missing { name: name.clone(), description: input.description.clone() });
            continue;
        }
        match from_text(name, &input.kind, &text) {
            Ok(value) => {
                // Spelled as the `inputs` context prints it, so that comparing the two ways of asking agrees.
                let text = if let Value::Bool(value) = value { value.to_string() } else { text };
                payload.insert(name.clone(), text.into());
                typed.insert(name.as_str(), value);
            }
            Err(error) => errors.push(error),
        }
    }
    let length: usize = given.values().map(|text| text.chars().count()).sum();
    if length > MAX_PAYLOAD {
        errors.push(InputError::TooLong { length });
    }
    match errors.is_empty() {
        true => Ok(DispatchInputs { typed: typed.into(), payload: payload.into() }),
        false => Err(errors),
    }
}

/// Checks the evaluated `with:` of a calling job against the called workflow: its `inputs` context.
///
/// `scope` is what the defaults' expressions see. An input that is neither given nor has a default is the empty text,
/// false or zero. A value of another type is refused rather than converted, as on GitHub: text is no boolean.
///
/// # Errors
/// All that is wrong, in the order of the inputs.
pub fn call_inputs(called: &Workflow, with: &[(String, Value)], scope: &dyn Scope) -> Result<Value, Vec<InputError>> {
    let Some(trigger) = called.on.get("workflow_call") else {
        let file = called.source.name().to_owned();
        return Err(vec![InputError::NotATrigger { file, event: "workflow_call" }]);
    };
    let mut errors = call_input_names(called, with.iter().map(|(name, _)| name));
    let mut inputs = Object::new();
    for input in &trigger.inputs {
        let name = &input.name.value;
        let value = match with.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)) {
            Some((_, value)) => Ok(value.clone()),
            None => match &input.default {
                Some(default) => default
                    .template
                    .evaluate(scope)
                    .map_err(|error| InputError::Default { name: name.clone(), message: error.message }),
                None => Ok(zero(&input.kind)),
            },
        };
        match value.and_then(|value| of_type(name, &input.kind, value)) {
            Ok(value) => inputs.insert(name.as_str(), value),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(inputs.into()) } else { Err(errors) }
}

/// What can be said of a call's inputs from their names alone: unknown ones, and required ones that are missing.
pub fn call_input_names<'a>(called: &Workflow, given: impl Iterator<Item = &'a String> + Clone) -> Vec<InputError> {
    let Some(trigger) = called.on.get("workflow_call") else { return Vec::new() };
    let is_missing = |input: &&Input| {
        let is_given = given.clone().any(|name| name.eq_ignore_ascii_case(&input.name));
        input.required && input.default.is_none() && !is_given
    };
    let missing = trigger
        .inputs
        .iter()
        .filter(is_missing)
        .map(|input| InputError::Missing { name: input.name.value.clone(), description: input.description.clone() });
    unknown(given.clone(), &trigger.inputs).chain(missing).collect()
}

fn unknown<'a>(given: impl Iterator<Item = &'a String>, declared: &[Input]) -> impl Iterator<Item = InputError> {
    given.filter(|name| !declared.iter().any(|input| input.name.eq_ignore_ascii_case(name))).map(|name| {
        let declared = declared.iter().map(|input| input.name.value.clone()).collect();
        InputError::Unknown { name: name.clone(), declared }
    })
}

/// The text of a dispatch input's default, which holds no expression: as it was written, so that `1.10` stays that.
fn default_text(default: &lineclear_workflow::Text) -> String {
    match default.template.as_literal() {
        Some(Value::Null) => String::new(),
        Some(Value::Bool(value)) => value.to_string(),
        _ => default.raw().to_owned(),
    }
}

fn fallback(kind: &InputKind) -> String {
    match kind {
        InputKind::Boolean => "false".into(),
        InputKind::Number => "0".into(),
        InputKind::Choice(options) => options.first().cloned().unwrap_or_default(),
        InputKind::String | InputKind::Environment => String::new(),
    }
}

fn zero(kind: &InputKind) -> Value {
    match kind {
        InputKind::Boolean => Value::Bool(false),
        InputKind::Number => Value::Number(0.0),
        InputKind::String | InputKind::Environment | InputKind::Choice(_) => Value::string(""),
    }
}

fn from_text(name: &str, kind: &InputKind, text: &str) -> Result<Value, InputError> {
    let (name, found) = (name.to_owned(), text.to_owned());
    match kind {
        InputKind::Boolean if text.eq_ignore_ascii_case("true") => Ok(Value::Bool(true)),
        InputKind::Boolean if text.eq_ignore_ascii_case("false") => Ok(Value::Bool(false)),
        InputKind::Boolean => Err(InputError::NotABoolean { name, found }),
        InputKind::Number => match Value::string(text).to_number() {
            number if number.is_finite() => Ok(Value::Number(number)),
            _ => Err(InputError::NotANumber { name, found }),
        },
        InputKind::Choice(options) if options.iter().any(|option| option == text) => Ok(Value::string(text)),
        InputKind::Choice(options) => Err(InputError::NotAChoice { name, found, options: options.clone() }),
        InputKind::String | InputKind::Environment => Ok(Value::string(text)),
    }
}

fn of_type(name: &str, kind: &InputKind, value: Value) -> Result<Value, InputError> {
    let name = name.to_owned();
    match (kind, value) {
        (InputKind::Boolean, value @ Value::Bool(_)) | (InputKind::Number, value @ Value::Number(_)) => Ok(value),
        (InputKind::Boolean, other) => Err(InputError::NotABoolean { name, found: other.to_text() }),
        (InputKind::Number, other) => Err(InputError::NotANumber { name, found: other.to_text() }),
        (_, Value::Array(_)) => Err(InputError::NotAString { name, found: "a list" }),
        (_, Value::Object(_)) => Err(InputError::NotAString { name, found: "a mapping" }),
        (_, scalar) => Ok(Value::string(scalar.to_text())),
    }
}

fn known(declared: &[String]) -> String {
    match declared {
        [] => "the workflow declares none".into(),
        declared => format!("the workflow declares {}", list(declared)),
    }
}

fn list(names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

fn describe(description: Option<&str>) -> String {
    match description.and_then(|text| text.lines().next()).map(str::trim) {
        Some(text) if !text.is_empty() => format!(" ({text})"),
        _ => String::new(),
    }
}
