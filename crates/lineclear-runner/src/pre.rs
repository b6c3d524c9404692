//! What actions do before the first step (trap 66).
//!
//! Only actions that are known when the job starts have such a stage: remote ones, also inside remote composite actions.
//!
//! # Source
//! Section 5.4 of the protocol notes, after `JobExtension.cs` and `ActionManager.cs` of `actions/runner`.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use lineclear_event::Outcome;
use lineclear_workflow::{ActionRef, Runs, Step, StepKind};

use crate::action::{Body, LoadedAction};
use crate::composite;
use crate::context::{Speaker, StatusView, StepScope};
use crate::display_name;
use crate::docker_action;
use crate::environment::Env;
use crate::evaluate;
use crate::frame::{Frame, Origin};
use crate::inputs;
use crate::invocation::StepCall;
use crate::javascript;
use crate::job::Job;
use crate::log::StepLog;
use crate::planned_step::{self, PlannedStep};
use crate::post::{Post, PostStage};
use crate::stage::Stage;
use crate::step::{self, Finished};
use crate::worker::Worker;

/// Every action that is known before the first step, with those inside it, or why it could not be had.
pub(crate) fn fetch_all(job: &Job<'_>, steps: &[Step], origin: &Origin) -> Vec<Result<Arc<LoadedAction>, String>> {
    let mut found = Vec::new();
    fetch(job, steps, origin, 0, &mut HashSet::new(), &mut found);
    found
}

