//! Timers that were set and have not fired.

use std::collections::{BTreeMap, BTreeSet};

use lineclear_engine::TimerId;
use lineclear_event::Timestamp;

/// Timers by id and by time. Timers of the same moment fire in the order of their ids.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    times: BTreeMap<TimerId, Timestamp>,
    order: BTreeSet<(Timestamp, TimerId)>,
}

impl Timers {
    /// Sets a timer, or moves it.
    pub(crate) fn set(&mut self, timer: TimerId, at: Timestamp) {
        self.clear(&timer);
        self.times.insert(timer.clone(), at);
        self.order.insert((at, timer));
    }

    pub(crate) fn clear(&mut self, timer: &TimerId) {
        if let Some((timer, at)) = self.times.remove_entry(timer) {
            self.order.remove(&(at, timer));
        }
    }

    /// When the next timer is due.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.order.first().map(|(at, _)| *at)
    }

    /// Takes the next timer that is due at `now`.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Option<TimerId> {
        self.next().filter(|&at| at <= now)?;
        let (_, timer) = self.order.pop_first()?;
        self.times.remove(&timer);
        Some(timer)
    }
}

#[cfg(test)]
mod tests {
    use lineclear_event::{JobKey, RunId};

    use super::*;

    fn timer(job: &str) -> TimerId {
        TimerId::JobTimeout { run: RunId(1), job: JobKey::new(job) }
    }

    #[test]
    fn timers_fire_in_order_and_setting_one_again_moves_it() {
        let mut timers = Timers::default();
        timers.set(timer("a"), Timestamp(10));
        timers.set(timer("b"), Timestamp(20));
        timers.set(timer("a"), Timestamp(30));
        timers.set(timer("c"), Timestamp(5));
        timers.clear(&timer("c"));
        assert_eq!(timers.next(), Some(Timestamp(20)));
        assert_eq!(timers.take_due(Timestamp(19)), None);
        assert_eq!(timers.take_due(Timestamp(50)), Some(timer("b")));
        assert_eq!(timers.take_due(Timestamp(50)), Some(timer("a")));
        assert_eq!(timers.take_due(Timestamp(50)), None);
    }
}
