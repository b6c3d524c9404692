//! A job's surroundings.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lineclear_event::{JobKey, RunId};

use crate::{Command, Process, StartError};

/// Opens rooms for jobs. One backend serves many jobs at once, from many threads.
pub trait Backend: Send + Sync + fmt::Debug {
    fn open(&self, request: &RoomRequest) -> Result<Box<dyn Room>, OpenError>;
}

/// What a job needs of its surroundings.
#[derive(Clone, Debug)]
pub struct RoomRequest {
    pub run: RunId,
    pub job: JobKey,
    /// The repository's name without its owner: the workspace is `<name>/<name>`, as on the hosted runner.
    pub repository: String,
    pub workspace: Workspace,
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

/// Fills a new workspace.
pub trait Fill: Send + Sync + fmt::Debug {
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
pub trait Room: Send + Sync + fmt::Debug {
    fn layout(&self) -> &Layout;

    /// The value of `RUNNER_TRACKING_ID`, which marks every process of this job.
    fn tracking_id(&self) -> &str;

    /// The environment that the machine itself gives to steps (layer 0).
    fn base_env(&self) -> &[(std::ffi::OsString, std::ffi::OsString)];

    fn start(&self, command: &Command) -> Result<Box<dyn Process>, StartError>;

    /// Processes of this job that are still alive.
    fn remains(&self) -> Vec<Remain>;

    /// Kills what remains, removes the folders, and says what had to be killed.
    fn close(self: Box<Self>) -> io::Result<Vec<Remain>>;
}

/// A process that outlived its step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remain {
    pub pid: u32,
    /// The command line, shortened.
    pub command: String,
}

/// Why a job's surroundings could not be made.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("cannot make the folder `{path}`")]
    Folder { path: PathBuf, source: io::Error },
    #[error("cannot copy the working tree to `{path}`")]
    Fill { path: PathBuf, source: io::Error },
    #[error("the disk that holds `{path}` is full")]
    DiskFull { path: PathBuf },
}
