//! Why the forge's repository could not be prepared or read.

use std::io;
use std::path::PathBuf;

/// Why the forge's own repository could not be prepared or read.
#[derive(Debug, thiserror::Error)]
pub enum GitServerError {
    /// Git is missing, or could not be started.
    #[error("cannot start `git {what}`; is git installed and in PATH?")]
    Start { what: String, source: io::Error },
    /// Git ended with an error.
    #[error("`git {what}` in `{folder}` failed: {said}")]
    Git { what: String, folder: PathBuf, said: String },
    /// A file of the forge's repository could not be read or written.
    #[error("cannot {what} `{path}`")]
    File { what: &'static str, path: PathBuf, source: io::Error },
    /// A reference that the caller asked for has a name or value that git would not take.
    #[error(
        "`{name}` → `{value}` is no reference of a repository: a full name such as `refs/pull/1/merge` and a full commit id are expected"
    )]
    BadReference { name: String, value: String },
}
