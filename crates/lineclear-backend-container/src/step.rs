//! A step's process in the job's container.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lineclear_backend::{Command, Exit, Happening, Process, Signal, StartError, Stream, Wake};
use lineclear_container_engine::{Engine, EngineError, ExecState, NewExec, OutputPiece, OutputStream, Source};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::error::as_io;
use crate::process_table::{self, Mark, Signal as TableSignal};
use crate::start_error;

/// How long a process may take to come to life.
const START_TIME: Duration = Duration::from_secs(120);
/// How long the engine may take to say why it did not.
const REASON_TIME: Duration = Duration::from_secs(5);
/// How long nothing is asked after a start: most processes are alive, or have ended, by then.
const FIRST_LOOK: Duration = Duration::from_millis(25);
/// How often is asked whether a process has ended where nothing tells it.
const ASK: (Duration, Duration) = (Duration::from_micros(500), Duration::from_millis(50));

/// What a process needs of its room.
pub(crate) struct StepStart<'s> {
    pub(crate) engine: &'s Engine,
    pub(crate) container: &'s str,
    pub(crate) command: &'s Command,
    pub(crate) exec: NewExec,
    pub(crate) mark: Mark,
    /// What a path in the container is on this machine.
    pub(crate) on_host: &'s dyn Fn(&Path) -> Option<PathBuf>,
}

/// A started process. Dropped before its end was told, it is killed with all that it started.
#[derive(Debug)]
pub(crate) struct StepProcess {
    engine: Engine,
    exec: String,
    mark: Mark,
    /// On the engine's machine.
    pid: u32,
    /// Readable once the process has ended. `None` where this machine does not show it.
    end: Option<OwnedFd>,
    /// `None` once it is at its end.
    output: Option<OutputStream>,
    /// Output that came before its start was known.
    early: Vec<(Stream, Vec<u8>)>,
    /// Seen at the start already.
    known: Option<Exit>,
    exit: Option<Exit>,
    /// A deadline that had come when output was told instead. It is next.
    overdue: Option<Instant>,
    next_ask: Instant,
    pause: Duration,
}

pub(crate) fn start(start: StepStart<'_>) -> Result<StepProcess, StartError> {
    let StepStart { engine, container, command, exec, mark, on_host } = start;
    start_error::check(command, on_host, &|path| engine.container_has(container, path).unwrap_or(true))
        .inspect_err(|_| mark.ended())?;
    let fail = |error: EngineError| {
        mark.ended();
        start_error::of_engine(command, on_host, error)
    };
    let id = engine.exec_create(container, &exec).map_err(fail)?;
    let mut output = Some(engine.exec_start(&id).map_err(fail)?);
    let mut early: Vec<(Stream, Vec<u8>)> = Vec::new();
    let begun = Instant::now();
    let mut pause = FIRST_LOOK;
    let state = loop {
        let mut ended = false;
        if let Some(stream) = &mut output {
            // Output, or its end, tells that there is something to know; silence that the process goes on.
            wait_for(stream, pause).map_err(|source| fail(broken(source)))?;
            loop {
                let mut bytes = Vec::new();
                match stream.read(&mut bytes).map_err(|source| fail(broken(source)))? {
                    OutputPiece::Bytes(source) => early.push((stream_of(source), bytes)),
                    OutputPiece::Nothing => break,
                    OutputPiece::End => {
                        ended = true;
                        break;
                    }
                }
                if early.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() > 1 << 20 {
                    break; // It surely runs.
                }
            }
        } else {
            std::thread::sleep(pause.min(Duration::from_millis(5)));
        }
        if ended {
            output = None;
        }
        let state = engine.exec_inspect(&id).map_err(fail)?;
        if state.pid != 0 || !state.running && state.exit_code.is_some() {
            break state;
        }
        if begun.elapsed() > START_TIME {
            return Err(fail(EngineError::TimedOut {
                what: "start a process in a container".into(),
                after: START_TIME,
            }));
        }
        pause = Duration::from_millis(5);
    };
    if state.pid == 0 && matches!(state.exit_code, Some(126..=128)) {
        mark.ended();
        let mut said: Vec<u8> = early.into_iter().flat_map(|(_, bytes)| bytes).collect();
        // The reason may come a moment after the exit code.
        if let Some(stream) = &mut output {
            let until = Instant::now() + REASON_TIME;
            while Instant::now() < until && !matches!(stream.read(&mut said), Ok(OutputPiece::End) | Err(_)) {
                wait_for(stream, Duration::from_millis(20)).map_err(|source| fail(broken(source)))?;
            }
        }
        let said = String::from_utf8_lossy(&said);
        // Podman says why by the exit code alone, in the numbers that shells use.
        let said = match (said.trim(), state.exit_code) {
            ("", Some(127)) => "executable file not found",
            ("", Some(126)) => "permission denied",
            (said, _) => said,
        };
        return Err(start_error::of_runtime(command, on_host, said));
    }
    let known = exit_of(&state);
    let end = match known {
        Some(_) => None,
        None => process_table::end_of(container, state.pid)
            .map_err(|source| StartError::Io { program: start_error::shown(&command.program), source })?,
    };
    let process = StepProcess {
        engine: engine.clone(),
        exec: id,
        mark,
        pid: state.pid,
        end,
        output,
        early,
        known,
        exit: None,
        overdue: None,
        next_ask: Instant::now(),
        pause: ASK.0,
    };
    Ok(process)
}

