//! The loop.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use lineclear_engine::{Effect, Engine, Input, Refused, TimerId};
use lineclear_event::{Envelope, RunId, Timestamp};
use lineclear_store::{RunRecord, StoreError};

use crate::Hands;

/// The time, and waiting for it.
pub trait Clock {
    fn now(&self) -> Timestamp;

    /// Waits for an input, at most for `limit`. A clock that a test moves need not wait at all.
    fn receive(&self, inbox: &Receiver<Input>, limit: Option<Duration>) -> Result<Input, RecvTimeoutError> {
        match limit {
            Some(limit) => inbox.recv_timeout(limit),
            None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
        }
    }
}

/// Why the loop ended before its runs did.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    #[error("an input of the run could not be recorded, so it was not acted on")]
    Record(#[source] StoreError),
    #[error("runs are still going on, but nobody is left who could say how they go")]
    Abandoned,
}

/// One engine, the records of its runs, and its timers.
pub struct Drive<'a> {
    engine: Engine,
    records: BTreeMap<RunId, Arc<dyn RunRecord>>,
    timers: BTreeMap<TimerId, Timestamp>,
    clock: &'a dyn Clock,
}

impl fmt::Debug for Drive<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drive").field("engine", &self.engine).field("timers", &self.timers).finish_non_exhaustive()
    }
}

impl<'a> Drive<'a> {
    pub fn new(clock: &'a dyn Clock) -> Self {
        Self { engine: Engine::new(), records: BTreeMap::new(), timers: BTreeMap::new(), clock }
    }

    /// The record that the inputs of a run are kept in; to be given before the run is asked for.
    pub fn keep(&mut self, record: Arc<dyn RunRecord>) {
        self.records.insert(record.header().id, record);
    }

    /// Acts on one fact.
    ///
    /// # Errors
    /// [`DriveError::Record`]: it could not be recorded, and nothing was done.
    pub fn accept(&mut self, input: &Input, hands: &mut dyn Hands) -> Result<(), DriveError> {
        self.record(input)?;
        match self.engine.apply(input) {
            Ok(effects) => effects.into_iter().for_each(|effect| self.carry_out(effect, hands)),
            // A late report of something that is over: it no longer changes anything.
            Err(Refused(_)) => {}
        }
        Ok(())
    }

    /// Takes inputs until no run is going on.
    ///
    /// # Errors
    /// [`DriveError::Record`], and [`DriveError::Abandoned`] when every sender of inputs is gone.
    pub fn until_idle(&mut self, inbox: &Receiver<Input>, hands: &mut dyn Hands) -> Result<(), DriveError> {
        while !self.engine.is_idle() {
            let due = self.timers.iter().min_by_key(|(_, at)| **at).map(|(timer, at)| (timer.clone(), *at));
            let limit = due.as_ref().map(|(_, at)| Duration::from_millis(at.millis_since(self.clock.now())));
            let input = match (self.clock.receive(inbox, limit), due) {
                (Ok(input), _) => input,
                (Err(RecvTimeoutError::Timeout), Some((timer, _))) => {
                    self.timers.remove(&timer);
                    Input::TimerFired { at: self.clock.now(), timer }
                }
                (Err(RecvTimeoutError::Timeout), None) => continue,
                (Err(RecvTimeoutError::Disconnected), _) => return Err(DriveError::Abandoned),
            };
            self.accept(&input, hands)?;
        }
        Ok(())
    }

    fn record(&self, input: &Input) -> Result<(), DriveError> {
        let json = serde_json::to_string(input).unwrap_or_default();
        let concerned = run_of(input);
        for (_, record) in self.records.iter().filter(|(run, _)| concerned.is_none_or(|concerned| concerned == **run)) {
            record.input(&json).map_err(DriveError::Record)?;
        }
        Ok(())
    }

    fn carry_out(&mut self, effect: Effect, hands: &mut dyn Hands) {
        match effect {
            Effect::Dispatch(spec) => hands.dispatch(*spec),
            Effect::StopJob { run, job, stop } => hands.stop(run, &job, stop),
            Effect::SetTimer { timer, at } => {
                self.timers.insert(timer, at);
            }
            Effect::ClearTimer { timer } => {
                self.timers.remove(&timer);
            }
            Effect::Tell { run, at, event } => hands.tell(Envelope { event, run, at }),
            Effect::RunEnded { run, conclusion } => {
                self.records.remove(&run);
                hands.run_ended(run, conclusion);
            }
        }
    }
}

/// The run that an input is about; `None`: all.
fn run_of(input: &Input) -> Option<RunId> {
    match input {
        Input::RunRequested { request, .. } => Some(request.run),
        Input::JobStarted { run, .. } | Input::JobEnded { run, .. } => Some(*run),
        Input::TimerFired { timer: TimerId::JobTimeout { run, .. } | TimerId::CancelTimeout { run, .. }, .. } => {
            Some(*run)
        }
        Input::CancelRequested { run, .. } => *run,
    }
}
