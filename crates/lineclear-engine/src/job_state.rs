//! The life of one job: its states and the one checked way to move between them.

use lineclear_event::{Conclusion, Timestamp};

use crate::Stop;

/// Where one job stands, once its needs have finished and its condition let it in.
///
/// ```text
///  Held ───► Queued ───► Running ──────────────► Finished
///   │ │        │            └─── stop ─► Stopping ──▲ ▲
///   │ │        └──────────────── stop ─► Stopping ──┘ │
///   │ └────► Calling ─────── the called jobs ended ───┤
///   └──────────────── cancelled ──────────────────────┘
/// ```
///
/// Before that, the job waits for others: that is the state of its node in the graph, since a matrix has no legs yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum JobState {
    /// Kept back by `max-parallel` or by a concurrency group.
    Held,
    /// Handed out; no runner has begun with it.
    Queued,
    Running {
        since: Timestamp,
    },
    /// The jobs of the workflow it calls stand for it. `since` is absent while the called workflow waits for its own group.
    Calling {
        since: Option<Timestamp>,
    },
    /// Told to stop; its `always()` steps still run, and it ends when its runner says so.
    Stopping {
        since: Option<Timestamp>,
        /// What it will have come to, whatever its runner reports.
        conclusion: Conclusion,
        told: Stop,
    },
    Finished(Conclusion),
}

/// What can happen to a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum JobEvent {
    HandedOut,
    /// A runner began with it.
    Began(Timestamp),
    /// It calls another workflow, whose graph is known now.
    Called,
    /// The called workflow may begin.
    Opened(Timestamp),
    /// It is to stop and will have come to `conclusion`.
    Stopped {
        conclusion: Conclusion,
        how: Stop,
    },
    /// Ended by itself with this, or, when it was told to stop, with what it was stopped for.
    Ended(Conclusion),
}

/// The event cannot happen in the state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a job that {} cannot {}", .state.in_words(), .event.in_words())]
pub(crate) struct Impossible {
    state: JobState,
    event: JobEvent,
}

impl JobState {
    /// The state after `event`.
    ///
    /// # Errors
    /// [`Impossible`] if `event` cannot happen from here; above all, nothing happens to a finished job.
    pub(crate) fn after(&self, event: JobEvent) -> Result<Self, Impossible> {
        Ok(match (self, event) {
            (Self::Held, JobEvent::HandedOut) => Self::Queued,
            (Self::Held, JobEvent::Called) => Self::Calling { since: None },
            (Self::Calling { since: None }, JobEvent::Opened(at)) => Self::Calling { since: Some(at) },
            (Self::Queued, JobEvent::Began(at)) => Self::Running { since: at },
            // The order to stop and the runner's first word crossed on their way.
            (Self::Stopping { since: None, conclusion, told }, JobEvent::Began(at)) => {
                Self::Stopping { since: Some(at), conclusion: *conclusion, told: *told }
            }
            (Self::Queued, JobEvent::Stopped { conclusion, how }) => {
                Self::Stopping { since: None, conclusion, told: how }
            }
            (Self::Running { since }, JobEvent::Stopped { conclusion, how }) => {
                Self::Stopping { since: Some(*since), conclusion, told: how }
            }
            // The first cause stays: a job out of time that is then killed has timed out.
            (
                Self::Stopping { since, conclusion, told: Stop::Cancel },
                JobEvent::Stopped { how: how @ Stop::Kill, .. },
            ) => Self::Stopping { since: *since, conclusion: *conclusion, told: how },
            (Self::Stopping { conclusion, .. }, JobEvent::Ended(_)) => Self::Finished(*conclusion),
            (Self::Held | Self::Queued | Self::Running { .. } | Self::Calling { .. }, JobEvent::Ended(conclusion)) => {
                Self::Finished(conclusion)
            }
            (state, event) => return Err(Impossible { state: state.clone(), event }),
        })
    }

