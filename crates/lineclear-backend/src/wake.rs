//! Waking a thread that waits for a process.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::event::{EventfdFlags, eventfd};

/// A bell that can be rung from any thread. Once rung it stays so until [`Wake::clear`]; a waiter polls [`Wake::fd`].
#[derive(Clone, Debug)]
pub struct Wake {
    event: Arc<OwnedFd>,
}

impl Wake {
    /// A bell that was not rung.
    ///
    /// # Errors
    /// If this process may open no more files.
    pub fn new() -> io::Result<Self> {
        Ok(Self { event: Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?) })
    }

    /// Wakes whoever waits, now or later.
    pub fn ring(&self) {
        // The counter can only refuse when it is full: then the bell has been rung already.
        let _ = rustix::io::write(&self.event, &1_u64.to_ne_bytes());
    }

    /// Makes the bell one that was not rung.
    pub fn clear(&self) {
        let mut counter = [0; 8];
        // Refused when it was not rung, which is what clearing wants.
        let _ = rustix::io::read(&self.event, &mut counter);
    }

    /// Readable while the bell is rung.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}
