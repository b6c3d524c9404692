//! The guard: a small process that cleans up if this one is killed.
//!
//! It is the same program started again with a hidden first argument. Its standard input is a pipe that nobody writes to:
//! when this process ends, however it ends, the pipe closes. If the journal, its standard output, then
//! names folders that are still there, this process ended without cleaning up: the guard kills all that it had started and
//! removes the folders. In its own process group it hears neither Ctrl-C nor a kill of this process's group.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitCode, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use lineclear_backend::Owner;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::pipe::{PipeFlags, pipe_with};

use crate::family::{self, Freeze};
use crate::job_processes::TRACKING;
use crate::journal::{Journal, State};
use crate::owner;
use crate::proc_table::{self, Entry};

/// The first argument that makes a program a guard: it then calls [`main`] and nothing else.
pub const ARGUMENT: &str = "__guard";

/// What every tracking id begins with. A guard that was given less would take strangers for its own.
pub(crate) const PREFIX: &str = "github_";

/// How long the guard tries to kill what does not go.
const KILL_TIME: Duration = Duration::from_secs(30);

/// How a guard is started.
#[derive(Clone, Debug)]
pub struct GuardProgram {
    pub program: PathBuf,
    /// What stands before the guard's own arguments.
    pub args: Vec<OsString>,
}

impl GuardProgram {
    /// This very program, even if its file has been replaced since. Its `main` must begin with
    /// `if std::env::args_os().nth(1).is_some_and(|a| a == guard::ARGUMENT) { return guard::main(); }`.
    pub fn this_program() -> Self {
        Self { program: "/proc/self/exe".into(), args: vec![ARGUMENT.into()] }
    }
}

/// This process's hold on its guard. Dropped, it lets the guard go.
#[derive(Debug)]
pub(crate) struct Guard {
    program: Option<GuardProgram>,
    prefix: String,
    journal: Mutex<Option<Journal>>,
    starting: Mutex<Option<JoinHandle<io::Result<Started>>>>,
    started: OnceLock<io::Result<Started>>,
}

#[derive(Debug)]
struct Started {
    child: Child,
    /// Closed by the system when this process ends.
    _lifeline: OwnedFd,
}

impl Guard {
    pub(crate) fn new(program: Option<GuardProgram>, prefix: String) -> Self {
        Self { program, prefix, journal: Mutex::new(None), starting: Mutex::new(None), started: OnceLock::new() }
    }

    /// Begins to start the guard, beside what the caller does next. Does nothing the second time.
    ///
    /// `owner` is this process, as it marks its folders.
    pub(crate) fn begin(&self, owner: &Owner) {
        let Some(program) = &self.program else { return };
        let mut journal = self.journal();
        if journal.is_some() || self.started.get().is_some() {
            return;
        }
        let begun = Journal::new().and_then(|new| Ok((new.share()?, new)));
        match begun {
            Ok((shared, new)) => {
                *journal = Some(new);
                let (program, prefix, owner) = (program.clone(), self.prefix.clone(), owner.write());
                let thread =
                    thread::Builder::new().name("guard".into()).spawn(move || start(&program, &prefix, &owner, shared));
                match thread {
                    Ok(thread) => *self.starting() = Some(thread),
                    Err(error) => drop(self.started.set(Err(error))),
                }
            }
            Err(error) => drop(self.started.set(Err(error))),
        }
    }

    /// Waits until the guard is there, so that no step starts before it.
    pub(crate) fn wait(&self) {
        if self.program.is_none() || self.started.get().is_some() {
            return;
        }
        self.started.get_or_init(|| match self.starting().take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(io::Error::other("the thread that starts it ended")),
            None => Err(io::Error::other("it was never started")),
        });
    }

    /// Why there is no guard, where one was asked for.
    pub(crate) fn problem(&self) -> Option<String> {
        self.started.get()?.as_ref().err().map(ToString::to_string)
    }

    pub(crate) fn process_started(&self, pid: u32) {
        self.note(|journal| journal.process_started(pid));
    }

    pub(crate) fn process_ended(&self, pid: u32) {
        self.note(|journal| journal.process_ended(pid));
    }

    /// To be told before the folder is made. The guard removes it only if it bears this process's mark, or is empty.
    pub(crate) fn folder_made(&self, folder: &Path) {
        self.note(|journal| journal.folder_made(folder));
    }

    pub(crate) fn folder_removed(&self, folder: &Path) {
        self.note(|journal| journal.folder_removed(folder));
    }

    fn note(&self, note: impl FnOnce(&mut Journal)) {
        if let Some(journal) = self.journal().as_mut() {
            note(journal);
        }
    }

    fn journal(&self) -> MutexGuard<'_, Option<Journal>> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn starting(&self) -> MutexGuard<'_, Option<JoinHandle<io::Result<Started>>>> {
        self.starting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.wait();
        if let Some(Ok(started)) = self.started.take() {
            let Started { mut child, _lifeline } = started;
            drop(_lifeline);
            // It ends by itself now. This process, which is likely about to end too, does not wait for that.
            if matches!(child.try_wait(), Ok(Some(_))) {
                family::ended(child.id());
            }
        }
    }
}

