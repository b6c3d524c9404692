//! Archives in memory.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::path::PathBuf;
use std::sync::Arc;

use lineclear_event::{RunId, Timestamp, hexadecimal};
use sha2::{Digest, Sha256};

use super::{MemoryStore, artifacts, caches};
use crate::{
    Archives, ArtifactMeta, Assembled, CacheEntry, CacheHit, CacheKind, CacheMiss, Lookup, NewArchive, NewCacheArchive,
    OpenArchive, ReadAt, SaveOutcome, StoreError, UploadId, check_archive_digest, check_block_list, check_cache_key,
    check_new_archive, expiry, zip,
};

/// An upload that is going on.
#[derive(Clone, Debug)]
pub(super) enum Upload {
    Blocks(BTreeMap<String, Vec<u8>>),
    Assembled { list: Vec<String>, whole: Whole, assembled: Assembled },
}

impl Upload {
    pub(super) fn size(&self) -> u64 {
        match self {
            Self::Blocks(blocks) => blocks.values().map(|bytes| bytes.len() as u64).sum(),
            Self::Assembled { assembled, .. } => assembled.size,
        }
    }
}

/// An archive, and the upload that it was made of.
#[derive(Clone, Debug)]
pub(super) struct Whole {
    pub(super) upload: UploadId,
    pub(super) bytes: Arc<[u8]>,
}

impl Whole {
    pub(super) fn reader(&self) -> impl ReadAt + use<> {
        Bytes(Arc::clone(&self.bytes))
    }

    fn open(&self, content_type: String, digest: Option<String>) -> OpenArchive {
        OpenArchive { content: Box::new(self.reader()), size: self.bytes.len() as u64, content_type, digest }
    }
}

/// Bytes that are read from any place.
pub(super) struct Bytes(pub(super) Arc<[u8]>);

impl ReadAt for Bytes {
    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> Result<usize, StoreError> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.0.get(offset..)).unwrap_or_default();
        let length = rest.len().min(into.len());
        into[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }
}

fn no_upload() -> StoreError {
    StoreError::NotFound { what: "upload of this name, or it has ended".into() }
}

impl Archives for MemoryStore {
    fn begin_upload(&self, now: Timestamp) -> Result<UploadId, StoreError> {
        let upload = UploadId::generate(now)?;
        self.kept().uploads.insert(upload.clone(), Upload::Blocks(BTreeMap::new()));
        Ok(upload)
    }

