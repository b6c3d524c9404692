//! When records were used last, beside the stores: a run that only reads a store must not change it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::SecretsError;
use crate::file;

/// The times of last use by the records' ids. A file without secrets; losing it loses only times.
#[derive(Debug)]
pub struct LastUses {
    path: PathBuf,
}

impl LastUses {
    /// The file at `path`, which need not be there.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Milliseconds since 1970, UTC, by record. A file that cannot be understood counts as empty.
    pub fn read(&self) -> BTreeMap<String, i64> {
        read(&self.path)
    }

    /// Says that these records are used `now`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn record<'a>(&self, ids: impl IntoIterator<Item = &'a str>, now: i64) -> Result<(), SecretsError> {
        let mut ids = ids.into_iter().peekable();
        if ids.peek().is_none() {
            return Ok(());
        }
        let folder = file::folder_of(&self.path);
        file::make_private_folder(folder)?;
        let _lock = file::lock(folder)?;
        let mut uses = read(&self.path);
        uses.extend(ids.map(|id| (id.to_owned(), now)));
        let text = serde_json::to_string(&uses).map_err(|_| SecretsError::Cipher)?;
        file::replace(&self.path, text.as_bytes())
    }
}

fn read(path: &Path) -> BTreeMap<String, i64> {
    let bytes = file::read(path).ok().flatten().unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}
