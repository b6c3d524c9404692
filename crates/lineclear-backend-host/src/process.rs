//! A step's process on this host.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use lineclear_backend::{Command, Exit, Happening, Process, Signal, StartError, Stream, Wake};
use lineclear_sandbox::{Sandbox, Step};
use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::pipe::fcntl_setpipe_size;
use rustix::process::{PidfdFlags, kill_process, pidfd_open};

use crate::family;
use crate::job_processes::JobProcesses;
use crate::lookup::{self, Sight};
use crate::settings::Sessions;

/// How much is read at once: what a pipe holds at first.
const CHUNK: usize = 64 << 10;
/// How much is read at once from a stream that turned out to be large.
const LARGE_CHUNK: usize = 256 << 10;
/// What a pipe of a large stream holds.
const LARGE_PIPE: usize = 1 << 20;
/// How often adopted processes that ended are reaped while a step runs, so that they do not use up the machine's pids.
const REAP: Duration = Duration::from_secs(1);
/// How often a process is asked whether it ended, on a kernel that cannot tell by itself.
const ASK: Duration = Duration::from_millis(5);

/// How steps are kept from the terminal that Lineclear was started at; see [`Sessions`].
#[derive(Clone, Debug)]
pub(crate) enum Detach {
    /// A process group of its own.
    Group,
    /// By this program, `setsid`, which opens a session and becomes the step's program.
    Session(PathBuf),
}

impl Detach {
    pub(crate) fn choose(sessions: Sessions) -> Self {
        let wanted = match sessions {
            Sessions::AtTerminal => std::fs::File::open("/dev/tty").is_ok(),
            Sessions::Always => true,
        };
        let mut places = ["/usr/bin/setsid", "/bin/setsid"].into_iter().map(PathBuf::from);
        match places.find(|path| wanted && path.exists()) {
            Some(setsid) => Self::Session(setsid),
            None => Self::Group,
        }
    }
}

/// A started process. Dropped before its end was told, it is killed with all that it started.
#[derive(Debug)]
pub(crate) struct HostProcess {
    job: Arc<JobProcesses>,
    child: Child,
    /// Readable once the process has ended. `None` where the kernel has no such thing.
    end: Option<OwnedFd>,
    stdout: Output,
    stderr: Output,
    exit: Option<Exit>,
    /// What the last look at all sources found and has not been told yet.
    seen: Seen,
    /// A deadline that had come when output was told instead. It is next.
    overdue: Option<Instant>,
    next_reap: Instant,
}

/// One end of a pipe, until it is closed.
#[derive(Debug)]
struct Output {
    pipe: Option<OwnedFd>,
    chunk: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    woken: bool,
    ended: bool,
    stdout: bool,
    stderr: bool,
}

