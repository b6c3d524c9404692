//! One turn of the engine: the effects gathered so far, and what still follows from the input.
//!
//! What one change brings about in other jobs and runs is put on a list and taken from it in order, never called directly:
//! a chain of ten thousand skipped jobs then needs no deep stack, and the order of effects is plain to see.

use std::collections::VecDeque;

use lineclear_event::{AnnotationLevel, Conclusion, JobKey, RunEvent, RunId, Timestamp};

use crate::Effect;
use crate::cancel::StopOrder;
use crate::groups::Ticket;
use crate::run::{FrameId, LegId, NodeId};

/// What the turn has brought about, and what is left to do in it.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) at: Timestamp,
    pub(crate) effects: Vec<Effect>,
    todo: VecDeque<Todo>,
}

/// A consequence that waits for its moment in the turn.
#[derive(Debug)]
pub(crate) enum Todo {
    /// The needs of a job have finished: its condition decides.
    Consider(RunId, NodeId),
    /// A leg has what `max-parallel` asks of it.
    Proceed(RunId, LegId),
    /// Ask for a concurrency group.
    Ask(Ticket),
    /// Give a concurrency group up.
    Leave(Ticket),
    /// The group is the ticket's from now on.
    Granted(Ticket),
    /// A group has no place for the ticket any more.
    Revoked(Ticket, String),
    Stop(RunId, LegId, StopOrder),
    /// All jobs of a workflow have finished.
    Close(RunId, FrameId),
}

impl Turn {
    pub(crate) fn new(at: Timestamp) -> Self {
        Self { at, effects: Vec::new(), todo: VecDeque::new() }
    }

    pub(crate) fn then(&mut self, todo: Todo) {
        self.todo.push_back(todo);
    }

    pub(crate) fn follow(&mut self, todo: Option<Todo>) {
        self.todo.extend(todo);
    }

    pub(crate) fn next(&mut self) -> Option<Todo> {
        self.todo.pop_front()
    }

    pub(crate) fn tell(&mut self, run: RunId, event: RunEvent) {
        self.effects.push(Effect::Tell { run, at: self.at, event });
    }

    pub(crate) fn notice(&mut self, run: RunId, level: AnnotationLevel, message: String) {
        self.tell(run, RunEvent::Notice { level, message });
    }

    pub(crate) fn waiting(&mut self, run: RunId, job: &JobKey, name: &str, reason: String) {
        self.tell(run, RunEvent::JobWaiting { job: job.clone(), name: name.to_owned(), reason });
    }

    /// Tells that a run ended, to those who watch it and to the hands.
    pub(crate) fn run_ended(&mut self, run: RunId, conclusion: Conclusion, requested: Timestamp) {
        let duration_ms = self.at.millis_since(requested);
        self.tell(run, RunEvent::RunFinished { conclusion, duration_ms });
        self.effects.push(Effect::RunEnded { run, conclusion });
    }
}
