//! The container of a Docker action, as a process.

use std::io;
use std::time::{Duration, Instant};

use lineclear_backend::{Exit, Happening, Process, Signal, Stream, Wake};
use lineclear_container_engine::{ContainerWait, Engine, EngineError, OutputPiece, OutputStream, Source};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::error::as_io;

/// A running container. It is removed when its end was told, or this is dropped.
#[derive(Debug)]
pub(crate) struct ActionProcess {
    engine: Engine,
    id: String,
    end: ContainerWait,
    output: Option<OutputStream>,
    exit: Option<Exit>,
    overdue: Option<Instant>,
    removed: bool,
}

impl ActionProcess {
    pub(crate) fn new(engine: Engine, id: String, end: ContainerWait, output: OutputStream) -> Self {
        Self { engine, id, end, output: Some(output), exit: None, overdue: None, removed: false }
    }

    fn kill(&self, signal: &str) -> io::Result<()> {
        match self.engine.container_kill(&self.id, signal) {
            Err(error) if !error.is_conflict() && !error.is_not_found() => Err(as_io(error)),
            _ => Ok(()),
        }
    }

    fn remove(&mut self) -> Result<(), EngineError> {
        if !std::mem::replace(&mut self.removed, true) {
            self.engine.container_remove(&self.id)?;
        }
        Ok(())
    }
}

impl Process for ActionProcess {
    fn next(&mut self, buffer: &mut Vec<u8>, until: Option<Instant>, wake: &Wake) -> io::Result<Happening> {
        loop {
            if self.exit.is_some() && self.output.is_none() {
                self.remove().map_err(as_io)?;
                return Ok(Happening::Closed);
            }
            let time = until.map(|until| until.saturating_duration_since(Instant::now()));
            let mut polled = vec![PollFd::from_borrowed_fd(wake.fd(), PollFlags::IN)];
            if self.exit.is_none() {
                polled.push(PollFd::from_borrowed_fd(self.end.fd(), PollFlags::IN));
            }
            polled.extend(self.output.as_ref().map(|output| PollFd::from_borrowed_fd(output.fd(), PollFlags::IN)));
            match poll(&mut polled, time.and_then(|time| Timespec::try_from(time).ok()).as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            let ready = |index: usize| polled.get(index).is_some_and(|source| !source.revents().is_empty());
            let (woken, ended) = (ready(0), self.exit.is_none() && ready(1));
            if woken {
                return Ok(Happening::Woken);
            }
            let late = until.is_some_and(|until| Instant::now() >= until);
            if late && self.overdue.take() == until {
                return Ok(Happening::Deadline);
            }
            if ended && let Some(code) = self.end.look().map_err(as_io)? {
                let exit = Exit::Code(i32::try_from(code & 0xff).unwrap_or(255));
                self.exit = Some(exit);
                return Ok(Happening::Exited(exit));
            }
            if let Some(output) = &mut self.output {
                match output.read(buffer)? {
                    OutputPiece::Bytes(source) => {
                        self.overdue = until.filter(|_| late);
                        let stream = if source == Source::Stdout { Stream::Stdout } else { Stream::Stderr };
                        return Ok(Happening::Output(stream));
                    }
                    OutputPiece::End => self.output = None,
                    OutputPiece::Nothing => {}
                }
            }
            if late {
                return Ok(Happening::Deadline);
            }
        }
    }

    fn signal(&mut self, signal: Signal) -> io::Result<()> {
        if self.exit.is_some() {
            return Ok(());
        }
        match signal {
            Signal::Interrupt => self.kill("SIGINT"),
            Signal::Terminate => self.kill("SIGTERM"),
            Signal::Kill => {
                self.kill("SIGKILL")?;
                // Returns when they are gone; the caller is told the end by `next`.
                let until = Instant::now() + Duration::from_secs(15);
                while Instant::now() < until {
                    match self.engine.container_inspect(&self.id) {
                        Ok(container) if container.state.running => std::thread::sleep(Duration::from_millis(5)),
                        Ok(_) => break,
                        Err(error) if error.is_not_found() => break,
                        Err(error) => return Err(as_io(error)),
                    }
                }
                Ok(())
            }
        }
    }
}

impl Drop for ActionProcess {
    fn drop(&mut self) {
        // What cannot be removed now is, when the job's containers are closed.
        let _ = self.remove();
    }
}
