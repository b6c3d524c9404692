//! `uses:` steps.

use std::path::Path;

use lineclear_source::Spanned;
use lineclear_workflow::{ActionRef, Runs, Text};

use crate::action::{Body, LoadedAction};
use crate::composite;
use crate::containers::Place;
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
    let mut action = match loaded {
        Ok(action) => action,
        Err(reason) => return Stage::told_failure(call.log, reason),
    };
    inputs::warn(call, &action, with);
    let inputs = match inputs::resolve(call, worker, frame, &action, with) {
        Ok(inputs) => inputs,
        Err(reason) => return Stage::told_failure(call.log, reason),
    };
    if let (Body::Native(_), Some(path)) = (action.body, only_in_container(call, &inputs)) {
        action = match call.job.load_real(&uses.value) {
            Ok(real) => real,
            Err(reason) => {
                let reason = format!(
                    "`{}` names `{path}`, which only the job's container has, so the real action is needed in the place of the \
                     built-in one: {reason}",
                    action.reference
                );
                return Stage::told_failure(call.log, reason);
            }
        };
    }
    if !matches!(uses.value, ActionRef::Docker { .. }) {
        call.log.fact(&used::fact(&action));
    }
    show_header(call, worker, frame, &action, &inputs);
    match (action.body, &action.metadata.runs) {
        (Body::Native(number), _) => native_call::main(call, worker, frame, &action, number, inputs),
        (Body::OfItsOwn, Runs::JavaScript { .. }) => javascript::main(call, worker, frame, &action, inputs),
        (Body::OfItsOwn, Runs::Composite { .. }) => composite::main(call, worker, frame, &action, inputs),
        (Body::OfItsOwn, Runs::Docker { .. }) => docker_action::main(call, worker, frame, &action, inputs),
    }
}

/// A path that an input names and that is in none of the job's folders: in a container it is the container's own.
fn only_in_container<'i>(call: &StepCall<'_>, inputs: &'i Inputs) -> Option<&'i str> {
    if call.job.place() == Place::Machine {
        return None;
    }
    let names_files = |name: &str| {
        let name = name.to_ascii_lowercase();
        ["path", "file", "dir", "folder"].iter().any(|word| name.contains(word))
    };
    let layout = call.job.room.layout();
    let is_of_job = |path: &Path| {
        let here = call.job.here(path);
        let workspaces = layout.workspace.parent().unwrap_or(&layout.workspace);
        [workspaces, &layout.temp, &layout.scratch, &layout.actions, &layout.tool_cache]
            .into_iter()
            .any(|folder| here.starts_with(folder))
    };
    let lines = inputs.iter().filter(|(name, _)| names_files(name)).flat_map(|(_, value)| value.lines());
    lines
        .map(|line| line.trim().trim_start_matches('!'))
        .find(|line| line.starts_with('/') && !is_of_job(Path::new(line)))
}

fn show_header(call: &StepCall<'_>, worker: &Worker, frame: &Frame, action: &LoadedAction, inputs: &Inputs) {
    let mut header = Header::new(&action.reference);
    header.with(inputs.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    header.env(&[&worker.env, &frame.calling_env, call.env]);
    call.log.show(&header.finish());
}