pub(crate) fn start(
    job: Arc<JobProcesses>,
    command: &Command,
    detach: &Detach,
    sandbox: Option<&Sandbox>,
) -> Result<HostProcess, StartError> {
    let sight = Sight::of(sandbox.and_then(Sandbox::root).as_deref());
    let program = lookup::program(command, &sight)?;
    // The program is given as a path and nothing is set that only a fork could do, so that the standard library takes
    // `posix_spawn`, which does not copy this process.
    let mut start = match (sandbox, detach) {
        (Some(sandbox), detach) => {
            // What starts it there could tell what was wrong by an exit code only.
            lookup::check(command, &program, &sight)?;
            let directory = &command.working_directory;
            let session = matches!(detach, Detach::Session(_));
            let started = sandbox.command(Step { program: &program, args: &command.args, directory, session });
            started.map_err(|error| lookup::explain(command, &program, error, &sight))?
        }
        (None, Detach::Group) => {
            let mut start = std::process::Command::new(&program);
            start.process_group(0).args(&command.args).current_dir(&command.working_directory);
            start
        }
        (None, Detach::Session(setsid)) => {
            // It would tell of a program that it cannot start by an exit code only.
            lookup::check(command, &program, &sight)?;
            let mut start = std::process::Command::new(setsid);
            start.arg(&program).args(&command.args).current_dir(&command.working_directory);
            start
        }
    };
    start
        .env_clear()
        .envs(command.env.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = {
        let _nothing_is_killed = job.starting();
        let begun = Instant::now();
        let child =
            family::start(|| start.spawn()).map_err(|error| lookup::explain(command, &program, error, &sight))?;
        job.started(child.id(), begun, &command.env);
        child
    };
    let end = family::rustix_pid(child.id()).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
    let stdout = Output { pipe: child.stdout.take().map(OwnedFd::from), chunk: CHUNK };
    let stderr = Output { pipe: child.stderr.take().map(OwnedFd::from), chunk: CHUNK };
    Ok(HostProcess {
        job,
        child,
        end,
        stdout,
        stderr,
        exit: None,
        seen: Seen::default(),
        overdue: None,
        next_reap: Instant::now() + REAP,
    })
}

impl Process for HostProcess {
    fn next(&mut self, buffer: &mut Vec<u8>, until: Option<Instant>, wake: &Wake) -> io::Result<Happening> {
        loop {
            if let Some(happening) = self.tell(buffer)? {
                return Ok(happening);
            }
            if self.exit.is_some() && self.stdout.pipe.is_none() && self.stderr.pipe.is_none() {
                return Ok(Happening::Closed);
            }
            let late = until.is_some_and(|until| until <= Instant::now());
            if late && self.overdue.take() == until {
                return Ok(Happening::Deadline);
            }
            self.look(until, late, wake)?;
            if late && !self.seen.any() {
                return Ok(Happening::Deadline);
            }
            self.overdue = until.filter(|_| late);
        }
    }

    fn signal(&mut self, signal: Signal) -> io::Result<()> {
        let number = match signal {
            Signal::Interrupt => rustix::process::Signal::INT,
            Signal::Terminate => rustix::process::Signal::TERM,
            Signal::Kill => {
                self.job.kill_step(self.child.id());
                return Ok(());
            }
        };
        // Its exit status has not been taken, so the number is still its own.
        match family::rustix_pid(self.child.id()) {
            Some(pid) if self.exit.is_none() => match kill_process(pid, number) {
                Err(Errno::SRCH) => Ok(()),
                result => Ok(result?),
            },
            _ => Ok(()),
        }
    }
}

impl HostProcess {
    /// Tells one thing of what was seen. The bell first, then the end, then output, so that a flood hides neither.
    fn tell(&mut self, buffer: &mut Vec<u8>) -> io::Result<Option<Happening>> {
        if std::mem::take(&mut self.seen.woken) {
            return Ok(Some(Happening::Woken));
        }
        if std::mem::take(&mut self.seen.ended)
            && self.exit.is_none()
            && let Some(exit) = self.take_exit()?
        {
            return Ok(Some(Happening::Exited(exit)));
        }
        if std::mem::take(&mut self.seen.stdout) && self.stdout.read(buffer)? {
            return Ok(Some(Happening::Output(Stream::Stdout)));
        }
        if std::mem::take(&mut self.seen.stderr) && self.stderr.read(buffer)? {
            return Ok(Some(Happening::Output(Stream::Stderr)));
        }
        Ok(None)
    }

    /// Waits for something to see.
    fn look(&mut self, until: Option<Instant>, late: bool, wake: &Wake) -> io::Result<()> {
        let running = self.exit.is_none();
        let now = Instant::now();
        if running && now >= self.next_reap {
            family::adopted();
            self.next_reap = now + REAP;
        }
        let mut pause = until.map(|until| until.saturating_duration_since(now));
        if running {
            let longest = if self.end.is_some() { self.next_reap.saturating_duration_since(now) } else { ASK };
            pause = Some(pause.map_or(longest, |pause| pause.min(longest)));
        }
        if late {
            pause = Some(Duration::ZERO);
        }
        let pause = pause.and_then(|pause| Timespec::try_from(pause).ok());

        // A source that is closed is left out.
        let mut sources: [Option<PollFd<'_>>; 4] = [
            Some(PollFd::from_borrowed_fd(wake.fd(), PollFlags::IN)),
            self.end.as_ref().filter(|_| running).map(readable),
            self.stdout.pipe.as_ref().map(readable),
            self.stderr.pipe.as_ref().map(readable),
        ];
        let places: Vec<usize> = sources.iter().enumerate().filter(|(_, s)| s.is_some()).map(|(i, _)| i).collect();
        let mut polled: Vec<PollFd<'_>> = sources.iter_mut().filter_map(Option::take).collect();
        match poll(&mut polled, pause.as_ref()) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        for (place, source) in places.into_iter().zip(&polled) {
            let ready = !source.revents().is_empty();
            match place {
                0 => self.seen.woken = ready,
                1 => self.seen.ended = ready,
                2 => self.seen.stdout = ready,
                _ => self.seen.stderr = ready,
            }
        }
        if running && self.end.is_none() {
            self.seen.ended = true; // Not known, so ask.
        }
        Ok(())
    }

    /// The exit status, if the process has ended.
    fn take_exit(&mut self) -> io::Result<Option<Exit>> {
        let status = self.child.try_wait().map_err(|error| match Errno::from_io_error(&error) {
            // Started with "ignore the end of children", a process is never told how they end.
            Some(Errno::CHILD) => io::Error::other(
                "the exit code was lost: the program that started Lineclear made it ignore SIGCHLD; \
                 start it by `env --default-signal=CHLD lineclear …`",
            ),
            _ => error,
        })?;
        let Some(status) = status else { return Ok(None) };
        let exit = match (status.code(), status.signal()) {
            (Some(code), _) => Exit::Code(code),
            (None, Some(signal)) => Exit::Signal(signal),
            (None, None) => Exit::Code(status.into_raw()), // Neither exited nor killed: `waitpid` reports no such end.
        };
        self.exit = Some(exit);
        self.job.ended(self.child.id());
        Ok(Some(exit))
    }
}

impl Seen {
    fn any(self) -> bool {
        self.woken || self.ended || self.stdout || self.stderr
    }
}

impl Output {
    /// Appends what is there. `false` if nothing is: at the end of the stream, which is closed then.
    fn read(&mut self, buffer: &mut Vec<u8>) -> io::Result<bool> {
        let Some(pipe) = &self.pipe else { return Ok(false) };
        buffer.reserve(self.chunk);
        let count = match rustix::io::read(pipe, spare_capacity(buffer)) {
            Ok(count) => count,
            Err(Errno::INTR | Errno::AGAIN) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        if count == 0 {
            self.pipe = None;
        } else if count >= CHUNK && self.chunk == CHUNK {
            // Large output after all. Where the limit for pipes of this user is used up, it stays as it is.
            let _ = fcntl_setpipe_size(pipe, LARGE_PIPE);
            self.chunk = LARGE_CHUNK;
        }
        Ok(count > 0)
    }
}

fn readable(fd: &OwnedFd) -> PollFd<'_> {
    PollFd::from_borrowed_fd(fd.as_fd(), PollFlags::IN)
}

impl Drop for HostProcess {
    fn drop(&mut self) {
        if self.exit.is_some() {
            return;
        }
        self.job.kill_step(self.child.id());
        // Killed processes end at once, but for one in the middle of a disk operation: that one is left to the room.
        for _ in 0..100 {
            match self.take_exit() {
                Ok(None) => std::thread::sleep(Duration::from_millis(1)),
                _ => return,
            }
        }
    }
}
