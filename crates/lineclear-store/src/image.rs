//! Images: blobs by their SHA-256, manifests, tags, and what refers to what.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, Read};

use lineclear_event::Timestamp;
use lineclear_oci::{AnyManifest, Digest, RepositoryName, Tag};
use serde::{Deserialize, Serialize};

use crate::{DAY_MS, ReadAt, StoreError, UploadId};

/// Keeps container images.
///
/// Contents are known by digest and kept once. Each is visible only in the repositories that it was pushed to or mounted in,
/// so that a digest alone opens nothing. A manifest appears when all that it names is there; a sweep takes what nothing needs any more. Calls may
/// overlap, from several processes, too: each has happened completely or not at all.
///
/// Digests are SHA-256; another one is [`ImageError::Algorithm`].
pub trait Images: Send + Sync + fmt::Debug {
    /// Begins a push of a blob.
    fn begin_push(&self, repository: &RepositoryName, now: Timestamp) -> Result<UploadId, ImageError>;

    /// How many bytes of a push have come: the next byte's place. It is known also after a restart.
    ///
    /// # Errors
    /// [`ImageError::UnknownUpload`] also for the upload of another repository.
    fn pushed_bytes(&self, repository: &RepositoryName, upload: &UploadId) -> Result<u64, ImageError>;

    /// Adds to a push. What came before `content` broke off stays; gives the new length.
    ///
    /// # Errors
    /// [`ImageError::OutOfOrder`] when `at` is given and is not where the push stands, or another call is writing;
    /// [`ImageError::Sender`] when `content` fails; [`ImageError::TooLarge`] beyond `limit` bytes in all.
    fn push(
        &self,
        repository: &RepositoryName,
        upload: &UploadId,
        at: Option<u64>,
        content: &mut dyn Read,
        limit: u64,
    ) -> Result<u64, ImageError>;

