//! Keeping a store within its limits.

use std::fmt;

use lineclear_event::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{ImageRules, StoreError};

/// Milliseconds of a day.
pub const DAY_MS: i64 = 86_400_000;

/// What a store keeps, and how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// A cache entry that was not used for longer goes.
    pub cache_unused_days: u32,
    /// Above this many bytes for one repository, the entries unused for longest go. Shared bytes count once.
    pub cache_bytes_per_repository: u64,
    /// How long an artifact is kept when the upload does not say.
    pub artifact_days: u32,
    /// Runs that started earlier go, with their logs. A run that is still going on stays.
    pub run_days: u32,
    /// At most this many runs of one repository, the newest.
    pub runs_per_repository: usize,
    /// An image's manifest goes when no tag has led to it for longer. What is protected stays.
    #[serde(default = "untagged_days")]
    pub untagged_image_days: u32,
}

fn untagged_days() -> u32 {
    30
}

impl Limits {
    /// What these limits mean for images.
    pub fn image_rules(&self) -> ImageRules {
        let untagged_ms = i64::from(self.untagged_image_days).saturating_mul(DAY_MS);
        ImageRules { untagged_ms: Some(untagged_ms), ..ImageRules::default() }
    }
}

impl Default for Limits {
    /// GitHub's defaults where it has them: 7 days and 10 GB for caches, 90 days for artifacts and logs.
    fn default() -> Self {
        Self {
            cache_unused_days: 7,
            cache_bytes_per_repository: 10 * 1024 * 1024 * 1024,
            artifact_days: crate::DEFAULT_RETENTION_DAYS,
            run_days: 90,
            runs_per_repository: 5_000,
            untagged_image_days: untagged_days(),
        }
    }
}

/// What a prune removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PruneReport {
    pub runs: u64,
    pub artifacts: u64,
    pub caches: u64,
    /// Manifests of images.
    #[serde(default)]
    pub images: u64,
    /// Uploads that nobody ended.
    #[serde(default)]
    pub uploads: u64,
    /// Bytes given back to the disk.
    pub freed: u64,
    /// Whether contents could not be swept because another process reads or writes some: the next prune does it.
    pub busy: bool,
}

/// What a store holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    pub runs: u64,
    /// Bytes of records and logs.
    pub run_bytes: u64,
    pub artifacts: u64,
    /// Bytes of the artifacts' files, before compression and sharing.
    pub artifact_bytes: u64,
    pub caches: u64,
    /// Bytes of the caches' files, before compression and sharing.
    pub cache_bytes: u64,
    /// Manifests of images.
    #[serde(default)]
    pub images: u64,
    /// Bytes of the images' contents, each counted once; one that an archive shares is counted there, too.
    #[serde(default)]
    pub image_bytes: u64,
    /// Uploads that were not made into an artifact or a cache entry yet.
    #[serde(default)]
    pub uploads: u64,
    /// Bytes of their blocks.
    #[serde(default)]
    pub upload_bytes: u64,
    /// Ledgers. No prune removes one.
    #[serde(default)]
    pub ledgers: u64,
    /// Bytes of their lines.
    #[serde(default)]
    pub ledger_bytes: u64,
    /// Bytes that the contents of caches and artifacts take after compression and sharing; uploads are not among them.
    pub stored_bytes: u64,
}

/// Keeps a store within limits.
pub trait Upkeep: Send + Sync + fmt::Debug {
    /// Removes what is older or more than `limits` allow at `now`: expired artifacts, unused caches, old runs, images without a tag, uploads
    /// that nobody ended within a day, and contents that nothing refers to. A run that is going on, and whatever a process is reading or writing, stays whole,
    /// and so does every ledger.
    fn prune(&self, now: Timestamp, limits: &Limits) -> Result<PruneReport, StoreError>;

    /// What [`Upkeep::prune`] would remove now, without removing anything.
    fn foresee(&self, now: Timestamp, limits: &Limits) -> Result<PruneReport, StoreError>;

    /// What the store holds now.
    fn usage(&self) -> Result<Usage, StoreError>;
}
