//! What a client tells while it works.

use std::time::Duration;

use lineclear_oci::{Descriptor, Digest};

/// Something happened.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum ProgressEvent<'a> {
    /// These blobs are about to be pushed, pulled or found to be there.
    Planned {
        /// How many.
        blobs: usize,
        /// How many bytes they have together.
        bytes: u64,
    },
    /// More bytes of a blob arrived.
    Bytes {
        /// Which blob.
        digest: &'a Digest,
        /// How many more.
        more: u64,
    },
    /// A blob is where it should be.
    Blob {
        /// Which.
        blob: &'a Descriptor,
        /// How that came.
        by: BlobOutcome,
    },
    /// A manifest is where it should be.
    Manifest {
        /// Which.
        manifest: &'a Descriptor,
    },
    /// Something failed, and is tried again.
    Retry {
        /// Why.
        reason: &'a str,
        /// After which pause.
        pause: Duration,
    },
}

/// How a blob came to be where it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlobOutcome {
    /// It was there.
    Existed,
    /// The registry took it from another of its repositories.
    Mounted,
    /// Its bytes travelled.
    Transferred,
}

/// Is told what happens, from several threads at once. Has to be quick: the work waits for it.
pub trait Progress: Send + Sync {
    /// Something happened.
    fn on(&self, event: ProgressEvent<'_>);
}

impl<F: Fn(ProgressEvent<'_>) + Send + Sync> Progress for F {
    fn on(&self, event: ProgressEvent<'_>) {
        self(event);
    }
}
