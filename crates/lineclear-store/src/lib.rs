//! The port that keeps what must outlive a process: runs with their inputs, events and logs, artifacts, caches, images.
//!
//! [`Store`] hands out a [`RunRecord`] for each run; [`Caches`] and [`Artifacts`] keep the files of steps; [`Archives`] keeps
//! caches and artifacts that clients packed themselves, and [`zip`] unpacks them with distrust; [`Images`] keeps container images; [`Ledgers`] keeps lists that only grow;
//! [`Upkeep`] removes what is too old or too much. [`contract`] is what every store promises, as tests that each form runs. [`MemoryStore`] is the
//! form without a disk: for tests, and the oracle that other forms are compared with. Nothing that was recorded is lost by a
//! kill: a reader finds every complete line.
//!
//! The rules that all forms share are pure functions here: [`choose`] (which cache entry a look-up finds, and why),
//! [`check_cache_key`], [`check_artifact_name`], [`check_artifact_file`] and [`check_new_archive`]. The embedded form for a real
//! machine is `lineclear-store-folder`; this crate knows nothing of its layout.

mod archive;
mod artifact;
mod cache;
pub mod contract;
mod error;
mod image;
mod ledger;
mod matching;
mod memory;
mod run;
mod upkeep;
pub mod zip;

pub use archive::{
    Archives, Assembled, MAX_BLOCKS, NewArchive, NewCacheArchive, OpenArchive, ReadAt, UPLOAD_MS, UploadId,
    check_archive_digest, check_block_list, check_new_archive, is_zip,
};
pub use artifact::{
    ArtifactMeta, ArtifactRequest, Artifacts, DEFAULT_RETENTION_DAYS, artifact_digest, check_artifact_file,
    check_artifact_name, expiry,
};
pub use cache::{
    CacheEntry, CacheHit, CacheKind, CacheMiss, CacheScope, Caches, Lookup, NewCache, RestoreReport, SaveOutcome,
    check_cache_path,
};
pub use error::StoreError;
pub use image::{
    ImageDamage, ImageError, ImageRules, ImageSweep, ImageUsage, Images, KeptManifest, ManifestFacts, NewManifest,
    OpenBlob, Sweep, TagRule,
};
pub use ledger::{AppendError, LedgerHead, Ledgers, LineHash, NoHead, check_ledger_lines};
pub use matching::{MAX_KEY_LENGTH, MAX_KEYS, check_cache_key, check_lookup, choose};
pub use memory::MemoryStore;
pub use run::{LogLine, LogMark, NewRun, RunHeader, RunRecord, RunSummary, Store};
pub use upkeep::{DAY_MS, Limits, PruneReport, Upkeep, Usage};
