//! Artifacts of runs.

use std::fmt;
use std::path::{Path, PathBuf};

use lineclear_event::{RunId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::StoreError;

/// Keeps artifacts. Files are content-addressed: equal files are kept once.
pub trait Artifacts: Send + Sync + fmt::Debug {
    /// Keeps files under a name that is new in the run, or replaces it when asked to.
    fn upload(&self, request: &ArtifactRequest) -> Result<ArtifactMeta, StoreError>;

    /// The newest artifact of each name in a run, by name.
    fn list(&self, run: RunId) -> Result<Vec<ArtifactMeta>, StoreError>;

    /// Writes an artifact's files below `folder`.
    fn download(&self, run: RunId, name: &str, folder: &Path) -> Result<ArtifactMeta, StoreError>;

    fn delete(&self, run: RunId, name: &str) -> Result<(), StoreError>;
}

#[derive(Clone, Debug)]
pub struct ArtifactRequest {
    pub run: RunId,
    pub name: String,
    /// Path inside the artifact, with forward slashes, and the file to keep there.
    pub files: Vec<(String, PathBuf)>,
    pub overwrite: bool,
    pub retention_days: Option<u32>,
    /// zstd level, from the action's 0 to 9.
    pub compression_level: u32,
    pub now: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArtifactMeta {
    pub id: u64,
    pub run: RunId,
    pub name: String,
    pub files: u64,
    pub size: u64,
    /// `sha256:<hex>` over the names and contents.
    pub digest: String,
    pub created: Timestamp,
    pub expires: Option<Timestamp>,
}
