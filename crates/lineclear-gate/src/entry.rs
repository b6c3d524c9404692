//! A line of the ledger.

use lineclear_event::{Evidence, Statement, Subject, Timestamp, Witness};
use serde::{Deserialize, Serialize};

/// One piece of evidence in its place. Written as one line of JSON that begins with the hash of the line before it, so that anyone can
/// verify a ledger with `sha256sum`:
/// `{"previous":"5f3a…","number":12,"subject":…,"at":…,"by":…,"statement":…}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Line", into = "Line")]
pub struct Entry {
    /// SHA-256 of the line before, without its newline, in hexadecimal digits; 64 zeros in the first line.
    pub previous: String,
    /// Its place, counted from zero.
    pub number: u64,
    pub evidence: Evidence,
}

/// An entry as it is written: everything at one level. (`serde(flatten)` would read every line twice.)
#[derive(Serialize, Deserialize)]
struct Line {
    previous: String,
    number: u64,
    subject: Subject,
    at: Timestamp,
    by: Witness,
    statement: Statement,
}

impl From<Line> for Entry {
    fn from(line: Line) -> Self {
        let Line { previous, number, subject, at, by, statement } = line;
        Self { previous, number, evidence: Evidence { subject, at, by, statement } }
    }
}

impl From<Entry> for Line {
    fn from(entry: Entry) -> Self {
        let Entry { previous, number, evidence: Evidence { subject, at, by, statement } } = entry;
        Self { previous, number, subject, at, by, statement }
    }
}

/// A line that is no entry.
#[derive(Debug, thiserror::Error)]
#[error("line {} of the ledger is no entry", number.saturating_add(1))]
pub struct EntryError {
    /// Counted from zero.
    pub number: u64,
    pub source: serde_json::Error,
}

impl Entry {
    /// Reads the line `number`, counted from zero.
    ///
    /// # Errors
    /// For a line that is not JSON, or has another form.
    pub fn read(number: u64, line: &str) -> Result<Self, EntryError> {
        serde_json::from_str(line).map_err(|source| EntryError { number, source })
    }
}
