//! Uploads: begun, filled, ended or forgotten.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use lineclear_event::{Timestamp, hexadecimal};
use lineclear_store::{Assembled, PruneReport, StoreError, UploadId};
use sha2::Digest;

use super::list::{LIST, List, absorb, hash_of_names, synchronise};
use super::{ARCHIVES, UPLOADS};
use crate::block::{self, Block, BlockFile, WriteError};
use crate::entry::folders;
use crate::fault;
use crate::store::{Durability, Place, new_file};

/// What the folder of an upload is called once its list of blocks is known: nothing finds its way to the old name any more.
const ENDED: &str = ".ended";

/// Files in an upload's folder that are not blocks yet.
const PART: &str = "part-";

pub(super) fn no_upload() -> StoreError {
    StoreError::NotFound { what: "upload of this name, or it has ended".into() }
}

impl Place {
    pub(super) fn begin_upload(&self, now: Timestamp) -> Result<UploadId, StoreError> {
        let upload = UploadId::generate(now)?;
        let folder = self.root.join(UPLOADS).join(&upload.0);
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        made.map_err(|error| self.full_or(&folder, error))?;
        self.progress.begin(&upload);
        Ok(upload)
    }

    /// The folder of an upload that blocks come to. Its name is checked, so that no client's text becomes a path.
    fn upload_folder(&self, upload: &UploadId) -> Result<PathBuf, StoreError> {
        upload.begun().ok_or_else(no_upload)?;
        Ok(self.root.join(UPLOADS).join(&upload.0))
    }

    /// The folder of an upload whose list is known.
    pub(super) fn ended_folder(&self, upload: &UploadId) -> Result<PathBuf, StoreError> {
        upload.begun().ok_or_else(no_upload)?;
        Ok(self.root.join(UPLOADS).join(format!("{}{ENDED}", upload.0)))
    }

