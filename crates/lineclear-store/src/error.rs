//! What can go wrong while keeping things.

use std::io;
use std::path::PathBuf;

/// Why something could not be kept or found again.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot use `{path}` of the store")]
    Io { path: PathBuf, source: io::Error },
    #[error("the disk that holds the store `{path}` is full; `lineclear prune` makes room")]
    DiskFull { path: PathBuf },
    #[error("`{what}` in the store is damaged: {why}")]
    Damaged { what: String, why: String },
    #[error("there is no {what} in the store")]
    NotFound { what: String },
    #[error("an artifact named `{name}` already exists in this run; set `overwrite: true` or choose another name")]
    ArtifactExists { name: String },
    #[error("{0}")]
    Refused(String),
}
