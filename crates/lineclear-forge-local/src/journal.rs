//! The forge's memory: an append-only file of transactions, read by any number of processes.
//!
//! One line is one transaction. A line is there or it is not: what a kill tore is dropped by the next writer. A lock file keeps
//! two writers apart; readers follow the file by its end. When most of it is out of date, it is written anew and renamed over
//! the old one, which readers notice by its inode.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The first id: ids do not look like numbers of issues.
const FIRST_ID: u64 = 1_000_001;
/// A journal below this size is never written anew.
const SMALL: u64 = 1 << 20;
/// Written anew when larger than this many times what is in it.
const WORTH_IT: u64 = 4;

/// Why the forge's memory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("cannot use `{path}` of the embedded forge")]
    Io { path: PathBuf, source: io::Error },
    #[error("line {line} of the embedded forge's `{path}` is damaged; move the file away to begin anew")]
    Damaged { path: PathBuf, line: u64 },
}

/// Something that is kept: a plain value with a number that is unique in its table.
pub(crate) trait Record: Serialize + DeserializeOwned {
    const TABLE: &'static str;

    fn key(&self) -> u64;
}

type Table = BTreeMap<u64, Arc<Value>>;

/// All that is kept, at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables(BTreeMap<String, Table>);

impl Tables {
    pub(crate) fn get<R: Record>(&self, key: u64) -> Option<R> {
        self.0.get(R::TABLE)?.get(&key).and_then(|value| R::deserialize(&**value).ok())
    }

    /// By key, rising.
    pub(crate) fn all<R: Record>(&self) -> Vec<R> {
        let table = self.0.get(R::TABLE).into_iter().flat_map(BTreeMap::values);
        table.filter_map(|value| R::deserialize(&**value).ok()).collect()
    }

    fn apply(&mut self, change: &Change) {
        let table = self.0.entry(change.table.clone()).or_default();
        match &change.value {
            Some(value) => {
                table.insert(change.key, Arc::clone(value));
            }
            None => {
                table.remove(&change.key);
            }
        }
    }
}

/// One record put or, without a value, removed.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Change {
    table: String,
    key: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<Arc<Value>>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Line {
    /// The next free id after this transaction.
    next: u64,
    changes: Vec<Change>,
}

/// What one call reads and changes. Dropped without a commit, nothing has happened.
#[derive(Debug)]
pub(crate) struct Transaction {
    pub(crate) tables: Arc<Tables>,
    changes: Vec<Change>,
    next: u64,
}

impl Transaction {
    pub(crate) fn get<R: Record>(&self, key: u64) -> Option<R> {
        self.tables.get(key)
    }

    pub(crate) fn all<R: Record>(&self) -> Vec<R> {
        self.tables.all()
    }

    pub(crate) fn put<R: Record>(&mut self, record: &R) {
        let value = serde_json::to_value(record).expect("a record is plain data with text keys");
        self.change(Change { table: R::TABLE.into(), key: record.key(), value: Some(Arc::new(value)) });
    }

    pub(crate) fn remove<R: Record>(&mut self, key: u64) {
        self.change(Change { table: R::TABLE.into(), key, value: None });
    }

    /// An id that nothing had before and nothing will have again.
    pub(crate) fn new_id(&mut self) -> u64 {
        let id = self.next;
        self.next += 1;
        id
    }

    fn change(&mut self, change: Change) {
        Arc::make_mut(&mut self.tables).apply(&change);
        self.changes.push(change);
    }
}

#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    lock: File,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    file: Option<File>,
    /// Bytes and lines that are in `tables`.
    read: u64,
    lines: u64,
    tables: Arc<Tables>,
    next: u64,
}

impl Journal {
    pub(crate) fn open(folder: &Path) -> Result<Self, JournalError> {
        let fault = |source| JournalError::Io { path: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(fault)?;
        let lock =
            OpenOptions::new().create(true).truncate(false).write(true).open(folder.join("lock")).map_err(fault)?;
        let journal = Self { path: folder.join("journal"), lock, state: Mutex::default() };
        journal.write_anew_if_worth_it()?;
        Ok(journal)
    }

    /// What is kept now, for reading.
    pub(crate) fn read(&self) -> Result<Transaction, JournalError> {
        let mut state = self.state();
        let _held = self.hold(false)?;
        self.catch_up(&mut state)?;
        Ok(begin(&state))
    }

    /// Runs `work` alone among all processes, and keeps what it changed unless it ends in an error.
    pub(crate) fn write<T, E: From<JournalError>>(
        &self,
        work: impl FnOnce(&mut Transaction) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut state = self.state();
        let _held = self.hold(true)?;
        self.catch_up(&mut state)?;
        let mut transaction = begin(&state);
        let done = work(&mut transaction)?;
        if !transaction.changes.is_empty() {
            self.append(&mut state, transaction)?;
        }
        Ok(done)
    }

    /// Keeps other processes out while `work` runs, without touching what is kept.
    pub(crate) fn alone<T, E: From<JournalError>>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let _state = self.state();
        let _held = self.hold(true)?;
        work()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves the state as of the last commit: transactions work on copies.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hold(&self, alone: bool) -> Result<Held<'_>, JournalError> {
        let held = if alone { self.lock.lock() } else { self.lock.lock_shared() };
        held.map_err(|source| self.fault(source))?;
        Ok(Held(&self.lock))
    }

