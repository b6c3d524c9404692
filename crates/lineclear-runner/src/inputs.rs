//! What an action is called with.
//!
//! # Source
//! Sections 1.5 and 5.3 of the protocol notes, after `ActionRunner.cs` of `actions/runner`.

use lineclear_source::Spanned;
use lineclear_workflow::{Runs, Text};

use crate::action::LoadedAction;
use crate::context::{Speaker, StepScope};
use crate::evaluate;
use crate::frame::Frame;
use crate::invocation::StepCall;
use crate::worker::Worker;

/// Names and values: the declared inputs that were given or have a default, then what was given beyond them.
pub(crate) type Inputs = Vec<(String, String)>;

/// Evaluates `with` and the defaults of inputs not given. Names ignore case; a missing required input is no error (trap 75).
pub(crate) fn resolve(
    call: &StepCall<'_>,
    worker: &Worker,
    frame: &Frame,
    action: &LoadedAction,
    with: &[(Spanned<String>, Text)],
) -> Result<Inputs, String> {
    let speaker = Speaker { step: call.id, env: Some(call.env), files: None };
    let scope = StepScope::new(call.job, &worker.env, frame, speaker);
    let mut given = Inputs::with_capacity(with.len());
    for (name, value) in with {
        let value = evaluate::text(&frame.source, &format!("with.{}", name.value), value, &scope)?;
        given.push((name.value.clone(), value));
    }
    let declared = &action.metadata.inputs;
    let mut inputs = Inputs::with_capacity(declared.len().max(given.len()));
    for input in declared {
        let name = &input.name.value;
        if let Some(at) = given.iter().position(|(given, _)| given.eq_ignore_ascii_case(name)) {
            inputs.push((name.clone(), given.remove(at).1));
        } else if let Some(default) = &input.default {
            let key = format!("inputs.{name}.default");
            let value = evaluate::text(&action.metadata.source, &key, default, &scope)?;
            inputs.push((name.clone(), value));
        }
    }
    inputs.extend(given);
    Ok(inputs)
}

/// Warns of inputs that the action does not know or wants no more.
pub(crate) fn warn(call: &StepCall<'_>, action: &LoadedAction, with: &[(Spanned<String>, Text)]) {
    if action.reference.starts_with("docker://") {
        // An image says nothing of its inputs.
        return;
    }
    let declared = &action.metadata.inputs;
    let is_docker = matches!(action.metadata.runs, Runs::Docker { .. });
    let unknown: Vec<String> = with
        .iter()
        .map(|(name, _)| &name.value)
        .filter(|name| !(is_docker && ["args", "entrypoint"].iter().any(|known| name.eq_ignore_ascii_case(known))))
        .filter(|name| !declared.iter().any(|input| input.name.value.eq_ignore_ascii_case(name)))
        .map(|name| format!("'{name}'"))
        .collect();
    if !unknown.is_empty() {
        let valid: Vec<String> = declared.iter().map(|input| format!("'{}'", input.name.value)).collect();
        call.log.warning(&format!(
            "Unexpected input(s) {}, valid inputs are [{}]",
            unknown.join(", "),
            valid.join(", ")
        ));
    }
    for input in declared {
        let is_given = with.iter().any(|(name, _)| name.value.eq_ignore_ascii_case(&input.name.value));
        if let (true, Some(message)) = (is_given, &input.deprecation) {
            call.log.warning(&format!("Input '{}' has been deprecated with message: {message}", input.name.value));
        }
    }
}
