//! The port that keeps what must outlive a process: runs with their inputs, events and logs, artifacts, caches.
//!
//! [`Store`] hands out a [`RunRecord`] for each run; [`Caches`] and [`Artifacts`] keep the files of steps. [`contract`] is what
//! every store promises, as tests. Nothing that was recorded is lost by a kill: a reader finds every complete line.
//! This crate opens no file; the embedded form is `lineclear-store-folder`.

mod artifact;
mod cache;
mod error;
mod run;

pub use artifact::{ArtifactMeta, ArtifactRequest, Artifacts};
pub use cache::{CacheEntry, CacheHit, CacheMiss, CacheScope, Caches, Lookup, NewCache, RestoreReport, SaveOutcome};
pub use error::StoreError;
pub use run::{LogLine, NewRun, RunHeader, RunRecord, RunSummary, Store};
