//! The store that forgets: everything in memory, by the same rules.
//!
//! For tests of what uses a store, and the oracle that other forms are compared with. It is written to be obviously right, not
//! fast. Only the files of steps, which it saves and restores, are on a disk.

mod archives;
mod artifacts;
mod caches;
mod images;
mod ledgers;
mod runs;
mod tree;
mod upkeep;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lineclear_event::{JobKey, RunId};

use crate::{ArtifactMeta, CacheEntry, Limits, UploadId};

/// A store in memory. Clones share what they keep.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    limits: Limits,
    kept: Mutex<Kept>,
}

#[derive(Clone, Debug, Default)]
struct Kept {
    runs: BTreeMap<RunId, runs::Run>,
    /// Last run number by repository and workflow file.
    numbers: BTreeMap<(String, String), u64>,
    artifacts: BTreeMap<(RunId, String), (ArtifactMeta, artifacts::Content)>,
    caches: Vec<(CacheEntry, caches::Content)>,
    uploads: BTreeMap<UploadId, archives::Upload>,
    images: images::Kept,
    ledgers: BTreeMap<String, Vec<String>>,
    last_id: u64,
}

impl MemoryStore {
    pub fn new() -> Self {
        Self::default()
    }

    /// A store that keeps to `limits` when it saves.
    pub fn with_limits(limits: Limits) -> Self {
        Self { shared: Arc::new(Shared { limits, kept: Mutex::default() }) }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Each change is made by one statement, so a panic elsewhere leaves nothing half done.
        self.shared.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }
}

/// Lines of a job's log: step, time, text.
type LogLines = Vec<(String, String, Vec<u8>)>;

/// Logs by job.
type Logs = BTreeMap<JobKey, LogLines>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_form_keeps_every_promise() {
        let scratch = tempfile::tempdir().expect("a temporary folder can be made");
        crate::contract::all(scratch.path(), |limits| MemoryStore::with_limits(limits.clone()));
    }
}