    pub(crate) fn is_finished(&self) -> bool {
        matches!(self, Self::Finished(_))
    }

    /// When its runner, or the workflow it calls, began.
    pub(crate) fn since(&self) -> Option<Timestamp> {
        match self {
            Self::Running { since } => Some(*since),
            Self::Calling { since } | Self::Stopping { since, .. } => *since,
            Self::Held | Self::Queued | Self::Finished(_) => None,
        }
    }

    pub(crate) fn in_words(&self) -> &'static str {
        match self {
            Self::Held => "is held back",
            Self::Queued => "waits for a runner",
            Self::Running { .. } => "is running",
            Self::Calling { .. } => "calls another workflow",
            Self::Stopping { .. } => "is stopping",
            Self::Finished(_) => "has finished",
        }
    }
}

impl JobEvent {
    fn in_words(&self) -> &'static str {
        match self {
            Self::HandedOut => "be handed out",
            Self::Began(_) => "begin",
            Self::Called => "call its workflow",
            Self::Opened(_) => "open its workflow",
            Self::Stopped { .. } => "be told to stop",
            Self::Ended(_) => "end",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp(5);
    const LATER: Timestamp = Timestamp(9);

    fn stop(how: Stop) -> JobEvent {
        JobEvent::Stopped { conclusion: Conclusion::Cancelled, how }
    }

    fn stopping(since: Option<Timestamp>, told: Stop) -> JobState {
        JobState::Stopping { since, conclusion: Conclusion::TimedOut, told }
    }

    /// Every state against every event: the state that follows, or none where the event is refused.
    #[test]
    fn the_table_of_transitions() {
        use JobEvent::{Began, Called, Ended, HandedOut, Opened};
        use JobState::{Calling, Finished, Held, Queued, Running};
        let ended = Ended(Conclusion::Success);
        let done = Some(Finished(Conclusion::Success));
        let out_of_time = Some(Finished(Conclusion::TimedOut));
        let stopped = |since, how| Some(JobState::Stopping { since, conclusion: Conclusion::Cancelled, told: how });
        let events =
            || [HandedOut, Called, Opened(LATER), Began(LATER), stop(Stop::Cancel), stop(Stop::Kill), ended.clone()];
        #[rustfmt::skip]
        let table = [
            (Held, [Some(Queued), Some(Calling { since: None }), None, None, None, None, done.clone()]),
            (Queued, [None, None, None, Some(Running { since: LATER }), stopped(None, Stop::Cancel), stopped(None, Stop::Kill), done.clone()]),
            (Running { since: AT }, [None, None, None, None, stopped(Some(AT), Stop::Cancel), stopped(Some(AT), Stop::Kill), done.clone()]),
            (Calling { since: None }, [None, None, Some(Calling { since: Some(LATER) }), None, None, None, done.clone()]),
            (Calling { since: Some(AT) }, [None, None, None, None, None, None, done]),
            (stopping(None, Stop::Cancel), [None, None, None, Some(stopping(Some(LATER), Stop::Cancel)), None, Some(stopping(None, Stop::Kill)), out_of_time.clone()]),
            (stopping(Some(AT), Stop::Cancel), [None, None, None, None, None, Some(stopping(Some(AT), Stop::Kill)), out_of_time.clone()]),
            (stopping(Some(AT), Stop::Kill), [None, None, None, None, None, None, out_of_time]),
            (Finished(Conclusion::Failure), [None, None, None, None, None, None, None]),
        ];
        for (state, expected) in table {
            for (event, expected) in events().into_iter().zip(expected) {
                assert_eq!(state.after(event.clone()).ok(), expected, "{state:?} after {event:?}");
            }
        }
    }

    #[test]
    fn a_refusal_says_what_cannot_happen() {
        let refused = JobState::Finished(Conclusion::Success).after(JobEvent::Began(AT)).expect_err("it is over");
        assert_eq!(refused.to_string(), "a job that has finished cannot begin");
    }
}
