//! Contents by their SHA-256.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use lineclear_oci::{Algorithm, Digest};
use lineclear_store::{ImageError, OpenBlob, ReadAt, StoreError};

use super::IMAGES;
use super::progress::Hashing;
use crate::blobs::Hash;
use crate::block::{Block, BlockFile, PIECE};
use crate::fault;
use crate::store::{Durability, Place, make_folder, new_file};

impl Place {
    pub(super) fn contents_folder(&self) -> PathBuf {
        self.root.join(IMAGES).join("sha256")
    }

    /// Where the content of a digest, given by its 64 hexadecimal digits, is.
    pub(super) fn content_path(&self, hex: &str) -> PathBuf {
        self.contents_folder().join(hex.get(..2).unwrap_or(hex)).join(hex)
    }

    /// The length of a content that is there.
    pub(super) fn content_size(&self, hex: &str) -> Result<Option<u64>, StoreError> {
        let path = self.content_path(hex);
        let Some(known) = fault::found(&path, fs::metadata(&path))? else { return Ok(None) };
        size_of_file(known.len()).map(Some).ok_or_else(|| fault::damaged(hex, "it is cut off"))
    }

    pub(super) fn open_content(&self, digest: &Digest) -> Result<Option<OpenBlob>, StoreError> {
        let path = self.content_path(digest.hex());
        let Some(file) = fault::found(&path, File::open(&path))? else { return Ok(None) };
        let what = digest.to_string();
        let (file, _) = BlockFile::read(file, &path, &what)?;
        let size = file.size();
        Ok(Some(OpenBlob { content: Box::new(Reader { file, path, what, held: None, piece: Vec::new() }), size }))
    }

