//! Time, and waiting for it.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use lineclear_event::Timestamp;

use crate::Message;

/// Longest single wait: a limit that clocks everywhere can count to. The loop then waits again.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// Tells the time, and waits for what comes next.
pub trait Clock {
    fn now(&self) -> Timestamp;

    /// Waits for a message, at most until `until`; `None` waits for as long as it takes.
    fn next(&mut self, inbox: &Receiver<Message>, until: Option<Timestamp>) -> Next;
}

/// What ended a wait.
#[derive(Debug)]
pub enum Next {
    Message(Message),
    /// The time asked for has come; or the wait was long enough to look around again.
    TimeUp,
    /// Nobody is left who could send a message.
    Closed,
}

/// The time of this machine, as told by a function that is passed in.
#[derive(Clone, Copy, Debug)]
pub struct RealTime<F>(pub F);

impl<F: Fn() -> Timestamp> Clock for RealTime<F> {
    fn now(&self) -> Timestamp {
        (self.0)()
    }

    fn next(&mut self, inbox: &Receiver<Message>, until: Option<Timestamp>) -> Next {
        let wait = match until {
            Some(until) => Duration::from_millis(until.millis_since(self.now())).min(LONGEST_WAIT),
            None => LONGEST_WAIT,
        };
        match inbox.recv_timeout(wait) {
            Ok(message) => Next::Message(message),
            Err(RecvTimeoutError::Timeout) => Next::TimeUp,
            Err(RecvTimeoutError::Disconnected) => Next::Closed,
        }
    }
}
