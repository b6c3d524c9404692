//! The store itself: where it is, how it is set, and the names of things in it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use lineclear_store::{Limits, StoreError};

use crate::archives::Progress;
use crate::blobs::Blobs;
use crate::fault;
use crate::images::Pushes;

/// What a call that returned has made sure of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// It survives a kill of this process.
    #[default]
    Kill,
    /// It survives a loss of power too: inputs, conclusions, cache entries and artifacts are synchronised to the disk.
    PowerLoss,
}

/// How a [`FolderStore`] behaves.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub durability: Durability,
    /// What saving a cache or an artifact keeps to by itself; [`Upkeep::prune`](lineclear_store::Upkeep::prune) is given its own.
    pub limits: Limits,
    /// Threads that pack and unpack; `None`: as many as the machine has processors, at most eight.
    pub threads: Option<usize>,
}

/// A store in a folder. Any number of processes may have it open at the same time.
#[derive(Clone, Debug)]
pub struct FolderStore {
    pub(crate) place: Arc<Place>,
}

#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) root: PathBuf,
    pub(crate) settings: Settings,
    pub(crate) blobs: Blobs,
    /// The last run id given out here, so that a burst of runs does not probe every id of its millisecond.
    pub(crate) last_run: AtomicU64,
    /// How far this process knows the content of uploads.
    pub(crate) progress: Progress,
    /// How far this process has hashed what is being pushed.
    pub(crate) pushes: Pushes,
    temporary: AtomicU64,
}

impl FolderStore {
    /// Opens the store in `root`, making the folder (for this user only) when it is missing.
    ///
    /// # Errors
    /// [`StoreError::Io`] when the folder can be neither found nor made.
    pub fn open(root: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_with(root, Settings::default())
    }

    /// [`FolderStore::open`] with settings other than the defaults.
    ///
    /// # Errors
    /// As [`FolderStore::open`].
    pub fn open_with(root: impl AsRef<Path>, settings: Settings) -> Result<Self, StoreError> {
        let root = std::path::absolute(root.as_ref()).map_err(|error| fault::at(root.as_ref(), error))?;
        // Logs may tell more than others on this machine should read.
        let runs = root.join("runs");
        if !runs.is_dir() {
            for name in ["blobs", "tmp", "counters", "runs"] {
                let folder = root.join(name);
                make_folder(&folder).map_err(|error| fault::at(&folder, error))?;
            }
        }
        let blobs = Blobs::new(&root, settings.durability);
        let place = Place {
            root,
            settings,
            blobs,
            last_run: AtomicU64::new(0),
            progress: Progress::default(),
            pushes: Pushes::default(),
            temporary: AtomicU64::new(0),
        };
        Ok(Self { place: Arc::new(place) })
    }

    /// The folder of the store.
    pub fn root(&self) -> &Path {
        &self.place.root
    }
}

impl Place {
    /// A name in `tmp/` that nothing else has.
    pub(crate) fn temporary(&self) -> PathBuf {
        temporary_in(&self.root, &self.temporary)
    }

    pub(crate) fn threads(&self) -> usize {
        let machine = || std::thread::available_parallelism().map_or(1, usize::from).min(8);
        self.settings.threads.unwrap_or_else(machine).max(1)
    }

    /// Keeps blobs from being swept for as long as the returned file is open.
    ///
    /// The lock is all the protection that a writer's not yet referred-to blobs need: a sweep runs only when nobody reads or
    /// writes, so no time of grace has to be guessed.
    pub(crate) fn keep_blobs(&self) -> Result<File, StoreError> {
        let (path, file) = self.lock_file()?;
        file.lock_shared().map_err(|error| fault::at(&path, error))?;
        Ok(file)
    }