fn broken(source: io::Error) -> EngineError {
    EngineError::Broken { what: "start a process in a container".into(), source }
}

fn stream_of(source: Source) -> Stream {
    match source {
        Source::Stdout => Stream::Stdout,
        Source::Stderr | Source::Engine => Stream::Stderr,
    }
}

fn wait_for(stream: &OutputStream, time: Duration) -> io::Result<()> {
    let mut sources = [PollFd::from_borrowed_fd(stream.fd(), PollFlags::IN)];
    match poll(&mut sources, Timespec::try_from(time).ok().as_ref()) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn exit_of(state: &ExecState) -> Option<Exit> {
    let code = state.exit_code.filter(|_| !state.running)?;
    Some(Exit::Code(i32::try_from(code & 0xff).unwrap_or(255)))
}

impl Process for StepProcess {
    fn next(&mut self, buffer: &mut Vec<u8>, until: Option<Instant>, wake: &Wake) -> io::Result<Happening> {
        if self.exit.is_some() && self.output.is_none() && self.early.is_empty() {
            return Ok(Happening::Closed);
        }
        loop {
            let seen = self.look(until, wake)?;
            if seen.woken {
                return Ok(Happening::Woken);
            }
            let late = until.is_some_and(|until| Instant::now() >= until);
            if late && self.overdue.take() == until {
                return Ok(Happening::Deadline);
            }
            if self.exit.is_none()
                && (seen.ended || self.output.is_none() || self.end.is_none() && Instant::now() >= self.next_ask)
                && let Some(exit) = self.take_exit()?
            {
                return Ok(Happening::Exited(exit));
            }
            if let Some(stream) = self.read(buffer)? {
                self.overdue = until.filter(|_| late);
                return Ok(Happening::Output(stream));
            }
            if self.exit.is_some() && self.output.is_none() {
                return Ok(Happening::Closed);
            }
            if late {
                return Ok(Happening::Deadline);
            }
        }
    }

    fn signal(&mut self, signal: Signal) -> io::Result<()> {
        if self.exit.is_some() || self.known.is_some() {
            return Ok(());
        }
        match signal {
            Signal::Interrupt => self.mark.signal(self.pid, TableSignal::Interrupt),
            Signal::Terminate => self.mark.signal(self.pid, TableSignal::Terminate),
            Signal::Kill => self.mark.kill(self.pid),
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    woken: bool,
    ended: bool,
}

impl StepProcess {
    /// Waits for something to see: the bell, the end of the process, output, or the deadline.
    fn look(&self, until: Option<Instant>, wake: &Wake) -> io::Result<Seen> {
        let now = Instant::now();
        let mut time = until.map(|until| until.saturating_duration_since(now));
        if self.exit.is_none() && (self.end.is_none() || self.output.is_none()) {
            let ask = self.next_ask.saturating_duration_since(now);
            time = Some(time.map_or(ask, |time| time.min(ask)));
        }
        if !self.early.is_empty() || self.known.is_some() && self.exit.is_none() {
            time = Some(Duration::ZERO);
        }
        let mut polled = vec![PollFd::from_borrowed_fd(wake.fd(), PollFlags::IN)];
        let end = self.end.as_ref().filter(|_| self.exit.is_none());
        polled.extend(end.map(|end| PollFd::from_borrowed_fd(end.as_fd(), PollFlags::IN)));
        // What was read ahead of the stream is whole frames' beginnings only, so the socket tells of everything else.
        polled.extend(self.output.as_ref().map(|output| PollFd::from_borrowed_fd(output.fd(), PollFlags::IN)));
        match poll(&mut polled, time.and_then(|time| Timespec::try_from(time).ok()).as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ready = |index: usize| polled.get(index).is_some_and(|source| !source.revents().is_empty());
        Ok(Seen { woken: ready(0), ended: end.is_some() && ready(1) })
    }

    /// The exit, if the engine knows of it yet.
    fn take_exit(&mut self) -> io::Result<Option<Exit>> {
        let known = match self.known.take() {
            Some(exit) => Some(exit),
            None => {
                let now = Instant::now();
                if now < self.next_ask {
                    // Its end was told; the engine hears of it a moment later.
                    std::thread::sleep(self.next_ask - now);
                }
                let state = self.engine.exec_inspect(&self.exec).map_err(as_io)?;
                self.next_ask = Instant::now() + self.pause;
                self.pause = (self.pause * 2).min(ASK.1);
                exit_of(&state)
            }
        };
        if known.is_some() {
            self.exit = known;
            self.mark.ended();
        }
        Ok(known)
    }

    /// Appends output of one stream.
    fn read(&mut self, buffer: &mut Vec<u8>) -> io::Result<Option<Stream>> {
        if !self.early.is_empty() {
            let (stream, bytes) = self.early.remove(0);
            buffer.extend_from_slice(&bytes);
            return Ok(Some(stream));
        }
        let Some(output) = &mut self.output else { return Ok(None) };
        match output.read(buffer)? {
            OutputPiece::Bytes(source) => Ok(Some(stream_of(source))),
            OutputPiece::Nothing => Ok(None),
            OutputPiece::End => {
                self.output = None;
                Ok(None)
            }
        }
    }
}

impl Drop for StepProcess {
    fn drop(&mut self) {
        if self.exit.is_none() && self.known.is_none() {
            self.mark.kill(self.pid);
            self.mark.ended();
        }
    }
}