    fn catch_up(&self, state: &mut State) -> Result<(), JournalError> {
        let fault = |source| self.fault(source);
        let found = match fs::metadata(&self.path) {
            Ok(found) => Some((found.dev(), found.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(fault(error)),
        };
        let known = match &state.file {
            Some(file) => file.metadata().map(|known| Some((known.dev(), known.ino()))).map_err(fault)?,
            None => None,
        };
        if found.is_none() || found != known {
            let mut options = OpenOptions::new();
            let file = options.create(true).truncate(false).read(true).write(true).open(&self.path).map_err(fault)?;
            *state = State { file: Some(file), next: FIRST_ID, ..State::default() };
        }
        let Some(file) = &mut state.file else { return Ok(()) };
        let length = file.metadata().map_err(fault)?.len();
        if length <= state.read {
            return Ok(());
        }
        let mut tail = Vec::new();
        file.seek(SeekFrom::Start(state.read)).map_err(fault)?;
        file.read_to_end(&mut tail).map_err(fault)?;
        let tables = Arc::make_mut(&mut state.tables);
        // What stands behind the last line end was torn by a kill.
        for line in tail.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n")) {
            let damaged = |_| JournalError::Damaged { path: self.path.clone(), line: state.lines + 1 };
            let read: Line = serde_json::from_slice(line).map_err(damaged)?;
            read.changes.iter().for_each(|change| tables.apply(change));
            state.next = state.next.max(read.next);
            state.read += line.len() as u64;
            state.lines += 1;
        }
        Ok(())
    }

    fn append(&self, state: &mut State, transaction: Transaction) -> Result<(), JournalError> {
        let line = written(&Line { next: transaction.next, changes: transaction.changes });
        let read = state.read;
        let Some(file) = &mut state.file else { return Ok(()) };
        let done =
            file.set_len(read).and_then(|()| file.seek(SeekFrom::Start(read))).and_then(|_| file.write_all(&line));
        if let Err(source) = done {
            // Half a line is no line: without its end nobody reads it, and the next writer removes it.
            let _ = file.set_len(read);
            return Err(self.fault(source));
        }
        state.read += line.len() as u64;
        state.lines += 1;
        state.tables = transaction.tables;
        state.next = transaction.next;
        Ok(())
    }

    fn write_anew_if_worth_it(&self) -> Result<(), JournalError> {
        let fault = |source| self.fault(source);
        if fs::metadata(&self.path).map_or(0, |found| found.len()) < SMALL {
            return Ok(());
        }
        let mut state = self.state();
        let _held = self.hold(true)?;
        self.catch_up(&mut state)?;
        let mut whole = Line { next: state.next, changes: Vec::new() };
        for (table, records) in &state.tables.0 {
            let changes = records.iter().map(|(key, value)| (table.clone(), *key, Some(Arc::clone(value))));
            whole.changes.extend(changes.map(|(table, key, value)| Change { table, key, value }));
        }
        let bytes = written(&whole);
        if (bytes.len() as u64).saturating_mul(WORTH_IT) > state.read {
            return Ok(());
        }
        let new = self.path.with_extension("new");
        let mut file = File::create(&new).map_err(fault)?;
        file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(fault)?;
        fs::rename(&new, &self.path).map_err(fault)
    }

    fn fault(&self, source: io::Error) -> JournalError {
        JournalError::Io { path: self.path.clone(), source }
    }
}

fn begin(state: &State) -> Transaction {
    Transaction { tables: Arc::clone(&state.tables), changes: Vec::new(), next: state.next }
}

fn written(line: &Line) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(line).expect("values of JSON are written as JSON");
    bytes.push(b'\n');
    bytes
}

struct Held<'a>(&'a File);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        // The lock goes with the process at the latest.
        let _ = self.0.unlock();
    }
}
