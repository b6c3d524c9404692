//! Contents by their hash.
//!
//! A blob is one zstd frame named by the BLAKE3 of what it holds: of the bytes themselves, or, for a pack of several pieces, of
//! the pieces' hashes. It appears complete or not at all, is never changed, and is compared with its name when it is read.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;

use lineclear_store::StoreError;
use serde::{Deserialize, Serialize};

use crate::fault;
use crate::store::{Durability, new_file, temporary_in};

/// The BLAKE3 hash of contents.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hash(pub(crate) [u8; 32]);

impl Hash {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// The hash that names several pieces in a row. One piece names itself, so that a file that fills a blob is found again
    /// wherever it comes from.
    pub(crate) fn of_pieces(pieces: impl ExactSizeIterator<Item = Self>) -> Self {
        let mut pieces = pieces.peekable();
        if pieces.len() == 1
            && let Some(only) = pieces.peek()
        {
            return *only;
        }
        let mut hasher = blake3::Hasher::new_derive_key("lineclear 2026 pieces in a row");
        pieces.for_each(|piece| {
            hasher.update(&piece.0);
        });
        Self(*hasher.finalize().as_bytes())
    }
}

impl std::hash::Hash for Hash {
    /// Its first bytes are as good as all of them for finding it in a table.
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        state.write_u64(u64::from_le_bytes([a, b, c, d, e, f, g, h]));
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Hash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        blake3::Hash::from_hex(text.as_bytes()).map(|hash| Self(*hash.as_bytes())).map_err(serde::de::Error::custom)
    }
}

/// A blob as others refer to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BlobRef {
    pub(crate) hash: Hash,
    /// Bytes inside.
    pub(crate) raw: u64,
    /// Bytes on the disk.
    pub(crate) stored: u64,
}

/// The folder `blobs/`.
#[derive(Debug)]
pub(crate) struct Blobs {
    root: PathBuf,
    folder: PathBuf,
    durability: Durability,
    temporary: AtomicU64,
}

impl Blobs {
    pub(crate) fn new(root: &Path, durability: Durability) -> Self {
        // Its own count may give a number that the store's gives too: the names in `tmp/` still differ by their time.
        Self { root: root.to_owned(), folder: root.join("blobs"), durability, temporary: AtomicU64::new(1 << 32) }
    }

    pub(crate) fn path(&self, hash: Hash) -> PathBuf {
        let name = hash.to_string();
        self.folder.join(&name[..2]).join(format!("{name}.zst"))
    }

    /// Keeps `frame`, the compressed form of what `hash` names; answers how many bytes that added.
    pub(crate) fn put(&self, hash: Hash, frame: &[u8]) -> Result<u64, StoreError> {
        let path = self.path(hash);
        // One of another length is either torn by a power loss or made by another compressor: replacing it is right for both.
        if fs::metadata(&path).is_ok_and(|known| known.len() == frame.len() as u64) {
            return Ok(0);
        }
        let temporary = temporary_in(&self.root, &self.temporary);
        let written = (|| {
            let mut file = new_file(&temporary)?;
            file.write_all(frame)?;
            if self.durability == Durability::PowerLoss {
                file.sync_data()?;
            }
            match fs::rename(&temporary, &path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    fs::create_dir_all(path.parent().unwrap_or(&self.folder))?;
                    fs::rename(&temporary, &path)?;
                }
                other => other?,
            }
            if self.durability == Durability::PowerLoss
                && let Some(parent) = path.parent()
            {
                File::open(parent)?.sync_all()?;
            }
            Ok::<_, io::Error>(())
        })();
        written.map_err(|error| {
            let _swept_later = fs::remove_file(&temporary);
            match fault::at(&path, error) {
                StoreError::DiskFull { .. } => StoreError::DiskFull { path: self.root.clone() },
                other => other,
            }
        })?;
        Ok(frame.len() as u64)
    }

    /// Whether the blob is there in the length that it was written with.
    pub(crate) fn has(&self, blob: &BlobRef) -> bool {
        fs::metadata(self.path(blob.hash)).is_ok_and(|known| known.len() == blob.stored)
    }

    /// Reads and unpacks a blob into `raw`, with `frame` as room for its compressed form. The bytes are not yet compared with
    /// the hash: the caller does, piece by piece or as a whole.
    pub(crate) fn read(&self, blob: &BlobRef, frame: &mut Vec<u8>, raw: &mut Vec<u8>) -> Result<(), StoreError> {
        let path = self.path(blob.hash);
        let what = || format!("blobs/{}", self.path(blob.hash).strip_prefix(&self.folder).unwrap_or(&path).display());
        let Some(file) = fault::found(&path, File::open(&path))? else {
            return Err(fault::damaged(what(), "it is missing"));
        };
        frame.clear();
        let read = file.take(blob.stored.saturating_add(1)).read_to_end(frame);
        read.map_err(|error| fault::at(&path, error))?;
        if frame.len() as u64 != blob.stored {
            let why = format!("it has {} bytes instead of {}", frame.len(), blob.stored);
            return Err(fault::damaged(what(), why));
        }
        let length =
            usize::try_from(blob.raw).map_err(|_| fault::damaged(what(), "it is too large for this machine"))?;
        raw.clear();
        raw.reserve_exact(length);
        // The room is what was written, so a frame that unpacks to more is refused, not grown for.
        let unpacked =
            zstd::bulk::Decompressor::new().and_then(|mut unpacker| unpacker.decompress_to_buffer(frame, raw));
        match unpacked {
            Ok(size) if size == length => Ok(()),
            Ok(size) => Err(fault::damaged(what(), format!("it holds {size} bytes instead of {length}"))),
            Err(error) => Err(fault::damaged(what(), format!("it cannot be unpacked: {error}"))),
        }
    }

    /// Reads a blob that is named by the bytes inside, and compares them.
    pub(crate) fn read_whole(&self, blob: &BlobRef) -> Result<Vec<u8>, StoreError> {
        let (mut frame, mut raw) = (Vec::new(), Vec::new());
        self.read(blob, &mut frame, &mut raw)?;
        if Hash::of(&raw) != blob.hash {
            return Err(fault::damaged(format!("blob {}", blob.hash), "its contents are not what was stored"));
        }
        Ok(raw)
    }

    /// Forgets a blob, so that nobody shares a damaged one.
    pub(crate) fn remove(&self, hash: Hash) {
        let _may_be_gone = fs::remove_file(self.path(hash));
    }

    /// Every blob with its length. Needs the right to sweep only for what the caller does with it.
    pub(crate) fn each(&self, mut each: impl FnMut(&Path, Option<Hash>, u64)) -> Result<(), StoreError> {
        let Some(folders) = fault::found(&self.folder, fs::read_dir(&self.folder))? else { return Ok(()) };
        for folder in folders {
            let folder = folder.map_err(|error| fault::at(&self.folder, error))?.path();
            let Ok(files) = fs::read_dir(&folder) else { continue };
            for file in files {
                let file = file.map_err(|error| fault::at(&folder, error))?;
                let name = file.file_name();
                let hash = name.to_str().and_then(|name| name.strip_suffix(".zst"));
                let hash = hash.and_then(|hex| blake3::Hash::from_hex(hex).ok()).map(|hash| Hash(*hash.as_bytes()));
                let length = file.metadata().map_or(0, |known| known.len());
                each(&file.path(), hash, length);
            }
        }
        Ok(())
    }
}