    /// Ends a push: the blob is visible in its repository. Gives its length.
    ///
    /// # Errors
    /// [`ImageError::WrongDigest`] when something else came; the push is then over.
    fn finish_push(
        &self,
        repository: &RepositoryName,
        upload: &UploadId,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<u64, ImageError>;

    /// Forgets a push.
    fn cancel_push(&self, repository: &RepositoryName, upload: &UploadId) -> Result<(), ImageError>;

    /// The length of a blob that is visible in `repository`. Who asks may rely on the answer for the time of grace.
    fn blob(&self, repository: &RepositoryName, digest: &Digest, now: Timestamp) -> Result<Option<u64>, ImageError>;

    fn open_blob(&self, repository: &RepositoryName, digest: &Digest) -> Result<Option<OpenBlob>, ImageError>;

    /// Makes a blob of a repository that `may_pull` allows visible in `repository`, too. Gives its length; `None` when there is none.
    fn mount_blob(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        may_pull: &dyn Fn(&RepositoryName) -> bool,
        now: Timestamp,
    ) -> Result<Option<u64>, ImageError>;

    /// Hides a blob from `repository`; false when it was not visible. Its contents go with a later sweep.
    ///
    /// # Errors
    /// [`ImageError::InUse`] while a manifest of the repository names it, or it is protected.
    fn remove_blob(&self, repository: &RepositoryName, digest: &Digest) -> Result<bool, ImageError>;

    /// Keeps a manifest and sets its tags, as one.
    ///
    /// # Errors
    /// [`ImageError::Missing`] with all that it names and the repository does not have; [`ImageError::TagTaken`].
    fn put_manifest(&self, manifest: &NewManifest) -> Result<(), ImageError>;

    /// Points a tag to a manifest that is there.
    ///
    /// # Errors
    /// [`ImageError::Missing`], [`ImageError::TagTaken`].
    fn set_tag(
        &self,
        repository: &RepositoryName,
        tag: &Tag,
        digest: &Digest,
        rule: TagRule,
        now: Timestamp,
    ) -> Result<(), ImageError>;

    fn manifest(&self, repository: &RepositoryName, digest: &Digest) -> Result<Option<KeptManifest>, ImageError>;

    /// What is known of a manifest without its bytes.
    fn manifest_facts(&self, repository: &RepositoryName, digest: &Digest)
    -> Result<Option<ManifestFacts>, ImageError>;

    /// All manifests of a repository, by digest.
    fn manifests(&self, repository: &RepositoryName) -> Result<Vec<Digest>, ImageError>;

    /// What a tag points to.
    fn tag(&self, repository: &RepositoryName, tag: &Tag) -> Result<Option<Digest>, ImageError>;

    /// Removes a manifest and the tags that point to it; false when there is none.
    ///
    /// # Errors
    /// [`ImageError::InUse`] when it is protected.
    fn remove_manifest(&self, repository: &RepositoryName, digest: &Digest) -> Result<bool, ImageError>;

    /// Removes a tag, and nothing that it points to; false when there is none.
    fn remove_tag(&self, repository: &RepositoryName, tag: &Tag) -> Result<bool, ImageError>;

    /// The tags of a repository in the order of their bytes; `None` for a repository that has nothing.
    fn tags(&self, repository: &RepositoryName) -> Result<Option<Vec<Tag>>, ImageError>;

    /// The repositories that have something, in the order of their bytes.
    fn repositories(&self) -> Result<Vec<RepositoryName>, ImageError>;

    /// The manifests of a repository that have `subject` as theirs, by digest. The subject itself need not be there.
    fn referrers(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
    ) -> Result<Vec<(Digest, ManifestFacts)>, ImageError>;

    /// Keeps a digest, with all that it names, from every sweep and removal in any repository: a ledger speaks of it. `why` is
    /// shown to people.
    fn protect(&self, digest: &Digest, why: &str) -> Result<(), ImageError>;

    /// Ends what [`Images::protect`] began.
    fn unprotect(&self, digest: &Digest) -> Result<(), ImageError>;

    /// What is protected, and why.
    fn protected(&self) -> Result<BTreeMap<Digest, String>, ImageError>;

    /// Removes what nothing needs. Never taken are: what a tag or a protection leads to, what these name, what has them as its subject, and what
    /// came or was asked for within the time of grace.
    fn sweep_images(&self, now: Timestamp, rules: &ImageRules, deed: Sweep) -> Result<ImageSweep, ImageError>;

    fn image_usage(&self) -> Result<ImageUsage, ImageError>;

    /// Reads everything and compares it with its digest; tells what is damaged. `seen` hears of the bytes read.
    fn verify_images(&self, seen: &mut dyn FnMut(u64)) -> Result<Vec<ImageDamage>, ImageError>;
}

/// Why an image could not be kept or given.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    #[error("there is no upload of this name in the repository, or it has ended; begin it anew")]
    UnknownUpload,
    #[error("the next byte of the upload is number {expected}{}; continue there", busy_words(*.busy))]
    OutOfOrder {
        expected: u64,
        /// Another request is writing to the same upload.
        busy: bool,
    },
    #[error("the content has the digest {came}, not {said}; upload it again")]
    WrongDigest { said: Digest, came: Digest },
    #[error("the upload is larger than the {limit} bytes that are allowed")]
    TooLarge { limit: u64 },
    #[error("the request broke off")]
    Sender(#[source] io::Error),
    #[error("the repository does not have {}; push it first", list(.digests))]
    Missing { digests: Vec<Digest> },
    #[error("the tag `{tag}` is immutable and stands for {holds}; choose another tag")]
    TagTaken { tag: Tag, holds: Digest },
    #[error("{digest} cannot be removed: {why}")]
    InUse { digest: Digest, why: String },
    #[error("`{digest}` is not kept here: contents are known by their `sha256:` alone")]
    Algorithm { digest: Digest },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ImageError {
    /// The error for who keeps the whole store and knows nothing of images.
    pub fn into_store(self) -> StoreError {
        match self {
            Self::Store(error) => error,
            other => StoreError::Refused(other.to_string()),
        }
    }
}

fn busy_words(busy: bool) -> &'static str {
    if busy { ", and another request is writing it" } else { "" }
}

fn list(digests: &[Digest]) -> String {
    const SHOWN: usize = 5;
    let mut text = digests.iter().take(SHOWN).map(Digest::to_string).collect::<Vec<_>>().join(", ");
    if digests.len() > SHOWN {
        text.push_str(&format!(" and {} more", digests.len() - SHOWN));
    }
    text
}

/// A blob, ready to be read from any place.
pub struct OpenBlob {
    pub content: Box<dyn ReadAt>,
    pub size: u64,
}

impl fmt::Debug for OpenBlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenBlob").field("size", &self.size).finish_non_exhaustive()
    }
}

