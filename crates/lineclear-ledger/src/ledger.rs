//! One repository's ledger.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lineclear_gate::{Chain, Index};
use lineclear_store::{LedgerHead, Ledgers, StoreError};

use crate::LedgerError;
use crate::verify::broken_end;

/// The ledger of one repository. Any number of them may be open for the same one, in any number of processes.
pub struct LedgerOf {
    pub(crate) store: Arc<dyn Ledgers>,
    pub(crate) repository: String,
    known: Mutex<Known>,
}

/// What was read, and where that ended.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) index: Arc<Index>,
    pub(crate) chain: Chain,
}

impl fmt::Debug for LedgerOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LedgerOf").field("repository", &self.repository).finish_non_exhaustive()
    }
}

impl LedgerOf {
    /// The ledger of `repository` (`owner/name`) in `store`. Nothing is read yet.
    pub fn open(store: Arc<dyn Ledgers>, repository: impl Into<String>) -> Self {
        Self { store, repository: repository.into(), known: Mutex::default() }
    }

    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// Where it stands now.
    ///
    /// # Errors
    /// When the store cannot say, or its end was cut off.
    pub fn head(&self) -> Result<LedgerHead, LedgerError> {
        self.store.ledger_head(&self.repository).map_err(|source| self.fault(source))
    }

    /// All that is stated, now. The first call reads the ledger; each one after it reads what is new. Every line is held against the chain.
    ///
    /// # Errors
    /// [`LedgerError::Broken`] when a line is not what was written.
    pub fn index(&self) -> Result<Arc<Index>, LedgerError> {
        let mut known = self.known();
        let mut broken = None;
        let Known { index, chain } = &mut *known;
        let read = self.store.ledger_lines(&self.repository, chain.entries, &mut |_, line| match chain.follow(line) {
            Ok(entry) => {
                // Nobody holds it while it is filled for the first time; whoever holds an older one keeps that.
                Arc::make_mut(index).add(entry);
                true
            }
            Err(found) => {
                broken = Some(found);
                false
            }
        });
        if let Some(found) = broken {
            return Err(self.broken(found));
        }
        read.map_err(|source| self.fault(source))?;
        let head = self.head()?;
        if head.entries < chain.entries {
            return Err(self.broken(lineclear_gate::Broken::Shortened { expected: chain.entries, found: head.entries }));
        }
        // It is as long as it was, and ends with something else: it was written anew.
        if head.entries == chain.entries && head.hash.0 != chain.hash {
            return Err(self.broken(broken_end(chain.entries.saturating_sub(1))));
        }
        Ok(Arc::clone(index))
    }

    pub(crate) fn known(&self) -> MutexGuard<'_, Known> {
        // A panic while it was filled leaves lines that were read, and the place after them.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn fault(&self, source: StoreError) -> LedgerError {
        LedgerError::Store { repository: self.repository.clone(), source }
    }

    pub(crate) fn broken(&self, source: lineclear_gate::Broken) -> LedgerError {
        LedgerError::Broken { repository: self.repository.clone(), source }
    }
}
