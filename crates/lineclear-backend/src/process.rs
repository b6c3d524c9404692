//! Processes of a step.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Instant;

use crate::Wake;

/// What to start.
#[derive(Clone, Debug)]
pub struct Command {
    /// A name to be found on the `PATH` in `env`, or a path.
    ///
    /// A path is relative to the working directory. The process sees the path that was found as its own name, as on the
    /// hosted runner.
    pub program: OsString,
    /// What follows the program's own name.
    pub args: Vec<OsString>,
    /// The whole environment: nothing is inherited beyond it. Of a name that is there twice, the last counts.
    pub env: Vec<(OsString, OsString)>,
    /// As a path on the machine that Lineclear runs on; it must exist.
    pub working_directory: PathBuf,
}

/// Where output was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// With this exit code, 0 to 255.
    Code(i32),
    /// Ended by this signal number.
    Signal(i32),
}

impl Exit {
    /// The code a shell would report: 128 + n for signal n.
    pub fn code(self) -> i32 {
        match self {
            Self::Code(code) => code,
            Self::Signal(signal) => 128 + signal,
        }
    }
}

/// One thing that happened while waiting for a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// Bytes were appended to the buffer.
    Output(Stream),
    /// The entry process ended. Said once; output of it and of children that live on may still follow.
    Exited(Exit),
    /// The process has ended, and both streams are at their end: nothing will follow. Told last, and again if asked again.
    Closed,
    /// The bell was rung, and stays so until the caller clears it.
    Woken,
    /// The time given came.
    Deadline,
}

/// What a process can be told.
///
/// # Source
/// Section "Cancellation" of the protocol notes: the entry process alone is asked to end, twice; then the whole tree is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT, to the entry process only.
    Interrupt,
    /// SIGTERM, to the entry process only.
    Terminate,
    /// SIGKILL, to the entry process and all its descendants, also those that detached themselves. What earlier steps, or
    /// steps beside it, started is spared. Returns when they are gone.
    Kill,
}

/// A started process with both its output streams. Standard input is empty.
///
/// One thread asks for what happens, until [`Happening::Closed`] or until it has waited long enough for the streams of a process
/// that ended: a background process may hold them open for ever. Dropped before its end was told, a process is killed as
/// by [`Signal::Kill`]; dropped after it, what it left running goes on.
pub trait Process: Send + fmt::Debug {
    /// Waits until something happens, at most until `until`; appends output to `buffer`, in large pieces.
    ///
    /// Closed streams do not end a process: a step may close its streams and go on. Output that is there is told even if
    /// `until` is past, and a deadline and the bell are told even while output never ceases. `None` waits without end.
    ///
    /// The buffer is not emptied, and grows by at most one piece of bounded size.
    ///
    /// # Errors
    /// If the system fails to wait or to read; the process then should be dropped.
    fn next(&mut self, buffer: &mut Vec<u8>, until: Option<Instant>, wake: &Wake) -> io::Result<Happening>;

    /// Sends a signal; one to a process that has ended is no error.
    ///
    /// # Errors
    /// If the system refuses it, as for a process that became another user's.
    fn signal(&mut self, signal: Signal) -> io::Result<()>;
}

/// Why a process could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No file of that name, or at that path.
    #[error("there is no program `{program}` on this job's PATH")]
    NotFound { program: String },
    /// A file, or a folder, that the system does not execute.
    #[error("`{program}` may not be executed: it lacks the permission, or its file system forbids it")]
    NotExecutable { program: String },
    /// The step names a folder that is not there, or not yet.
    #[error("the working directory `{path}` does not exist")]
    NoWorkingDirectory { path: PathBuf },
    /// Each argument and variable, and all together, have a limit.
    #[error("the arguments and environment of `{program}` are larger than this system allows")]
    TooLarge { program: String },
    /// Anything else, such as a script whose interpreter is missing or a machine out of processes.
    #[error("cannot start `{program}`")]
    Io { program: String, source: io::Error },
}
