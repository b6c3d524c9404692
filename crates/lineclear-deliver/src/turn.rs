//! One move of a repository at a time.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The right to move images of one repository. It ends with the value, and with its process, however that ends.
#[derive(Debug)]
pub struct Turn {
    _held: File,
}

#[derive(Debug, thiserror::Error)]
pub enum TurnError {
    #[error("another move of `{repository}` has been under way for {} s; wait for it, or look what keeps it", waited.as_secs())]
    Busy { repository: String, waited: Duration },
    #[error("`{}` cannot be locked", path.display())]
    Lock { path: PathBuf, source: std::io::Error },
}

impl Turn {
    /// Takes the turn for `repository`, waiting for whoever has it up to `patience`. Locks are files in `folder`.
    ///
    /// # Errors
    /// [`TurnError::Busy`] when it does not become free.
    pub fn take(folder: &Path, repository: &str, patience: Duration) -> Result<Self, TurnError> {
        let name = lineclear_oci::Digest::of(repository.as_bytes());
        let path = folder.join(format!("{}.lock", name.hex()));
        let failed = |source| TurnError::Lock { path: path.clone(), source };
        std::fs::create_dir_all(folder).map_err(failed)?;
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _held: file }),
                Err(TryLockError::WouldBlock) if begun.elapsed() < patience => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(TurnError::Busy { repository: repository.to_owned(), waited: begun.elapsed() });
                }
                Err(TryLockError::Error(source)) => return Err(failed(source)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_had_by_one_at_a_time_and_each_repository_has_its_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let take = |name, patience| Turn::take(folder.path(), name, Duration::from_millis(patience));
        let first = take("a/b", 0).expect("it is free");
        assert!(matches!(take("a/b", 30), Err(TurnError::Busy { .. })));
        let _other = take("a/c", 0).expect("another repository");
        drop(first);
        let _second = take("a/b", 0).expect("it is free again");
    }
}
