//! The lock of the images. It ends with the file that is returned, and with the process.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use lineclear_store::StoreError;

use super::IMAGES;
use crate::fault;
use crate::store::{Place, make_folder};

impl Place {
    /// Keeps contents and links from being removed while something new refers to them.
    pub(super) fn keep_images(&self) -> Result<File, StoreError> {
        let (path, file) = self.images_lock()?;
        file.lock_shared().map_err(|error| fault::at(&path, error))?;
        Ok(file)
    }

    /// The right to remove. Waits: whoever holds the other one does so for a few steps only.
    pub(super) fn remove_images(&self) -> Result<File, StoreError> {
        let (path, file) = self.images_lock()?;
        file.lock().map_err(|error| fault::at(&path, error))?;
        Ok(file)
    }

    fn images_lock(&self) -> Result<(PathBuf, File), StoreError> {
        let folder = self.root.join(IMAGES);
        let path = folder.join("lock");
        let open = || OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        let opened = match open() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => make_folder(&folder).and_then(|()| open()),
            opened => opened,
        };
        match opened {
            Ok(file) => Ok((path, file)),
            Err(error) => Err(self.full_or(&path, error)),
        }
    }
}
