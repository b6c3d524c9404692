//! Deciding again on what a run recorded, one input at a time.

use lineclear_drive::Recorded;
use lineclear_engine::{Effect, Engine, Input, RunRequest};
use lineclear_event::{Envelope, JobSpec, RunEvent, RunId};
use lineclear_store::{RunSummary, Store};

use super::siblings;
use super::{History, HistoryError};

/// One input and what the engine ordered for it.
#[derive(Debug)]
pub(crate) struct Decision {
    pub(crate) input: Input,
    /// `Err`: it did not apply any more, for this reason.
    pub(crate) effects: Result<Vec<Effect>, String>,
}

/// What was decided in a run.
#[derive(Debug)]
pub(crate) struct Decisions {
    pub(crate) run: RunId,
    pub(crate) all: Vec<Decision>,
    /// Other runs of the same command whose inputs were needed too: they share concurrency groups.
    pub(crate) together_with: Vec<RunId>,
}

impl Decisions {
    /// Decides on the inputs of `run` alone.
    pub(crate) fn alone(store: &dyn Store, run: RunId) -> Result<Self, HistoryError> {
        Ok(Self { run, all: decide(read(store, run)?), together_with: Vec::new() })
    }

    /// Decides on the inputs of `run` and of all runs of the same command.
    pub(crate) fn together(history: &History, run: &RunSummary) -> Result<Self, HistoryError> {
        let own = read(&history.store, run.header.id)?;
        let found = siblings::of(history, run, &own)?;
        let (ids, mut inputs): (Vec<RunId>, Vec<Vec<Recorded>>) = found.into_iter().unzip();
        inputs.push(own);
        Ok(Self { run: run.header.id, all: decide(inputs.into_iter().flatten().collect()), together_with: ids })
    }

    /// The request that the run was begun with.
    pub(crate) fn request(&self) -> Option<&RunRequest> {
        self.all.iter().find_map(|decision| match &decision.input {
            Input::RunRequested { request, .. } if request.run == self.run => Some(&**request),
            _ => None,
        })
    }

    /// What the engine told of this run, in order.
    pub(crate) fn told(&self) -> impl Iterator<Item = Envelope> {
        let effects = self.all.iter().filter_map(|decision| decision.effects.as_ref().ok()).flatten();
        effects.filter_map(|effect| match effect {
            Effect::Tell { run, at, event } if *run == self.run => {
                Some(Envelope { event: event.clone(), run: *run, at: *at })
            }
            _ => None,
        })
    }

    /// The specification under which a job was handed out.
    pub(crate) fn spec(&self, job: &str) -> Option<&JobSpec> {
        let effects = self.all.iter().filter_map(|decision| decision.effects.as_ref().ok()).flatten();
        effects
            .filter_map(|effect| match effect {
                Effect::Dispatch(spec) => Some(&**spec),
                _ => None,
            })
            .find(|spec| spec.run == self.run && spec.job.as_str() == job)
    }

    /// Why a job ended as it did, decided again: for a record that lacks the line.
    pub(crate) fn reason(&self, wanted: &str) -> Option<String> {
        self.told().find_map(|envelope| match envelope.event {
            RunEvent::JobFinished { job, reason, .. } if job.as_str() == wanted => reason,
            _ => None,
        })
    }
}

/// The inputs of a run as they were recorded.
pub(crate) fn read(store: &dyn Store, run: RunId) -> Result<Vec<Recorded>, HistoryError> {
    let parse = |(at, text): (usize, String)| {
        serde_json::from_str(&text).map_err(|source| HistoryError::Input { run, number: at + 1, source })
    };
    store.inputs(run)?.into_iter().enumerate().map(parse).collect()
}

/// The request of a run alone, without deciding on anything.
pub(crate) fn request(store: &dyn Store, run: RunId) -> Result<RunRequest, HistoryError> {
    let request = read(store, run)?.into_iter().find_map(|recorded| match recorded.input {
        Input::RunRequested { request, .. } if request.run == run => Some(*request),
        _ => None,
    });
    request.ok_or_else(|| {
        HistoryError::Asked(format!("run {run} recorded no request: it was killed before it could begin"))
    })
}

fn decide(mut inputs: Vec<Recorded>) -> Vec<Decision> {
    inputs.sort_by_key(|recorded| recorded.sequence);
    inputs.dedup_by_key(|recorded| recorded.sequence);
    let mut engine = Engine::new();
    let decide = |recorded: Recorded| {
        let effects = engine.apply(&recorded.input).map_err(|refused| refused.to_string());
        Decision { input: recorded.input, effects }
    };
    inputs.into_iter().map(decide).collect()
}

/// When an input came.
pub(crate) fn time_of(input: &Input) -> lineclear_event::Timestamp {
    match input {
        Input::RunRequested { at, .. }
        | Input::JobStarted { at, .. }
        | Input::JobEnded { at, .. }
        | Input::TimerFired { at, .. }
        | Input::CancelRequested { at, .. } => *at,
    }
}
