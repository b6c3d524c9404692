//! What a run's part in concurrency groups is: what its tickets ask for, and what becomes of them when a group refuses.

use lineclear_event::Conclusion;

use crate::Stop;
use crate::cancel::StopOrder;
use crate::groups::{Demand, Ticket};
use crate::job_state::JobState;
use crate::run::{FrameId, Leg, NodeId, Run, Work};
use crate::turn::Turn;

impl Run {
    /// What `ticket` asks for, if it still has a use for it.
    pub(crate) fn demand_of(&self, ticket: Ticket) -> Option<&Demand> {
        match ticket {
            Ticket::Run(_) => self.frame(FrameId(0)).demand.as_ref(),
            Ticket::Leg(_, leg) => self.leg(leg).demand.as_ref().filter(|_| self.leg(leg).state == JobState::Held),
            Ticket::Frame(_, frame) => {
                let waits = self.caller_of(frame).is_some_and(|leg| leg.state == JobState::Calling { since: None });
                self.frame(frame).demand.as_ref().filter(|_| waits)
            }
        }
    }

    /// Tells of a wait: of the job that waits, or of all jobs of a run that waits as a whole.
    pub(crate) fn tell_waiting(&self, ticket: Ticket, reason: String, turn: &mut Turn) {
        let leg = match ticket {
            Ticket::Leg(_, leg) => Some(self.leg(leg)),
            Ticket::Frame(_, frame) => self.caller_of(frame),
            Ticket::Run(_) => None,
        };
        match leg {
            Some(leg) => turn.waiting(self.id, &leg.key, &leg.name, reason),
            None => {
                for at in self.frame(FrameId(0)).nodes.clone() {
                    let (key, name) = self.key_and_name(NodeId(at));
                    turn.waiting(self.id, &key, &name, reason.clone());
                }
            }
        }
    }

    /// A group has no place for the ticket any more: what it stands for is cancelled.
    pub(crate) fn revoked(&mut self, ticket: Ticket, reason: String, turn: &mut Turn) {
        let leg = match ticket {
            Ticket::Run(_) => return self.cancelled_by_group(reason, turn),
            Ticket::Leg(_, leg) => Some(leg),
            Ticket::Frame(_, frame) => self.frame(frame).caller,
        };
        if let Some(leg) = leg {
            let order = StopOrder { conclusion: Conclusion::Cancelled, how: Stop::Cancel, reason };
            self.stop_leg(leg, order, turn);
        }
    }
}

impl Leg {
    /// Whether other jobs stand for it.
    pub(crate) fn is_call(&self) -> bool {
        matches!(self.work, Work::Call(_) | Work::Entered(_))
    }
}