fn start(program: &GuardProgram, prefix: &str, owner: &str, journal: OwnedFd) -> io::Result<Started> {
    let (end, lifeline) = pipe_with(PipeFlags::CLOEXEC)?;
    let session = family::own_session();
    let mut command = std::process::Command::new(&program.program);
    command
        .args(&program.args)
        .args([prefix, &session.to_string(), owner])
        .process_group(0)
        // It must keep no file system busy.
        .current_dir("/")
        .stdin(end)
        .stdout(journal)
        .stderr(Stdio::null());
    let child = family::start(|| command.spawn())?;
    Ok(Started { child, _lifeline: lifeline })
}

/// What a guard does: waits for the end of the process that started it, and cleans up after it if it could not.
///
/// To be called by a program whose first argument is [`ARGUMENT`].
pub fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(2).map(|arg| arg.into_string().unwrap_or_default());
    let (Some(prefix), Some(session), Some(owner)) = (args.next(), args.next(), args.next()) else {
        return ExitCode::from(2);
    };
    let (Ok(session), Some(owner)) = (session.parse(), Owner::parse(&owner)) else { return ExitCode::from(2) };
    if !prefix.starts_with(PREFIX) || prefix.len() < PREFIX.len() + 16 {
        return ExitCode::from(2);
    }
    wait_for_end_of_input();
    let journal = fs::read("/proc/self/fd/1").unwrap_or_default();
    let state = State::read(&journal);
    if state.folders.is_empty() && state.processes.is_empty() {
        return ExitCode::SUCCESS;
    }
    kill_all(&prefix, session, &state);
    let mut code = ExitCode::SUCCESS;
    for folder in &state.folders {
        if owner::remove_folder_of(&owner, folder).is_err() {
            code = ExitCode::FAILURE;
        }
    }
    code
}

/// Nothing is ever written there; only its end is waited for.
fn wait_for_end_of_input() {
    let input = io::stdin();
    loop {
        let mut source = [PollFd::from_borrowed_fd(input.as_fd(), PollFlags::empty())];
        match poll(&mut source, None) {
            Ok(_) if !source[0].revents().is_empty() => return,
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
    }
}

fn kill_all(prefix: &str, session: u32, state: &State) {
    let find = || {
        let table = proc_table::all();
        let ours = |entry: &&Entry| is_ours(entry, prefix, session, state);
        let seeds: Vec<u32> = table.iter().filter(ours).map(|entry| entry.pid).collect();
        let found = proc_table::with_descendants(&table, seeds, family::own_pid());
        table.into_iter().filter(|entry| found.contains(&entry.pid) && !entry.is_dead()).collect::<Vec<_>>()
    };
    // A process that is born while the table is read, of a parent that ends before it is read, shows at the next look.
    let mut quiet = 0;
    while quiet < 3 {
        let begun = Instant::now();
        let killed = family::kill_all(find, Freeze::AtOnce, KILL_TIME);
        quiet = if killed.is_empty() { quiet + 1 } else { 0 };
        if begun.elapsed() >= KILL_TIME {
            return; // What does not go in that time is stuck in the kernel, or of another user.
        }
        thread::sleep(Duration::from_millis(2));
    }
}

fn is_ours(entry: &Entry, prefix: &str, session: u32, state: &State) -> bool {
    // Started with a clean environment, a process still is in the group, or the session, of its step.
    let in_group = entry.session == session && state.processes.contains(&entry.group);
    let in_session = state.processes.contains(&entry.session);
    in_group
        || in_session
        || proc_table::variable(entry.pid, TRACKING).is_some_and(|id| id.starts_with(prefix.as_bytes()))
}
