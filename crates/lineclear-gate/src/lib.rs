//! What has to be proven before something moves.
//!
//! [`Entry`] is a line of the ledger and [`Chain`] what holds the lines together. [`Index`] is what the ledger says, by subject. [`Rules`] are
//! those of one gate, made from the policy. [`decide`] takes these, the order of commits ([`Commits`]) and the time, and gives a [`Decision`]: clear or
//! blocked, with every requirement, the evidence it rests on, and what would supply what is missing. Nothing else lets something move.
//!
//! Everything here is pure: the same ledger, rules, commits and time give the same decision, so a decision can be replayed.

mod chain;
mod commits;
mod conclusions;
mod decide;
mod decision;
mod entry;
mod index;
mod moves;
mod names;
mod replay;
mod rules;
mod tags;

pub use chain::{Broken, Chain, verify};
pub use commits::{Commits, NoCommits};
pub use conclusions::{Counts, counts_as};
pub use decide::{Asked, OWN_BYTES, decide};
pub use decision::{Decision, Finding, Requirement, Standing};
pub use entry::{Entry, EntryError};
pub use index::{FirstShown, Index, Origin};
pub use moves::{Effect, Happened, Move, Next, OutOfTurn, what_next};
pub use replay::{ReplayError, replay};
pub use rules::{CoverageRule, RequiredCheck, Rules, ScanRule, SkippedCounts};
pub use tags::{Held, Keeps, Named, Naming, NamingError, Target, WantedTag, plan_tags};
