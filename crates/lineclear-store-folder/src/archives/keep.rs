//! From an ended upload to an artifact or a cache entry.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use lineclear_store::{
    ArtifactMeta, CacheEntry, CacheKind, NewArchive, NewCacheArchive, SaveOutcome, StoreError, UploadId,
    check_archive_digest, expiry,
};

use super::ARCHIVES;
use super::list::{List, synchronise};
use super::upload::no_upload;
use crate::artifacts::KeptArtifact;
use crate::caches::{KeptCache, drop_entry, mark_used};
use crate::entry::{ArchiveRef, Content, Kept};
use crate::fault;
use crate::store::{Durability, Place};

impl Place {
    pub(super) fn archive_folder(&self, upload: &UploadId) -> PathBuf {
        self.root.join(ARCHIVES).join(&upload.0)
    }

    pub(super) fn keep_artifact(&self, artifact: &NewArchive) -> Result<ArtifactMeta, StoreError> {
        let path = self.artifact_path(artifact.run, &artifact.name);
        match KeptArtifact::read(&path) {
            Ok(Some((kept, _))) if is_of(&kept.content, &artifact.upload) => return Ok(kept.what),
            Ok(None) => {}
            _ if artifact.overwrite => {}
            Ok(Some(_)) | Err(StoreError::Refused(_) | StoreError::Damaged { .. }) => {
                return Err(StoreError::ArtifactExists { name: artifact.name.clone() });
            }
            Err(error) => return Err(error),
        }
        let (list, archive) = self.ended_upload(&artifact.upload)?;
        check_archive_digest(&artifact.name, artifact.digest.as_deref(), &list.digest)?;
        let meta = ArtifactMeta {
            id: self.next_number("artifact", || self.highest_artifact())?,
            run: artifact.run,
            name: artifact.name.clone(),
            files: 1,
            size: list.size,
            digest: list.digest.clone(),
            created: artifact.now,
            expires: Some(expiry(artifact.now, artifact.retention_days, self.settings.limits.artifact_days)),
            content_type: Some(artifact.content_type.clone()),
        };
        let kept = Kept { what: meta, content: Content::Archive(archive) };
        self.take_over(&artifact.upload, &list)?;
        match self.publish(&path, &kept.to_json(), !artifact.overwrite) {
            Ok(true) => Ok(kept.what),
            Ok(false) => {
                self.give_back(&artifact.upload);
                Err(StoreError::ArtifactExists { name: artifact.name.clone() })
            }
            Err(error) => {
                self.give_back(&artifact.upload);
                Err(error)
            }
        }
    }

    pub(super) fn keep_cache(&self, cache: &NewCacheArchive) -> Result<SaveOutcome, StoreError> {
        let path = self.cache_path(CacheKind::Archive, &cache.repository, &cache.key, &cache.version, &cache.scope.0);
        match KeptCache::read(&path) {
            Ok(None) => {}
            Err(StoreError::Damaged { .. }) => drop_entry(&path)?,
            Ok(Some((kept, _))) if is_of(&kept.content, &cache.upload) => return Ok(SaveOutcome::Saved(kept.what)),
            Ok(Some(_)) | Err(StoreError::Refused(_)) => return Ok(SaveOutcome::Exists),
            Err(error) => return Err(error),
        }
        let (list, archive) = self.ended_upload(&cache.upload)?;
        let limit = self.settings.limits.cache_bytes_per_repository;
        if list.size > limit {
            return Err(StoreError::Refused(format!(
                "the cache `{}` takes {} bytes, more than the limit of {limit} bytes for a repository",
                cache.key, list.size
            )));
        }
        let entry = CacheEntry {
            id: self.next_number("cache", || self.highest_cache())?,
            repository: cache.repository.clone(),
            key: cache.key.clone(),
            version: cache.version.clone(),
            scope: cache.scope.clone(),
            created: cache.now,
            used: cache.now,
            files: 1,
            size: list.size,
            stored: list.size,
            kind: CacheKind::Archive,
        };
        let kept = Kept { what: entry, content: Content::Archive(archive) };
        self.take_over(&cache.upload, &list)?;
        match self.publish_as(&path, &kept.to_json(), true, |file| mark_used(file, cache.now)) {
            Ok(true) => Ok(SaveOutcome::Saved(kept.what)),
            Ok(false) => {
                self.give_back(&cache.upload);
                Ok(SaveOutcome::Exists)
            }
            Err(error) => {
                self.give_back(&cache.upload);
                Err(error)
            }
        }
    }

    fn ended_upload(&self, upload: &UploadId) -> Result<(List, ArchiveRef), StoreError> {
        match self.ended_list(upload)? {
            Some((list, hash)) => {
                let archive = ArchiveRef { upload: upload.clone(), list: hash, size: list.size };
                Ok((list, archive))
            }
            None if self.root.join(super::UPLOADS).join(&upload.0).is_dir() => {
                Err(StoreError::Refused("the upload has not ended: its list of blocks is missing".into()))
            }
            None => Err(no_upload()),
        }
    }

    /// Moves an ended upload to the archives. Until an entry refers to it, only the shared lock keeps it.
    fn take_over(&self, upload: &UploadId, list: &List) -> Result<(), StoreError> {
        let (from, to) = (self.ended_folder(upload)?, self.archive_folder(upload));
        let moved = match fs::rename(&from, &to) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && from.is_dir() => {
                let folder = self.root.join(ARCHIVES);
                DirBuilder::new().recursive(true).mode(0o700).create(&folder).and_then(|()| fs::rename(&from, &to))
            }
            moved => moved,
        };
        fault::found(&from, moved)?.ok_or_else(no_upload)?;
        if let [block] = list.blocks.as_slice() {
            self.share_archive(&to.join(&block.file), block, &list.digest);
        }
        if self.settings.durability == Durability::PowerLoss {
            synchronise(&self.root.join(ARCHIVES))?;
        }
        Ok(())
    }

    /// Makes an archive that no entry came to refer to an upload again.
    fn give_back(&self, upload: &UploadId) {
        if let Ok(to) = self.ended_folder(upload) {
            let _swept_later = fs::rename(self.archive_folder(upload), to);
        }
    }
}

fn is_of(content: &Content, upload: &UploadId) -> bool {
    matches!(content, Content::Archive(archive) if archive.upload == *upload)
}
