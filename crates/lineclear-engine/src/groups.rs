//! Concurrency groups: one holder each, and a queue of those that wait.
//!
//! Groups know neither runs nor jobs: a [`Ticket`] asks, holds and leaves. Names are compared ignoring case, and groups of
//! workflows, of called workflows and of jobs share one name space.
//!
//! # Source
//! GitHub's workflow syntax, `concurrency`: one runs and one waits, a newcomer replaces the one that waits; `queue: max` lets
//! up to a hundred wait.

use std::collections::{BTreeMap, VecDeque};

use lineclear_event::RunId;
use lineclear_workflow::Queue;

use crate::run::{FrameId, LegId};

/// Most that may wait for one group under `queue: max`.
pub(crate) const MAX_PENDING: usize = 100;

/// Longest name of a group, in characters.
pub(crate) const MAX_NAME: usize = 400;

/// Who asks for a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ticket {
    /// The run, for its workflow's own `concurrency`.
    Run(RunId),
    /// A called workflow, for the `concurrency` in its file.
    Frame(RunId, FrameId),
    /// A job, for its `concurrency`.
    Leg(RunId, LegId),
}

impl Ticket {
    pub(crate) fn run(self) -> RunId {
        match self {
            Self::Run(run) | Self::Frame(run, _) | Self::Leg(run, _) => run,
        }
    }
}

/// An evaluated `concurrency`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Demand {
    pub(crate) group: String,
    pub(crate) cancel_in_progress: bool,
    pub(crate) queue: Queue,
}

/// What came of asking.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Granted,
    /// The ticket waits. Those in `replaced` wait no longer: they gave way to it.
    Waits {
        holder: Ticket,
        replaced: Vec<Ticket>,
    },
    /// A hundred wait already.
    Full,
}

/// All groups that are held.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    /// By lower-case name.
    groups: BTreeMap<String, Group>,
    /// The lower-case name of the group that a ticket holds or waits for.
    places: BTreeMap<Ticket, String>,
}

#[derive(Debug)]
struct Group {
    holder: Ticket,
    pending: VecDeque<Ticket>,
}

impl Groups {
    /// Asks for the group that `demand` names. A ticket asks once.
    pub(crate) fn ask(&mut self, ticket: Ticket, demand: &Demand) -> Answer {
        let name = demand.group.to_lowercase();
        let Some(group) = self.groups.get_mut(&name) else {
            self.groups.insert(name.clone(), Group { holder: ticket, pending: VecDeque::new() });
            self.places.insert(ticket, name);
            return Answer::Granted;
        };
        let replaced = match demand.queue {
            Queue::Max if group.pending.len() >= MAX_PENDING => return Answer::Full,
            Queue::Max => Vec::new(),
            Queue::Single => group.pending.drain(..).collect(),
        };
        group.pending.push_back(ticket);
        let holder = group.holder;
        for gone in &replaced {
            self.places.remove(gone);
        }
        self.places.insert(ticket, name);
        Answer::Waits { holder, replaced }
    }

    /// Gives up what the ticket holds or waits for. Gives the ticket that holds the group from now on, if that changed.
    pub(crate) fn leave(&mut self, ticket: Ticket) -> Option<Ticket> {
        let name = self.places.remove(&ticket)?;
        let group = self.groups.get_mut(&name)?;
        if group.holder != ticket {
            group.pending.retain(|&waiting| waiting != ticket);
            return None;
        }
        match group.pending.pop_front() {
            Some(next) => {
                group.holder = next;
                Some(next)
            }
            None => {
                self.groups.remove(&name);
                None
            }
        }
    }

    /// Who holds the group called `name`.
    pub(crate) fn holder(&self, name: &str) -> Option<Ticket> {
        self.groups.get(&name.to_lowercase()).map(|group| group.holder)
    }

    /// Every waiting ticket, with the holder that it waits for.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = (Ticket, Ticket)> {
        self.groups.values().flat_map(|group| group.pending.iter().map(|&ticket| (ticket, group.holder)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(id: u64) -> Ticket {
        Ticket::Run(RunId(id))
    }

    fn demand(group: &str, queue: Queue) -> Demand {
        Demand { group: group.into(), cancel_in_progress: false, queue }
    }

    #[test]
    fn a_newcomer_replaces_the_one_that_waits_and_names_ignore_case() {
        let mut groups = Groups::default();
        assert_eq!(groups.ask(run(1), &demand("Deploy", Queue::Single)), Answer::Granted);
        assert_eq!(
            groups.ask(run(2), &demand("deploy", Queue::Single)),
            Answer::Waits { holder: run(1), replaced: vec![] }
        );
        assert_eq!(
            groups.ask(run(3), &demand("DEPLOY", Queue::Single)),
            Answer::Waits { holder: run(1), replaced: vec![run(2)] }
        );
        assert_eq!(groups.leave(run(2)), None, "it was replaced and holds no place");
        assert_eq!(groups.leave(run(1)), Some(run(3)));
        assert_eq!(groups.leave(run(3)), None);
        assert_eq!(groups.holder("deploy"), None);
    }

    #[test]
    fn queue_max_keeps_a_hundred_in_the_order_they_came() {
        let mut groups = Groups::default();
        groups.ask(run(0), &demand("g", Queue::Max));
        for id in 1..=100 {
            assert!(matches!(groups.ask(run(id), &demand("g", Queue::Max)), Answer::Waits { .. }));
        }
        assert_eq!(groups.ask(run(101), &demand("g", Queue::Max)), Answer::Full);
        assert_eq!(groups.leave(run(1)), None, "one that waits may go");
        assert_eq!(groups.leave(run(0)), Some(run(2)));
        assert_eq!(groups.waiting().count(), 98);
    }
}
