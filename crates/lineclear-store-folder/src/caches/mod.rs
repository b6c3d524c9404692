//! Caches in the folder.

mod evict;
mod tree;

use std::collections::HashSet;
use std::fs::{self, File, FileTimes};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use lineclear_event::Timestamp;
use lineclear_store::{
    CacheEntry, CacheHit, CacheKind, CacheMiss, Caches, Lookup, NewCache, RestoreReport, SaveOutcome, StoreError,
    check_cache_key, check_lookup, choose,
};

use crate::blobs::{BlobRef, Hash};
use crate::entry::{Content, Kept, folders, json_files};
use crate::fault;
use crate::manifest::Manifest;
use crate::restore::{Fault, Keeping, restore};
use crate::scan::Scan;
use crate::stat_cache::{StatCache, now};
use crate::store::{FolderStore, Place, file_name};

/// How many earlier entries are asked for contents that are there already.
const RELATIVES: usize = 2;

pub(crate) type KeptCache = Kept<CacheEntry>;

impl Caches for FolderStore {
    fn find(&self, lookup: &Lookup) -> Result<Result<CacheHit, CacheMiss>, StoreError> {
        self.place.find_cache(CacheKind::Files, lookup)
    }

    fn restore(&self, hit: &CacheHit, base: &Path) -> Result<RestoreReport, StoreError> {
        let place = &*self.place;
        let base = std::path::absolute(base).map_err(|error| fault::at(base, error))?;
        let _reading = place.keep_blobs()?;
        let entry = &hit.entry;
        let gone = || StoreError::NotFound { what: format!("cache entry `{}`", entry.key) };
        let path = place.cache_path(CacheKind::Files, &entry.repository, &entry.key, &entry.version, &entry.scope.0);
        let (kept, _) = KeptCache::read(&path)?.filter(|(kept, _)| kept.what.id == entry.id).ok_or_else(gone)?;
        let Content::Files(kept) = kept.content else { return Err(gone()) };
        let stats = StatCache::path(place, &entry.repository, &entry.version, &base);
        let known = StatCache::load(&stats);
        let restored = place
            .read_manifest(&kept.manifest)
            .map_err(|error| damaged_blob(kept.manifest.hash, error))
            .and_then(|manifest| restore(place, &manifest, &base, Keeping::All, &known));
        match restored {
            Ok(restored) => {
                // Nobody but us wrote the files while we did, so they are what they were given until now.
                StatCache::store(place, &stats, now(), restored.stamps.into_iter())?;
                Ok(restored.report)
            }
            Err(Fault::Other(error)) => Err(error),
            Err(Fault::Blob(hash, error)) => {
                place.blobs.remove(hash);
                drop_entry(&path)?;
                Err(fault::damaged(
                    format!("cache entry `{}`", entry.key),
                    format!("{error}; the entry has been dropped, the next save makes it anew"),
                ))
            }
        }
    }

    fn save(&self, new: &NewCache, base: &Path) -> Result<SaveOutcome, StoreError> {
        check_cache_key(&new.key)?;
        if new.paths.is_empty() {
            return Err(StoreError::Refused(format!("the cache `{}` has no path to keep", new.key)));
        }
        let place = &*self.place;
        let base = std::path::absolute(base).map_err(|error| fault::at(base, error))?;
        let writing = place.keep_blobs()?;
        let outcome = place.save_cache(new, &base);
        drop(writing);
        match &outcome {
            Ok(SaveOutcome::Saved(entry)) => {
                let evicted = place.evict(&new.repository, &place.settings.limits, new.now, Some(entry.id))?;
                if evicted > 0 {
                    place.sweep()?;
                }
            }
            Ok(SaveOutcome::Exists) => {}
            // What was written until then is of no use to anyone.
            Err(_) => drop(place.sweep()),
        }
        outcome
    }

    fn list(&self, repository: Option<&str>) -> Result<Vec<CacheEntry>, StoreError> {
        let mut entries = Vec::new();
        let folders = match repository {
            Some(repository) => vec![self.place.cache_folder(repository)],
            None => folders(&self.place.root.join("caches"))?,
        };
        for folder in folders {
            entries.extend(self.place.caches_in(&folder, &mut Vec::new())?.into_iter().map(|(_, kept)| kept.what));
        }
        entries.sort_by_key(|entry| std::cmp::Reverse((entry.created, entry.id)));
        Ok(entries)
    }

