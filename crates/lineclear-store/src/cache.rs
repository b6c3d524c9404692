//! Caches of steps.

use std::fmt;
use std::path::{Path, PathBuf};

use lineclear_event::Timestamp;
use serde::{Deserialize, Serialize};

use crate::StoreError;

/// Keeps the caches of `actions/cache` and of the setup actions.
///
/// An entry is identified by key, version and scope, and never changes once it is complete.
pub trait Caches: Send + Sync + fmt::Debug {
    /// Finds the entry for `lookup.keys`: in each scope in turn, the first key exactly, then as a prefix, then each further
    /// key likewise; of several, the newest. The miss says why.
    fn find(&self, lookup: &Lookup) -> Result<Result<CacheHit, CacheMiss>, StoreError>;

    /// Writes the files of an entry below `base`; absolute and `~` paths go where they were.
    fn restore(&self, hit: &CacheHit, base: &Path) -> Result<RestoreReport, StoreError>;

    /// Keeps the files that `new.paths` name below `base`.
    fn save(&self, new: &NewCache, base: &Path) -> Result<SaveOutcome, StoreError>;

    fn list(&self, repository: Option<&str>) -> Result<Vec<CacheEntry>, StoreError>;

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
    pub files: u64,
    /// Bytes of the files.
    pub size: u64,
    /// Bytes kept for it, after compression and sharing.
    pub stored: u64,
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
    pub files: u64,
    pub bytes: u64,
    /// Files that were there already and equal.
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
