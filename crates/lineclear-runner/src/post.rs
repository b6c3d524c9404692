//! What actions do after all steps, in reverse order (trap 67).
//!
//! # Source
//! Section 5.4 of the protocol notes, after `ExecutionContext.RegisterPostJobStep` and `CompositeActionHandler.cs` of `actions/runner`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lineclear_event::Outcome;
use lineclear_expr::Expr;
use lineclear_workflow::Runs;

use crate::action::{Body, LoadedAction};
use crate::condition;
use crate::context::{Speaker, StatusView, StepScope};
use crate::docker_action;
use crate::environment::Env;
use crate::frame::{Frame, Status};
use crate::inputs::Inputs;
use crate::invocation::StepCall;
use crate::javascript;
use crate::job::Job;
use crate::log::StepLog;
use crate::native_call;
use crate::process::{Halt, Limits};
use crate::stage::Stage;
use crate::step::{self, Finished};
use crate::worker::Worker;

/// A post stage that waits for the end of the steps: everything that its main stage was called with.
#[derive(Debug)]
pub(crate) struct Post {
    /// Which step registered it: one step has one post stage, whichever of its stages registered it.
    key: String,
    /// `github.action` of that step.
    step: String,
    name: String,
    env: Env,
    frame: Frame,
    action: Arc<LoadedAction>,
    inputs: Inputs,
    stage: PostStage,
    timeout: Option<Duration>,
    continues_on_error: bool,
}

/// What a post stage consists of.
#[derive(Debug)]
pub(crate) enum PostStage {
    /// The action's own `post`, or that of the built-in action.
    Own,
    /// Post stages of the steps inside a composite action, in the order in which they were registered.
    Composite(Vec<Post>),
}

impl Post {
    pub(crate) fn new(
        call: &StepCall<'_>,
        frame: &Frame,
        action: &Arc<LoadedAction>,
        inputs: Inputs,
        stage: PostStage,
    ) -> Self {
        Self {
            key: call.key.to_owned(),
            step: call.id.to_owned(),
            name: call.name.to_owned(),
            env: call.env.clone(),
            frame: frame.clone(),
            action: Arc::clone(action),
            inputs,
            stage,
            timeout: call.timeout,
            continues_on_error: call.continues_on_error,
        }
    }

    /// Adds `post`; where its step has one already, that keeps its place and learns what is new.
    pub(crate) fn register(posts: &mut Vec<Self>, post: Self) {
        let Some(known) = posts.iter_mut().find(|known| known.key == post.key) else {
            posts.push(post);
            return;
        };
        let before = std::mem::replace(known, post);
        if let (PostStage::Composite(now), PostStage::Composite(mut all)) = (&mut known.stage, before.stage) {
            for inner in now.drain(..) {
                Self::register(&mut all, inner);
            }
            *now = all;
        }
    }

    /// Whether it runs, by `post-if`; without one it always does.
    fn decide(&self, job: &Job<'_>, worker: &Worker, frame: &Frame) -> Result<Verdict, String> {
        let speaker = Speaker { step: &self.step, env: Some(&self.env), files: None };
        let mut scope = StepScope::new(job, &worker.env, frame, speaker);
        scope.view = StatusView::OfJob;
        let native;
        let (expr, raw) = match (self.action.body, &self.action.metadata.runs) {
            (Body::Native(number), _) => {
                let text = job.native_action(number).map_or("always()", |native| native.post_if());
                native = Expr::parse_plain_condition(text, None).map_err(|_| {
                    format!("the post condition `{text}` of `{}` is no expression", self.action.reference)
                })?;
                (&native, text)
            }
            (
                Body::OfItsOwn,
                Runs::JavaScript { post_if: Some(condition), .. } | Runs::Docker { post_if: Some(condition), .. },
            ) => (&condition.expr, condition.raw()),
            _ => return Ok(Verdict::Run { keeps_on_cancel: true }),
        };
        let broken = |message: String| {
            format!("the post condition `{raw}` of `{}` cannot be evaluated: {message}", self.action.reference)
        };
        if expr.evaluate(&scope).map_err(|error| broken(error.message))?.is_truthy() {
            scope.view = StatusView::IfCancelled;
            let keeps_on_cancel = expr.evaluate(&scope).is_ok_and(|value| value.is_truthy());
            return Ok(Verdict::Run { keeps_on_cancel });
        }
        let explanation = expr.explain(&scope).map_err(|error| broken(error.message))?;
        Ok(Verdict::Skip(condition::explain(expr, &explanation, frame.first_failure.as_deref(), &job.masker)))
    }

