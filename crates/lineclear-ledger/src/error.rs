//! What can go wrong with a ledger.

use std::io;

use lineclear_gate::Broken;
use lineclear_store::StoreError;

/// Why a ledger could not be read or written to.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error("cannot use the ledger of `{repository}`")]
    Store { repository: String, source: StoreError },
    /// It is not what was written: nothing rests on it any more.
    #[error(
        "the ledger of `{repository}` is not what was written, and nothing is taken from it; docs/ledger.md says what to do"
    )]
    Broken { repository: String, source: Broken },
    #[error("{tries} times others appended to the ledger of `{repository}` meanwhile; nothing was appended, try again")]
    Busy { repository: String, tries: u32 },
    #[error("cannot write the ledger out")]
    Write(#[source] io::Error),
}