    pub(super) fn put_block(&self, upload: &UploadId, name: &str, content: &mut dyn Read) -> Result<u64, StoreError> {
        let folder = self.upload_folder(upload)?;
        let part = self.temporary();
        let part = folder.join(format!("{PART}{}", part.file_name().unwrap_or_default().display()));
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => no_upload(),
            _ => self.full_or(&folder, error),
        };
        let mut file = new_file(&part).map_err(failed)?;
        let mut whole = self.progress.take(upload);
        let put = (|| {
            let written = block::write(content, &mut file, whole.as_mut()).map_err(|error| match error {
                WriteError::Sender(error) => {
                    StoreError::Io { path: PathBuf::from(format!("block {}", name.escape_debug())), source: error }
                }
                WriteError::Disk(error) => failed(error),
            })?;
            if self.settings.durability == Durability::PowerLoss {
                file.sync_data().map_err(failed)?;
            }
            let block = Block { file: block::file_of(name), size: written.size, hash: written.hash };
            fs::rename(&part, folder.join(&block.file)).map_err(failed)?;
            Ok(block)
        })();
        match put {
            Ok(block) => {
                let size = block.size;
                if let Some(whole) = whole {
                    self.progress.give_back(upload, whole, block);
                }
                Ok(size)
            }
            Err(error) => {
                let _gone_or_pruned_later = fs::remove_file(&part);
                Err(error)
            }
        }
    }

    pub(super) fn assemble(&self, upload: &UploadId, names: &[String]) -> Result<Assembled, StoreError> {
        let (open, ended) = (self.upload_folder(upload)?, self.ended_folder(upload)?);
        let hash = hash_of_names(names);
        // What is missing is said before the upload ends, so that it can still be sent.
        if open.is_dir()
            && let Err(error) = describe(&open, names)
            // Otherwise another call has ended it under our hands.
            && open.is_dir()
        {
            return Err(error);
        }
        // From here on no block comes any more: senders know the old name only.
        let renamed = fs::rename(&open, &ended);
        fault::found(&open, renamed)?;
        let folder = fault::found(&ended, File::open(&ended))?.ok_or_else(no_upload)?;
        // Of two calls at a time the second sees what the first has done. The lock ends with the file.
        folder.lock().map_err(|error| fault::at(&ended, error))?;
        match self.ended_list(upload)? {
            Some((list, _)) if list.names == hash => return Ok(list.assembled()),
            Some(_) => {
                return Err(StoreError::Refused("the upload has already ended, with another list of blocks".into()));
            }
            None if !ended.is_dir() => return Err(no_upload()),
            None => {}
        }
        let assembled = self.assemble_in(upload, &ended, names);
        if matches!(assembled, Err(StoreError::Refused(_))) {
            // A block vanished under our hands: it may come again.
            let _stays_ended = fs::rename(&ended, &open);
        }
        assembled
    }

    fn assemble_in(&self, upload: &UploadId, folder: &Path, names: &[String]) -> Result<Assembled, StoreError> {
        let blocks = describe(folder, names)?;
        let (mut whole, known) = self.progress.end(upload, &blocks);
        absorb(folder, &blocks[known..], &mut whole)?;
        let digest = format!("sha256:{}", hexadecimal(&whole.finalize()));
        let list = List::new(hash_of_names(names), digest, blocks);
        self.publish(&folder.join(LIST), &list.to_json(), false)?;
        // Blocks that were sent but are not wanted, and parts of others.
        let wanted: std::collections::HashSet<&str> = list.blocks.iter().map(|block| block.file.as_str()).collect();
        let listing = fs::read_dir(folder).map_err(|error| fault::at(folder, error))?;
        for file in listing.flatten() {
            let name = file.file_name();
            if name.to_str().is_none_or(|name| name != LIST && !wanted.contains(name)) {
                let _goes_with_the_folder = fs::remove_file(file.path());
            }
        }
        if self.settings.durability == Durability::PowerLoss {
            synchronise(folder)?;
        }
        Ok(list.assembled())
    }

    /// The list of an upload that has ended.
    pub(super) fn ended_list(&self, upload: &UploadId) -> Result<Option<(List, crate::blobs::Hash)>, StoreError> {
        List::read(&self.ended_folder(upload)?, "an upload")
    }

    /// Forgets an upload; answers the bytes of its files.
    pub(super) fn abandon_upload(&self, upload: &UploadId) -> Result<u64, StoreError> {
        self.progress.forget(upload);
        let mut freed = 0;
        if upload.begun().is_some() {
            for folder in [self.upload_folder(upload)?, self.ended_folder(upload)?] {
                freed += self.remove_folder(&folder)?;
            }
        }
        Ok(freed)
    }

    /// Removes uploads that nobody ended for too long.
    pub(crate) fn prune_uploads(&self, now: Timestamp, report: &mut PruneReport) -> Result<(), StoreError> {
        self.progress.prune(now);
        for folder in folders(&self.root.join(UPLOADS))? {
            let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let upload = UploadId(name.strip_suffix(ENDED).unwrap_or(name).to_owned());
            if upload.is_stale(now) {
                report.freed += self.remove_folder(&folder)?;
                report.uploads += 1;
            }
        }
        Ok(())
    }

    /// Removes archives that nothing refers to; answers the bytes. The caller holds the right to sweep.
    pub(crate) fn sweep_archives(&self, needed: &std::collections::HashSet<String>) -> Result<u64, StoreError> {
        let mut freed = 0;
        for folder in folders(&self.root.join(ARCHIVES))? {
            if folder.file_name().and_then(|name| name.to_str()).is_none_or(|name| !needed.contains(name)) {
                freed += self.remove_folder(&folder)?;
            }
        }
        Ok(freed)
    }
}

/// The blocks of these names, in order.
fn describe(folder: &Path, names: &[String]) -> Result<Vec<Block>, StoreError> {
    let describe = |name: &String| {
        let file = block::file_of(name);
        let described = BlockFile::describe(&folder.join(&file), file)?;
        described.ok_or_else(|| StoreError::Refused(format!("block `{}` was never uploaded", name.escape_debug())))
    };
    names.iter().map(describe).collect()
}