    fn run(&self, call: &StepCall<'_>, worker: &mut Worker, frame: &Frame, job_frame: &Frame) -> Stage {
        match &self.stage {
            PostStage::Own => match (self.action.body, &self.action.metadata.runs) {
                (Body::Native(number), _) => native_call::post(call, worker, frame, &self.action, number, &self.inputs),
                (Body::OfItsOwn, Runs::Docker { .. }) => {
                    docker_action::post(call, worker, frame, &self.action, &self.inputs)
                }
                (Body::OfItsOwn, _) => javascript::post(call, worker, frame, &self.action, &self.inputs),
            },
            PostStage::Composite(inner) => run_inner(call, worker, inner, job_frame),
        }
    }
}

enum Verdict {
    Run { keeps_on_cancel: bool },
    Skip(String),
}

/// Runs everything that was registered, the last first, each as a step of its own.
pub(crate) fn run_all(job: &Job<'_>, worker: &mut Worker, job_frame: &mut Frame) {
    let mut posts = std::mem::take(&mut worker.posts);
    while let Some(post) = posts.pop() {
        if job.hands.control.is_killed() {
            return;
        }
        run_visibly(job, worker, job_frame, &post);
    }
}

fn run_visibly(job: &Job<'_>, worker: &mut Worker, job_frame: &mut Frame, post: &Post) {
    let id = format!("__post_{}", post.step.trim_start_matches('_'));
    let begun = (job.hands.clock)();
    let mut finished = Finished::skipped(format!("Post {}", post.name));
    let frame = post.frame_now(job_frame);
    match post.decide(job, worker, &frame) {
        Ok(Verdict::Skip(reason)) => finished.reason = Some(job.masker.mask(&reason).into_owned()),
        Ok(Verdict::Run { keeps_on_cancel }) => {
            step::tell_started(job, &id, &finished.name);
            let log = StepLog::new(job, &id);
            log.show("Post job cleanup.");
            let limits = step::limits(job, worker, post.timeout, keeps_on_cancel, None);
            let call = post.call(job, &log, &limits);
            let stage = match limits.halt(Instant::now()) {
                Some(halt) => Stage::halted(&log, halt),
                None => post.run(&call, worker, &frame, job_frame),
            };
            let stage = step::say_timeout(&log, stage, post.timeout);
            step::apply_stage(&mut finished, stage, post.continues_on_error);
        }
        Err(reason) => {
            step::tell_started(job, &id, &finished.name);
            StepLog::new(job, &id).error(&reason);
            step::apply_stage(&mut finished, Stage::failure(reason), post.continues_on_error);
        }
    }
    finished.mask(job);
    step::tell_finished(job, &id, &finished, begun);
    step::note(job_frame, finished.conclusion, || finished.as_failure());
}

/// The post stages inside a composite action: a nested group at that action's place, sharing its log.
fn run_inner(call: &StepCall<'_>, worker: &mut Worker, posts: &[Post], job_frame: &Frame) -> Stage {
    let mut status = Status::Success;
    let mut reason = None;
    for post in posts.iter().rev() {
        let halt = call.limits.halt(Instant::now());
        if let Some(halt) = halt.filter(|&halt| halt != Halt::Cancelled) {
            return Stage::halted(call.log, halt);
        }
        let frame = post.frame_now(job_frame);
        let stage = match post.decide(call.job, worker, &frame) {
            Ok(Verdict::Skip(_)) => continue,
            Ok(Verdict::Run { keeps_on_cancel }) => {
                call.log.show(&format!("##[group]Post {}", post.name));
                let limits = step::limits(call.job, worker, None, keeps_on_cancel, Some(call.limits));
                let inner = post.call(call.job, call.log, &limits);
                let stage = post.run(&inner, worker, &frame, job_frame);
                call.log.show("##[endgroup]");
                stage
            }
            Err(reason) => Stage::told_failure(call.log, reason),
        };
        if stage.timed_out {
            return stage;
        }
        if !(stage.outcome == Outcome::Failure && post.continues_on_error) {
            status = status.after(stage.outcome.into());
            reason = reason.or(stage.reason);
        }
    }
    match status {
        Status::Success => Stage::success(Vec::new()),
        Status::Failure => Stage::failure(reason.unwrap_or_else(|| "a post stage failed".to_owned())),
        Status::Cancelled => Stage::cancelled("the job was cancelled"),
    }
}

impl Post {
    /// The frame that the step ran in, with the job as it stands now.
    fn frame_now(&self, job_frame: &Frame) -> Frame {
        let mut frame = self.frame.clone();
        frame.job_status = Some(job_frame.status);
        frame.first_failure.clone_from(&job_frame.first_failure);
        frame
    }

    fn call<'s>(&'s self, job: &'s Job<'s>, log: &'s StepLog<'s>, limits: &'s Limits) -> StepCall<'s> {
        StepCall {
            job,
            id: &self.step,
            key: &self.key,
            env: &self.env,
            log,
            limits,
            timeout: self.timeout,
            continues_on_error: self.continues_on_error,
            name: &self.name,
        }
    }
}
