//! A block file: its content, then the BLAKE3 of each piece of [`PIECE`] bytes of it, then the content's length.
//!
//! The hashes stand in the same file, so that one rename makes content and hashes visible together. Hashing in pieces lets a
//! reader check what it needs of a block of any length with a small buffer. The hash of the hashes names the block in the list.
//! Blocks of archives and the contents of images have this one form, so that they can be the same file.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use lineclear_store::StoreError;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::blobs::Hash;
use crate::fault;

/// Bytes that are checked together.
pub(crate) const PIECE: u64 = 1 << 20;
const HASH: u64 = 32;
const LENGTH: u64 = 8;

/// A block as the list names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Block {
    /// Name of its file.
    pub(crate) file: String,
    pub(crate) size: u64,
    pub(crate) hash: Hash,
}

impl Block {
    /// Bytes that its file has.
    pub(crate) fn file_length(&self) -> u64 {
        self.size.saturating_add(self.size.div_ceil(PIECE).saturating_mul(HASH)).saturating_add(LENGTH)
    }
}

/// The file that a block of this name has in its upload's folder. Clients name blocks as they like.
pub(crate) fn file_of(block: &str) -> String {
    blake3::hash(block.as_bytes()).to_hex()[..32].to_owned()
}

fn hash_of_trailer(trailer: &[u8]) -> Hash {
    let mut hasher = blake3::Hasher::new_derive_key("lineclear 2026 block of an archive");
    Hash(*hasher.update(trailer).finalize().as_bytes())
}

/// What came of writing a block.
pub(crate) struct Written {
    pub(crate) size: u64,
    pub(crate) hash: Hash,
}

/// Why a block could not be written: its sender broke off, or the disk did.
pub(crate) enum WriteError {
    Sender(io::Error),
    Disk(io::Error),
}

/// Writes a block as it comes, in a buffer of one piece; `whole` takes the bytes in too.
pub(crate) fn write(
    content: &mut dyn Read,
    file: &mut File,
    mut whole: Option<&mut Sha256>,
) -> Result<Written, WriteError> {
    let mut hashes = PieceHashes::default();
    let mut buffer = vec![0; PIECE as usize];
    loop {
        let mut filled = 0;
        while filled < buffer.len() {
            match content.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(WriteError::Sender(error)),
            }
        }
        let piece = &buffer[..filled];
        if piece.is_empty() {
            break;
        }
        hashes.update(piece);
        if let Some(whole) = &mut whole {
            whole.update(piece);
        }
        file.write_all(piece).map_err(WriteError::Disk)?;
        if filled < buffer.len() {
            break;
        }
    }
    let size = hashes.size();
    let (trailer, hash) = hashes.finish();
    file.write_all(&trailer).map_err(WriteError::Disk)?;
    Ok(Written { size, hash })
}

/// What stands behind a content, made while it comes.
#[derive(Clone, Default)]
pub(crate) struct PieceHashes {
    trailer: Vec<u8>,
    piece: blake3::Hasher,
    size: u64,
}

impl PieceHashes {
    pub(crate) fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = (PIECE - self.size % PIECE) as usize;
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            if now.len() == PIECE as usize {
                self.trailer.extend(Hash::of(now).0);
            } else {
                self.piece.update(now);
                if now.len() == room {
                    self.end_piece();
                }
            }
            self.size += now.len() as u64;
            bytes = later;
        }
    }

    fn end_piece(&mut self) {
        self.trailer.extend(self.piece.finalize().as_bytes());
        self.piece.reset();
    }

    /// Bytes so far.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The trailer, and the hash that names the block.
    pub(crate) fn finish(mut self) -> (Vec<u8>, Hash) {
        if !self.size.is_multiple_of(PIECE) {
            self.end_piece();
        }
        self.trailer.extend(self.size.to_le_bytes());
        let hash = hash_of_trailer(&self.trailer);
        (self.trailer, hash)
    }
}

/// A block file whose hashes are those that were written.
pub(crate) struct BlockFile {
    file: File,
    size: u64,
    hashes: Vec<u8>,
}

impl BlockFile {
    /// Opens the file `path` of what the list calls `block`, told of in errors as `what`.
    pub(crate) fn open(path: &Path, block: &Block, what: &str) -> Result<Self, StoreError> {
        let Some(file) = fault::found(path, File::open(path))? else {
            return Err(fault::damaged(what, "it is missing"));
        };
        let (opened, hash) = Self::read(file, path, what)?;
        if opened.size != block.size || hash != block.hash {
            return Err(fault::damaged(what, "its hashes are not what was stored"));
        }
        Ok(opened)
    }

    /// Reads a block that is not in a list yet.
    pub(crate) fn describe(path: &Path, name: String) -> Result<Option<Block>, StoreError> {
        let Some(file) = fault::found(path, File::open(path))? else { return Ok(None) };
        let (opened, hash) = Self::read(file, path, &path.display().to_string())?;
        Ok(Some(Block { file: name, size: opened.size, hash }))
    }

    /// The content of an open block file, and the hash that names it.
    pub(crate) fn read(file: File, path: &Path, what: &str) -> Result<(Self, Hash), StoreError> {
        let failed = |error: io::Error| fault::at(path, error);
        let cut_off = || fault::damaged(what, "it is cut off");
        let length = file.metadata().map_err(failed)?.len();
        let mut field = [0; LENGTH as usize];
        file.read_exact_at(&mut field, length.checked_sub(LENGTH).ok_or_else(cut_off)?).map_err(failed)?;
        let size = u64::from_le_bytes(field);
        let expected = Block { file: String::new(), size, hash: Hash([0; 32]) }.file_length();
        if expected != length {
            return Err(cut_off());
        }
        // As long as the file says, so no more than the file is.
        let mut trailer = vec![0; usize::try_from(length - size).map_err(|_| cut_off())?];
        file.read_exact_at(&mut trailer, size).map_err(failed)?;
        let hash = hash_of_trailer(&trailer);
        trailer.truncate(trailer.len() - LENGTH as usize);
        Ok((Self { file, size, hashes: trailer }, hash))
    }

    /// Reads piece `number` into `into`, which then holds that and nothing else. When it is damaged, `into` is empty.
    pub(crate) fn piece(&self, number: u64, into: &mut Vec<u8>, path: &Path, what: &str) -> Result<(), StoreError> {
        into.clear();
        into.resize(self.piece_length(number), 0);
        let read = self.piece_into(number, into, path, what);
        if read.is_err() {
            into.clear();
        }
        read
    }

    /// Bytes of piece `number`; 0 behind the end.
    pub(crate) fn piece_length(&self, number: u64) -> usize {
        self.size.saturating_sub(number.saturating_mul(PIECE)).min(PIECE) as usize
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Reads piece `number` into a buffer of its length. What is in it after an error may be damaged.
    pub(crate) fn piece_into(&self, number: u64, into: &mut [u8], path: &Path, what: &str) -> Result<(), StoreError> {
        let start = number.saturating_mul(PIECE);
        let at = usize::try_from(number.saturating_mul(HASH)).unwrap_or(usize::MAX);
        let wanted = at.checked_add(HASH as usize).and_then(|end| self.hashes.get(at..end)).unwrap_or_default();
        match self.file.read_exact_at(into, start) {
            Ok(()) if Hash::of(into).0 == *wanted => Ok(()),
            Ok(()) => Err(fault::damaged(what, format!("its contents at byte {start} are not what was stored"))),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(fault::damaged(what, "it is cut off")),
            Err(error) => Err(fault::at(path, error)),
        }
    }
}