    /// The right to remove blobs, or `None` while someone reads or writes some.
    pub(crate) fn sweep_blobs(&self) -> Result<Option<File>, StoreError> {
        let (path, file) = self.lock_file()?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => Err(fault::at(&path, error)),
        }
    }

    fn lock_file(&self) -> Result<(PathBuf, File), StoreError> {
        let path = self.root.join("lock");
        let opened = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        match opened {
            Ok(file) => Ok((path, file)),
            Err(error) => Err(fault::at(&path, error)),
        }
    }

    /// Puts `bytes` at `path` so that no reader ever sees a part of them. An existing file is replaced, or, when `unless_there`,
    /// left as it is: the answer is then false.
    pub(crate) fn publish(&self, path: &Path, bytes: &[u8], unless_there: bool) -> Result<bool, StoreError> {
        self.publish_as(path, bytes, unless_there, |_| Ok(()))
    }

    /// [`Place::publish`], with something done to the file before anyone sees it.
    pub(crate) fn publish_as(
        &self,
        path: &Path,
        bytes: &[u8],
        unless_there: bool,
        dress: impl FnOnce(&File) -> io::Result<()>,
    ) -> Result<bool, StoreError> {
        let temporary = self.temporary();
        let written: io::Result<bool> = (|| {
            let mut file = new_file(&temporary)?;
            file.write_all(bytes)?;
            dress(&file)?;
            if self.settings.durability == Durability::PowerLoss {
                file.sync_all()?;
            }
            place(&temporary, path, unless_there)?;
            if self.settings.durability == Durability::PowerLoss
                && let Some(parent) = path.parent()
            {
                File::open(parent)?.sync_all()?;
            }
            Ok(true)
        })();
        if unless_there || written.is_err() {
            let _gone_or_swept_later = fs::remove_file(&temporary);
        }
        match written {
            Err(error) if unless_there && error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            other => other.map_err(|error| self.full_or(path, error)),
        }
    }

    /// The error for something in the store: a full disk is told of the whole store, since that is what has to be made smaller.
    pub(crate) fn full_or(&self, path: &Path, error: impl Into<io::Error>) -> StoreError {
        match fault::at(path, error) {
            StoreError::DiskFull { .. } => StoreError::DiskFull { path: self.root.clone() },
            other => other,
        }
    }
}

pub(crate) fn temporary_in(root: &Path, counter: &AtomicU64) -> PathBuf {
    let number = counter.fetch_add(1, Ordering::Relaxed);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    // The time tells apart processes that share the folder from different process namespaces, and so the process id.
    root.join("tmp").join(format!("{}-{now:x}-{number}", std::process::id()))
}

/// How often a folder may be removed again before a file is in it.
const MOST_PLACINGS: u32 = 1000;

/// Gives the finished file `temporary` its name. Whoever prunes the store removes folders that are empty, which the one just made for
/// this file is for a moment; so it is made again.
fn place(temporary: &Path, path: &Path, unless_there: bool) -> io::Result<()> {
    let mut tries = 0;
    loop {
        let made = path.parent().map_or(Ok(()), make_folder);
        let placed = match &made {
            // It was removed while it was being looked at, or is no folder. As it stands, this would mean that the file is there.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(io::ErrorKind::NotADirectory.into()),
            Err(_) => made,
            // A hard link refuses to replace, which a rename cannot be told on every file system.
            Ok(()) if unless_there => fs::hard_link(temporary, path),
            Ok(()) => fs::rename(temporary, path),
        };
        match placed {
            Err(error)
                if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
                    && tries < MOST_PLACINGS
                    && temporary.exists() =>
            {
                tries += 1;
            }
            placed => return placed,
        }
    }
}

/// Makes a folder with all folders above it, for this user only.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

pub(crate) fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// A file name for `text`, readable and unique: plain names stay as they are, others get the hash of what they were.
///
/// A plain name never has `~`, so that no text can be made to collide with the name of another.
pub(crate) fn file_name(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !text.is_empty() && text.len() <= 80 && !text.starts_with('.') && text.chars().all(plain) {
        return text.to_owned();
    }
    let mut readable = String::new();
    for c in text.chars().take(60) {
        if plain(c) {
            readable.push(c);
        } else if !readable.ends_with('-') {
            readable.push('-');
        }
    }
    let hash = blake3::hash(text.as_bytes()).to_hex();
    format!("{}~{}", readable.trim_matches(['-', '.']), &hash[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_readable_and_never_collide() {
        assert_eq!(file_name("build"), "build");
        let matrix = file_name("test (3.12, linux)");
        assert!(matrix.starts_with("test-3.12-linux~") && matrix.len() == 32, "{matrix}");
        let names: std::collections::BTreeSet<String> =
            ["a/b", "a-b", "a b", "a.b", "", ".", "..", ".a", "é", "~", &matrix]
                .iter()
                .map(|text| file_name(text))
                .collect();
        assert_eq!(names.len(), 11, "{names:?}");
        assert!(names.iter().all(|name| !name.contains('/') && !name.starts_with('.')));
    }
}