    fn remove(&self, id: u64) -> Result<(), StoreError> {
        for folder in folders(&self.place.root.join("caches"))? {
            for (path, kept) in self.place.caches_in(&folder, &mut Vec::new())? {
                if kept.what.id == id {
                    return drop_entry(&path);
                }
            }
        }
        Err(StoreError::NotFound { what: format!("cache entry {id}") })
    }
}

impl Place {
    /// Looks among the entries of one kind. What is damaged so that it can be seen from outside is dropped before it is found.
    pub(crate) fn find_cache(
        &self,
        kind: CacheKind,
        lookup: &Lookup,
    ) -> Result<Result<CacheHit, CacheMiss>, StoreError> {
        check_lookup(lookup)?;
        let mut dropped = Vec::new();
        loop {
            let kept = self.caches_of(&lookup.repository, &mut dropped)?;
            let entries: Vec<CacheEntry> = kept.iter().map(|(_, kept)| kept.what.clone()).collect();
            let mut hit = match choose(&entries, kind, lookup, &dropped) {
                Ok(hit) => hit,
                Err(miss) => return Ok(Err(miss)),
            };
            let Some((path, kept)) = kept.iter().find(|(_, kept)| kept.what.id == hit.entry.id) else { continue };
            // A length that differs is found here, before a step relies on the hit; other damage when the contents are read.
            let broken = match &kept.content {
                Content::Files(files) => {
                    let broken: Vec<&BlobRef> = files.blobs().filter(|blob| !self.blobs.has(blob)).collect();
                    broken.iter().for_each(|blob| self.blobs.remove(blob.hash));
                    broken.len()
                }
                Content::Archive(archive) => self.broken_blocks(archive)?,
            };
            if broken > 0 {
                drop_entry(path)?;
                dropped.push(format!(
                    "the entry `{}` was damaged and has been dropped ({broken} of its files in the store missing or cut off)",
                    hit.entry.key,
                ));
                continue;
            }
            if let Ok(file) = File::open(path) {
                mark_used(&file, lookup.now).map_err(|error| fault::at(path, error))?;
            }
            hit.entry.used = lookup.now;
            return Ok(Ok(hit));
        }
    }
}

fn damaged_blob(hash: Hash, error: StoreError) -> Fault {
    match error {
        error @ StoreError::Damaged { .. } => Fault::Blob(hash, error),
        error => Fault::Other(error),
    }
}

pub(crate) fn drop_entry(path: &Path) -> Result<(), StoreError> {
    fault::found(path, fs::remove_file(path)).map(drop)
}

/// The last use of an entry is its file's time, so that noting it needs no writing and no lock.
pub(crate) fn mark_used(file: &File, at: Timestamp) -> io::Result<()> {
    let after = Duration::from_millis(at.0.unsigned_abs());
    let time = if at.0 < 0 { SystemTime::UNIX_EPOCH - after } else { SystemTime::UNIX_EPOCH + after };
    file.set_times(FileTimes::new().set_modified(time))
}

impl Place {
    fn cache_folder(&self, repository: &str) -> PathBuf {
        self.root.join("caches").join(file_name(repository))
    }

    /// The file of an entry. Its name is made of the identity, so that one identity can only be there once.
    pub(crate) fn cache_path(
        &self,
        kind: CacheKind,
        repository: &str,
        key: &str,
        version: &str,
        scope: &str,
    ) -> PathBuf {
        let mut hasher = blake3::Hasher::new();
        let kind: &[&str] = match kind {
            CacheKind::Files => &[],
            CacheKind::Archive => &["archive"],
        };
        for part in [repository, key, version, scope].iter().chain(kind) {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
        }
        self.cache_folder(repository).join(format!("{}.json", &hasher.finalize().to_hex()[..40]))
    }

    fn caches_of(&self, repository: &str, dropped: &mut Vec<String>) -> Result<Vec<(PathBuf, KeptCache)>, StoreError> {
        self.caches_in(&self.cache_folder(repository), dropped)
    }

