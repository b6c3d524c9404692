//! `uses:` steps.

use lineclear_source::Spanned;
use lineclear_workflow::{ActionRef, Runs, Text};

use crate::action::{Body, LoadedAction};
use crate::composite;
use crate::docker_action;
use crate::frame::Frame;
use crate::header::Header;
use crate::inputs::{self, Inputs};
use crate::invocation::StepCall;
use crate::javascript;
use crate::native_call;
use crate::stage::Stage;
use crate::used;
use crate::worker::Worker;

/// Carries the action's main stage to its end.
pub(crate) fn run(
    call: &StepCall<'_>,
    worker: &mut Worker,
    frame: &Frame,
    uses: &Spanned<ActionRef>,
    with: &[(Spanned<String>, Text)],
) -> Stage {
    let loaded = call.job.load(&uses.value, &frame.origin);
    let action = match loaded {
        Ok(action) => action,
        Err(reason) => return Stage::told_failure(call.log, reason),
    };
    if !matches!(uses.value, ActionRef::Docker { .. }) {
        call.log.fact(&used::fact(&action));
    }
    inputs::warn(call, &action, with);
    let inputs = match inputs::resolve(call, worker, frame, &action, with) {
        Ok(inputs) => inputs,
        Err(reason) => return Stage::told_failure(call.log, reason),
    };
    show_header(call, worker, frame, &action, &inputs);
    match (action.body, &action.metadata.runs) {
        (Body::Native(number), _) => native_call::main(call, worker, frame, &action, number, inputs),
        (Body::OfItsOwn, Runs::JavaScript { .. }) => javascript::main(call, worker, frame, &action, inputs),
        (Body::OfItsOwn, Runs::Composite { .. }) => composite::main(call, worker, frame, &action, inputs),
        (Body::OfItsOwn, Runs::Docker { .. }) => docker_action::main(call, worker, frame, &action, inputs),
    }
}

fn show_header(call: &StepCall<'_>, worker: &Worker, frame: &Frame, action: &LoadedAction, inputs: &Inputs) {
    let mut header = Header::new(&action.reference);
    header.with(inputs.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    header.env(&[&worker.env, &frame.calling_env, call.env]);
    call.log.show(&header.finish());
}
