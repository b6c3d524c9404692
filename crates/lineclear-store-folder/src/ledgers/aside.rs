//! A damaged ledger out of the way: kept under another name, so that a new one can begin.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use lineclear_store::StoreError;

use super::Ledger;
use crate::fault;
use crate::store::FolderStore;

impl FolderStore {
    /// Keeps the ledger of `repository` as `<name>.<mark>` beside its place, where nobody reads it as a ledger; `None` if there is no file of
    /// it. The next append begins a new one. `mark` has no `/`. This decides nothing: whoever calls it has seen that the ledger is damaged.
    ///
    /// # Errors
    /// When files cannot be renamed, or something is kept by that name already.
    pub fn set_ledger_aside(&self, repository: &str, mark: &str) -> Result<Option<PathBuf>, StoreError> {
        self.place.ledger(repository)?.set_aside(mark)
    }
}

impl Ledger<'_> {
    fn set_aside(&self, mark: &str) -> Result<Option<PathBuf>, StoreError> {
        let kept = self.path.with_extension(mark);
        let note = self.note.with_extension(format!("{mark}.head"));
        if kept.exists() || note.exists() {
            let why = format!("`{}` is there already, and nothing is written over it", kept.display());
            return Err(StoreError::Refused(why));
        }
        let file = self.open()?;
        if let Some(file) = &file {
            // Whoever appends now comes before this, or finds another file in its place.
            file.lock().map_err(|error| self.fault(error))?;
            fs::rename(&self.path, &kept).map_err(|error| self.fault(error))?;
        }
        // After the ledger: without its note, one that was cut off would pass for whole.
        fault::found(&self.note, fs::rename(&self.note, &note))?;
        let folder = self.path.parent().unwrap_or(Path::new("."));
        if folder.is_dir() {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| self.fault(error))?;
        }
        Ok(file.map(|_| kept))
    }

    /// Whether `file` is the ledger still: it may have been set aside before it was locked.
    pub(super) fn is_in_place(&self, file: &File) -> Result<bool, StoreError> {
        let of_file = file.metadata().map_err(|error| self.fault(error))?;
        let of_path = fault::found(&self.path, fs::metadata(&self.path))?;
        Ok(of_path.is_some_and(|there| (there.dev(), there.ino()) == (of_file.dev(), of_file.ino())))
    }
}
