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
    pub program: OsString,
    pub args: Vec<OsString>,
    /// The whole environment: nothing is inherited beyond it.
    pub env: Vec<(OsString, OsString)>,
    pub working_directory: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
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
    /// Both streams are at their end: after `Exited`, nothing will follow.
    Closed,
    /// The bell was rung.
    Woken,
    /// The time given came.
    Deadline,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT, to the entry process only.
    Interrupt,
    /// SIGTERM, to the entry process only.
    Terminate,
    /// SIGKILL, to the entry process and all its descendants.
    Kill,
}

/// A started process with both its output streams. Standard input is empty.
pub trait Process: Send + fmt::Debug {
    /// Waits until something happens, at most until `until`; appends output to `buffer`, in large pieces.
    ///
    /// Closed streams do not end a process: a step may close its streams and go on.
    fn next(&mut self, buffer: &mut Vec<u8>, until: Option<Instant>, wake: &Wake) -> io::Result<Happening>;

    /// Sends a signal; one to a process that has ended is no error.
    fn signal(&mut self, signal: Signal) -> io::Result<()>;
}

/// Why a process could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("there is no program `{program}` on this job's PATH")]
    NotFound { program: String },
    #[error("`{program}` may not be executed: it lacks the permission, or its file system forbids it")]
    NotExecutable { program: String },
    #[error("the working directory `{path}` does not exist")]
    NoWorkingDirectory { path: PathBuf },
    #[error("the arguments and environment of `{program}` are larger than this system allows")]
    TooLarge { program: String },
    #[error("cannot start `{program}`")]
    Io { program: String, source: io::Error },
}