/// What a tag that is set twice does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagRule {
    /// It moves.
    Moves,
    /// It stays: setting it to another digest is refused, to the same is fine.
    Stays,
}

/// A manifest to keep. Who hands it in has read it and compared it with its digest.
#[derive(Clone, Debug)]
pub struct NewManifest {
    pub repository: RepositoryName,
    pub digest: Digest,
    pub bytes: Vec<u8>,
    pub facts: ManifestFacts,
    /// The tags to set, each with its rule.
    pub tags: Vec<(Tag, TagRule)>,
    pub now: Timestamp,
}

/// What a manifest says that others need to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestFacts {
    pub media_type: String,
    pub size: u64,
    /// Configuration and layers, without those that are had elsewhere (`urls`).
    pub blobs: Vec<Digest>,
    /// The manifests that an index lists. (Build caches list blobs there: these are among `blobs`.)
    pub manifests: Vec<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Digest>,
    /// As the list of referrers shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    pub pushed: Timestamp,
}

impl ManifestFacts {
    /// What `manifest` says, pushed at `pushed`.
    pub fn of(manifest: &AnyManifest, pushed: Timestamp) -> Self {
        let (mut manifests, mut blobs) = (Vec::new(), Vec::new());
        for child in manifest.children() {
            if child.media_type.is_manifest() { &mut manifests } else { &mut blobs }.push(child.digest.clone());
        }
        // What is had from elsewhere need not be here.
        let own = manifest.blobs().filter(|blob| blob.urls.is_empty() && !blob.media_type.is_foreign_layer());
        blobs.extend(own.map(|blob| blob.digest.clone()));
        let known: BTreeSet<_> = std::mem::take(&mut blobs).into_iter().collect();
        Self {
            media_type: manifest.media_type().to_string(),
            size: manifest.raw().len() as u64,
            blobs: known.into_iter().collect(),
            manifests,
            subject: manifest.subject().map(|subject| subject.digest.clone()),
            artifact_type: manifest.artifact_type().map(ToString::to_string),
            annotations: manifest.annotations().clone(),
            pushed,
        }
    }
}

/// A manifest with its bytes, as they were pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptManifest {
    pub bytes: Vec<u8>,
    pub facts: ManifestFacts,
}

/// What a sweep of images keeps to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageRules {
    /// Manifests that no tag leads to go after this time, in milliseconds; `None` keeps them.
    pub untagged_ms: Option<i64>,
    /// Blobs that no manifest names, and uploads that nobody ended, go after this time, in milliseconds.
    pub grace_ms: i64,
}

impl Default for ImageRules {
    /// Thirty days for what lost its last tag; a day for what is being pushed.
    fn default() -> Self {
        Self { untagged_ms: Some(30 * DAY_MS), grace_ms: DAY_MS }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sweep {
    /// Removes.
    Now,
    /// Only says what would go.
    Foresee,
}

/// What a sweep removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageSweep {
    /// Repository and digest of each.
    pub manifests: Vec<(RepositoryName, Digest)>,
    /// Contents that no repository has any more.
    pub blobs: u64,
    pub uploads: u64,
    /// Bytes given back to the disk.
    pub freed: u64,
}

/// What images take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageUsage {
    pub repositories: u64,
    pub tags: u64,
    pub manifests: u64,
    /// Contents, each counted once.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    pub uploads: u64,
    pub upload_bytes: u64,
}

/// Something that is not what its digest says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageDamage {
    pub digest: Digest,
    pub why: String,
    /// Where it is visible.
    pub repositories: Vec<RepositoryName>,
}
