//! One line on the terminal that says how far a transfer is.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use lineclear_registry::{BlobOutcome, Progress, ProgressEvent};

use crate::history::words::size;
use crate::output;

/// How often the line is drawn at most.
const EVERY: Duration = Duration::from_millis(100);

/// What is shown of a transfer. Where there is no terminal, only what is tried again is said, a line each.
pub(super) struct Shown {
    terminal: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    blobs: usize,
    bytes: u64,
    done_blobs: usize,
    /// Bytes that arrived, with those of blobs that were there.
    done_bytes: u64,
    drawn: Option<Instant>,
}

impl Shown {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { terminal: std::io::stderr().is_terminal(), state: Mutex::default() })
    }

    /// Takes the line away.
    pub(super) fn end(&self) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.drawn.is_some() {
            output::redraw("");
        }
    }

    fn draw(&self, state: &mut State) {
        if !self.terminal || state.drawn.is_some_and(|drawn| drawn.elapsed() < EVERY) {
            return;
        }
        state.drawn = Some(Instant::now());
        // What is sent again after a broken line counts twice, which nobody has to see.
        let done = state.done_bytes.min(state.bytes);
        let (blobs, all) = (state.done_blobs, state.blobs);
        output::redraw(&format!("{} of {}, {blobs} of {all} blobs", size(done), size(state.bytes)));
    }
}

impl Progress for Shown {
    fn on(&self, event: ProgressEvent<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            ProgressEvent::Planned { blobs, bytes } => {
                state.blobs += blobs;
                state.bytes += bytes;
            }
            ProgressEvent::Bytes { more, .. } => state.done_bytes += more,
            ProgressEvent::Blob { blob, by } => {
                state.done_blobs += 1;
                if by != BlobOutcome::Transferred {
                    state.done_bytes += blob.size;
                }
            }
            ProgressEvent::Retry { reason, pause } => {
                if state.drawn.take().is_some() {
                    output::redraw("");
                }
                let again = if pause.is_zero() { String::new() } else { format!("; again in {pause:.1?}") };
                output::complain(&format!("{reason}{again}"));
                return;
            }
            _ => return,
        }
        self.draw(&mut state);
    }
}
