//! From what the system says to what the store says.

use std::io;
use std::path::Path;

use lineclear_store::StoreError;
use rustix::io::Errno;

/// Names the path in whose handling `source` came up. A full disk (or quota) gets its own error.
pub(crate) fn at(path: &Path, source: impl Into<io::Error>) -> StoreError {
    let source = source.into();
    let full = [Errno::NOSPC, Errno::DQUOT].iter().any(|errno| source.raw_os_error() == Some(errno.raw_os_error()));
    if full { StoreError::DiskFull { path: path.to_owned() } } else { StoreError::Io { path: path.to_owned(), source } }
}

/// What is there, or `None` when there is nothing of that name.
pub(crate) fn found<T>(path: &Path, result: io::Result<T>) -> Result<Option<T>, StoreError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at(path, error)),
    }
}

pub(crate) fn damaged(what: impl Into<String>, why: impl Into<String>) -> StoreError {
    StoreError::Damaged { what: what.into(), why: why.into() }
}
