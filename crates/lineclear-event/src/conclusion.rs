//! How steps, jobs and runs end.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A step's result before `continue-on-error` is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Success,
    Failure,
    Cancelled,
    Skipped,
}

/// How a step, job or run ended, `continue-on-error` applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conclusion {
    Success,
    Failure,
    Cancelled,
    Skipped,
    /// A job, or a run through one of its jobs, that used up its `timeout-minutes`.
    TimedOut,
    /// A run that could not begin, such as one whose called workflow asks for more permissions than it was given.
    StartupFailure,
}

impl Conclusion {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
            Self::TimedOut => "timed_out",
            Self::StartupFailure => "startup_failure",
        }
    }

    /// What `needs.<id>.result` says: it knows four words, and a job that timed out counts as cancelled, as on GitHub,
    /// where running out of time is a cancellation by the server.
    pub fn as_needs_result(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Skipped => "skipped",
            Self::Cancelled | Self::TimedOut => "cancelled",
            Self::Failure | Self::StartupFailure => "failure",
        }
    }

    /// How much it weighs when several are added up: failure beats time-out beats cancellation beats success, and `skipped`
    /// is what remains when nothing ran.
    ///
    /// # Source
    /// The order of the protocol notes for matrices; GitHub documents none for runs.
    pub fn weight(self) -> u8 {
        match self {
            Self::Skipped => 0,
            Self::Success => 1,
            Self::Cancelled => 2,
            Self::TimedOut => 3,
            Self::Failure => 4,
            Self::StartupFailure => 5,
        }
    }

    /// The weightier of two.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        if other.weight() > self.weight() { other } else { self }
    }
}

impl fmt::Display for Conclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        Conclusion::from(self).as_str()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<Outcome> for Conclusion {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Success => Self::Success,
            Outcome::Failure => Self::Failure,
            Outcome::Cancelled => Self::Cancelled,
            Outcome::Skipped => Self::Skipped,
        }
    }
}
