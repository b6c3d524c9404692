//! Entries that have to go.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use lineclear_event::Timestamp;
use lineclear_store::{DAY_MS, Limits, StoreError};

use super::drop_entry;
use crate::blobs::Hash;
use crate::store::Place;

impl Place {
    /// Removes entries of a repository that were unused for too long, then those unused for longest above the limit; answers how
    /// many. `newest` was saved just now and stays.
    pub(crate) fn evict(
        &self,
        repository: &str,
        limits: &Limits,
        now: Timestamp,
        newest: Option<u64>,
    ) -> Result<u64, StoreError> {
        self.evict_in(&self.cache_folder(repository), limits, now, newest)
    }

    /// [`Place::evict`] for the folder of a repository.
    pub(crate) fn evict_in(
        &self,
        folder: &Path,
        limits: &Limits,
        now: Timestamp,
        newest: Option<u64>,
    ) -> Result<u64, StoreError> {
        let evicted = self.to_evict(folder, limits, now, newest)?;
        evicted.iter().try_for_each(|path| drop_entry(path))?;
        Ok(evicted.len() as u64)
    }

    /// The entries in a repository's folder that have to go.
    pub(crate) fn to_evict(
        &self,
        folder: &Path,
        limits: &Limits,
        now: Timestamp,
        newest: Option<u64>,
    ) -> Result<Vec<PathBuf>, StoreError> {
        let mut kept = self.caches_in(folder, &mut Vec::new())?;
        kept.sort_by_key(|(_, kept)| (Some(kept.what.id) == newest, kept.what.used, kept.what.id));
        let mut users: HashMap<Hash, u64> = HashMap::new();
        let mut total = 0;
        for (part, stored) in kept.iter().flat_map(|(_, kept)| kept.content.parts()) {
            let count = users.entry(part).or_default();
            total += if *count == 0 { stored } else { 0 };
            *count += 1;
        }
        let oldest = now.plus_millis(-i64::from(limits.cache_unused_days).saturating_mul(DAY_MS));
        let mut evicted = Vec::new();
        for (path, kept) in &kept {
            let unused = kept.what.used < oldest;
            if Some(kept.what.id) == newest || !(unused || total > limits.cache_bytes_per_repository) {
                continue;
            }
            evicted.push(path.clone());
            for (part, stored) in kept.content.parts() {
                let count = users.entry(part).or_default();
                *count = count.saturating_sub(1);
                total -= if *count == 0 { stored } else { 0 };
            }
        }
        Ok(evicted)
    }
}
