//! One step from its condition to its conclusion.
//!
//! ```text
//! env evaluated ─► condition ─► running ─► outcome ─ continue-on-error ─► conclusion
//!      │               ├─ false ─► skipped
//!      └── no value ───┴─ no value ─► failed
//! ```
//!
//! # Source
//! Section 4.10 of the protocol notes, after `StepsRunner.cs` of `actions/runner`.

use std::time::{Duration, Instant};

use lineclear_event::{Conclusion, Outcome, RunEvent};
use lineclear_expr::{Object, Value};
use lineclear_workflow::StepKind;

use crate::condition::{self, Decision};
use crate::context::{Speaker, StepScope};
use crate::display_name;
use crate::environment::Env;
use crate::evaluate;
use crate::frame::Frame;
use crate::invocation::StepCall;
use crate::job::Job;
use crate::log::StepLog;
use crate::pause;
use crate::planned_step::PlannedStep;
use crate::process::Limits;
use crate::script::{self, Script};
use crate::stage::Stage;
use crate::uses;
use crate::worker::Worker;

/// How a step ended.
#[derive(Clone, Debug)]
pub(crate) struct Finished {
    pub(crate) name: String,
    pub(crate) outcome: Outcome,
    pub(crate) conclusion: Conclusion,
    pub(crate) exit_code: Option<i32>,
    pub(crate) reason: Option<String>,
    pub(crate) outputs: Value,
    /// The condition could not be evaluated: a composite action goes no further then.
    pub(crate) broken_condition: bool,
}

impl Finished {
    pub(crate) fn skipped(name: String) -> Self {
        Self {
            name,
            outcome: Outcome::Skipped,
            conclusion: Conclusion::Skipped,
            exit_code: None,
            reason: None,
            outputs: Object::new().into(),
            broken_condition: false,
        }
    }

    /// Hides secrets in what will be told. The name is masked already.
    pub(crate) fn mask(&mut self, job: &Job<'_>) {
        if let Some(reason) = &mut self.reason {
            *reason = job.masker.mask(reason).into_owned();
        }
    }

    /// "step `Test` failed with exit code 1".
    pub(crate) fn as_failure(&self) -> String {
        let name = if self.name.is_empty() { "a step".to_owned() } else { format!("step `{}`", self.name) };
        match &self.reason {
            Some(reason) if reason.starts_with("exit code ") => format!("{name} failed with {reason}"),
            Some(reason) => format!("{name} failed: {reason}"),
            None => format!("{name} failed"),
        }
    }
}

/// The step around a step: a composite action's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Within<'s> {
    pub(crate) log: &'s StepLog<'s>,
    pub(crate) limits: &'s Limits,
}

/// Runs a step and tells its events; inside a composite action it tells none and writes to the calling step's log.
///
/// Does not touch `frame`'s status: [`conclude`] does, when the step's end becomes visible.
pub(crate) fn perform(
    job: &Job<'_>,
    worker: &mut Worker,
    frame: &Frame,
    planned: &PlannedStep<'_>,
    within: Option<Within<'_>>,
) -> Finished {
    let step = planned.step;
    let begun = (job.hands.clock)();
    let prepared = prepare(job, worker, frame, planned);
    let mut finished = Finished::skipped(String::new());
    let (env, decision) = match prepared {
        Ok((env, decision)) => (env, decision),
        Err(reason) => (Env::default(), Decision::Broken { reason }),
    };
    let own_log;
    let log = match within {
        Some(within) => within.log,
        None => {
            let speaker = Speaker { step: &planned.id, env: Some(&env), files: None };
            finished.name = display_name::of(step, &StepScope::new(job, &worker.env, frame, speaker), &job.masker);
            own_log = StepLog::new(job, &planned.id);
            &own_log
        }
    };
    let visible = within.is_none();
    if visible && !matches!(decision, Decision::Skip { .. }) {
        tell_started(job, &planned.id, &finished.name);
    }
    match decision {
        Decision::Skip { reason } => {
            log.debug(|| format!("skipped: {reason}"));
            finished.reason = Some(reason);
        }
        Decision::Broken { reason } => {
            log.error(&reason);
            finished.outcome = Outcome::Failure;
            finished.conclusion = Conclusion::Failure;
            finished.broken_condition = true;
            finished.reason = Some(reason);
        }
        Decision::Run { keeps_on_cancel } => {
            let name = match within {
                // Inside a composite action only its post stage is ever called by a name: that in the file.
                Some(_) => display_name::plain(step, &job.masker),
                None => finished.name.clone(),
            };
            let posts = worker.posts.len();
            let (stage, continues) = loop {
                // What the try before this registered to run at the end would otherwise run twice.
                worker.posts.truncate(posts);
                worker.last_place = None;
                let ran = run(job, worker, frame, planned, &env, keeps_on_cancel, &name, log, within);
                if !(visible && pause::wants_retry(job, worker, log, &name, &ran.0)) {
                    break ran;
                }
            };
            apply_stage(&mut finished, stage, continues);
        }
    }
    finished.mask(job);
    if visible {
        tell_finished(job, &planned.id, &finished, begun);
    }
    finished
}

