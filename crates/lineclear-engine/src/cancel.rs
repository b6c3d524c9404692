//! How jobs and runs are stopped: cancelled, out of time, or pushed out of a concurrency group.
//!
//! # Source
//! The sheet's section on cancellation: jobs that have not begun are cancelled unless their `if` still holds, such as
//! `always()`; for jobs that run, the `if` is evaluated again, and one that holds lets the job go on.

use lineclear_event::{AnnotationLevel, Conclusion};

use crate::condition::Decided;
use crate::evaluate::{millis, minutes_in_words};
use crate::groups::Ticket;
use crate::job_state::{JobEvent, JobState};
use crate::run::{Cancel, FrameId, LegId, NodeId, NodeState, Run, Work};
use crate::turn::{Todo, Turn};
use crate::{Effect, Stop, TimerId};

/// That a leg is to stop.
#[derive(Clone, Debug)]
pub(crate) struct StopOrder {
    /// What it will have come to.
    pub(crate) conclusion: Conclusion,
    pub(crate) how: Stop,
    pub(crate) reason: String,
}

impl Run {
    /// Someone asks for the run to be cancelled. The second time it is ended at once.
    pub(crate) fn cancel_requested(&mut self, reason: &str, turn: &mut Turn) {
        match &mut self.cancel {
            None => {
                self.cancel = Some(Cancel { reason: reason.to_owned(), requests: 1, kill: false });
                self.cancel_jobs(turn);
            }
            Some(cancel) => {
                cancel.requests = cancel.requests.saturating_add(1);
                if cancel.requests > 1 && !cancel.kill {
                    cancel.kill = true;
                    self.kill_jobs(turn);
                }
            }
        }
    }

    /// A concurrency group has no place for the run any more.
    pub(crate) fn cancelled_by_group(&mut self, reason: String, turn: &mut Turn) {
        if self.cancel.is_none() {
            self.cancel = Some(Cancel { reason, requests: 0, kill: false });
            self.cancel_jobs(turn);
        }
    }

    fn cancel_jobs(&mut self, turn: &mut Turn) {
        let order =
            StopOrder { conclusion: Conclusion::Cancelled, how: Stop::Cancel, reason: self.cancelled_because() };
        if !self.frame(FrameId(0)).is_open {
            // It never began, so there is nothing for `always()` to clean up.
            return self.end_all_blocked(FrameId(0), &order.reason, turn);
        }
        for at in 0..self.nodes.len() {
            let node = NodeId(at);
            if !self.frame(self.node(node).frame).is_open {
                continue;
            }
            match &self.node(node).state {
                // A job that waits for others is asked once they have ended: its condition may speak of them, and what cleans
                // up after a job must not run beside it.
                NodeState::Blocked { .. } | NodeState::Finished(..) => {}
                NodeState::Open(open) => {
                    let legs = open.legs.clone();
                    if self.decide(node) != Decided::In {
                        for leg in legs {
                            // The jobs of a called workflow are asked one by one.
                            if !matches!(self.legs[leg].state, JobState::Calling { since: Some(_) }) {
                                self.stop_leg(LegId(leg), order.clone(), turn);
                            }
                        }
                    }
                }
            }
        }
    }

    fn kill_jobs(&mut self, turn: &mut Turn) {
        let order = StopOrder { conclusion: Conclusion::Cancelled, how: Stop::Kill, reason: self.cancelled_because() };
        self.stop_frame(FrameId(0), &order, turn);
    }

    /// Ends every job of a workflow that has not begun.
    fn end_all_blocked(&mut self, frame: FrameId, reason: &str, turn: &mut Turn) {
        for at in self.frame(frame).nodes.clone() {
            if matches!(self.nodes[at].state, NodeState::Blocked { .. }) {
                self.end_blocked(NodeId(at), Conclusion::Cancelled, reason.to_owned(), turn);
            }
        }
    }

