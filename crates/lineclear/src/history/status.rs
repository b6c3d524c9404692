//! How a run stands.

use std::fmt;

use clap::ValueEnum;
use lineclear_event::Conclusion;
use lineclear_source::Style;
use lineclear_store::RunSummary;

/// How a run ended, or that it did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Ended(Conclusion),
    /// A process is working on it.
    Running,
    /// The process that worked on it is gone and never said how it ended: a kill, or a loss of power.
    Killed,
}

/// What `--status` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StatusFilter {
    Success,
    /// Also what ran out of time or could not begin.
    Failure,
    Cancelled,
    Skipped,
    Running,
    /// Its process is gone and never said how it ended.
    Killed,
}

impl Status {
    pub(crate) fn of(run: &RunSummary) -> Self {
        match run.conclusion {
            Some(conclusion) => Self::Ended(conclusion),
            None if run.alive => Self::Running,
            None => Self::Killed,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ended(conclusion) => conclusion.as_str(),
            Self::Running => "running",
            Self::Killed => "killed",
        }
    }

    /// Whether somebody has to look at it.
    pub(crate) fn is_failure(self) -> bool {
        matches!(self, Self::Ended(Conclusion::Failure | Conclusion::TimedOut | Conclusion::StartupFailure))
    }

    pub(crate) fn fits(self, filter: StatusFilter) -> bool {
        match filter {
            StatusFilter::Success => self == Self::Ended(Conclusion::Success),
            StatusFilter::Failure => self.is_failure(),
            StatusFilter::Cancelled => self == Self::Ended(Conclusion::Cancelled),
            StatusFilter::Skipped => self == Self::Ended(Conclusion::Skipped),
            StatusFilter::Running => self == Self::Running,
            StatusFilter::Killed => self == Self::Killed,
        }
    }

    /// One character.
    pub(crate) fn sign(self, style: Style) -> String {
        match self {
            Self::Ended(conclusion) => crate::report::sign(Some(conclusion), style),
            Self::Running => style.cyan("●"),
            Self::Killed => style.red("☠"),
        }
    }

    /// The word in its colour.
    pub(crate) fn word(self, style: Style) -> String {
        let word = self.as_str().replace('_', " ");
        match self {
            Self::Ended(Conclusion::Success) => style.green(&word),
            Self::Ended(Conclusion::Cancelled) => style.yellow(&word),
            Self::Ended(Conclusion::Skipped) => style.dim(&word),
            Self::Ended(Conclusion::Failure | Conclusion::TimedOut | Conclusion::StartupFailure) | Self::Killed => {
                style.red(&word)
            }
            Self::Running => style.cyan(&word),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
