//! Where everything that happens goes: into the record of its run, then to the reporter.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use lineclear_event::{Envelope, JobKey, JobSpec, RunEvent, RunId, Timestamp};
use lineclear_runner::JobSink;
use lineclear_store::RunRecord;

use super::evidence::Recorder;
use super::permits::JobPermits;
use crate::output;
use crate::report::Reporter;
use crate::settings::now;

/// Shared by all runs and jobs of one command.
pub(crate) struct Telling {
    reporter: Mutex<Box<dyn Reporter>>,
    records: RwLock<BTreeMap<RunId, Arc<dyn RunRecord>>>,
    /// The step that each job is at, for what is found out about a job from outside of it.
    steps: Mutex<BTreeMap<(RunId, JobKey), String>>,
    /// The first failure to record is told; a full disk would otherwise fill the terminal.
    complained: std::sync::Once,
}

impl Telling {
    pub(crate) fn new(reporter: Box<dyn Reporter>) -> Self {
        Self {
            reporter: Mutex::new(reporter),
            records: RwLock::default(),
            steps: Mutex::default(),
            complained: std::sync::Once::new(),
        }
    }

    pub(crate) fn add_record(&self, record: Arc<dyn RunRecord>) {
        self.records.write().unwrap_or_else(PoisonError::into_inner).insert(record.header().id, record);
    }

    /// Records and shows an event.
    pub(crate) fn tell(&self, envelope: &Envelope) {
        self.follow(envelope);
        self.record(envelope.run, |record| record.event(envelope));
        self.reporter().event(envelope);
    }

    /// Shows an event that the drive has recorded already.
    pub(crate) fn show(&self, envelope: &Envelope) {
        self.reporter().event(envelope);
    }

    fn follow(&self, envelope: &Envelope) {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        match &envelope.event {
            RunEvent::StepStarted { job, step, .. } => drop(steps.insert((envelope.run, job.clone()), step.clone())),
            RunEvent::StepFinished { job, .. } => drop(steps.remove(&(envelope.run, job.clone()))),
            _ => {}
        }
    }

    /// The step that a job is at; empty between steps.
    pub(crate) fn current_step(&self, run: RunId, job: &JobKey) -> String {
        let steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        steps.get(&(run, job.clone())).cloned().unwrap_or_default()
    }

    pub(crate) fn dispatched(&self, spec: &JobSpec) {
        self.reporter().dispatched(spec);
    }

    pub(crate) fn tick(&self) {
        self.reporter().tick();
    }

    pub(crate) fn wants_ticks(&self) -> bool {
        self.reporter().wants_ticks()
    }

    /// Leaves the screen to somebody else until the answer is dropped.
    pub(crate) fn hold(&self) -> MutexGuard<'_, Box<dyn Reporter>> {
        let mut reporter = self.reporter();
        reporter.leave_screen();
        reporter
    }

    pub(crate) fn close(&self) {
        self.reporter().close();
    }

    fn reporter(&self) -> MutexGuard<'_, Box<dyn Reporter>> {
        self.reporter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self, run: RunId, keep: impl FnOnce(&dyn RunRecord) -> Result<(), lineclear_store::StoreError>) {
        let record = self.records.read().unwrap_or_else(PoisonError::into_inner).get(&run).cloned();
        if let Some(Err(error)) = record.map(|record| keep(&*record)) {
            self.complained.call_once(|| {
                output::complain("the run goes on, but its record is incomplete");
                output::complain_of(&error);
            });
        }
    }
}

/// The way of one run's jobs to [`Telling`].
pub(crate) struct RunSink {
    pub(crate) run: RunId,
    pub(crate) telling: Arc<Telling>,
    pub(super) permits: Arc<JobPermits>,
    pub(crate) recorder: Option<Arc<Recorder>>,
}

impl JobSink for RunSink {
    fn event(&self, event: RunEvent) {
        if let (RunEvent::Fact { job, fact, .. }, Some(recorder)) = (&event, &self.recorder) {
            recorder.fact(self.run, job, fact);
        }
        self.telling.tell(&Envelope { event, run: self.run, at: now() });
    }

    fn log(&self, job: &JobKey, step: &str, at: Timestamp, lines: &[u8]) {
        self.telling.record(self.run, |record| record.log(job, step, at, lines));
        self.telling.reporter().log(self.run, job, step, at, lines);
    }

    fn opened(&self, job: &JobKey, workspace: &Path) {
        self.permits.has_workspace(self.run, job, workspace);
    }
}
