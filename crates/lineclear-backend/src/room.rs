//! A job's surroundings.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lineclear_event::{JobKey, RunId};

use crate::{Command, Enforcement, Intervention, Isolation, JobNetwork, Process, StartError};

/// Opens rooms for jobs. One backend serves many jobs at once, from many threads.
pub trait Backend: Send + Sync + fmt::Debug {
    /// Makes the job's folders and fills its workspace.
    ///
    /// # Errors
    /// [`OpenError`], after which nothing is left of the room.
    fn open(&self, request: &RoomRequest) -> Result<Box<dyn Room>, OpenError>;
}

/// What a job needs of its surroundings.
#[derive(Clone, Debug)]
pub struct RoomRequest {
    /// Rooms of one run lie together.
    pub run: RunId,
    /// Names the room. Any text will do, and two rooms may be open for one key.
    pub job: JobKey,
    /// The repository's name without its owner: the workspace is `<name>/<name>`, as on the hosted runner.
    pub repository: String,
    /// Where the job works.
    pub workspace: Workspace,
    /// How far its processes are kept from the machine; `None`: not at all.
    pub isolation: Option<Isolation>,
}

/// Where the job works.
#[derive(Clone, Debug)]
pub enum Workspace {
    /// In this folder itself, which is never cleaned or removed.
    InPlace(PathBuf),
    /// In a new folder of its own, filled before the first step.
    Copy(Arc<dyn Fill>),
    /// In a new, empty folder of its own, as on a hosted runner.
    Empty,
}

/// Fills a new workspace. One value serves many jobs, also at the same time.
pub trait Fill: Send + Sync + fmt::Debug {
    /// Puts files into the folder `workspace`, which exists and is empty.
    ///
    /// # Errors
    /// Any, with the file it was about in its text. [`io::ErrorKind::StorageFull`] is told as a full disk. What was filled is
    /// removed by the caller.
    fn fill(&self, workspace: &Path) -> io::Result<()>;
}

/// The folders of a job, as paths on the machine that Lineclear itself runs on.
///
/// # Source
/// Section "Folder layout on a self-hosted runner" of the protocol notes, after `actions/runner`.
#[derive(Clone, Debug)]
pub struct Layout {
    /// `GITHUB_WORKSPACE`; its parent is `RUNNER_WORKSPACE`.
    pub workspace: PathBuf,
    /// `RUNNER_TEMP`, empty when the job starts and removed after it.
    pub temp: PathBuf,
    /// For step scripts and command files, in memory where the machine can; removed after the job.
    pub scratch: PathBuf,
    /// Where downloaded actions are put.
    pub actions: PathBuf,
    /// `RUNNER_TOOL_CACHE`, kept between jobs.
    pub tool_cache: PathBuf,
}

/// One job's folders and processes. Several processes may run at once.
///
/// Dropped without being closed, it cleans up all the same, and nobody is told what was left.
pub trait Room: Send + Sync + fmt::Debug {
    /// The job's folders, the same throughout.
    fn layout(&self) -> &Layout;

    /// The value of `RUNNER_TRACKING_ID`, which marks every process of this job. The caller puts it in the environment of each.
    fn tracking_id(&self) -> &str;

    /// The environment that the machine itself gives to steps (layer 0).
    fn base_env(&self) -> &[(std::ffi::OsString, std::ffi::OsString)];

    /// Starts a process in a process group of its own.
    ///
    /// # Errors
    /// [`StartError`], which says what about the command was wrong.
    fn start(&self, command: &Command) -> Result<Box<dyn Process>, StartError>;

    /// What a path on this machine is for the processes of this room: another one in a container.
    fn seen(&self, path: &Path) -> PathBuf {
        path.to_owned()
    }

    /// Whether programs are found and started inside of a container, where this machine's own files are of no use.
    fn is_container(&self) -> bool {
        false
    }

    /// What became of the [`Isolation`] that was asked for, part by part; empty where none was.
    fn enforcement(&self) -> &[Enforcement] {
        &[]
    }

    /// What the isolation did to the job since this was asked last, the oldest first. Asked when a step has ended, and at the end.
    fn interventions(&self) -> Vec<Intervention> {
        Vec::new()
    }

    /// The job's own loopback, where it has one.
    fn network(&self) -> Option<Arc<dyn JobNetwork>> {
        None
    }

    /// Processes of this job that are still alive, in no order: those that run, and those that outlived their step.
    fn remains(&self) -> Vec<Remain>;

    /// Kills what remains, removes the folders, and says what had to be killed.
    ///
    /// The workspace of [`Workspace::InPlace`] and the tool cache stay.
    ///
    /// # Errors
    /// If something could not be removed: [`Uncleaned`](crate::Uncleaned), which has what was killed too.
    fn close(self: Box<Self>) -> io::Result<Vec<Remain>>;
}

/// A process that outlived its step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remain {
    /// Its number, while it lives.
    pub pid: u32,
    /// The command line, shortened.
    pub command: String,
}

/// Why a job's surroundings could not be made.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// One of the folders could not be made.
    #[error("cannot make the folder `{path}`")]
    Folder { path: PathBuf, source: io::Error },
    /// The workspace could not be filled.
    #[error("cannot copy the working tree to `{path}`")]
    Fill { path: PathBuf, source: io::Error },
    /// There is no room for the folders or the files.
    #[error("the disk that holds `{path}` is full")]
    DiskFull { path: PathBuf },
    /// The isolation asked for is to be enforced or refused, and this machine cannot enforce all of it.
    #[error("this machine cannot keep the job as it was asked to: {}", parts.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    NotEnforced {
        /// Those that failed.
        parts: Vec<Enforcement>,
    },
}
