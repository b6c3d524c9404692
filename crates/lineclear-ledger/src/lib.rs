//! The ledger of a repository as others use it.
//!
//! [`LedgerOf`] appends evidence, gives what was stated as an [`Index`](lineclear_gate::Index), verifies the chain and exports it. It reads nothing
//! until something is asked: to append takes the last line alone. [`verify_lines`] does for a file what [`LedgerOf::verify`] does for the
//! store, on any machine.
//!
//! What a line is and what holds the lines together is said in `lineclear-gate`; where they lie, in the forms of `lineclear_store::Ledgers`.

mod append;
mod error;
mod export;
mod ledger;
mod verify;

pub use error::LedgerError;
pub use export::Exported;
pub use ledger::LedgerOf;
pub use verify::{Verified, VerifyError, verify_lines};
