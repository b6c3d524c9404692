//! The ledger as a move needs it.

use std::sync::Arc;

use lineclear_event::Evidence;
use lineclear_gate::Index;
use lineclear_ledger::LedgerOf;

/// Where moves are written down. Appending is durable when it returns, and two who append at once both come in, one after the other.
pub trait Book {
    /// All entries until now.
    ///
    /// # Errors
    /// When the ledger cannot be read, or is not what was written.
    fn index(&self) -> Result<Arc<Index>, BookError>;

    /// Appends entries that follow one another; gives the number of the first.
    ///
    /// # Errors
    /// When nothing was appended.
    fn append(&self, evidence: Vec<Evidence>) -> Result<u64, BookError>;
}

/// Why the ledger could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the ledger cannot be used")]
pub struct BookError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

impl BookError {
    pub fn new(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(error.into())
    }
}

impl Book for LedgerOf {
    fn index(&self) -> Result<Arc<Index>, BookError> {
        self.index().map_err(BookError::new)
    }

    fn append(&self, evidence: Vec<Evidence>) -> Result<u64, BookError> {
        let numbers = self.append(evidence).map_err(BookError::new)?;
        numbers.first().copied().ok_or_else(|| BookError::new("nothing was to be appended"))
    }
}
