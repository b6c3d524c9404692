//! `inputs` and `github.event.inputs`.

use lineclear_expr::Value;
use lineclear_workflow::{Action, Input, InputKind, Trigger, Workflow};

use super::{Origin, Property, Type};

/// `inputs` of a workflow: those of a manual start and those of a call.
pub(super) fn of_workflow(workflow: &Workflow) -> Type {
    let mut properties: Vec<Property> = Vec::new();
    let triggers = &workflow.on;
    for trigger in ["workflow_dispatch", "workflow_call"].into_iter().filter_map(|event| triggers.get(event)) {
        for input in &trigger.inputs {
            let kind = kind(input);
            match properties.iter_mut().find(|own| own.name.eq_ignore_ascii_case(&input.name.value)) {
                Some(own) => own.kind = own.kind.clone().or(kind),
                None => properties.push(Property::new(input.name.value.clone(), kind)),
            }
        }
    }
    Type::strict(Origin::Inputs, properties)
}

/// `inputs` of an action, which are text.
pub(super) fn of_action(action: &Action) -> Type {
    let property = |input: &Input| {
        let default = input.default.as_ref();
        let is_flag = default.is_some_and(|text| matches!(text.raw(), "true" | "false"));
        Property::new(input.name.value.clone(), if is_flag { Type::BoolText } else { Type::String })
    };
    Type::strict(Origin::Inputs, action.inputs.iter().map(property).collect())
}

/// `github.event.inputs`: what was given for a manual start, as text. Of a called workflow it is its caller's.
pub(super) fn of_event(dispatch: &Trigger, is_called: bool) -> Type {
    let property = |input: &Input| {
        let kind = if input.kind == InputKind::Boolean { Type::BoolText } else { Type::String };
        Property::new(input.name.value.clone(), kind)
    };
    let properties = dispatch.inputs.iter().map(property).collect();
    if is_called {
        Type::open(Origin::EventInputs, properties, Type::String)
    } else {
        Type::strict(Origin::EventInputs, properties)
    }
}

fn kind(input: &Input) -> Type {
    match input.kind {
        InputKind::Boolean => Type::Bool,
        InputKind::Number => Type::Number,
        InputKind::Choice(ref options) if is_flag(options) => Type::BoolText,
        // A default of `true` says what was meant, whatever the type says.
        InputKind::String if matches!(literal(input), Some("true" | "false")) => Type::BoolText,
        InputKind::String | InputKind::Choice(_) | InputKind::Environment => Type::String,
    }
}

/// Whether `true` and `false` are what can be chosen.
fn is_flag(options: &[String]) -> bool {
    !options.is_empty() && options.iter().all(|option| matches!(option.as_str(), "true" | "false"))
}

fn literal(input: &Input) -> Option<&str> {
    let default = input.default.as_ref()?;
    match default.template.as_literal()? {
        Value::String(_) | Value::Bool(_) => Some(default.raw()),
        _ => None,
    }
}
