//! Ledgers in memory.

use super::MemoryStore;
use crate::{AppendError, LedgerHead, Ledgers, StoreError, check_ledger_lines};

impl Ledgers for MemoryStore {
    fn ledger_head(&self, repository: &str) -> Result<LedgerHead, StoreError> {
        Ok(self.kept().ledgers.get(repository).map_or_else(LedgerHead::default, |lines| head(lines)))
    }

    fn append(&self, repository: &str, expected: &LedgerHead, lines: &[String]) -> Result<LedgerHead, AppendError> {
        check_ledger_lines(lines)?;
        let mut kept = self.kept();
        let now = kept.ledgers.get(repository).map_or_else(LedgerHead::default, |lines| head(lines));
        if now != *expected {
            return Err(AppendError::Moved(now));
        }
        if !lines.is_empty() {
            kept.ledgers.entry(repository.to_owned()).or_default().extend_from_slice(lines);
        }
        Ok(now.after(lines))
    }

    fn ledger_lines(
        &self,
        repository: &str,
        from: u64,
        each: &mut dyn FnMut(u64, &str) -> bool,
    ) -> Result<(), StoreError> {
        // A copy, so that `each` may use the store.
        let lines = self.kept().ledgers.get(repository).cloned().unwrap_or_default();
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        lines.iter().enumerate().skip(from).all(|(number, line)| each(number as u64, line));
        Ok(())
    }

    fn ledgers(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.kept().ledgers.keys().cloned().collect())
    }
}

fn head(lines: &[String]) -> LedgerHead {
    LedgerHead::default().after(lines)
}
