//! Composite actions: steps inside a step.
//!
//! # Source
//! Section 5.5 of the protocol notes, after `CompositeActionHandler.cs` of `actions/runner`.

use std::sync::Arc;
use std::time::Instant;

use lineclear_event::Outcome;
use lineclear_expr::{Object, Value};
use lineclear_workflow::{Runs, Step};

use crate::action::LoadedAction;
use crate::context::{Speaker, StepScope};
use crate::display_name;
use crate::evaluate;
use crate::frame::{Frame, Identity, Status};
use crate::inputs::Inputs;
use crate::invocation::StepCall;
use crate::planned_step;
use crate::post::{Post, PostStage};
use crate::process::Halt;
use crate::stage::Stage;
use crate::step::{self, Within};
use crate::worker::Worker;

/// How deep composite actions may stand in each other.
pub(crate) const DEEPEST: usize = 9;

/// What the steps of `action` see, called with `inputs` from `frame`. `Err` beyond [`DEEPEST`].
pub(crate) fn frame_of(
    call: &StepCall<'_>,
    frame: &Frame,
    action: &LoadedAction,
    inputs: &Inputs,
) -> Result<Frame, String> {
    if frame.depth >= DEEPEST {
        return Err(format!(
            "composite actions stand in each other more than {DEEPEST} deep at `{}`",
            action.reference
        ));
    }
    let mut values = Object::new();
    for (name, value) in inputs {
        values.insert(name.as_str(), value.as_str());
    }
    // The calling step's env is visible inside (trap 72).
    let mut calling_env = frame.calling_env.clone();
    calling_env.lay_over(call.env);
    Ok(Frame {
        source: action.metadata.source.clone(),
        origin: action.origin.clone(),
        inputs: values.into(),
        steps: Arc::default(),
        calling_env,
        identity: Identity {
            folder: Some(action.folder.clone()),
            repository: action.repository.clone(),
            reference: action.version.clone(),
        },
        status: Status::Success,
        first_failure: None,
        depth: frame.depth + 1,
        job_status: Some(frame.job_status.unwrap_or(frame.status)),
    })
}

/// The steps of a composite action; none for another kind.
pub(crate) fn steps_of(action: &LoadedAction) -> &[Step] {
    match &action.metadata.runs {
        Runs::Composite { steps } => steps,
        Runs::JavaScript { .. } | Runs::Docker { .. } => &[],
    }
}

/// Runs the steps, then evaluates the outputs, also after a failure (trap 70).
pub(crate) fn main(
    call: &StepCall<'_>,
    worker: &mut Worker,
    frame: &Frame,
    action: &Arc<LoadedAction>,
    inputs: Inputs,
) -> Stage {
    let mut inner = match frame_of(call, frame, action, &inputs) {
        Ok(inner) => inner,
        Err(reason) => return Stage::told_failure(call.log, reason),
    };
    // What the inner steps register runs together, at this action's place.
    let outer_posts = std::mem::take(&mut worker.posts);
    let halted = run_steps(call, worker, &mut inner, steps_of(action));
    let inner_posts = std::mem::replace(&mut worker.posts, outer_posts);
    if !inner_posts.is_empty() {
        worker.register(Post::new(call, frame, action, inputs, PostStage::Composite(inner_posts)));
    }
    let outputs = outputs(call, worker, &inner, action);
    let mut stage = match (halted, inner.status) {
        (Some(halt), _) => Stage::halted(call.log, halt),
        (None, Status::Success) => Stage::success(Vec::new()),
        // The step inside that was interrupted has said so.
        (None, Status::Cancelled) => Stage::cancelled("the job was cancelled"),
        (None, Status::Failure) => {
            Stage::failure(inner.first_failure.unwrap_or_else(|| "a step of it failed".to_owned()))
        }
    };
    match outputs {
        Ok(outputs) => stage.outputs = outputs,
        Err(reason) => {
            call.log.error(&reason);
            if stage.outcome == Outcome::Success {
                stage = Stage::failure(reason);
            }
        }
    }
    stage
}

fn run_steps(call: &StepCall<'_>, worker: &mut Worker, inner: &mut Frame, steps: &[Step]) -> Option<Halt> {
    let within = Within { log: call.log, limits: call.limits };
    for planned in planned_step::plan(steps, call.key) {
        let halt = call.limits.halt(Instant::now());
        // A cancelled job still visits the other steps: `always()` and `cancelled()` hold there.
        if halt.is_some_and(|halt| halt != Halt::Cancelled || !call.job.hands.control.is_cancelled()) {
            return halt;
        }
        if halt == Some(Halt::Cancelled) {
            inner.status = Status::Cancelled;
        }
        let mut finished = step::perform(call.job, worker, inner, &planned, Some(within));
        finished.name = display_name::plain(planned.step, &call.job.masker);
        step::conclude(inner, &planned, &finished);
        if finished.broken_condition {
            break;
        }
    }
    None
}

/// The declared outputs; what inner steps wrote beyond them is not visible outside.
fn outputs(
    call: &StepCall<'_>,
    worker: &Worker,
    inner: &Frame,
    action: &LoadedAction,
) -> Result<Vec<(String, String)>, String> {
    let speaker = Speaker { step: call.id, env: None, files: None };
    let scope = StepScope::new(call.job, &worker.env, inner, speaker);
    let mut outputs = Vec::new();
    for output in &action.metadata.outputs {
        if let Some(text) = &output.value {
            let key = format!("outputs.{}.value", output.name.value);
            let value =
                text.template.evaluate(&scope).map_err(|error| evaluate::cannot(&inner.source, &key, text, &error))?;
            if value != Value::Null {
                outputs.push((output.name.value.clone(), value.to_text()));
            }
        }
    }
    Ok(outputs)
}
