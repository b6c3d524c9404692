//! What goes wrong with an engine.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why a call of the engine failed.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// What was tried, one sentence each.
    #[error("no container engine was found ({}); start Docker or Podman, or set DOCKER_HOST", tried.join("; "))]
    NoEngine {
        /// Each place with what was found there.
        tried: Vec<String>,
    },
    /// An address that this client cannot use.
    #[error("`{address}` is no address of a container engine: {problem}")]
    Address {
        /// As it was given.
        address: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// Nobody listens.
    #[error("the container engine at `{address}` cannot be reached")]
    Unreachable {
        /// Where.
        address: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The connection ended in the midst of a call.
    #[error("the connection to the container engine broke while it was to {what}")]
    Broken {
        /// What was asked for.
        what: String,
        /// The system's reason.
        source: io::Error,
    },
    /// It accepted the call, and was silent since.
    #[error("the container engine did not answer for {} seconds when told to {what}", after.as_secs())]
    TimedOut {
        /// What was asked for.
        what: String,
        /// How long was waited.
        after: Duration,
    },
    /// It answered with an error.
    #[error("the container engine refused to {what}: {message}")]
    Refused {
        /// What was asked for.
        what: String,
        /// HTTP's status.
        status: u16,
        /// The engine's own words.
        message: String,
    },
    /// A pull, push, build or load that began well and then failed.
    #[error("the container engine failed to {what}: {message}")]
    Failed {
        /// What was asked for.
        what: String,
        /// The engine's own words.
        message: String,
    },
    /// Its answer is not what the API says.
    #[error("the container engine's answer when told to {what} cannot be read: {problem}")]
    Answer {
        /// What was asked for.
        what: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A file of this machine that was to be sent, or written.
    #[error("cannot use `{}`", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The caller gave up.
    #[error("given up")]
    Cancelled,
}

impl EngineError {
    /// The engine said that there is no such thing.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
    }

    /// The engine said that something else is in the way, such as a name that is taken.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Refused { status: 409, .. })
    }

    /// Nothing was changed, because it is so already.
    pub(crate) fn is_unchanged(&self) -> bool {
        matches!(self, Self::Refused { status: 304, .. })
    }

    /// The text with those of its sources.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(error) = source {
            text = format!("{text}: {error}");
            source = error.source();
        }
        text
    }
}
