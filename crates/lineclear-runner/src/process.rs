//! Carries one process from its start to its end: output, time-out, cancellation.
//!
//! ```text
//!            time is over, or cancelled
//! running ──────────────► interrupted ── 7.5 s ──► terminated ── 2.5 s ──► killed
//!    │                         │                        │                    │
//!    └── exits ────────────────┴────────────────────────┴────────────────────┘
//!          │
//!          ▼
//!    streams still open ── closed, or 5 s ──► ended
//! ```
//!
//! # Source
//! Sections 4.10 and 4.11 of the protocol notes, after `ProcessInvoker.cs` of `actions/runner`.

use std::io;
use std::time::{Duration, Instant};

use lineclear_backend::{Exit, Happening, Process, Signal, Stream};

use crate::ports::JobControl;

/// From SIGINT to SIGTERM.
const UNTIL_TERMINATE: Duration = Duration::from_millis(7500);
/// From SIGINT to SIGKILL.
const UNTIL_KILL: Duration = Duration::from_secs(10);
/// How long streams that someone left behind still holds are listened to.
const UNTIL_STREAMS_CLOSE: Duration = Duration::from_secs(5);

/// What may end a step from outside.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// The job's own control: cancelling it ends the step unless `keeps_on_cancel`.
    pub(crate) job: JobControl,
    /// The control of the thread that the step runs on; the same as the job's unless it runs in the background.
    pub(crate) thread: JobControl,
    /// Whether the step's condition holds also when the job is cancelled: then it is not interrupted (trap 60).
    pub(crate) keeps_on_cancel: bool,
    pub(crate) deadline: Option<Instant>,
}

/// Why a step was ended from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Halt {
    TimedOut,
    /// The job was cancelled.
    Cancelled,
    /// A `cancel` step asked this background step to stop.
    Stopped,
    /// At once, with no time to clean up.
    Killed,
}

impl Limits {
    /// Whether the step has to end now.
    pub(crate) fn halt(&self, now: Instant) -> Option<Halt> {
        if self.thread.is_killed() || self.job.is_killed() {
            Some(Halt::Killed)
        } else if self.job.is_cancelled() && !self.keeps_on_cancel {
            Some(Halt::Cancelled)
        } else if !self.job.is_cancelled() && self.thread.is_cancelled() {
            Some(Halt::Stopped)
        } else if self.deadline.is_some_and(|deadline| deadline <= now) {
            Some(Halt::TimedOut)
        } else {
            None
        }
    }
}

/// How a process ended, and whether of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) exit: Exit,
    pub(crate) halted: Option<Halt>,
}

/// Listens to `process` until it has ended and its streams are closed.
///
/// `hear` gets the output, 0 for standard output and 1 for standard error, in pieces of any size.
pub(crate) fn carry(
    process: &mut dyn Process,
    limits: &Limits,
    hear: &mut dyn FnMut(usize, &[u8]),
) -> io::Result<Ended> {
    let mut buffer = Vec::new();
    let mut stopping: Option<Stopping> = None;
    let mut exited: Option<(Exit, Instant)> = None;
    let wake = limits.thread.wake();
    loop {
        let now = Instant::now();
        if let Some((exit, at)) = exited
            && (now >= at + UNTIL_STREAMS_CLOSE || limits.thread.is_killed())
        {
            return Ok(ended(exit, stopping));
        }
        match (limits.halt(now), &mut stopping) {
            (Some(Halt::Killed), stopping) => {
                let stopping = stopping.get_or_insert(Stopping { why: Halt::Killed, since: now, sent: 3 });
                stopping.why = Halt::Killed;
                stopping.sent = 3;
                process.signal(Signal::Kill)?;
            }
            (Some(why), None) if exited.is_none() => {
                stopping = Some(Stopping { why, since: now, sent: 1 });
                process.signal(Signal::Interrupt)?;
            }
            (_, Some(stopping)) if exited.is_none() => stopping.go_on(process, now)?,
            _ => {}
        }
        let until = match (&exited, &stopping) {
            (Some((_, at)), _) => Some(*at + UNTIL_STREAMS_CLOSE),
            (None, Some(stopping)) => stopping.next_signal(),
            (None, None) => limits.deadline,
        };
        match process.next(&mut buffer, until, wake)? {
            Happening::Output(stream) => {
                hear(if stream == Stream::Stdout { 0 } else { 1 }, &buffer);
                buffer.clear();
            }
            Happening::Exited(exit) => exited = Some((exit, Instant::now())),
            Happening::Closed => {
                if let Some((exit, _)) = exited {
                    return Ok(ended(exit, stopping));
                }
            }
            Happening::Woken => wake.clear(),
            Happening::Deadline => {}
        }
    }
}

fn ended(exit: Exit, stopping: Option<Stopping>) -> Ended {
    Ended { exit, halted: stopping.map(|stopping| stopping.why) }
}

struct Stopping {
    why: Halt,
    since: Instant,
    /// How many of the three signals were sent.
    sent: u8,
}

impl Stopping {
    fn next_signal(&self) -> Option<Instant> {
        match self.sent {
            1 => Some(self.since + UNTIL_TERMINATE),
            2 => Some(self.since + UNTIL_KILL),
            _ => None,
        }
    }

    fn go_on(&mut self, process: &mut dyn Process, now: Instant) -> io::Result<()> {
        if self.next_signal().is_some_and(|due| due <= now) {
            self.sent += 1;
            process.signal(if self.sent == 2 { Signal::Terminate } else { Signal::Kill })?;
        }
        Ok(())
    }
}
