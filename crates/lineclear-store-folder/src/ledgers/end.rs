//! Where a ledger ends, found without reading it whole.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::FileExt;

use lineclear_store::{LedgerHead, LineHash, StoreError};
use serde::{Deserialize, Serialize};

use super::Ledger;
use crate::fault;

/// The end of what complete appends have written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct End {
    pub(super) head: LedgerHead,
    /// Bytes up to here, the last empty line among them.
    pub(super) bytes: u64,
    /// Bytes of the last line, without its newline.
    pub(super) last: u64,
}

/// [`End`] as it is noted beside the ledger.
#[derive(Serialize, Deserialize)]
struct Note {
    entries: u64,
    hash: String,
    bytes: u64,
    last: u64,
}

impl Ledger<'_> {
    /// The end, looked for while nobody writes. `file` is locked for that long.
    pub(super) fn end_shared(&self, file: &File) -> Result<End, StoreError> {
        file.lock_shared().map_err(|error| self.fault(error))?;
        let end = self.end(file);
        file.unlock().map_err(|error| self.fault(error))?;
        end
    }

    /// The end. Whoever calls this has the file locked.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when the file does not reach as far as was noted, or its last line is not the noted one.
    pub(super) fn end(&self, file: &File) -> Result<End, StoreError> {
        let length = file.metadata().map_err(|error| self.fault(error))?.len();
        let start = match self.noted()? {
            Some(noted) if noted.bytes > length => {
                let found = self.scan(file, End::default())?.head.entries;
                return Err(self.cut_off(noted.head.entries, found));
            }
            Some(noted) => {
                self.check_noted(file, &noted)?;
                noted
            }
            None => End::default(),
        };
        if start.bytes == length { Ok(start) } else { self.scan(file, start) }
    }

    /// What was noted by the last append; `None` when there is no note, or a loss of power has left none that can be read.
    pub(super) fn noted(&self) -> Result<Option<End>, StoreError> {
        let Some(text) = fault::found(&self.note, fs::read(&self.note))? else { return Ok(None) };
        let Ok(note) = serde_json::from_slice::<Note>(&text) else { return Ok(None) };
        let sound = note.last > 0 && note.bytes >= note.last.saturating_add(2) && note.entries > 0;
        let hash = LineHash::parse(&note.hash).filter(|_| sound);
        Ok(hash.map(|hash| End {
            head: LedgerHead { entries: note.entries, hash },
            bytes: note.bytes,
            last: note.last,
        }))
    }

    /// Notes `end`, for the next one who looks.
    pub(super) fn note(&self, end: &End) -> Result<(), StoreError> {
        let End { head, bytes, last } = *end;
        let note = Note { entries: head.entries, hash: head.hash.to_string(), bytes, last };
        let text = serde_json::to_vec(&note).expect("a note is plain data");
        self.place.publish(&self.note, &text, false).map(drop)
    }

    pub(super) fn cut_off(&self, noted: u64, found: u64) -> StoreError {
        self.damaged(format!("it ends after {found} entries, and {noted} were written: the last ones are gone; docs/ledger.md says how to go on"))
    }

    /// Whether the noted line still stands at the noted place.
    fn check_noted(&self, file: &File, noted: &End) -> Result<(), StoreError> {
        let changed = || {
            let last = noted.head.entries - 1;
            self.damaged(format!(
                "entry {last} is not where and what it was; docs/ledger.md says how to find what was changed, and how to go on"
            ))
        };
        let length = usize::try_from(noted.last).map_err(|_| changed())?;
        let mut line = Vec::new();
        // A note that was tampered with must not make this ask for any amount of memory.
        line.try_reserve_exact(length + 2).map_err(|_| changed())?;
        line.resize(length + 2, 0);
        file.read_exact_at(&mut line, noted.bytes - noted.last - 2).map_err(|error| self.fault(error))?;
        let line = line.strip_suffix(b"\n\n").and_then(|line| std::str::from_utf8(line).ok()).ok_or_else(changed)?;
        if LineHash::of(line) == noted.head.hash { Ok(()) } else { Err(changed()) }
    }

    /// The end of the last complete append after `start`.
    fn scan(&self, file: &File, start: End) -> Result<End, StoreError> {
        let mut reader = BufReader::with_capacity(1 << 16, Tail { file, at: start.bytes });
        let (mut end, mut open) = (start, start);
        let mut line = Vec::new();
        let mut last = Vec::new();
        loop {
            line.clear();
            let length = reader.read_until(b'\n', &mut line).map_err(|error| self.fault(error))? as u64;
            let Some(text) = line.strip_suffix(b"\n") else { return Ok(end) };
            open.bytes += length;
            if text.is_empty() {
                // The hash of a line is that of its bytes, whatever they are.
                open.head.hash = if open.head.entries > end.head.entries { hash(&last) } else { end.head.hash };
                end = open;
            } else {
                open.head.entries += 1;
                open.last = text.len() as u64;
                last.clear();
                last.extend_from_slice(text);
            }
        }
    }
}

fn hash(line: &[u8]) -> LineHash {
    use sha2::{Digest as _, Sha256};
    LineHash(Sha256::digest(line).into())
}

/// A file read from a place on, without a position that others share.
pub(super) struct Tail<'f> {
    pub(super) file: &'f File,
    pub(super) at: u64,
}

impl std::io::Read for Tail<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.file.read_at(buffer, self.at)?;
        self.at += length as u64;
        Ok(length)
    }
}
