//! Steps that run beside others: `background`, `wait`, `wait-all`, `cancel` and `parallel`.
//!
//! A background step gets a copy of the job as it stands, and a thread. What it changes is seen by no one until a `wait`
//! collects it, and its failure surfaces there (trap 103).
//!
//! # Source
//! Section 4.14 of the protocol notes.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{Scope, ScopedJoinHandle};

use lineclear_event::{Conclusion, Outcome};
use lineclear_source::Spanned;

use crate::context::{Speaker, StepScope};
use crate::display_name;
use crate::evaluate;
use crate::frame::Frame;
use crate::job::Job;
use crate::log::StepLog;
use crate::planned_step::PlannedStep;
use crate::ports::{JobControl, lock};
use crate::stage::Stage;
use crate::step::{self, Finished};
use crate::worker::{Legacy, Worker};

/// How many background steps run at once; more wait for one of them to end.
const AT_ONCE: usize = 10;

/// The background steps of a job that were not collected yet.
pub(crate) struct Crew<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    running: Vec<Running<'scope, 'env>>,
    /// Ids of those that were: waiting for one again is no mistake.
    collected: Vec<String>,
    slots: Arc<Slots>,
}

struct Running<'scope, 'env> {
    planned: &'env PlannedStep<'env>,
    control: JobControl,
    /// A `cancel` step asked it to stop: that fails nothing.
    stopped: bool,
    thread: ScopedJoinHandle<'scope, (Finished, Legacy)>,
}

#[derive(Debug)]
struct Slots {
    free: Mutex<usize>,
    freed: Condvar,
}

impl Slots {
    fn take(&self) {
        let mut free = lock(&self.free);
        while *free == 0 {
            free = self.freed.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
        *free -= 1;
    }

    fn give_back(&self) {
        *lock(&self.free) += 1;
        self.freed.notify_one();
    }
}

impl std::fmt::Debug for Crew<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.running.iter().map(|running| &running.planned.id)).finish()
    }
}

impl<'scope, 'env> Crew<'scope, 'env> {
    pub(crate) fn new(scope: &'scope Scope<'scope, 'env>) -> Self {
        let slots = Arc::new(Slots { free: Mutex::new(AT_ONCE), freed: Condvar::new() });
        Self { scope, running: Vec::new(), collected: Vec::new(), slots }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.running.is_empty()
    }

    /// Starts `planned`. Its environment and condition are evaluated against the job as it stands now.
    pub(crate) fn start(
        &mut self,
        job: &'env Job<'env>,
        worker: &mut Worker,
        frame: &Frame,
        planned: &'env PlannedStep<'env>,
    ) -> Result<(), String> {
        let cannot = |error: std::io::Error| format!("cannot start the background step `{}`: {error}", planned.id);
        let control = job.hands.control.child().map_err(cannot)?;
        let mut own = worker.fork(control.clone(), &planned.key);
        let frame = frame.clone();
        let slots = Arc::clone(&self.slots);
        let thread =
            std::thread::Builder::new().name(format!("step {}", planned.id)).spawn_scoped(self.scope, move || {
                slots.take();
                let finished = step::perform(job, &mut own, &frame, planned, None);
                slots.give_back();
                (finished, own.into_legacy())
            });
        let thread = thread.map_err(cannot)?;
        self.running.push(Running { planned, control, stopped: false, thread });
        Ok(())
    }

