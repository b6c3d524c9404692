//! The embedded store: a folder.
//!
//! # Layout
//! ```text
//! <root>/
//!   runs/<id>/record.jsonl      header, inputs, events and conclusion of a run, one JSON object a line, in the order they came
//!   runs/<id>/<job>.log         the log of a job; what a line is, is said at the module `run::log`
//!   caches/<repository>/<identity>.json   one cache entry: what lists show, its manifest, its packs; mtime is its last use
//!   artifacts/<run>/<name>.json           one artifact, likewise
//!   blobs/<aa>/<hash>.zst       contents: manifests and packs, named by the BLAKE3 of what is inside, compressed by zstd
//!   uploads/<upload>/           an upload that is going on: its blocks; `<upload>.ended` once the list of blocks is known
//!   archives/<upload>/          what became of it: its blocks and the list; an artifact or a cache entry refers to it
//!   ledger/                     what was stated of commits and images, to stay: see the module `ledgers`
//!   images/                     container images, by their SHA-256: see the module `images`
//!   stat/<hash>                 what files looked like when their contents were last known, as in Git's index; may be deleted
//!   counters/<name>             run numbers, ids of caches and artifacts
//!   tmp/                        files and folders on their way in or out; never read
//!   lock                        held shared by whoever reads or writes blobs, exclusively by the sweep that removes them
//! ```
//! A run is one record file, not one file each for header, inputs and events: creating a file can cost as much as starting a
//! shell on a slow disk, and one file keeps the order in which inputs and events came.
//!
//! # Why a folder of append-only files and not a database
//! Starting to record a run must cost well under a millisecond, every run has one writer, and nothing joins runs with each other.
//! A line appended by one `write` is complete for every reader and survives a kill of the writer, because the kernel holds it
//! then. There is no journal to recover, no lock that a killed process leaves behind, and `grep`, `tail -f` and `zstd -d`
//! work on it. The server's queue, which many writers claim from, is another matter and has a database.
//!
//! # What survives what
//! - **A kill of the process**, at any instruction: every line whose call returned. A torn last line is left out by readers.
//!   Entries of caches and artifacts are written beside and renamed into place, so that they are there completely or not at all.
//!   Locks belong to open files and end with the process: a run whose record nobody holds is not alive, whatever process ids say.
//! - **A loss of power**: with [`Durability::Kill`], the default, what the kernel had not yet written (usually the last 5 to 30
//!   seconds) is lost; what is damaged by it is recognised by its hash or its form and reported, never returned as if it were
//!   good. With [`Durability::PowerLoss`], inputs, conclusions, cache entries and artifacts are on the disk when the call returns.
//! - **A full disk**: the call says [`StoreError::DiskFull`](lineclear_store::StoreError::DiskFull); what was complete stays
//!   complete, and a half-written line is taken back.
//!
//! Start reading at [`FolderStore`].

mod archives;
mod artifacts;
mod blobs;
mod block;
mod caches;
mod counter;
mod entry;
mod fault;
mod foresee;
mod images;
mod ledgers;
mod manifest;
mod pack;
mod restore;
mod run;
mod scan;
mod stat_cache;
mod store;
mod upkeep;

pub use store::{Durability, FolderStore, Settings};
