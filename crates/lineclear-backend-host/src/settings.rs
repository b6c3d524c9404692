//! What a host backend is made from.

use std::path::PathBuf;

use lineclear_sandbox::Launcher;

use crate::guard::GuardProgram;

/// Settings of a [`HostBackend`](crate::HostBackend).
#[derive(Clone, Debug)]
pub struct HostSettings {
    /// The folder for the folders of jobs; made if it does not exist. It should be on a disk with room for copies of the
    /// repository, best the file system that holds the repository itself.
    pub work: PathBuf,
    /// `RUNNER_TOOL_CACHE`, kept between jobs; made if it does not exist.
    pub tool_cache: PathBuf,
    /// The guard that cleans up if this process is killed; see [`guard`](crate::guard). Without one, a killed process
    /// leaves its steps running.
    pub guard: Option<GuardProgram>,
    /// Whether small files of steps go to memory where there is some.
    pub scratch_in_memory: bool,
    pub sessions: Sessions,
    pub sandbox: SandboxSettings,
    /// Variables of this process that steps do not inherit, such as those that secrets were taken from.
    pub withheld: Vec<String>,
}

/// How jobs are isolated that are asked to be.
#[derive(Clone, Debug, Default)]
pub struct SandboxSettings {
    /// Without one, nothing can be enforced. Only the program itself knows whether its `main` makes room for it.
    pub launcher: Option<Launcher>,
    /// Folders and files that isolated jobs do not see, beside the folders of other jobs and what no job sees.
    pub hidden: Vec<PathBuf>,
    /// Folders and files that they see but may not change, also where what is around them is hidden.
    pub shown: Vec<PathBuf>,
}

/// Which steps get a session of their own, beside the process group that each has.
///
/// At a terminal, a step that asks for a password there (`sudo`, `git`, `ssh`) would be stopped by the system, as it is not
/// in the foreground, and hang. In a session of its own it has no terminal, as on the hosted runner, and fails with a message
/// instead. Opening one costs the start of a small program, so it is done where there is a terminal to be kept from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sessions {
    /// Those of a Lineclear that has a terminal.
    #[default]
    AtTerminal,
    Always,
}

impl HostSettings {
    /// Settings with all that is optional as it is best, but for the guard: only the program itself knows whether its
    /// `main` makes room for one.
    pub fn new(work: impl Into<PathBuf>, tool_cache: impl Into<PathBuf>) -> Self {
        Self {
            work: work.into(),
            tool_cache: tool_cache.into(),
            guard: None,
            scratch_in_memory: true,
            sessions: Sessions::default(),
            sandbox: SandboxSettings::default(),
            withheld: Vec::new(),
        }
    }

    #[must_use]
    pub fn with_guard(mut self, guard: GuardProgram) -> Self {
        self.guard = Some(guard);
        self
    }
}