    /// The entries in a repository's folder. One that cannot be read as an entry is removed, with a sentence in `dropped`.
    pub(crate) fn caches_in(
        &self,
        folder: &Path,
        dropped: &mut Vec<String>,
    ) -> Result<Vec<(PathBuf, KeptCache)>, StoreError> {
        let mut found = Vec::new();
        for path in json_files(folder)? {
            match KeptCache::read(&path) {
                Ok(Some((mut kept, file))) => {
                    let known = file.metadata().map_err(|error| fault::at(&path, error))?;
                    kept.what.used =
                        Timestamp(known.mtime().saturating_mul(1000).saturating_add(known.mtime_nsec() / 1_000_000));
                    found.push((path, kept));
                }
                Ok(None) | Err(StoreError::Refused(_)) => {}
                Err(StoreError::Damaged { .. }) => {
                    drop_entry(&path)?;
                    let name = path.file_name().unwrap_or_default().display();
                    dropped.push(format!("the half-written entry `{name}` has been dropped"));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    fn save_cache(&self, new: &NewCache, base: &Path) -> Result<SaveOutcome, StoreError> {
        let path = self.cache_path(CacheKind::Files, &new.repository, &new.key, &new.version, &new.scope.0);
        match KeptCache::read(&path) {
            Ok(None) => {}
            Err(StoreError::Damaged { .. }) => drop_entry(&path)?,
            Ok(Some(_)) | Err(StoreError::Refused(_)) => return Ok(SaveOutcome::Exists),
            Err(error) => return Err(error),
        }
        let taken = now();
        let scan = Scan::of(base, &new.paths, &self.root, self.threads())?;
        let stats = StatCache::path(self, &new.repository, &new.version, base);
        let saved = self.save_tree(&scan, &StatCache::load(&stats), &self.relatives(new)?)?;
        let (manifest, added) = self.keep_manifest(&saved.manifest)?;

        let limit = self.settings.limits.cache_bytes_per_repository;
        let needed = saved.manifest.packs.iter().map(|pack| pack.stored).sum::<u64>() + manifest.stored;
        if needed > limit {
            return Err(StoreError::Refused(format!(
                "the cache `{}` takes {needed} bytes, more than the limit of {limit} bytes for a repository",
                new.key
            )));
        }
        let (files, size) = saved.manifest.size();
        let entry = CacheEntry {
            id: self.next_number("cache", || self.highest_cache())?,
            repository: new.repository.clone(),
            key: new.key.clone(),
            version: new.version.clone(),
            scope: new.scope.clone(),
            created: new.now,
            used: new.now,
            files,
            size,
            stored: saved.added + added,
            kind: CacheKind::Files,
        };
        let kept = Kept::files(entry, manifest, saved.manifest.packs);
        if !self.publish_as(&path, &kept.to_json(), true, |file| mark_used(file, new.now))? {
            return Ok(SaveOutcome::Exists);
        }
        // Only a help for the next time: without it all files are read again.
        let _remembered = StatCache::store(self, &stats, taken, saved.stamps.into_iter());
        Ok(SaveOutcome::Saved(kept.what))
    }

    pub(crate) fn highest_cache(&self) -> Result<u64, StoreError> {
        let mut highest = 0;
        for folder in folders(&self.root.join("caches"))? {
            let kept = self.caches_in(&folder, &mut Vec::new())?;
            highest = kept.iter().map(|(_, kept)| kept.what.id).fold(highest, u64::max);
        }
        Ok(highest)
    }

    /// The manifests of the entries that most likely have much in common with a new one: of the same paths, with the longest
    /// common beginning of the key, the newest first.
    fn relatives(&self, new: &NewCache) -> Result<Vec<Manifest>, StoreError> {
        let common = |key: &str| key.bytes().zip(new.key.bytes()).take_while(|(left, right)| left == right).count();
        let kept = self.caches_of(&new.repository, &mut Vec::new())?;
        let files = kept.into_iter().filter_map(|(_, kept)| match kept.content {
            Content::Files(files) => Some((kept.what, files.manifest)),
            Content::Archive(_) => None,
        });
        let mut files: Vec<(CacheEntry, BlobRef)> = files.collect();
        files.sort_by_cached_key(|(what, _)| {
            std::cmp::Reverse((what.version == new.version, common(&what.key), what.created, what.id))
        });
        // Entries of equal trees have one manifest.
        let mut seen = HashSet::new();
        files.retain(|(_, manifest)| seen.insert(manifest.hash));
        // A damaged relative is nobody's fault here: it is found when it is used itself.
        let manifests = files.iter().take(RELATIVES).filter_map(|(_, manifest)| self.read_manifest(manifest).ok());
        Ok(manifests.collect())
    }
}