    fn put_block(&self, upload: &UploadId, block: &str, content: &mut dyn Read) -> Result<u64, StoreError> {
        if !matches!(self.kept().uploads.get(upload), Some(Upload::Blocks(_))) {
            return Err(no_upload());
        }
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes).map_err(|source| StoreError::Io { path: PathBuf::from(block), source })?;
        let length = bytes.len() as u64;
        match self.kept().uploads.get_mut(upload) {
            Some(Upload::Blocks(blocks)) => blocks.insert(block.to_owned(), bytes),
            _ => return Err(no_upload()),
        };
        Ok(length)
    }

    fn assemble(&self, upload: &UploadId, blocks: &[String]) -> Result<Assembled, StoreError> {
        check_block_list(blocks)?;
        let mut kept = self.kept();
        let found = kept.uploads.get_mut(upload).ok_or_else(no_upload)?;
        match found {
            Upload::Assembled { list, assembled, .. } if list == blocks => Ok(assembled.clone()),
            Upload::Assembled { .. } => {
                Err(StoreError::Refused("the upload has already ended, with another list of blocks".into()))
            }
            Upload::Blocks(put) => {
                let mut bytes = Vec::new();
                for block in blocks {
                    let missing =
                        || StoreError::Refused(format!("block `{}` was never uploaded", block.escape_debug()));
                    bytes.extend(put.get(block).ok_or_else(missing)?);
                }
                let assembled = Assembled {
                    size: bytes.len() as u64,
                    digest: format!("sha256:{}", hexadecimal(&Sha256::digest(&bytes))),
                };
                let whole = Whole { upload: upload.clone(), bytes: bytes.into() };
                *found = Upload::Assembled { list: blocks.to_vec(), whole, assembled: assembled.clone() };
                Ok(assembled)
            }
        }
    }

    fn abandon_upload(&self, upload: &UploadId) -> Result<(), StoreError> {
        self.kept().uploads.remove(upload);
        Ok(())
    }

    fn keep_artifact(&self, artifact: &NewArchive) -> Result<ArtifactMeta, StoreError> {
        check_new_archive(artifact)?;
        let mut kept = self.kept();
        let place = (artifact.run, artifact.name.clone());
        match kept.artifacts.get(&place) {
            Some((meta, artifacts::Content::Archive(whole))) if whole.upload == artifact.upload => {
                return Ok(meta.clone());
            }
            Some(_) if !artifact.overwrite => {
                return Err(StoreError::ArtifactExists { name: artifact.name.clone() });
            }
            _ => {}
        }
        let (whole, assembled) = kept.assembled(&artifact.upload)?;
        check_archive_digest(&artifact.name, artifact.digest.as_deref(), &assembled.digest)?;
        let meta = ArtifactMeta {
            id: kept.next_id(),
            run: artifact.run,
            name: artifact.name.clone(),
            files: 1,
            size: assembled.size,
            digest: assembled.digest,
            created: artifact.now,
            expires: Some(expiry(artifact.now, artifact.retention_days, self.shared.limits.artifact_days)),
            content_type: Some(artifact.content_type.clone()),
        };
        kept.uploads.remove(&artifact.upload);
        kept.artifacts.insert(place, (meta.clone(), artifacts::Content::Archive(whole)));
        Ok(meta)
    }

    fn open_artifact(&self, run: RunId, name: &str) -> Result<OpenArchive, StoreError> {
        let found = self.kept().artifacts.get(&(run, name.to_owned())).cloned();
        let (meta, content) = found.ok_or_else(|| artifacts::no_such(run, name))?;
        match content {
            artifacts::Content::Archive(whole) => {
                Ok(whole.open(meta.content_type.unwrap_or_default(), Some(meta.digest)))
            }
            artifacts::Content::Files(files) => {
                let mut zip = zip::Packer::new(Cursor::new(Vec::new()));
                let failed = |source| StoreError::Io { path: PathBuf::from(name), source };
                for (name, bytes) in &files {
                    zip.file(name, bytes.len() as u64, &mut bytes.as_slice()).map_err(failed)?;
                }
                let (bytes, _) = zip.finish().map_err(failed)?;
                let whole = Whole { upload: UploadId(String::new()), bytes: bytes.into_inner().into() };
                Ok(whole.open("application/zip".into(), None))
            }
        }
    }

    fn find_archive(&self, lookup: &Lookup) -> Result<Result<CacheHit, CacheMiss>, StoreError> {
        self.find_kind(CacheKind::Archive, lookup)
    }

    fn keep_cache(&self, cache: &NewCacheArchive) -> Result<SaveOutcome, StoreError> {
        check_cache_key(&cache.key)?;
        let mut kept = self.kept();
        let same = |entry: &CacheEntry| {
            entry.kind == CacheKind::Archive
                && entry.repository == cache.repository
                && entry.key == cache.key
                && entry.version == cache.version
                && entry.scope == cache.scope
        };
        match kept.caches.iter().find(|(entry, _)| same(entry)) {
            Some((entry, caches::Content::Archive(whole))) if whole.upload == cache.upload => {
                return Ok(SaveOutcome::Saved(entry.clone()));
            }
            Some(_) => {
                kept.uploads.remove(&cache.upload);
                return Ok(SaveOutcome::Exists);
            }
            None => {}
        }
        let (whole, Assembled { size, .. }) = kept.assembled(&cache.upload)?;
        let limit = self.shared.limits.cache_bytes_per_repository;
        if size > limit {
            return Err(StoreError::Refused(format!(
                "the cache `{}` takes {size} bytes, more than the limit of {limit} bytes for a repository",
                cache.key
            )));
        }
        let entry = CacheEntry {
            id: kept.next_id(),
            repository: cache.repository.clone(),
            key: cache.key.clone(),
            version: cache.version.clone(),
            scope: cache.scope.clone(),
            created: cache.now,
            used: cache.now,
            files: 1,
            size,
            stored: size,
            kind: CacheKind::Archive,
        };
        kept.uploads.remove(&cache.upload);
        kept.caches.push((entry.clone(), caches::Content::Archive(whole)));
        kept.evict(&self.shared.limits, cache.now, Some(entry.id));
        Ok(SaveOutcome::Saved(entry))
    }

    fn open_cache(&self, entry: &CacheEntry) -> Result<OpenArchive, StoreError> {
        let found =
            self.kept().caches.iter().find(|(known, _)| known.id == entry.id).map(|(_, content)| content.clone());
        match found {
            Some(caches::Content::Archive(whole)) => {
                let digest = format!("sha256:{}", hexadecimal(&Sha256::digest(&whole.bytes)));
                Ok(whole.open("application/octet-stream".into(), Some(digest)))
            }
            Some(caches::Content::Files(_)) | None => Err(caches::no_such(entry)),
        }
    }
}

impl super::Kept {
    /// The content of an upload whose blocks are in order.
    fn assembled(&self, upload: &UploadId) -> Result<(Whole, Assembled), StoreError> {
        match self.uploads.get(upload) {
            None => Err(no_upload()),
            Some(Upload::Blocks(_)) => {
                Err(StoreError::Refused("the upload has not ended: its list of blocks is missing".into()))
            }
            Some(Upload::Assembled { whole, assembled, .. }) => Ok((whole.clone(), assembled.clone())),
        }
    }
}
