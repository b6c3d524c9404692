//! The loop.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use lineclear_engine::{Effect, Engine, Input};
use lineclear_event::{Envelope, RunId};
use lineclear_store::{RunRecord, StoreError};

use crate::record::{Recorded, run_of};
use crate::timers::Timers;
use crate::{Clock, Hands, Message, Next};

/// Drives an engine: one input at a time, recorded before it is decided on.
#[derive(Debug)]
pub struct Drive<C, H> {
    clock: C,
    hands: H,
    inbox: Receiver<Message>,
    engine: Engine,
    timers: Timers,
    /// Of the runs that are going on.
    records: BTreeMap<RunId, Arc<dyn RunRecord>>,
    sequence: u64,
}

/// The drive cannot go on: it does not decide on what it cannot keep.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    #[error("cannot record what happened in run {run}, so nothing more is decided")]
    Record { run: RunId, source: StoreError },
    #[error("cannot write down an input of run {run}")]
    Write { run: RunId, source: serde_json::Error },
}

impl<C: Clock, H: Hands> Drive<C, H> {
    pub fn new(inbox: Receiver<Message>, clock: C, hands: H) -> Self {
        let (engine, timers, records) = (Engine::new(), Timers::default(), BTreeMap::new());
        Self { clock, hands, inbox, engine, timers, records, sequence: 0 }
    }

    /// Works until no run is going on and the inbox is empty.
    ///
    /// # Errors
    /// A record cannot be written. Jobs that were handed out may still run then; stopping them is for the caller.
    pub fn run_until_idle(&mut self) -> Result<(), DriveError> {
        loop {
            // Idle, there is still what came in meanwhile, but nothing to wait for.
            let until = if self.engine.is_idle() { Some(self.clock.now()) } else { self.timers.next() };
            match self.clock.next(&self.inbox, until) {
                Next::Message(message) => self.receive(message)?,
                Next::TimeUp if self.engine.is_idle() => return Ok(()),
                Next::TimeUp => self.fire()?,
                Next::Closed => return Ok(()),
            }
        }
    }

    /// Works until nobody is left who could send a message.
    ///
    /// # Errors
    /// As [`Drive::run_until_idle`].
    pub fn run(&mut self) -> Result<(), DriveError> {
        loop {
            match self.clock.next(&self.inbox, self.timers.next()) {
                Next::Message(message) => self.receive(message)?,
                Next::TimeUp => self.fire()?,
                Next::Closed => return Ok(()),
            }
        }
    }

    pub fn hands(&self) -> &H {
        &self.hands
    }

    pub fn hands_mut(&mut self) -> &mut H {
        &mut self.hands
    }

    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    fn receive(&mut self, message: Message) -> Result<(), DriveError> {
        match message {
            Message::Input(input) => self.turn(&input),
            Message::Begin { input, run, record } => {
                self.records.entry(run).or_insert(record);
                self.turn(&input)
            }
        }
    }

    fn fire(&mut self) -> Result<(), DriveError> {
        let now = self.clock.now();
        while let Some(timer) = self.timers.take_due(now) {
            self.turn(&Input::TimerFired { at: now, timer })?;
        }
        Ok(())
    }

    fn turn(&mut self, input: &Input) -> Result<(), DriveError> {
        self.record(input)?;
        match self.engine.apply(input) {
            Ok(effects) => effects.into_iter().try_for_each(|effect| self.carry_out(effect)),
            Err(why) => {
                self.hands.refused(input, &why);
                Ok(())
            }
        }
    }

    /// Makes an input durable in every run it concerns. One that concerns no run that is going on will be refused anyway.
    fn record(&mut self, input: &Input) -> Result<(), DriveError> {
        self.sequence += 1;
        let concerned = run_of(input);
        let records = self.records.iter().filter(|(run, _)| concerned.is_none_or(|concerned| concerned == **run));
        let mut text = None;
        for (&run, record) in records {
            if text.is_none() {
                let recorded = Recorded { sequence: self.sequence, input: input.clone() };
                text = Some(serde_json::to_string(&recorded).map_err(|source| DriveError::Write { run, source })?);
            }
            record.input(text.as_deref().unwrap_or_default()).map_err(|source| DriveError::Record { run, source })?;
        }
        Ok(())
    }

    fn carry_out(&mut self, effect: Effect) -> Result<(), DriveError> {
        match effect {
            Effect::Dispatch(spec) => self.hands.dispatch(spec),
            Effect::StopJob { run, job, stop } => self.hands.stop(run, &job, stop),
            Effect::SetTimer { timer, at } => self.timers.set(timer, at),
            Effect::ClearTimer { timer } => self.timers.clear(&timer),
            Effect::Tell { run, at, event } => {
                let event = Envelope { event, run, at };
                if let Some(record) = self.records.get(&run) {
                    record.event(&event).map_err(|source| DriveError::Record { run, source })?;
                }
                self.hands.tell(&event);
            }
            Effect::RunEnded { run, conclusion } => {
                if let Some(record) = self.records.remove(&run) {
                    let now = self.clock.now();
                    record.finish(conclusion, now).map_err(|source| DriveError::Record { run, source })?;
                }
                self.hands.run_ended(run, conclusion);
            }
        }
        Ok(())
    }
}
