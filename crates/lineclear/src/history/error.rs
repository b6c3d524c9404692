//! What can go wrong while looking back.

use lineclear_event::RunId;
use lineclear_store::StoreError;

use crate::exit::Exit;
use crate::output;

/// Why a command about earlier runs has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HistoryError {
    /// There is no folder for runs, or no current folder.
    #[error("{0}")]
    Place(String),
    /// What was asked for is not there or is ambiguous; the sentence says what there is instead.
    #[error("{0}")]
    Asked(String),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("input {number} of run {run} cannot be read; the record is damaged or of another version")]
    Input { run: RunId, number: usize, source: serde_json::Error },
    #[error("cannot write `{path}`")]
    Write { path: String, source: std::io::Error },
}

impl HistoryError {
    /// The exit code: what was asked for is wrong, or the store is.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Place(_) | Self::Asked(_) | Self::Store(StoreError::NotFound { .. } | StoreError::Refused(_)) => {
                Exit::BadInput
            }
            Self::Store(
                StoreError::Io { .. }
                | StoreError::DiskFull { .. }
                | StoreError::Damaged { .. }
                | StoreError::ArtifactExists { .. },
            )
            | Self::Input { .. }
            | Self::Write { .. } => Exit::EngineFault,
        }
    }

    /// The end of a command: an error is told on standard error.
    pub(crate) fn end(result: Result<Exit, Self>) -> Exit {
        result.unwrap_or_else(|error| {
            output::complain_of(&error);
            error.exit()
        })
    }
}
