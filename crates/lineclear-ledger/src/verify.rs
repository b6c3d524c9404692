//! Whether a ledger is what was written.

use std::cmp::Ordering;
use std::io::{self, BufRead};

use lineclear_gate::{Broken, Chain};
use lineclear_store::{LedgerHead, LineHash, StoreError};

use crate::export::Trailer;
use crate::{LedgerError, LedgerOf};

/// A ledger whose lines are linked as they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Where it ends.
    pub head: LedgerHead,
    /// Whose it is, if the file says so.
    pub repository: Option<String>,
    /// Whether its end was held against a head that was noted: without one, nobody can say whether the last entries are missing or changed.
    pub end_is_known: bool,
}

/// Why a file is not the ledger that was written.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error(transparent)]
    Broken(#[from] Broken),
    /// Whoever wrote it failed before the first line.
    #[error("there is no ledger in it: not one line")]
    Nothing,
    /// Every line follows the one before it, and the line with the head that ends an export is not there.
    #[error(
        "it was cut off after {entries} {}: an export ends with a line that has its head, and this one does not; export it again",
        if *entries == 1 { "entry" } else { "entries" }
    )]
    CutOff { entries: u64 },
    #[error("the ledger cannot be read")]
    Read(#[from] io::Error),
}

impl LedgerOf {
    /// Reads every line and holds it against the chain, and the end against `noted`, if that is given: an earlier head has to be on the way.
    ///
    /// # Errors
    /// [`LedgerError::Broken`] names the first entry that was changed, removed or put elsewhere.
    pub fn verify(&self, noted: Option<&LedgerHead>) -> Result<Verified, LedgerError> {
        let mut check = Check::new(noted);
        let mut broken = None;
        let read = self.store.ledger_lines(&self.repository, 0, &mut |_, line| {
            broken = check.line(line).err();
            broken.is_none()
        });
        if let Some(broken) = broken {
            return Err(self.broken(broken));
        }
        match read {
            Ok(()) => {}
            // All lines before are as they were: the end is what the store has another note of.
            Err(source @ StoreError::Damaged { .. }) => {
                check.end().map_err(|broken| self.broken(broken))?;
                return Err(self.fault(source));
            }
            Err(source) => return Err(self.fault(source)),
        }
        let mut verified = check.end().map_err(|broken| self.broken(broken))?;
        verified.repository = Some(self.repository.clone());
        Ok(verified)
    }
}

/// [`LedgerOf::verify`] for an exported ledger, or a copy of the store's file, which is told by its empty lines: an export has none.
///
/// # Errors
/// [`VerifyError::Broken`] names the first entry that was changed, removed or put elsewhere. An export without its last line is
/// [`VerifyError::CutOff`], unless it ends where `noted` says.
pub fn verify_lines(mut from: impl BufRead, noted: Option<&LedgerHead>) -> Result<Verified, VerifyError> {
    let mut check = Check::new(noted);
    let mut trailer: Option<Trailer> = None;
    let mut is_of_store = false;
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line)? > 0 {
        let text = std::str::from_utf8(&line).map(|text| text.trim_end_matches(['\n', '\r']));
        match (text, &trailer) {
            (Ok(""), _) => is_of_store = true,
            (Ok(text), None) => match Trailer::read(text) {
                Some(found) => trailer = Some(found),
                None => check.line(text)?,
            },
            (Ok(_), Some(_)) => {
                let why = "it stands after the end of the export".to_owned();
                return Err(Broken::Unreadable { number: check.chain.entries, why }.into());
            }
            (Err(error), _) => {
                let number = check.chain.entries;
                return Err(Broken::Unreadable { number, why: error.to_string() }.into());
            }
        }
        line.clear();
    }
    if trailer.is_none() && check.chain.entries == 0 {
        return Err(VerifyError::Nothing);
    }
    let mut verified = check.end()?;
    if trailer.is_none() && !is_of_store && !verified.end_is_known {
        return Err(VerifyError::CutOff { entries: verified.head.entries });
    }
    if let Some(trailer) = trailer {
        let own = verified.head;
        let (expected, found) = (trailer.head.entries, own.entries);
        match expected.cmp(&found) {
            Ordering::Greater => return Err(Broken::Shortened { expected, found }.into()),
            Ordering::Less => return Err(Broken::OtherEnd { expected, found }.into()),
            Ordering::Equal => {}
        }
        if trailer.head != own {
            return Err(broken_end(own.entries.saturating_sub(1)).into());
        }
        verified.repository = Some(trailer.ledger);
        verified.end_is_known = true;
    }
    Ok(verified)
}

/// That the last line is not what its hash says.
pub(crate) fn broken_end(number: u64) -> Broken {
    Broken::Changed { number }
}

/// A verification that is going on.
struct Check<'n> {
    chain: Chain,
    noted: Option<&'n LedgerHead>,
}

impl<'n> Check<'n> {
    fn new(noted: Option<&'n LedgerHead>) -> Self {
        Self { chain: Chain::default(), noted }
    }

    fn line(&mut self, line: &str) -> Result<(), Broken> {
        self.chain.follow(line)?;
        let passed = self.noted.filter(|noted| noted.entries == self.chain.entries);
        match passed {
            Some(noted) if noted.hash != LineHash(self.chain.hash) => Err(broken_end(self.chain.entries - 1)),
            _ => Ok(()),
        }
    }

    fn end(&self) -> Result<Verified, Broken> {
        let found = self.chain.entries;
        match self.noted {
            Some(noted) if noted.entries > found => Err(Broken::Shortened { expected: noted.entries, found }),
            noted => Ok(Verified {
                head: LedgerHead { entries: found, hash: LineHash(self.chain.hash) },
                repository: None,
                end_is_known: noted.is_some_and(|noted| noted.entries == found),
            }),
        }
    }
}
