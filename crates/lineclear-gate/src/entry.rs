//! A line of the ledger.

use lineclear_event::Evidence;
use serde::{Deserialize, Serialize};

/// One piece of evidence in its place. Written as one line of JSON that begins with the hash of the line before it, so that anyone can
/// verify a ledger with `sha256sum`:
/// `{"previous":"5f3a…","number":12,"subject":…,"at":…,"by":…,"statement":…}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// SHA-256 of the line before, without its newline, in hexadecimal digits; 64 zeros in the first line.
    pub previous: String,
    /// Its place, counted from zero.
    pub number: u64,
    #[serde(flatten)]
    pub evidence: Evidence,
}

/// A line that is no entry.
#[derive(Debug, thiserror::Error)]
#[error("line {} of the ledger is no entry", number + 1)]
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
