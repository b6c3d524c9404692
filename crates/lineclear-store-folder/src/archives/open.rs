//! Reading archives: every piece of a block is checked before a byte of it is given out.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use lineclear_store::{ArtifactMeta, CacheEntry, OpenArchive, ReadAt, StoreError, check_artifact_file, is_zip, zip};

use super::list::List;
use crate::block::{BlockFile, PIECE};
use crate::caches::{KeptCache, drop_entry};
use crate::entry::ArchiveRef;
use crate::store::Place;

/// Reads an archive block by block.
pub(super) struct Reader {
    folder: PathBuf,
    list: List,
    /// Where each block begins.
    starts: Vec<u64>,
    /// How errors call the archive.
    what: String,
    /// The block that was read last, by number.
    open: Option<(usize, BlockFile)>,
    /// The checked piece that was read last: block, number of the piece, bytes.
    held: Option<(usize, u64)>,
    piece: Vec<u8>,
    /// A cache entry that has to go when it is damaged.
    entry: Option<Entry>,
    /// Keeps the archive from being swept.
    _reading: Option<File>,
}

struct Entry {
    path: PathBuf,
    id: u64,
}

impl Reader {
    fn new(folder: PathBuf, list: List, what: String) -> Self {
        let starts = list.blocks.iter().scan(0, |next, block| {
            let start = *next;
            *next += block.size;
            Some(start)
        });
        let starts = starts.collect();
        Self { folder, list, starts, what, open: None, held: None, piece: Vec::new(), entry: None, _reading: None }
    }

    fn read(&mut self, offset: u64, into: &mut [u8]) -> Result<usize, StoreError> {
        if offset >= self.list.size || into.is_empty() {
            return Ok(0);
        }
        // The last block that begins at or before the offset: empty blocks begin where the next one does.
        let number = self.starts.partition_point(|start| *start <= offset) - 1;
        let inside = offset - self.starts[number];
        let piece = inside / PIECE;
        if self.held != Some((number, piece)) {
            self.held = None;
            self.load(number, piece)?;
            self.held = Some((number, piece));
        }
        let bytes = &self.piece[usize::try_from(inside % PIECE).unwrap_or(usize::MAX).min(self.piece.len())..];
        let length = bytes.len().min(into.len());
        into[..length].copy_from_slice(&bytes[..length]);
        Ok(length)
    }

    fn load(&mut self, number: usize, piece: u64) -> Result<(), StoreError> {
        let block = &self.list.blocks[number];
        let path = self.folder.join(&block.file);
        let what = format!("{}, block {} of {}", self.what, number + 1, self.list.blocks.len());
        let file = match &mut self.open {
            Some((known, file)) if *known == number => file,
            open => &mut open.insert((number, BlockFile::open(&path, block, &what)?)).1,
        };
        file.piece(piece, &mut self.piece, &path, &what)
    }
}

impl ReadAt for Reader {
    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> Result<usize, StoreError> {
        let mut done = 0;
        while done < into.len() {
            match self.read(offset.saturating_add(done as u64), &mut into[done..]) {
                Ok(0) => break,
                Ok(read) => done += read,
                // What was checked until here may be used; the next call says what is wrong.
                Err(StoreError::Damaged { .. }) if done > 0 => break,
                Err(StoreError::Damaged { what, why }) => {
                    let why = match &self.entry {
                        Some(entry) => {
                            entry.forget()?;
                            format!("{why}; the entry has been dropped, the next save makes it anew")
                        }
                        None => format!("{why}; upload it again"),
                    };
                    return Err(StoreError::Damaged { what, why });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }
}

impl Entry {
    /// Removes the entry, unless another one has taken its place meanwhile.
    fn forget(&self) -> Result<(), StoreError> {
        match KeptCache::read(&self.path) {
            Ok(Some((kept, _))) if kept.what.id == self.id => drop_entry(&self.path),
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl Place {
    fn artifact_reader(&self, meta: &ArtifactMeta, archive: &ArchiveRef) -> Result<Reader, StoreError> {
        let what = format!("artifact `{}` of run {}", meta.name, meta.run);
        let folder = self.archive_folder(&archive.upload);
        let list = List::read_kept(&folder, archive.list, &what)?;
        Ok(Reader::new(folder, list, what))
    }

    /// `reading` is the lock that keeps the archive for as long as it is open.
    pub(super) fn open_kept_artifact(
        &self,
        meta: &ArtifactMeta,
        archive: &ArchiveRef,
        reading: File,
    ) -> Result<OpenArchive, StoreError> {
        let reader = Reader { _reading: Some(reading), ..self.artifact_reader(meta, archive)? };
        Ok(OpenArchive {
            size: reader.list.size,
            content: Box::new(reader),
            content_type: meta.content_type.clone().unwrap_or_default(),
            digest: Some(meta.digest.clone()),
        })
    }

    pub(super) fn open_kept_cache(
        &self,
        entry: &CacheEntry,
        archive: &ArchiveRef,
        path: PathBuf,
        reading: File,
    ) -> Result<OpenArchive, StoreError> {
        let what = format!("cache entry `{}`", entry.key);
        let folder = self.archive_folder(&archive.upload);
        let known = Entry { path, id: entry.id };
        let list = match List::read_kept(&folder, archive.list, &what) {
            Err(StoreError::Damaged { what, why }) => {
                known.forget()?;
                let why = format!("{why}; the entry has been dropped, the next save makes it anew");
                return Err(StoreError::Damaged { what, why });
            }
            list => list?,
        };
        let digest = Some(list.digest.clone());
        let reader = Reader { entry: Some(known), _reading: Some(reading), ..Reader::new(folder, list, what) };
        Ok(OpenArchive {
            size: reader.list.size,
            content: Box::new(reader),
            content_type: "application/octet-stream".into(),
            digest,
        })
    }

    /// Writes what an archived artifact holds below `folder`. The caller holds the lock.
    pub(crate) fn unpack_archive(
        &self,
        meta: &ArtifactMeta,
        archive: &ArchiveRef,
        folder: &Path,
    ) -> Result<(), StoreError> {
        let mut reader = self.artifact_reader(meta, archive)?;
        if meta.content_type.as_deref().is_some_and(is_zip) {
            return zip::unpack(&mut reader, meta.size, folder, &zip::UnpackLimits::default())
                .map(drop)
                .map_err(|error| error.of_artifact(&meta.name));
        }
        check_artifact_file(&meta.name)?;
        zip::write_file(&mut reader, meta.size, folder, &meta.name).map_err(|error| error.of_artifact(&meta.name))
    }

    /// How many files of an archive are missing or of another length.
    pub(crate) fn broken_blocks(&self, archive: &ArchiveRef) -> Result<usize, StoreError> {
        let folder = self.archive_folder(&archive.upload);
        let list = match List::read_kept(&folder, archive.list, "an archive") {
            Err(StoreError::Damaged { .. }) => return Ok(1),
            list => list?,
        };
        let broken = list.blocks.iter().filter(|block| {
            fs::metadata(folder.join(&block.file)).map_or(true, |known| known.len() != block.file_length())
        });
        Ok(broken.count())
    }
}