    /// Stops all jobs of a workflow, whatever their conditions say.
    fn stop_frame(&mut self, frame: FrameId, order: &StopOrder, turn: &mut Turn) {
        self.end_all_blocked(frame, &order.reason, turn);
        for at in self.frame(frame).nodes.clone() {
            if let NodeState::Open(open) = &self.nodes[at].state {
                for leg in open.legs.clone() {
                    turn.then(Todo::Stop(self.id, LegId(leg), order.clone()));
                }
            }
        }
    }

    /// Stops one leg; nothing happens to one that has finished or was told before.
    pub(crate) fn stop_leg(&mut self, id: LegId, order: StopOrder, turn: &mut Turn) {
        let leg = self.leg(id);
        match leg.state {
            JobState::Finished(_) => {}
            JobState::Held => self.end_leg(id, Conclusion::Cancelled, Some(order.reason), Default::default(), turn),
            JobState::Calling { since } => self.stop_call(id, since.is_some(), &order, turn),
            JobState::Queued | JobState::Running { .. } | JobState::Stopping { .. } => {
                self.tell_to_stop(id, order, turn);
            }
        }
    }

    fn stop_call(&mut self, id: LegId, has_begun: bool, order: &StopOrder, turn: &mut Turn) {
        let Work::Entered(frame) = self.leg(id).work else { return };
        if has_begun {
            self.leg_mut(id).stop_reason.get_or_insert_with(|| order.reason.clone());
            return self.stop_frame(frame, order, turn);
        }
        // Its jobs were never told of, so there is nothing to tell of their end.
        turn.then(Todo::Leave(Ticket::Frame(self.id, frame)));
        self.end_leg(id, Conclusion::Cancelled, Some(order.reason.clone()), Default::default(), turn);
    }

    fn tell_to_stop(&mut self, id: LegId, order: StopOrder, turn: &mut Turn) {
        let StopOrder { conclusion, how, reason } = order;
        let before = self.leg(id).state.clone();
        if self.moved(id, JobEvent::Stopped { conclusion, how }).is_err() {
            return;
        }
        let (run, job) = (self.id, self.leg(id).key.clone());
        self.leg_mut(id).stop_reason.get_or_insert(reason);
        turn.effects.push(Effect::StopJob { run, job: job.clone(), stop: how });
        let job_timeout = TimerId::JobTimeout { run, job: job.clone() };
        let cancel_timeout = TimerId::CancelTimeout { run, job };
        match before {
            JobState::Running { .. } => turn.effects.push(Effect::ClearTimer { timer: job_timeout }),
            JobState::Stopping { .. } => turn.effects.push(Effect::ClearTimer { timer: cancel_timeout.clone() }),
            _ => {}
        }
        if how == Stop::Cancel {
            let at = turn.at.plus_millis(millis(self.leg(id).cancel_timeout_minutes));
            turn.effects.push(Effect::SetTimer { timer: cancel_timeout, at });
        }
    }

    /// The time of a running leg is over. False if it does not run.
    pub(crate) fn out_of_time(&mut self, id: LegId, turn: &mut Turn) -> bool {
        let leg = self.leg(id);
        if !matches!(leg.state, JobState::Running { .. }) {
            return false;
        }
        let reason = format!("exceeded timeout-minutes: {}", minutes_in_words(leg.timeout_minutes));
        self.stop_leg(id, StopOrder { conclusion: Conclusion::TimedOut, how: Stop::Cancel, reason }, turn);
        true
    }

    /// The time that a stopping leg was granted is over. False if it is not stopping.
    pub(crate) fn out_of_patience(&mut self, id: LegId, turn: &mut Turn) -> bool {
        let leg = self.leg(id);
        let JobState::Stopping { conclusion, told: Stop::Cancel, .. } = leg.state else { return false };
        let minutes = minutes_in_words(leg.cancel_timeout_minutes);
        let message = format!("{} did not end within cancel-timeout-minutes: {minutes}, and is killed", leg.key);
        turn.notice(self.id, AnnotationLevel::Warning, message.clone());
        self.stop_leg(id, StopOrder { conclusion, how: Stop::Kill, reason: message }, turn);
        true
    }
}