    /// Waits for the steps that `wanted` names, in the order in which they started, and makes visible what they did.
    fn collect(&mut self, worker: &mut Worker, frame: &mut Frame, wanted: impl Fn(&str) -> bool) -> Collected {
        let mut collected = Collected::default();
        let (chosen, kept): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.running).into_iter().partition(|running| wanted(&running.planned.id));
        self.running = kept;
        for Running { planned, stopped, thread, .. } in chosen {
            self.collected.push(planned.id.clone());
            let Ok((finished, legacy)) = thread.join() else {
                collected
                    .add(Conclusion::Failure, || format!("step `{}` ended with a fault of the runner", planned.id));
                continue;
            };
            worker.inherit(legacy);
            if let Some(id) = planned.own_id() {
                frame.record(id, finished.outcome, finished.conclusion, finished.outputs.clone());
            }
            if !(stopped && finished.conclusion == Conclusion::Cancelled) {
                collected.add(finished.conclusion, || finished.as_failure());
            }
        }
        collected
    }

    /// A `wait` step: blocks, and fails when one of those it waited for failed.
    pub(crate) fn wait(
        &mut self,
        job: &Job<'_>,
        worker: &mut Worker,
        frame: &mut Frame,
        planned: &PlannedStep<'_>,
        ids: &[Spanned<String>],
    ) {
        let known = ids.iter().try_for_each(|id| self.knows(&id.value));
        let wanted = |id: &str| ids.iter().any(|wanted| wanted.value.eq_ignore_ascii_case(id));
        self.gather(job, worker, frame, planned, |_, _, _| known, wanted);
    }

    /// A `wait-all` step.
    pub(crate) fn wait_all(
        &mut self,
        job: &Job<'_>,
        worker: &mut Worker,
        frame: &mut Frame,
        planned: &PlannedStep<'_>,
    ) {
        self.gather(job, worker, frame, planned, |_, _, _| Ok(()), |_| true);
    }

    /// A `parallel` step: starts its steps and waits for them.
    pub(crate) fn parallel(
        &mut self,
        job: &'env Job<'env>,
        worker: &mut Worker,
        frame: &mut Frame,
        planned: &'env PlannedStep<'env>,
    ) {
        let start = |crew: &mut Self, worker: &mut Worker, frame: &Frame| -> Result<(), String> {
            planned.inner.iter().try_for_each(|inner| crew.start(job, worker, frame, inner))
        };
        self.gather(job, worker, frame, planned, start, |id| planned.inner.iter().any(|inner| inner.id == id));
    }

    /// What runs before the post stages: whatever no one waited for.
    pub(crate) fn wait_for_the_rest(&mut self, job: &Job<'_>, worker: &mut Worker, frame: &mut Frame) {
        // A killed job is only left: the threads end with their processes.
        if self.is_idle() || job.hands.control.is_killed() {
            return;
        }
        let (id, begun) = ("__wait_all_background", (job.hands.clock)());
        let mut finished = Finished::skipped("Wait for all background steps".to_owned());
        step::tell_started(job, id, &finished.name);
        let collected = self.collect(worker, frame, |_| true);
        step::apply_stage(&mut finished, collected.into_stage(), false);
        finished.mask(job);
        step::tell_finished(job, id, &finished, begun);
        step::note(frame, finished.conclusion, || finished.reason.clone().unwrap_or_default());
    }

    /// A step that does `first` and then waits for those that are `wanted`. An error is why it fails for itself.
    fn gather(
        &mut self,
        job: &Job<'_>,
        worker: &mut Worker,
        frame: &mut Frame,
        planned: &PlannedStep<'_>,
        first: impl FnOnce(&mut Self, &mut Worker, &Frame) -> Result<(), String>,
        wanted: impl Fn(&str) -> bool,
    ) {
        let begun = (job.hands.clock)();
        let mut finished = Finished::skipped(name_of(job, worker, frame, planned));
        step::tell_started(job, &planned.id, &finished.name);
        let log = StepLog::new(job, &planned.id);
        let stage = match first(self, worker, frame) {
            Err(reason) => {
                let stage = Stage::told_failure(&log, reason);
                // What did start must not run on beside the steps after this one.
                self.collect(worker, frame, wanted);
                stage
            }
            Ok(()) => self.collect(worker, frame, wanted).into_stage(),
        };
        let continues = match &planned.step.continue_on_error {
            Some(text) => {
                let speaker = Speaker { step: &planned.id, env: None, files: None };
                let scope = StepScope::new(job, &worker.env, frame, speaker);
                evaluate::boolean(&frame.source, "continue-on-error", text, &scope).unwrap_or_else(|reason| {
                    log.error(&reason);
                    false
                })
            }
            None => false,
        };
        step::apply_stage(&mut finished, stage, continues);
        finished.mask(job);
        step::tell_finished(job, &planned.id, &finished, begun);
        if let Some(id) = planned.own_id() {
            frame.record(id, finished.outcome, finished.conclusion, finished.outputs.clone());
        }
        step::note(frame, finished.conclusion, || finished.reason.clone().unwrap_or_default());
    }

    /// An error where no background step of this id was started yet.
    fn knows(&self, id: &str) -> Result<(), String> {
        let running = self.running.iter().map(|running| running.planned.id.as_str());
        let mut known = running.chain(self.collected.iter().map(String::as_str));
        if known.any(|known| known.eq_ignore_ascii_case(id)) {
            Ok(())
        } else {
            Err(format!("no background step `{id}` was started before this one"))
        }
    }

    /// A `cancel` step: stops a background step and collects it. That does not fail the job.
    pub(crate) fn cancel(
        &mut self,
        job: &Job<'_>,
        worker: &mut Worker,
        frame: &mut Frame,
        planned: &PlannedStep<'_>,
        id: &str,
    ) {
        for running in self.running.iter_mut().filter(|running| running.planned.id.eq_ignore_ascii_case(id)) {
            running.stopped = true;
            running.control.cancel();
        }
        let known = self.knows(id);
        self.gather(job, worker, frame, planned, |_, _, _| known, |started| started.eq_ignore_ascii_case(id));
    }
}

fn name_of(job: &Job<'_>, worker: &Worker, frame: &Frame, planned: &PlannedStep<'_>) -> String {
    let speaker = Speaker { step: &planned.id, env: None, files: None };
    display_name::of(planned.step, &StepScope::new(job, &worker.env, frame, speaker), &job.masker)
}

/// Tells of a step that could not even begin.
pub(crate) fn fail_visibly(job: &Job<'_>, frame: &mut Frame, planned: &PlannedStep<'_>, reason: String) {
    let begun = (job.hands.clock)();
    let mut finished = Finished::skipped(display_name::plain(planned.step, &job.masker));
    step::tell_started(job, &planned.id, &finished.name);
    let stage = Stage::told_failure(&StepLog::new(job, &planned.id), reason);
    step::apply_stage(&mut finished, stage, false);
    finished.mask(job);
    step::tell_finished(job, &planned.id, &finished, begun);
    step::conclude(frame, planned, &finished);
}

/// How collected steps ended, together.
#[derive(Debug, Default)]
struct Collected {
    cancelled: bool,
    failure: Option<String>,
}

impl Collected {
    fn add(&mut self, conclusion: Conclusion, failure: impl FnOnce() -> String) {
        match conclusion {
            Conclusion::Cancelled => self.cancelled = true,
            Conclusion::Failure | Conclusion::TimedOut | Conclusion::StartupFailure => {
                self.failure.get_or_insert_with(failure);
            }
            Conclusion::Success | Conclusion::Skipped => {}
        }
    }

    fn into_stage(self) -> Stage {
        match self {
            Self { failure: Some(reason), .. } => Stage::failure(reason),
            Self { cancelled: true, .. } => {
                let reason = Some("a background step was cancelled".to_owned());
                Stage { outcome: Outcome::Cancelled, reason, ..Stage::success(Vec::new()) }
            }
            _ => Stage::success(Vec::new()),
        }
    }
}