fn fetch(
    job: &Job<'_>,
    steps: &[Step],
    origin: &Origin,
    depth: usize,
    seen: &mut HashSet<(Origin, String)>,
    found: &mut Vec<Result<Arc<LoadedAction>, String>>,
) {
    for step in steps {
        match &step.kind {
            StepKind::Parallel { steps } => fetch(job, steps, origin, depth, seen, found),
            StepKind::Uses { uses, .. } if !matches!(uses.value, ActionRef::Local { .. }) => {
                if !seen.insert((origin.clone(), display_name::reference(&uses.value))) {
                    continue;
                }
                found.push(job.load(&uses.value, origin));
                match found.last().cloned() {
                    Some(Ok(action)) if action.is_composite() && depth < composite::DEEPEST => {
                        fetch(job, composite::steps_of(&action), &action.origin, depth + 1, seen, found);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
}

/// Runs the `pre` stages of a job's steps in their order.
pub(crate) fn run_all(job: &Job<'_>, worker: &mut Worker, frame: &mut Frame, planned: &[PlannedStep<'_>]) {
    for planned in planned {
        run_all(job, worker, frame, &planned.inner);
        if job.hands.control.is_killed() {
            return;
        }
        if let Some(action) = with_pre(job, planned.step, &frame.origin, 0) {
            run_visibly(job, worker, frame, planned, &action);
        }
    }
}

/// The action of `step` if it, or an action inside it, has a `pre` stage.
fn with_pre(job: &Job<'_>, step: &Step, origin: &Origin, depth: usize) -> Option<Arc<LoadedAction>> {
    let StepKind::Uses { uses, .. } = &step.kind else { return None };
    if matches!(uses.value, ActionRef::Local { .. }) {
        return None;
    }
    let action = job.load(&uses.value, origin).ok()?;
    let has_pre = match (action.body, &action.metadata.runs) {
        (Body::OfItsOwn, Runs::JavaScript { pre, .. }) => pre.is_some(),
        (Body::OfItsOwn, Runs::Docker { pre_entrypoint, .. }) => pre_entrypoint.is_some(),
        (Body::OfItsOwn, Runs::Composite { steps }) => {
            depth < composite::DEEPEST
                && steps.iter().any(|step| with_pre(job, step, &action.origin, depth + 1).is_some())
        }
        _ => false,
    };
    has_pre.then_some(action)
}

fn run_visibly(
    job: &Job<'_>,
    worker: &mut Worker,
    frame: &mut Frame,
    planned: &PlannedStep<'_>,
    action: &Arc<LoadedAction>,
) {
    let id = format!("__pre_{}", planned.id.trim_start_matches('_'));
    let begun = (job.hands.clock)();
    let speaker = Speaker { step: &planned.id, env: None, files: None };
    let name = display_name::of(planned.step, &StepScope::new(job, &worker.env, frame, speaker), &job.masker);
    let mut finished = Finished::skipped(format!("Pre {name}"));
    step::tell_started(job, &id, &finished.name);
    let log = StepLog::new(job, &id);
    let limits = step::limits(job, worker, None, true, None);
    let stage = match step_env(job, worker, frame, planned) {
        Err(reason) => Stage::told_failure(&log, reason),
        Ok(env) => {
            let call = StepCall {
                job,
                id: &planned.id,
                key: &planned.key,
                env: &env,
                log: &log,
                limits: &limits,
                timeout: None,
                continues_on_error: false,
                name: &name,
            };
            run(&call, worker, frame, planned.step, action)
        }
    };
    step::apply_stage(&mut finished, stage, false);
    finished.mask(job);
    step::tell_finished(job, &id, &finished, begun);
    step::note(frame, finished.conclusion, || finished.as_failure());
}

fn step_env(job: &Job<'_>, worker: &Worker, frame: &Frame, planned: &PlannedStep<'_>) -> Result<Env, String> {
    let speaker = Speaker { step: &planned.id, env: None, files: None };
    match &planned.step.env {
        Some(block) => evaluate::env(&frame.source, block, &StepScope::new(job, &worker.env, frame, speaker)),
        None => Ok(Env::default()),
    }
}

/// The `pre` stage of one step, or those inside its composite action.
fn run(call: &StepCall<'_>, worker: &mut Worker, frame: &Frame, step: &Step, action: &Arc<LoadedAction>) -> Stage {
    let StepKind::Uses { with, .. } = &step.kind else { return Stage::success(Vec::new()) };
    let inputs = match inputs::resolve(call, worker, frame, action, with) {
        Ok(inputs) => inputs,
        Err(reason) => return Stage::told_failure(call.log, reason),
    };
    if !action.is_composite() {
        return own_stage(call, worker, frame, action, inputs);
    }
    let inner = match composite::frame_of(call, frame, action, &inputs) {
        Ok(inner) => inner,
        Err(reason) => return Stage::told_failure(call.log, reason),
    };
    let outer_posts = std::mem::take(&mut worker.posts);
    let mut failed = None;
    for planned in planned_step::plan(composite::steps_of(action), call.key) {
        if call.limits.halt(Instant::now()).is_some() {
            break;
        }
        let Some(inner_action) = with_pre(call.job, planned.step, &inner.origin, inner.depth) else { continue };
        let stage = match step_env(call.job, worker, &inner, &planned) {
            Err(reason) => Stage::told_failure(call.log, reason),
            Ok(env) => {
                let name = planned.step.name.as_ref().map_or(inner_action.reference.as_str(), |name| name.raw());
                let inner_call = StepCall { id: &planned.id, key: &planned.key, env: &env, name, ..*call };
                run(&inner_call, worker, &inner, planned.step, &inner_action)
            }
        };
        if stage.outcome != Outcome::Success {
            failed = failed.or(Some(stage));
        }
    }
    let inner_posts = std::mem::replace(&mut worker.posts, outer_posts);
    if !inner_posts.is_empty() {
        worker.register(Post::new(call, frame, action, inputs, PostStage::Composite(inner_posts)));
    }
    failed.unwrap_or_else(|| Stage::success(Vec::new()))
}

/// The `pre` of a JavaScript or Docker action, if `pre-if` allows it; its `post` is registered as it starts.
pub(crate) fn own_stage(
    call: &StepCall<'_>,
    worker: &mut Worker,
    frame: &Frame,
    action: &Arc<LoadedAction>,
    inputs: inputs::Inputs,
) -> Stage {
    let pre_if = match &action.metadata.runs {
        Runs::JavaScript { pre: Some(_), pre_if, .. } | Runs::Docker { pre_entrypoint: Some(_), pre_if, .. } => pre_if,
        _ => return Stage::success(Vec::new()),
    };
    if let Some(condition) = pre_if {
        let speaker = Speaker { step: call.id, env: Some(call.env), files: None };
        let mut scope = StepScope::new(call.job, &worker.env, frame, speaker);
        scope.view = StatusView::OfJob;
        match condition.expr.evaluate(&scope) {
            Ok(value) if value.is_truthy() => {}
            Ok(_) => {
                call.log.debug(|| format!("pre-if `{}` does not hold", condition.raw()));
                return Stage { outcome: Outcome::Skipped, ..Stage::success(Vec::new()) };
            }
            Err(error) => {
                let reason =
                    format!("the pre condition of `{}` cannot be evaluated: {}", action.reference, error.message);
                return Stage::told_failure(call.log, reason);
            }
        }
    }
    worker.pre_done.insert(call.key.to_owned());
    match &action.metadata.runs {
        Runs::Docker { .. } => docker_action::pre(call, worker, frame, action, inputs),
        _ => javascript::pre(call, worker, frame, action, inputs),
    }
}
