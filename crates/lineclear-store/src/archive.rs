//! Archives: artifacts and caches that a client packed itself and wants back byte for byte.

use std::fmt;
use std::io::Read;

use lineclear_event::{RunId, Timestamp, hexadecimal};
use serde::{Deserialize, Serialize};

use crate::{
    ArtifactMeta, CacheEntry, CacheHit, CacheMiss, CacheScope, DAY_MS, Lookup, SaveOutcome, StoreError,
    check_artifact_name,
};

/// At most so many blocks make an archive.
///
/// # Source
/// The blob service that the official clients upload to: 50,000 committed blocks.
pub const MAX_BLOCKS: usize = 50_000;

/// An upload that nobody ended goes when it is older, in milliseconds.
pub const UPLOAD_MS: i64 = DAY_MS;

/// An upload that is going on. Unguessable, and good for a file name.
///
/// 12 hexadecimal digits say when it began, in milliseconds since 1970; 32 more are random.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UploadId(pub String);

impl UploadId {
    /// A new name.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when the system has no randomness to give.
    pub fn generate(now: Timestamp) -> Result<Self, StoreError> {
        let mut random = [0; 16];
        getrandom::fill(&mut random)
            .map_err(|error| StoreError::Refused(format!("the system gives no random numbers: {error}")))?;
        let since = u64::try_from(now.0).unwrap_or(0) & 0xffff_ffff_ffff;
        Ok(Self(format!("{since:012x}{}", hexadecimal(&random))))
    }

    /// When the upload began; `None` for what [`UploadId::generate`] never gave, which is no name of an upload.
    pub fn begun(&self) -> Option<Timestamp> {
        let plain = self.0.len() == 44 && self.0.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !plain {
            return None;
        }
        i64::from_str_radix(self.0.get(..12)?, 16).ok().map(Timestamp)
    }

    /// Whether the upload has been going on for too long at `now`.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        self.begun().is_none_or(|begun| begun.plus_millis(UPLOAD_MS) <= now)
    }
}

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
/// upload copies nothing. An upload that nobody ends goes with the next prune after a day. What is
/// given out was checked against its digest just before, so a damaged byte never is.
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
    /// [`StoreError::Refused`] for a block that was never put (it may still be), more than [`MAX_BLOCKS`], and a second call with
    /// another list; [`StoreError::NotFound`] for an upload that does not exist.
    fn assemble(&self, upload: &UploadId, blocks: &[String]) -> Result<Assembled, StoreError>;

    /// Forgets an upload; none by this name is as good.
    fn abandon_upload(&self, upload: &UploadId) -> Result<(), StoreError>;

    /// Makes an artifact of an assembled upload. See [`crate::Artifacts::upload`] for the rules of names and `overwrite`. What is
    /// refused leaves the upload as it was; a second call for the artifact that was made of it gives the same.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when `digest` is given and is not that of the content, naming both, and for an upload that was not
    /// assembled; [`StoreError::NotFound`] for one that does not exist; [`StoreError::ArtifactExists`].
    fn keep_artifact(&self, artifact: &NewArchive) -> Result<ArtifactMeta, StoreError>;

    /// An artifact as one stream of bytes: what was uploaded, or a zip made of the files that [`crate::Artifacts::upload`] kept.
    fn open_artifact(&self, run: RunId, name: &str) -> Result<OpenArchive, StoreError>;

    /// As [`crate::Caches::find`], among the archives only: a client's archive and the files that the native action keeps are
    /// never mistaken for each other.
    fn find_archive(&self, lookup: &Lookup) -> Result<Result<CacheHit, CacheMiss>, StoreError>;

    /// Makes a cache entry of an assembled upload. When the key exists already in this scope, the upload is forgotten; a second call
    /// for the entry that was made of it gives the same.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for an unusable key, an upload that was not assembled, and one that alone exceeds the size limit;
    /// [`StoreError::NotFound`] for an upload that does not exist.
    fn keep_cache(&self, cache: &NewCacheArchive) -> Result<SaveOutcome, StoreError>;

    /// # Errors
    /// [`StoreError::NotFound`] when the entry is gone. An entry that turns out to be damaged, here or while it is read, is dropped.
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

/// Whether an archive may be kept as an artifact: its name, and a content type that can stand in a header.
///
/// # Errors
/// [`StoreError::Refused`] with the reason.
pub fn check_new_archive(artifact: &NewArchive) -> Result<(), StoreError> {
    check_artifact_name(&artifact.name)?;
    let kind = &artifact.content_type;
    if kind.is_empty() || kind.len() > 255 || !kind.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Err(StoreError::Refused(format!(
            "the content type `{}` of the artifact `{}` is none; say for example `application/zip`",
            kind.escape_debug(),
            artifact.name
        )));
    }
    Ok(())
}

/// Whether what came has the digest that the client said.
///
/// # Errors
/// [`StoreError::Refused`] naming both.
pub fn check_archive_digest(name: &str, said: Option<&str>, came: &str) -> Result<(), StoreError> {
    match said {
        Some(said) if !said.eq_ignore_ascii_case(came) => Err(StoreError::Refused(format!(
            "the artifact `{name}` did not arrive as it was sent: the client says `{said}`, but what came is `{came}`; \
             upload it again"
        ))),
        _ => Ok(()),
    }
}

/// Whether a list of blocks may be assembled.
///
/// # Errors
/// [`StoreError::Refused`] beyond [`MAX_BLOCKS`].
pub fn check_block_list(blocks: &[String]) -> Result<(), StoreError> {
    if blocks.len() > MAX_BLOCKS {
        return Err(StoreError::Refused(format!(
            "an upload of {} blocks; at most {MAX_BLOCKS} are possible: use larger blocks",
            blocks.len()
        )));
    }
    Ok(())
}

/// Whether a content type says zip, as the official clients decide it.
pub fn is_zip(content_type: &str) -> bool {
    let plain = content_type.split(';').next().unwrap_or_default().trim();
    ["application/zip", "application/x-zip-compressed", "application/zip-compressed"]
        .iter()
        .any(|kind| plain.eq_ignore_ascii_case(kind))
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
    /// [`StoreError::Damaged`], naming the archive and the block, in place of bytes that are not those that were kept. A block is
    /// checked in pieces: sound ones before the damage are given out.
    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> Result<usize, StoreError>;
}
