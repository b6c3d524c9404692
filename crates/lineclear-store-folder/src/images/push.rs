//! Pushes of blobs: a file that grows, until it becomes a content.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use lineclear_event::Timestamp;
use lineclear_oci::Digest;
use lineclear_store::{ImageError, StoreError, UploadId};

use super::contents::sha256_hex;
use super::progress::Hashing;
use super::repository::Repository;
use crate::fault;
use crate::store::{Durability, make_folder, new_file};

/// What a push is called once no byte comes any more.
pub(super) const ENDED: &str = ".ended";

/// Bytes that are read at once.
const BUFFER: usize = 256 << 10;

/// A push that this call alone works on.
struct Open {
    path: PathBuf,
    file: File,
    length: u64,
}

impl Drop for Open {
    /// The next call may follow at once. Closing alone would not do: a lock is the opened file's, which a process that is started beside has
    /// inherited until its program runs, and the push would be said to be busy by nobody.
    fn drop(&mut self) {
        // What cannot be unlocked is closed.
        let _closed_next = self.file.unlock();
    }
}

impl Repository<'_> {
    pub(super) fn uploads(&self) -> PathBuf {
        self.folder.join("uploads")
    }

    /// The file of a push. Its name is checked, so that no client's text becomes a path.
    fn upload_path(&self, upload: &UploadId) -> Result<PathBuf, ImageError> {
        upload.begun().ok_or(ImageError::UnknownUpload)?;
        Ok(self.uploads().join(&upload.0))
    }

    pub(super) fn begin_push(&self, now: Timestamp) -> Result<UploadId, ImageError> {
        let upload = UploadId::generate(now)?;
        let path = self.upload_path(&upload)?;
        // A sweep removes folders that are empty.
        let _keep = self.place.keep_images()?;
        let made = match new_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make_folder(&self.uploads()).and_then(|()| new_file(&path))
            }
            made => made,
        };
        made.map_err(|error| self.place.full_or(&path, error))?;
        self.place.pushes.put(&upload, Hashing::default());
        Ok(upload)
    }

    pub(super) fn pushed_bytes(&self, upload: &UploadId) -> Result<u64, ImageError> {
        let path = self.upload_path(upload)?;
        let known = fault::found(&path, fs::metadata(&path))?.ok_or(ImageError::UnknownUpload)?;
        Ok(known.len())
    }

    pub(super) fn cancel_push(&self, upload: &UploadId) -> Result<(), ImageError> {
        let path = self.upload_path(upload)?;
        fault::found(&path, fs::remove_file(&path))?.ok_or(ImageError::UnknownUpload)?;
        self.place.pushes.take(upload);
        Ok(())
    }

    /// Opens a push for this call alone.
    fn open_push(&self, upload: &UploadId) -> Result<Open, ImageError> {
        let path = self.upload_path(upload)?;
        let opened = OpenOptions::new().read(true).write(true).open(&path);
        let file = fault::found(&path, opened)?.ok_or(ImageError::UnknownUpload)?;
        let known = |file: &File| file.metadata().map_err(|error| fault::at(&path, error));
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(ImageError::OutOfOrder { expected: known(&file)?.len(), busy: true });
            }
            Err(TryLockError::Error(error)) => return Err(fault::at(&path, error).into()),
        }
        // While this call waited for nobody, another may have ended the push: the file is then a content, which nobody may change.
        let (mine, named) = (known(&file)?, fault::found(&path, fs::metadata(&path))?);
        if named.is_none_or(|named| (named.ino(), named.dev()) != (mine.ino(), mine.dev())) {
            return Err(ImageError::UnknownUpload);
        }
        Ok(Open { path, length: mine.len(), file })
    }

    /// What came so far, hashed; read again where this process did not see it come.
    fn hashed(&self, upload: &UploadId, open: &Open) -> Result<Hashing, StoreError> {
        if let Some(known) = self.place.pushes.take(upload).filter(|known| known.size() == open.length) {
            return Ok(known);
        }
        let mut hashing = Hashing::default();
        let failed = |error| fault::at(&open.path, error);
        let mut file = &open.file;
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let mut buffer = vec![0; BUFFER];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => return Ok(hashing),
                Ok(read) => hashing.update(&buffer[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
    }

    pub(super) fn push(
        &self,
        upload: &UploadId,
        at: Option<u64>,
        content: &mut dyn Read,
        limit: u64,
    ) -> Result<u64, ImageError> {
        let open = self.open_push(upload)?;
        if at.is_some_and(|at| at != open.length) {
            return Err(ImageError::OutOfOrder { expected: open.length, busy: false });
        }
        let mut hashing = self.hashed(upload, &open)?;
        let mut file = &open.file;
        file.seek(SeekFrom::Start(open.length)).map_err(|error| fault::at(&open.path, error))?;
        let taken = self.take_in(content, file, &mut hashing, limit);
        let size = hashing.size();
        if matches!(taken, Err(ImageError::Store(_))) {
            // A part of what did not fit may have been written.
            let _rehashed_otherwise = file.set_len(size);
        }
        self.place.pushes.put(upload, hashing);
        taken.map(|()| size)
    }

    fn take_in(
        &self,
        content: &mut dyn Read,
        mut file: &File,
        hashing: &mut Hashing,
        limit: u64,
    ) -> Result<(), ImageError> {
        let mut buffer = vec![0; BUFFER];
        loop {
            let read = match content.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(ImageError::Sender(error)),
            };
            if hashing.size() + read as u64 > limit {
                return Err(ImageError::TooLarge { limit });
            }
            let bytes = &buffer[..read];
            file.write_all(bytes).map_err(|error| self.place.full_or(&self.uploads(), error))?;
            hashing.update(bytes);
        }
    }

    pub(super) fn finish_push(&self, upload: &UploadId, digest: &Digest, now: Timestamp) -> Result<u64, ImageError> {
        let hex = sha256_hex(digest)?;
        let mut open = self.open_push(upload)?;
        let hashing = self.hashed(upload, &open)?;
        let came = hashing.whole.finish();
        if came != *digest {
            fault::found(&open.path, fs::remove_file(&open.path))?;
            return Err(ImageError::WrongDigest { said: digest.clone(), came });
        }
        let ended = self.uploads().join(format!("{}{ENDED}", upload.0));
        let failed = |error: io::Error| self.place.full_or(&open.path, error);
        // From here on the file is no upload: a kill before the end leaves nothing that anyone would go on with.
        fs::rename(&open.path, &ended).map_err(failed)?;
        let finished = (|| {
            open.file.seek(SeekFrom::End(0)).map_err(failed)?;
            open.file.write_all(&hashing.pieces.finish().0).map_err(failed)?;
            if self.place.settings.durability == Durability::PowerLoss {
                open.file.sync_data().map_err(failed)?;
            }
            let _keep = self.place.keep_images()?;
            self.place.adopt(&ended, hex)?;
            self.link_blob(hex, now)
        })();
        if finished.is_err() {
            self.give_back(&open, &ended);
        }
        finished.map(|()| open.length).map_err(ImageError::Store)
    }

    /// Makes what could not become a content an upload again: with room on the disk it can be ended.
    fn give_back(&self, open: &Open, ended: &Path) {
        let _swept_later = open.file.set_len(open.length).and_then(|()| fs::rename(ended, &open.path));
    }
}
