//! Ledgers: one append-only file a repository.
//!
//! # Layout
//! ```text
//! ledger/<repository>.jsonl    the lines; an empty line ends what one append wrote
//! ledger/<repository>.head     where the file ended after an append: a note that notices when its end is cut off
//! ledger/<repository>.damaged-…   a ledger that was set aside, and its head
//! ```
//! `<repository>` is the repository's name with `/` and whatever is no plain character as `%2F`.
//!
//! The file alone is the truth. What stands after its last empty line is of an append that was killed: readers do not see it, and the next
//! append takes it away. So the lines of one append are there together or not at all. Lines are on the disk before an append returns, and the
//! head is noted after that, so that it is never ahead of them, whatever is lost with the power.
//!
//! Whoever appends holds the file locked, whoever looks for its end holds it shared. Lines before the end never change, and are read without a lock.

mod append;
mod aside;
mod end;
mod names;
mod read;

use std::fs::{self, File};
use std::path::PathBuf;

use lineclear_store::{AppendError, LedgerHead, Ledgers, StoreError};

use crate::fault;
use crate::store::{FolderStore, Place};

/// Name of the folder of ledgers.
const LEDGER: &str = "ledger";

impl Ledgers for FolderStore {
    fn ledger_head(&self, repository: &str) -> Result<LedgerHead, StoreError> {
        let ledger = self.place.ledger(repository)?;
        match ledger.open_if_written()? {
            Some(file) => Ok(ledger.end_shared(&file)?.head),
            None => Ok(LedgerHead::default()),
        }
    }

    fn append(&self, repository: &str, expected: &LedgerHead, lines: &[String]) -> Result<LedgerHead, AppendError> {
        self.place.ledger(repository)?.append(expected, lines)
    }

    fn ledger_lines(
        &self,
        repository: &str,
        from: u64,
        each: &mut dyn FnMut(u64, &str) -> bool,
    ) -> Result<(), StoreError> {
        self.place.ledger(repository)?.read(from, each)
    }

    fn ledgers(&self) -> Result<Vec<String>, StoreError> {
        let folder = self.place.root.join(LEDGER);
        let Some(listing) = fault::found(&folder, fs::read_dir(&folder))? else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for entry in listing {
            let name = entry.map_err(|error| fault::at(&folder, error))?.file_name();
            found.extend(name.to_str().and_then(|name| name.strip_suffix(".jsonl")).and_then(names::repository));
        }
        found.sort();
        Ok(found)
    }
}

/// The ledger of one repository.
struct Ledger<'p> {
    place: &'p Place,
    repository: String,
    path: PathBuf,
    note: PathBuf,
}

impl Place {
    fn ledger(&self, repository: &str) -> Result<Ledger<'_>, StoreError> {
        let name = names::file(repository)?;
        let folder = self.root.join(LEDGER);
        Ok(Ledger {
            place: self,
            repository: repository.to_owned(),
            path: folder.join(format!("{name}.jsonl")),
            note: folder.join(format!("{name}.head")),
        })
    }

    /// How many ledgers there are, and their bytes.
    pub(crate) fn ledger_usage(&self) -> Result<(u64, u64), StoreError> {
        let folder = self.root.join(LEDGER);
        let Some(listing) = fault::found(&folder, fs::read_dir(&folder))? else { return Ok((0, 0)) };
        let (mut count, mut bytes) = (0, 0);
        for entry in listing {
            let entry = entry.map_err(|error| fault::at(&folder, error))?;
            if entry.path().extension().is_some_and(|extension| extension == "jsonl") {
                count += 1;
                bytes += entry.metadata().map_err(|error| fault::at(&entry.path(), error))?.len();
            }
        }
        Ok((count, bytes))
    }
}

impl Ledger<'_> {
    /// The file for reading; `None` for a ledger that nobody has written to.
    fn open(&self) -> Result<Option<File>, StoreError> {
        fault::found(&self.path, File::open(&self.path))
    }

    /// [`Ledger::open`] for those who read.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when there is no file, and there was one.
    fn open_if_written(&self) -> Result<Option<File>, StoreError> {
        if let Some(file) = self.open()? {
            return Ok(Some(file));
        }
        let Some(noted) = self.noted()? else { return Ok(None) };
        // The file is there before its note. So where there is a note and still no file, that was removed, and is not about to be made.
        self.open()?.map(Some).ok_or_else(|| self.cut_off(noted.head.entries, 0))
    }

    fn fault(&self, error: impl Into<std::io::Error>) -> StoreError {
        self.place.full_or(&self.path, error)
    }

    fn damaged(&self, why: impl Into<String>) -> StoreError {
        fault::damaged(format!("ledger of {}", self.repository), why)
    }
}
