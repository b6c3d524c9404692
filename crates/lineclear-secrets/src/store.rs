//! A store: one file, read and replaced whole.

use std::path::{Path, PathBuf};

use crate::document::{self, Opened};
use crate::error::SecretsError;
use crate::file;
use crate::key::{KeyKind, KeySources, NewKey};
use crate::record::Contents;

/// A file of secrets and variables. Making the value touches nothing; the file is made by the first change.
///
/// Reading takes no lock, because the file is only ever replaced whole. Changes of several processes wait for each other.
#[derive(Debug)]
pub struct SecretStore {
    path: PathBuf,
    keys: KeySources,
}

impl SecretStore {
    /// The store at `path`, which need not be there yet.
    pub fn new(path: impl Into<PathBuf>, keys: KeySources) -> Self {
        Self { path: path.into(), keys }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the file is encrypted with; `None` if it is not there.
    ///
    /// # Errors
    /// The file cannot be read, or is no store.
    pub fn key_kind(&self) -> Result<Option<KeyKind>, SecretsError> {
        let bytes = file::read(&self.path)?;
        bytes.map(|bytes| document::how_of(&bytes, &self.path).map(|how| how.kind())).transpose()
    }

    /// All that it holds; nothing if there is no file.
    ///
    /// # Errors
    /// The file cannot be read, is damaged, or its key is not here.
    pub fn read(&self) -> Result<Contents, SecretsError> {
        Ok(self.open()?.map(|opened| opened.contents).unwrap_or_default())
    }

    /// Changes what it holds, all or nothing.
    ///
    /// The file stays as it is where `change` leaves the contents as they were and where anything fails.
    ///
    /// # Errors
    /// As [`SecretStore::read`]; what `change` answers; the file cannot be written.
    pub fn change<T>(&self, change: impl FnOnce(&mut Contents) -> Result<T, SecretsError>) -> Result<T, SecretsError> {
        let folder = file::folder_of(&self.path);
        file::make_private_folder(folder)?;
        let lock = file::lock(folder)?;
        let opened = self.open()?;
        let mut opened = match opened {
            Some(opened) => opened,
            None => {
                // Whatever is wrong with the change itself is told before a key is made for it.
                let mut contents = Contents::default();
                let answer = change(&mut contents)?;
                if !contents.entries.is_empty() {
                    let master = self.keys.for_new_store(&lock)?;
                    self.write(&mut Opened { master, check: Vec::new(), contents })?;
                }
                return Ok(answer);
            }
        };
        let before = opened.contents.entries.len();
        let answer = change(&mut opened.contents)?;
        let is_changed = opened.contents.entries.len() != before
            || opened.contents.entries.iter().any(|entry| entry.sealed.is_none());
        if is_changed {
            self.write(&mut opened)?;
        }
        Ok(answer)
    }

    /// Encrypts everything anew, with new data keys under another master key. Answers how many records there are.
    ///
    /// Values that somebody read with the old key stay known to them: they have to be changed where they come from.
    ///
    /// # Errors
    /// As [`SecretStore::change`]; the store stays as it was.
    pub fn rekey(&self, new: &NewKey) -> Result<usize, SecretsError> {
        let folder = file::folder_of(&self.path);
        file::make_private_folder(folder)?;
        let lock = file::lock(folder)?;
        let Some(opened) = self.open()? else { return Ok(0) };
        let mut contents = opened.contents;
        contents.entries.iter_mut().for_each(|entry| entry.sealed = None);
        let count = contents.entries.len();
        let master = self.keys.changed_to(new, &lock)?;
        self.write(&mut Opened { master, check: Vec::new(), contents })?;
        Ok(count)
    }

    fn open(&self) -> Result<Option<Opened>, SecretsError> {
        let bytes = file::read(&self.path)?;
        bytes.map(|bytes| document::read(&bytes, &self.path, &self.keys)).transpose()
    }

    fn write(&self, opened: &mut Opened) -> Result<(), SecretsError> {
        file::replace(&self.path, &document::write(opened)?)
    }
}
