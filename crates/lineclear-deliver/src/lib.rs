//! Moves of images: through a clear gate, by digest, whole or not at all.
//!
//! ```text
//! Mover::guard ──► Cleared ──► Mover::settle ──► Mover::carry
//!  the gate, recorded           what a killed      the life of a move: `lineclear_gate::Move`
//!  blocked: nothing is called   move left behind
//! ```
//!
//! [`Mover`] asks the gate first, before anybody logs in anywhere, and writes down what it said. Only a [`Cleared`] order can be carried out.
//! Every step of it is in the ledger before it is taken, with every tag and what it stood for, so whoever comes after a kill
//! knows what was begun: [`Mover::settle`] finishes it, or puts the tags back. Nothing is built here and nothing is decided:
//! the gate decides, `lineclear-gate` orders the tags, and a registry is believed only what it says when it is asked again.
//!
//! - [`Order`] is what is to be moved; [`candidates`] finds what a commit's runs have built.
//! - [`Book`] and [`Shelf`] are the ports: the ledger, and the release repository. [`RegistryShelf`] is the one over a registry's client.
//! - [`Turn`] keeps two moves of one repository from happening at once.
//! - [`Lookup`] answers which digest, commit, run and tag belong together.
//! - [`signing`] signs what lies in a registry and verifies what others have signed; [`Proofs`] is what a move verifies again.

mod book;
mod candidate;
mod carry;
mod error;
pub mod inventory;
mod lookup;
mod order;
mod parts;
mod registry_shelf;
mod settle;
mod shelf;
pub mod signing;
mod turn;

pub use book::{Book, BookError};
pub use candidate::{Candidate, candidates, commit_of, shown_before};
pub use carry::{Cleared, Foreseen, Moved, Mover, Step};
pub use error::{MoveError, Refusal};
pub use lookup::{Known, Lookup, TagOf};
pub use order::Order;
pub use registry_shelf::RegistryShelf;
pub use settle::Settled;
pub use shelf::{Carried, Shelf, ShelfError};
pub use signing::Proofs;
pub use turn::{Turn, TurnError};
