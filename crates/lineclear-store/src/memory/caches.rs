//! Caches in memory.

use std::path::Path;

use super::archives::Whole;
use super::tree::Tree;
use super::{Kept, MemoryStore};
use crate::{
    CacheEntry, CacheHit, CacheKind, CacheMiss, Caches, DAY_MS, Limits, Lookup, NewCache, RestoreReport, SaveOutcome,
    StoreError, check_cache_key, check_lookup, choose,
};
use lineclear_event::Timestamp;

/// What an entry holds.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Files(Tree),
    Archive(Whole),
}

pub(super) fn no_such(entry: &CacheEntry) -> StoreError {
    StoreError::NotFound { what: format!("cache entry `{}`", entry.key) }
}

impl MemoryStore {
    /// Looks among the entries of one kind.
    pub(super) fn find_kind(
        &self,
        kind: CacheKind,
        lookup: &Lookup,
    ) -> Result<Result<CacheHit, CacheMiss>, StoreError> {
        check_lookup(lookup)?;
        let mut kept = self.kept();
        let entries: Vec<CacheEntry> = kept.caches.iter().map(|(entry, _)| entry.clone()).collect();
        let mut found = choose(&entries, kind, lookup, &[]);
        if let Ok(hit) = &mut found {
            hit.entry.used = lookup.now;
            for (entry, _) in kept.caches.iter_mut().filter(|(entry, _)| entry.id == hit.entry.id) {
                entry.used = lookup.now;
            }
        }
        Ok(found)
    }
}

impl Caches for MemoryStore {
    fn find(&self, lookup: &Lookup) -> Result<Result<CacheHit, CacheMiss>, StoreError> {
        self.find_kind(CacheKind::Files, lookup)
    }

    fn restore(&self, hit: &CacheHit, base: &Path) -> Result<RestoreReport, StoreError> {
        let found = self.kept().caches.iter().find(|(entry, _)| entry.id == hit.entry.id).map(|(_, tree)| tree.clone());
        match found {
            Some(Content::Files(tree)) => tree.write(base),
            Some(Content::Archive(_)) | None => Err(no_such(&hit.entry)),
        }
    }

    fn save(&self, new: &NewCache, base: &Path) -> Result<SaveOutcome, StoreError> {
        check_cache_key(&new.key)?;
        if new.paths.is_empty() {
            return Err(StoreError::Refused(format!("the cache `{}` has no path to keep", new.key)));
        }
        let same = |entry: &CacheEntry| {
            entry.kind == CacheKind::Files
                && entry.repository == new.repository
                && entry.key == new.key
                && entry.version == new.version
                && entry.scope == new.scope
        };
        if self.kept().caches.iter().any(|(entry, _)| same(entry)) {
            return Ok(SaveOutcome::Exists);
        }
        let tree = Tree::read(base, &new.paths)?;
        let (files, size) = tree.size();
        let limit = self.shared.limits.cache_bytes_per_repository;
        if size > limit {
            return Err(StoreError::Refused(format!(
                "the cache `{}` takes {size} bytes, more than the limit of {limit} bytes for a repository",
                new.key
            )));
        }
        let mut kept = self.kept();
        if kept.caches.iter().any(|(entry, _)| same(entry)) {
            return Ok(SaveOutcome::Exists);
        }
        let entry = CacheEntry {
            id: kept.next_id(),
            repository: new.repository.clone(),
            key: new.key.clone(),
            version: new.version.clone(),
            scope: new.scope.clone(),
            created: new.now,
            used: new.now,
            files,
            size,
            stored: size,
            kind: CacheKind::Files,
        };
        kept.caches.push((entry.clone(), Content::Files(tree)));
        kept.evict(&self.shared.limits, new.now, Some(entry.id));
        Ok(SaveOutcome::Saved(entry))
    }

    fn list(&self, repository: Option<&str>) -> Result<Vec<CacheEntry>, StoreError> {
        let kept = self.kept();
        let ours = kept.caches.iter().map(|(entry, _)| entry);
        let mut ours: Vec<CacheEntry> =
            ours.filter(|entry| repository.is_none_or(|name| entry.repository == name)).cloned().collect();
        ours.sort_by_key(|entry| std::cmp::Reverse((entry.created, entry.id)));
        Ok(ours)
    }

    fn remove(&self, id: u64) -> Result<(), StoreError> {
        let mut kept = self.kept();
        let before = kept.caches.len();
        kept.caches.retain(|(entry, _)| entry.id != id);
        if kept.caches.len() == before {
            return Err(StoreError::NotFound { what: format!("cache entry {id}") });
        }
        Ok(())
    }
}

impl Kept {
    /// Removes unused entries, then, in each repository above the limit, those unused for longest; answers how many. `newest`
    /// was saved just now and stays.
    pub(super) fn evict(&mut self, limits: &Limits, now: Timestamp, newest: Option<u64>) -> u64 {
        let before = self.caches.len();
        let oldest = now.plus_millis(-i64::from(limits.cache_unused_days).saturating_mul(DAY_MS));
        self.caches.retain(|(entry, _)| entry.used >= oldest || Some(entry.id) == newest);
        loop {
            let over = |repository: &str| {
                let ours = self.caches.iter().filter(|(entry, _)| entry.repository == repository);
                ours.map(|(entry, _)| entry.size).sum::<u64>() > limits.cache_bytes_per_repository
            };
            let candidates = self.caches.iter().map(|(entry, _)| entry);
            let victim = candidates
                .filter(|entry| Some(entry.id) != newest && over(&entry.repository))
                .min_by_key(|entry| (entry.used, entry.id))
                .map(|entry| entry.id);
            let Some(id) = victim else { break };
            self.caches.retain(|(entry, _)| entry.id != id);
        }
        (before - self.caches.len()) as u64
    }
}
