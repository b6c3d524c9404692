//! How far this process has hashed what is being pushed, so that ending a push need not read it again.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use lineclear_oci::{Algorithm, Hasher};
use lineclear_store::UploadId;

use crate::block::PieceHashes;

/// Both hashes of a content, made while it comes.
pub(super) struct Hashing {
    pub(super) whole: Hasher,
    pub(super) pieces: PieceHashes,
}

impl Default for Hashing {
    fn default() -> Self {
        Self { whole: Hasher::new(Algorithm::Sha256), pieces: PieceHashes::default() }
    }
}

impl Hashing {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.whole.update(bytes);
        self.pieces.update(bytes);
    }

    pub(super) fn size(&self) -> u64 {
        self.pieces.size()
    }
}

/// The pushes that this process works on.
#[derive(Default)]
pub(crate) struct Pushes(Mutex<HashMap<UploadId, Hashing>>);

/// More pushes than this at a time are hashed again when they end.
const KNOWN: usize = 4096;

impl Pushes {
    pub(super) fn take(&self, upload: &UploadId) -> Option<Hashing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(upload)
    }

    pub(super) fn put(&self, upload: &UploadId, hashing: Hashing) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KNOWN {
            known.clear();
        }
        known.insert(upload.clone(), hashing);
    }
}

impl fmt::Debug for Pushes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pushes")
    }
}
