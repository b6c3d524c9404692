//! Appending to a ledger.

use std::sync::Arc;

use lineclear_event::{Evidence, Timestamp};
use lineclear_gate::{Chain, Entry};
use lineclear_store::{AppendError, LedgerHead, LineHash};

use crate::LedgerError;
use crate::LedgerOf;
use crate::verify::broken_end;

/// Whoever is turned away has seen another one succeed, so this many in a row need as many others.
const MOST_TRIES: u32 = 10_000;

impl LedgerOf {
    /// Appends `evidence` in this order, all of it or nothing; answers the numbers of its entries. It is on the disk when this returns.
    ///
    /// A time before that of the last entry becomes that one, so that times never go back, whatever the clock does.
    ///
    /// # Errors
    /// [`LedgerError::Store`] when it cannot be written, [`LedgerError::Broken`] when the last entry is not what was written.
    pub fn append(&self, evidence: Vec<Evidence>) -> Result<Vec<u64>, LedgerError> {
        self.append_with(|_| evidence.clone())
    }

    /// [`LedgerOf::append`] of what `evidence` makes of the number that its first entry will have. It is asked again when another one
    /// has appended meanwhile.
    ///
    /// # Errors
    /// As [`LedgerOf::append`].
    pub fn append_with(&self, evidence: impl Fn(u64) -> Vec<Evidence>) -> Result<Vec<u64>, LedgerError> {
        let mut head = self.head()?;
        for _ in 0..MOST_TRIES {
            let last = self.last_time(&head)?;
            let mut chain = Chain { entries: head.entries, hash: head.hash.0 };
            let mut lines = Vec::new();
            let mut at = last;
            for mut one in evidence(head.entries) {
                one.at = one.at.max(at);
                at = one.at;
                lines.push(chain.link(&one));
            }
            match self.store.append(&self.repository, &head, &lines) {
                Ok(new) => {
                    self.take_in(&head, &lines);
                    return Ok((head.entries..new.entries).collect());
                }
                Err(AppendError::Moved(moved)) => head = moved,
                Err(AppendError::Store(source)) => return Err(self.fault(source)),
            }
        }
        Err(LedgerError::Busy { repository: self.repository.clone(), tries: MOST_TRIES })
    }

    /// The time of the last entry.
    fn last_time(&self, head: &LedgerHead) -> Result<Timestamp, LedgerError> {
        let Some(number) = head.entries.checked_sub(1) else { return Ok(Timestamp(i64::MIN)) };
        let mut found = None;
        let read = self.store.ledger_lines(&self.repository, number, &mut |_, line| {
            found = Some((LineHash::of(line), Entry::read(number, line)));
            false
        });
        read.map_err(|source| self.fault(source))?;
        match found {
            Some((hash, Ok(entry))) if hash == head.hash && entry.number == number => Ok(entry.evidence.at),
            _ => Err(self.broken(broken_end(number))),
        }
    }

    /// Keeps the index up to date, if it is: otherwise the next one who asks reads what is new.
    fn take_in(&self, head: &LedgerHead, lines: &[String]) {
        let mut known = self.known();
        let known = &mut *known;
        // An index that nobody has asked for is not begun, and one that someone holds is not copied for this.
        let begun = known.chain.entries > 0 && known.chain == (Chain { entries: head.entries, hash: head.hash.0 });
        let Some(index) = Arc::get_mut(&mut known.index).filter(|_| begun) else { return };
        for line in lines {
            let Ok(entry) = known.chain.follow(line) else { return };
            index.add(entry);
        }
    }
}