fn prepare(
    job: &Job<'_>,
    worker: &Worker,
    frame: &Frame,
    planned: &PlannedStep<'_>,
) -> Result<(Env, Decision), String> {
    let mut speaker = Speaker { step: &planned.id, env: None, files: None };
    let env = match &planned.step.env {
        // Evaluated first, so that the condition sees it (trap 15), and for a step that will be skipped too.
        Some(block) => evaluate::env(&frame.source, block, &StepScope::new(job, &worker.env, frame, speaker))?,
        None => Env::default(),
    };
    speaker.env = Some(&env);
    let mut scope = StepScope::new(job, &worker.env, frame, speaker);
    let condition = planned.step.condition.as_ref();
    let decision = condition::decide(condition, &mut scope, &frame.source, frame.first_failure.as_deref());
    drop(scope);
    Ok((env, decision))
}

#[expect(clippy::too_many_arguments, reason = "all of it is what one step is made of, and there is one caller")]
fn run(
    job: &Job<'_>,
    worker: &mut Worker,
    frame: &Frame,
    planned: &PlannedStep<'_>,
    env: &Env,
    keeps_on_cancel: bool,
    name: &str,
    log: &StepLog<'_>,
    within: Option<Within<'_>>,
) -> (Stage, bool) {
    let step = planned.step;
    let speaker = Speaker { step: &planned.id, env: Some(env), files: None };
    let scope = StepScope::new(job, &worker.env, frame, speaker);
    let continues = match &step.continue_on_error {
        Some(text) => evaluate::boolean(&frame.source, "continue-on-error", text, &scope),
        None => Ok(false),
    };
    let minutes = match &step.timeout_minutes {
        Some(text) => evaluate::number(&frame.source, "timeout-minutes", text, &scope).map(Some),
        None => Ok(None),
    };
    drop(scope);
    let (continues, minutes) = match (continues, minutes) {
        (Ok(continues), Ok(minutes)) => (continues, minutes),
        (Err(reason), _) | (_, Err(reason)) => return (Stage::told_failure(log, reason), false),
    };
    let timeout = minutes.filter(|&minutes| minutes > 0.0).and_then(time_of);
    let limits = limits(job, worker, timeout, keeps_on_cancel, within.map(|within| within.limits));
    let call = StepCall {
        job,
        id: &planned.id,
        key: &planned.key,
        env,
        log,
        limits: &limits,
        timeout,
        continues_on_error: continues,
        name,
    };
    let mut stage = match limits.halt(Instant::now()) {
        Some(halt) => Stage::halted(log, halt),
        None => execute(&call, worker, frame, planned),
    };
    if timeout.is_some() {
        stage = say_timeout(log, stage, timeout);
    }
    (stage, continues)
}

