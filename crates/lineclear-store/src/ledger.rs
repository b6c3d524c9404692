//! Ledgers: lists of lines that only grow, one list a repository.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use crate::StoreError;

/// Keeps ledgers. A line is opaque here but for the rule that each one names the line before it by its hash, which whoever writes it
/// sees to; so two who append at once cannot both succeed.
///
/// Nothing is ever changed or removed; there is no call for it. A kill in the middle of an append leaves all of its lines or none.
pub trait Ledgers: Send + Sync + fmt::Debug {
    /// Where the ledger of `repository` (`owner/name`) stands; an empty one begins with [`LedgerHead::default`].
    fn ledger_head(&self, repository: &str) -> Result<LedgerHead, StoreError>;

    /// Appends `lines`, each without its newline, if the ledger still ends with `expected`. They are on the disk when this returns.
    ///
    /// # Errors
    /// [`AppendError::Moved`] when someone else has appended meanwhile: read what is new and try again.
    fn append(&self, repository: &str, expected: &LedgerHead, lines: &[String]) -> Result<LedgerHead, AppendError>;

    /// Gives the lines from number `from` on (counted from zero), in order, until `each` says `false`.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] with the number of the first line that cannot be read, after all before it were given.
    fn ledger_lines(
        &self,
        repository: &str,
        from: u64,
        each: &mut dyn FnMut(u64, &str) -> bool,
    ) -> Result<(), StoreError>;

    /// The repositories that have a ledger.
    fn ledgers(&self) -> Result<Vec<String>, StoreError>;
}

/// The end of a ledger.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct LedgerHead {
    /// How many lines there are.
    pub entries: u64,
    /// The hash of the last one; all zero for an empty ledger.
    pub hash: LineHash,
}

/// SHA-256 of a line without its newline.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct LineHash(pub [u8; 32]);

/// A text that is no [`LedgerHead`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the head of a ledger: a number of entries, `:`, and 64 hexadecimal digits")]
pub struct NoHead(pub String);

/// Why nothing was appended.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    #[error("the ledger has grown to {0} meanwhile")]
    Moved(LedgerHead),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whether `lines` can be kept as lines: none is empty, none has an end of line inside.
///
/// # Errors
/// [`StoreError::Refused`] for one that cannot.
pub fn check_ledger_lines(lines: &[String]) -> Result<(), StoreError> {
    if lines.iter().any(|line| line.is_empty() || line.contains(['\n', '\r'])) {
        return Err(StoreError::Refused("a line of a ledger is one line, and not empty".into()));
    }
    Ok(())
}

impl LineHash {
    /// The hash of `line`, which is without its newline.
    pub fn of(line: &str) -> Self {
        Self(Sha256::digest(line.as_bytes()).into())
    }

    /// Reads 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if text.len() != 64 {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let digits = std::str::from_utf8(pair).ok().filter(|pair| pair.bytes().all(|b| b.is_ascii_hexdigit()))?;
            *byte = u8::from_str_radix(digits, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl LedgerHead {
    /// The head after `lines` more.
    #[must_use]
    pub fn after(self, lines: &[String]) -> Self {
        let hash = lines.last().map_or(self.hash, |line| LineHash::of(line));
        Self { entries: self.entries.saturating_add(lines.len() as u64), hash }
    }
}

impl FromStr for LedgerHead {
    type Err = NoHead;

    /// Reads what [`fmt::Display`] writes.
    fn from_str(text: &str) -> Result<Self, NoHead> {
        let parsed = text.split_once(':').and_then(|(entries, hash)| {
            let entries = Some(entries).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()?;
            // Nothing is before the first entry, so an empty ledger has one head alone.
            let head = Self { entries, hash: LineHash::parse(hash)? };
            (entries > 0 || head == Self::default()).then_some(head)
        });
        parsed.ok_or_else(|| NoHead(text.chars().take(100).collect()))
    }
}

impl fmt::Display for LineHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for LineHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for LedgerHead {
    /// `12:5f3a…`: what is written down to be compared later.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.entries, self.hash)
    }
}

impl fmt::Debug for LedgerHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
