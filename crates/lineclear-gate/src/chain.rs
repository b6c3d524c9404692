//! What holds the lines of a ledger together.

use lineclear_event::Evidence;
use sha2::{Digest as _, Sha256};

use crate::Entry;

/// The end of a ledger as it is written or read: how many lines, and the hash of the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    pub entries: u64,
    pub hash: [u8; 32],
}

/// The first place where a ledger is not what was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The line after it names another hash than it has.
    #[error("entry {number} was changed after it was written")]
    Changed { number: u64 },
    #[error("entry {number} is missing: {found} stands in its place")]
    Missing { number: u64, found: u64 },
    #[error("entry {number} is no entry: {why}")]
    Unreadable { number: u64, why: String },
    /// All lines are linked, but the end is not the one that was noted.
    #[error("the ledger ends after {found} entries, and {expected} were noted: the last ones were removed")]
    Shortened { expected: u64, found: u64 },
}

impl Chain {
    /// The line for the next piece of evidence, without newline; the chain then ends with it.
    pub fn link(&mut self, evidence: &Evidence) -> String {
        let rest = serde_json::to_string(evidence).unwrap_or_default();
        let rest = rest.strip_prefix('{').unwrap_or(&rest);
        let line = format!("{{\"previous\":\"{}\",\"number\":{},{rest}", hexadecimal(&self.hash), self.entries);
        self.hash = Sha256::digest(line.as_bytes()).into();
        self.entries += 1;
        line
    }

    /// Reads the line that stands after those before, without its newline, if it is the one that belongs there; the chain then ends with it.
    ///
    /// # Errors
    /// What was changed, removed or put elsewhere: that the last line was changed is seen only by the one after it.
    pub fn follow(&mut self, line: &str) -> Result<Entry, Broken> {
        let number = self.entries;
        let entry =
            Entry::read(number, line).map_err(|error| Broken::Unreadable { number, why: error.source.to_string() })?;
        if entry.number != number {
            return Err(Broken::Missing { number, found: entry.number });
        }
        if entry.previous != hexadecimal(&self.hash) {
            return Err(Broken::Changed { number: number.saturating_sub(1) });
        }
        self.hash = Sha256::digest(line.as_bytes()).into();
        self.entries += 1;
        Ok(entry)
    }
}

fn hexadecimal(hash: &[u8; 32]) -> String {
    use std::fmt::Write as _;
    hash.iter().fold(String::with_capacity(64), |mut text, byte| {
        // A text takes whatever is written.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
