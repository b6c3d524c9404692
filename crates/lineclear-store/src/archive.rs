//! Archives: artifacts and caches that a client packed itself and wants back byte for byte.

use std::fmt;
use std::io::Read;

use lineclear_event::{RunId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{ArtifactMeta, CacheEntry, CacheHit, CacheMiss, CacheScope, Lookup, SaveOutcome, StoreError};

/// An upload that is going on. Unguessable, and good for a file name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UploadId(pub String);

/// What an assembled upload holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assembled {
    pub size: u64,
    /// `sha256:<hex>` of the bytes.
    pub digest: String,
}

/// Keeps what clients upload in blocks, and gives it back.
///
/// Blocks come in any order and perhaps twice; the list that ends an upload decides. Blocks are kept as they come: ending an
/// upload copies nothing. An upload that nobody ends goes with the next prune after a day. Each block is checked against its
/// digest before one byte of it is given out.
pub trait Archives: Send + Sync + fmt::Debug {
    fn begin_upload(&self, now: Timestamp) -> Result<UploadId, StoreError>;

    /// Keeps a block, in place of an earlier one of the same name. Gives its length.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an upload that does not exist or has ended.
    fn put_block(&self, upload: &UploadId, block: &str, content: &mut dyn Read) -> Result<u64, StoreError>;

    /// Ends the writing of blocks: the content is these blocks, in this order. A second call with the same list gives the same.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for a block that was never put.
    fn assemble(&self, upload: &UploadId, blocks: &[String]) -> Result<Assembled, StoreError>;

    /// Forgets an upload; none by this name is as good.
    fn abandon_upload(&self, upload: &UploadId) -> Result<(), StoreError>;

    /// Makes an artifact of an assembled upload. See [`crate::Artifacts::upload`] for the rules of names and `overwrite`.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when `digest` is given and is not that of the content, naming both.
    fn keep_artifact(&self, artifact: &NewArchive) -> Result<ArtifactMeta, StoreError>;

    /// An artifact as one stream of bytes: what was uploaded, or a zip made of the files that [`crate::Artifacts::upload`] kept.
    fn open_artifact(&self, run: RunId, name: &str) -> Result<OpenArchive, StoreError>;

    /// As [`crate::Caches::find`], among the archives only: a client's archive and the files that the native action keeps are
    /// never mistaken for each other.
    fn find_archive(&self, lookup: &Lookup) -> Result<Result<CacheHit, CacheMiss>, StoreError>;

    /// Makes a cache entry of an assembled upload.
    fn keep_cache(&self, cache: &NewCacheArchive) -> Result<SaveOutcome, StoreError>;

    fn open_cache(&self, entry: &CacheEntry) -> Result<OpenArchive, StoreError>;
}

#[derive(Clone, Debug)]
pub struct NewArchive {
    pub run: RunId,
    pub name: String,
    pub upload: UploadId,
    /// `application/zip`, or what the client said of a single raw file.
    pub content_type: String,
    pub digest: Option<String>,
    pub overwrite: bool,
    pub retention_days: Option<u32>,
    pub now: Timestamp,
}

#[derive(Clone, Debug)]
pub struct NewCacheArchive {
    pub repository: String,
    pub key: String,
    pub version: String,
    pub scope: CacheScope,
    pub upload: UploadId,
    pub now: Timestamp,
}

/// An archive, ready to be read from any place.
pub struct OpenArchive {
    pub content: Box<dyn ReadAt>,
    pub size: u64,
    pub content_type: String,
    /// `sha256:<hex>` of the bytes; `None` for a zip that is made on the way.
    pub digest: Option<String>,
}

impl fmt::Debug for OpenArchive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenArchive").field("size", &self.size).finish_non_exhaustive()
    }
}

/// Reads parts of an archive.
pub trait ReadAt: Send {
    /// Fills `into` from `offset` on as far as there is content; 0 at the end.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] before a byte of a damaged block is given out.
    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> Result<usize, StoreError>;
}