    /// Whether a content is there and every byte of it is what was stored.
    pub(super) fn is_sound(&self, hex: &str) -> Result<bool, StoreError> {
        let path = self.content_path(hex);
        let Some(file) = fault::found(&path, File::open(&path))? else { return Ok(false) };
        match check(file, &path, hex, |_| ()) {
            Ok(_) => Ok(true),
            Err(StoreError::Damaged { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Makes a finished file the content of a digest. One that is there already and sound stays; the file then goes.
    pub(super) fn adopt(&self, file: &Path, hex: &str) -> Result<(), StoreError> {
        if self.is_sound(hex)? {
            let _swept_later = fs::remove_file(file);
            return Ok(());
        }
        let path = self.content_path(hex);
        self.put_in_place(file, &path).map_err(|error| self.full_or(&path, error))
    }

    /// Renames into a folder that may have to be made.
    fn put_in_place(&self, file: &Path, path: &Path) -> io::Result<()> {
        let parent = path.parent().unwrap_or(path);
        match fs::rename(file, path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make_folder(parent)?;
                fs::rename(file, path)?;
            }
            renamed => renamed?,
        }
        if self.settings.durability == Durability::PowerLoss {
            File::open(parent)?.sync_all()?;
        }
        Ok(())
    }

    /// Keeps a content that is in memory.
    pub(super) fn put_content(&self, hex: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let mut hashing = Hashing::default();
        hashing.pieces.update(bytes);
        let (trailer, _) = hashing.pieces.finish();
        let temporary = self.temporary();
        let written = (|| {
            let mut file = new_file(&temporary)?;
            file.write_all(bytes)?;
            file.write_all(&trailer)?;
            if self.settings.durability == Durability::PowerLoss {
                file.sync_data()?;
            }
            Ok::<_, io::Error>(())
        })();
        let adopted =
            written.map_err(|error| self.full_or(&temporary, error)).and_then(|()| self.adopt(&temporary, hex));
        if adopted.is_err() {
            let _swept_later = fs::remove_file(&temporary);
        }
        adopted
    }

    /// Makes the only block of an archive and the content of its digest one file. Where that is not possible, both stay as they are:
    /// sharing saves room and is no promise.
    pub(crate) fn share_archive(&self, block_path: &Path, block: &Block, digest: &str) {
        // Below a page nothing is saved.
        if block.size < 4096 {
            return;
        }
        let Some(hex) = digest.strip_prefix("sha256:").filter(|hex| hex.len() == 64) else { return };
        let path = self.content_path(hex);
        let linked = match fs::hard_link(block_path, &path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                path.parent().map_or(Ok(()), make_folder).and_then(|()| fs::hard_link(block_path, &path))
            }
            linked => linked,
        };
        if !linked.is_err_and(|error| error.kind() == io::ErrorKind::AlreadyExists) {
            return;
        }
        let Ok(file) = File::open(&path) else { return };
        // It takes the place of bytes that are good for sure, so it has to be.
        if check(file, &path, hex, |_| ()).is_ok_and(|hash| hash == block.hash) {
            let temporary = self.temporary();
            if fs::hard_link(&path, &temporary).is_ok() && fs::rename(&temporary, block_path).is_err() {
                let _swept_later = fs::remove_file(&temporary);
            }
            // Two names of one file: a rename between them does nothing, and leaves the first.
            let _mostly_gone = fs::remove_file(&temporary);
        }
    }
}

/// The content's length by that of its file.
fn size_of_file(length: u64) -> Option<u64> {
    let rest = length.checked_sub(8)?;
    // Each piece adds 32 bytes; the last piece may be short.
    let pieces = rest.div_ceil(PIECE + 32);
    rest.checked_sub(pieces * 32)
}

/// Reads a content's file to its end; gives the hash that names it as a block.
pub(super) fn check(file: File, path: &Path, what: &str, mut seen: impl FnMut(&[u8])) -> Result<Hash, StoreError> {
    let (file, hash) = BlockFile::read(file, path, what)?;
    let mut buffer = Vec::new();
    for piece in 0..file.size().div_ceil(PIECE) {
        file.piece(piece, &mut buffer, path, what)?;
        seen(&buffer);
    }
    Ok(hash)
}

struct Reader {
    file: BlockFile,
    path: PathBuf,
    what: String,
    /// The number of the checked piece in `piece`.
    held: Option<u64>,
    piece: Vec<u8>,
}

impl ReadAt for Reader {
    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> Result<usize, StoreError> {
        let mut done = 0;
        while done < into.len() {
            let at = offset.saturating_add(done as u64);
            let (number, inside) = (at / PIECE, (at % PIECE) as usize);
            let length = self.file.piece_length(number);
            let room = &mut into[done..];
            if length <= inside {
                break;
            }
            let read = if inside == 0 && room.len() >= length {
                // A whole piece goes where it is wanted, without a copy.
                self.file.piece_into(number, &mut room[..length], &self.path, &self.what).map(|()| length)
            } else {
                self.part(number, inside, room)
            };
            match read {
                Ok(read) => done += read,
                Err(StoreError::Damaged { .. }) if done > 0 => break,
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }
}

impl Reader {
    fn part(&mut self, number: u64, inside: usize, into: &mut [u8]) -> Result<usize, StoreError> {
        if self.held != Some(number) {
            self.held = None;
            self.file.piece(number, &mut self.piece, &self.path, &self.what)?;
            self.held = Some(number);
        }
        let rest = self.piece.get(inside..).unwrap_or_default();
        let length = rest.len().min(into.len());
        into[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }
}

/// The digits of a digest that contents are kept by.
pub(super) fn sha256_hex(digest: &Digest) -> Result<&str, ImageError> {
    match digest.algorithm() {
        Algorithm::Sha256 => Ok(digest.hex()),
        Algorithm::Sha512 => Err(ImageError::Algorithm { digest: digest.clone() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_content_is_known_by_that_of_its_file() {
        for size in [0, 1, PIECE - 1, PIECE, PIECE + 1, 7 * PIECE, 7 * PIECE + 5] {
            let block = Block { file: String::new(), size, hash: Hash([0; 32]) };
            assert_eq!(size_of_file(block.file_length()), Some(size));
        }
        assert_eq!(size_of_file(7), None);
    }
}
