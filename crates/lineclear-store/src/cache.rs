//! Caches of steps.

use std::fmt;
use std::path::{Component, Path, PathBuf};

use lineclear_event::Timestamp;
use serde::{Deserialize, Serialize};

use crate::StoreError;

/// Keeps the caches of `actions/cache` and of the setup actions.
///
/// An entry is identified by repository, key, version, scope and kind, and never changes once it is complete. Of two writers of one
/// identity, one wins and the other is told [`SaveOutcome::Exists`]. Folders (also empty ones), symbolic links, hard links,
/// modes (without set-user and set-group bits), times of last change and names in any encoding are kept; owners are not.
/// Sockets, pipes and devices are left out.
pub trait Caches: Send + Sync + fmt::Debug {
    /// Finds the entry for `lookup.keys`: in each scope in turn, the first key exactly, then as a prefix, then each further
    /// key likewise; of several, the newest. The miss says why.
    fn find(&self, lookup: &Lookup) -> Result<Result<CacheHit, CacheMiss>, StoreError>;

    /// Writes the files of an entry below `base`; those that were saved by an absolute path go where they were.
    ///
    /// What is there already and equal stays untouched; other files of the same names are replaced, not written through: a
    /// symbolic link in the way is removed, never followed. Files that the entry does not have stay.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the entry is gone; [`StoreError::Damaged`] when what was kept is not what was saved: the
    /// entry is then removed, so that the next save can make it anew.
    fn restore(&self, hit: &CacheHit, base: &Path) -> Result<RestoreReport, StoreError>;

    /// Keeps the files that `new.paths` name below `base`. The entry appears when it is complete.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for an unusable key, no paths, a path that does not exist or leads out of `base` without being
    /// absolute, and an entry that alone exceeds the size limit; [`StoreError::Io`] naming a file that cannot be read.
    fn save(&self, new: &NewCache, base: &Path) -> Result<SaveOutcome, StoreError>;

    /// The entries of a repository, or of all, newest first.
    fn list(&self, repository: Option<&str>) -> Result<Vec<CacheEntry>, StoreError>;

    /// # Errors
    /// [`StoreError::NotFound`] for an id that no entry has.
    fn remove(&self, id: u64) -> Result<(), StoreError>;
}

/// The ref an entry belongs to: `refs/heads/main`, `refs/pull/7/merge`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CacheScope(pub String);

#[derive(Clone, Debug)]
pub struct Lookup {
    pub repository: String,
    /// The key, then the restore keys in order.
    pub keys: Vec<String>,
    /// What the paths, as the user wrote them, and the platform hash to.
    pub version: String,
    /// Readable scopes in order: own ref, base branch, default branch.
    pub scopes: Vec<CacheScope>,
    pub now: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CacheEntry {
    pub id: u64,
    pub repository: String,
    pub key: String,
    pub version: String,
    pub scope: CacheScope,
    pub created: Timestamp,
    pub used: Timestamp,
    /// Files and links, without folders.
    pub files: u64,
    /// Bytes of the files.
    pub size: u64,
    /// Bytes that were added to the store for it, after compression and sharing.
    pub stored: u64,
    #[serde(default)]
    pub kind: CacheKind,
}

/// What an entry is made of. The two kinds never stand in for each other: a look-up sees one of them only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CacheKind {
    /// Files, kept by [`Caches::save`].
    #[default]
    Files,
    /// What a client packed itself, kept by [`crate::Archives::keep_cache`]; it counts as one file.
    Archive,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CacheHit {
    pub entry: CacheEntry,
    /// Whether the first key was matched exactly.
    pub exact: bool,
    /// "exact key", "prefix `pip-`", with the scope: a sentence for the log.
    pub reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheMiss {
    /// A sentence for the log: "no entry begins with `pip-`; 2 entries have this key with other paths".
    pub reason: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RestoreReport {
    /// Files and links of the entry.
    pub files: u64,
    /// Bytes of the entry's files.
    pub bytes: u64,
    /// Files and links that were there already and equal.
    pub unchanged: u64,
}

#[derive(Clone, Debug)]
pub struct NewCache {
    pub repository: String,
    pub key: String,
    pub version: String,
    pub scope: CacheScope,
    /// Files and folders, already found; relative ones are below `base`.
    pub paths: Vec<PathBuf>,
    pub now: Timestamp,
}

#[derive(Clone, Debug, PartialEq)]
pub enum SaveOutcome {
    Saved(CacheEntry),
    /// The key exists already in this scope: nothing was changed.
    Exists,
}

/// A path of [`NewCache::paths`] in its plain form: without `.` and doubled slashes.
///
/// # Errors
/// [`StoreError::Refused`] when it has `..`: what lies outside of the workspace is named by its absolute path.
pub fn check_cache_path(path: &Path) -> Result<PathBuf, StoreError> {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                return Err(StoreError::Refused(format!(
                    "the cache path `{}` has `..`; name what lies outside of the workspace by its absolute path",
                    path.display()
                )));
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => plain.push(part),
        }
    }
    Ok(plain)
}
