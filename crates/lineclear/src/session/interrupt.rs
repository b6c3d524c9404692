//! Ctrl-C: once cancels as GitHub does, twice ends everything at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lineclear_drive::Inbox;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::output;

/// Says whether the user has interrupted.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt(Arc<AtomicUsize>);

impl Interrupt {
    pub(crate) fn was_heard(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 0
    }
}

/// Listens for signals and passes them to the engine as wishes to cancel.
///
/// `heard_first` is called with the first of them.
pub(crate) fn listen(inbox: Inbox, heard_first: impl Fn() + Send + 'static) -> io::Result<Interrupt> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    let heard = Interrupt(Arc::default());
    let count = Arc::clone(&heard.0);
    std::thread::spawn(move || {
        for signal in signals.forever() {
            let before = count.fetch_add(1, Ordering::SeqCst);
            let name = match signal {
                SIGTERM => "SIGTERM",
                SIGHUP => "SIGHUP",
                _ => "Ctrl-C",
            };
            match before {
                0 => {
                    output::complain(
                        "cancelling: steps that run on `always()` still do; once more ends everything at once",
                    );
                    heard_first();
                }
                1 => output::complain("ending everything now"),
                _ => {}
            }
            inbox.cancel(None, format!("cancelled by {name}"));
        }
    });
    Ok(heard)
}