/// Says of a stage whose time was over how long that was.
pub(crate) fn say_timeout(log: &StepLog<'_>, mut stage: Stage, timeout: Option<Duration>) -> Stage {
    if let (true, Some(timeout)) = (stage.timed_out, timeout) {
        let minutes = timeout.as_secs_f64() / 60.0;
        log.error(&format!("The action has timed out after {minutes} minutes."));
        stage.reason = Some(format!("it ran longer than its timeout-minutes: {minutes}"));
    }
    stage
}

/// A time of so many minutes; none where it is longer than anything lasts.
fn time_of(minutes: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(minutes * 60.0).ok()
}

/// What may end a step from outside, given what may end the step around it.
pub(crate) fn limits(
    job: &Job<'_>,
    worker: &Worker,
    timeout: Option<Duration>,
    keeps_on_cancel: bool,
    around: Option<&Limits>,
) -> Limits {
    let control = job.hands.control;
    let own_deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let outer_deadline = around.and_then(|around| around.deadline);
    Limits {
        job: control.clone(),
        thread: worker.control.clone(),
        // A step that begins in a cancelled job was chosen by a condition that holds there.
        keeps_on_cancel: keeps_on_cancel
            && around.is_none_or(|around| around.keeps_on_cancel || control.is_cancelled()),
        deadline: [own_deadline, outer_deadline].into_iter().flatten().min(),
    }
}

fn execute(call: &StepCall<'_>, worker: &mut Worker, frame: &Frame, planned: &PlannedStep<'_>) -> Stage {
    match &planned.step.kind {
        StepKind::Run { script, shell, working_directory } => {
            let script = Script { text: script, shell: shell.as_ref(), folder: working_directory.as_ref() };
            script::run(call, worker, frame, script)
        }
        StepKind::Uses { uses, with } => uses::run(call, worker, frame, uses, with),
        // The workflow's reader lets these stand among a job's own steps only, where they are carried out before this.
        StepKind::Wait { .. } | StepKind::WaitAll | StepKind::Cancel { .. } | StepKind::Parallel { .. } => {
            Stage::told_failure(call.log, "background steps cannot be used inside a composite action")
        }
    }
}

/// The conclusion of a stage, `continue-on-error` applied: it turns a failure to success, and no cancellation.
pub(crate) fn apply_stage(finished: &mut Finished, stage: Stage, continues: bool) {
    finished.outcome = stage.outcome;
    finished.conclusion = match stage.outcome {
        Outcome::Failure if continues => Conclusion::Success,
        outcome => outcome.into(),
    };
    finished.exit_code = stage.exit_code;
    finished.reason = stage.reason;
    let mut outputs = Object::new();
    for (name, value) in stage.outputs {
        outputs.insert(name, value);
    }
    finished.outputs = outputs.into();
}

/// Makes a step's end visible to the steps after it.
pub(crate) fn conclude(frame: &mut Frame, planned: &PlannedStep<'_>, finished: &Finished) {
    if let Some(id) = planned.own_id() {
        frame.record(id, finished.outcome, finished.conclusion, finished.outputs.clone());
    }
    note(frame, finished.conclusion, || finished.as_failure());
}

/// Lets `conclusion` count for the steps after it.
pub(crate) fn note(frame: &mut Frame, conclusion: Conclusion, failure: impl FnOnce() -> String) {
    frame.status = frame.status.after(conclusion);
    if conclusion == Conclusion::Failure && frame.first_failure.is_none() {
        frame.first_failure = Some(failure());
    }
}

pub(crate) fn tell_started(job: &Job<'_>, id: &str, name: &str) {
    job.hands.sink.event(RunEvent::StepStarted {
        job: job.spec.job.clone(),
        step: id.to_owned(),
        name: name.to_owned(),
    });
}

pub(crate) fn tell_finished(job: &Job<'_>, id: &str, finished: &Finished, begun: lineclear_event::Timestamp) {
    job.hands.sink.event(RunEvent::StepFinished {
        job: job.spec.job.clone(),
        step: id.to_owned(),
        name: finished.name.clone(),
        outcome: finished.outcome,
        conclusion: finished.conclusion,
        duration_ms: (job.hands.clock)().millis_since(begun),
        exit_code: finished.exit_code,
        reason: finished.reason.clone(),
    });
}
