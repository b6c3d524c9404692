//! Archives in the folder.
//!
//! An upload is a folder of block files, each written once. Ending it renames the folder and adds the list of its blocks; keeping
//! it renames the folder again and writes the entry that refers to it. So no byte is copied, and a kill leaves either the
//! upload as it was or the next state of it. [`block`](crate::block) says what a block file is, [`list`] what the list holds.

mod export;
mod keep;
mod list;
mod open;
mod progress;
mod upload;

use std::io::Read;

use lineclear_event::{RunId, Timestamp};
use lineclear_store::{
    Archives, ArtifactMeta, Assembled, CacheEntry, CacheHit, CacheKind, CacheMiss, Lookup, NewArchive, NewCacheArchive,
    OpenArchive, SaveOutcome, StoreError, UploadId, check_block_list, check_cache_key, check_new_archive,
};

use crate::artifacts::{KeptArtifact, no_such};
use crate::caches::KeptCache;
use crate::entry::Content;
use crate::store::FolderStore;

pub(crate) use progress::Progress;

/// Folders of the store.
pub(crate) const UPLOADS: &str = "uploads";
pub(crate) const ARCHIVES: &str = "archives";

impl Archives for FolderStore {
    fn begin_upload(&self, now: Timestamp) -> Result<UploadId, StoreError> {
        self.place.begin_upload(now)
    }

    fn put_block(&self, upload: &UploadId, block: &str, content: &mut dyn Read) -> Result<u64, StoreError> {
        self.place.put_block(upload, block, content)
    }

    fn assemble(&self, upload: &UploadId, blocks: &[String]) -> Result<Assembled, StoreError> {
        check_block_list(blocks)?;
        self.place.assemble(upload, blocks)
    }

    fn abandon_upload(&self, upload: &UploadId) -> Result<(), StoreError> {
        self.place.abandon_upload(upload).map(drop)
    }

    fn keep_artifact(&self, artifact: &NewArchive) -> Result<ArtifactMeta, StoreError> {
        check_new_archive(artifact)?;
        let _writing = self.place.keep_blobs()?;
        self.place.keep_artifact(artifact)
    }

    fn open_artifact(&self, run: RunId, name: &str) -> Result<OpenArchive, StoreError> {
        let place = &self.place;
        let reading = place.keep_blobs()?;
        let kept = KeptArtifact::read(&place.artifact_path(run, name))?.ok_or_else(|| no_such(run, name))?.0;
        match &kept.content {
            Content::Archive(archive) => place.open_kept_artifact(&kept.what, archive, reading),
            Content::Files(files) => place.export_zip(&kept.what, files, reading),
        }
    }

    fn find_archive(&self, lookup: &Lookup) -> Result<Result<CacheHit, CacheMiss>, StoreError> {
        self.place.find_cache(CacheKind::Archive, lookup)
    }

    fn keep_cache(&self, cache: &NewCacheArchive) -> Result<SaveOutcome, StoreError> {
        check_cache_key(&cache.key)?;
        let place = &self.place;
        let writing = place.keep_blobs()?;
        let outcome = place.keep_cache(cache)?;
        drop(writing);
        match &outcome {
            SaveOutcome::Saved(entry) => {
                let evicted = place.evict(&cache.repository, &place.settings.limits, cache.now, Some(entry.id))?;
                if evicted > 0 {
                    place.sweep()?;
                }
            }
            SaveOutcome::Exists => place.abandon_upload(&cache.upload).map(drop)?,
        }
        Ok(outcome)
    }

    fn open_cache(&self, entry: &CacheEntry) -> Result<OpenArchive, StoreError> {
        let place = &self.place;
        let reading = place.keep_blobs()?;
        let gone = || StoreError::NotFound { what: format!("cache entry `{}`", entry.key) };
        let path = place.cache_path(CacheKind::Archive, &entry.repository, &entry.key, &entry.version, &entry.scope.0);
        let (kept, _) = KeptCache::read(&path)?.filter(|(kept, _)| kept.what.id == entry.id).ok_or_else(gone)?;
        let Content::Archive(archive) = &kept.content else { return Err(gone()) };
        place.open_kept_cache(&kept.what, archive, path, reading)
    }
}
