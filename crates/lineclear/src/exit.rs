//! Exit codes, the same for every command.

use std::process::ExitCode;

use lineclear_event::Conclusion;

/// How a command ended, as the shell sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0
    Success,
    /// 1: the work itself failed.
    WorkFailed,
    /// 2: the input or the usage is wrong.
    BadInput,
    /// 3: Lineclear itself failed.
    EngineFault,
    /// 130: cancelled by the user.
    Cancelled,
}

impl Exit {
    /// The exit code of a run that concluded so.
    pub(crate) fn of(conclusion: Conclusion) -> Self {
        match conclusion {
            Conclusion::Success | Conclusion::Skipped => Self::Success,
            Conclusion::Failure | Conclusion::TimedOut => Self::WorkFailed,
            Conclusion::StartupFailure => Self::BadInput,
            Conclusion::Cancelled => Self::Cancelled,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Success => 0,
            Exit::WorkFailed => 1,
            Exit::BadInput => 2,
            Exit::EngineFault => 3,
            Exit::Cancelled => 130,
        })
    }
}
