//! Gates over the ledger of the repository that is worked in: its policy, its commits, and what people call them.

mod commits;
mod place;
mod produced;
pub(crate) mod subject;
#[cfg(test)]
mod supply;
pub(crate) mod words;

pub(crate) use commits::GitCommits;
pub(crate) use place::{Fault, Place, note_unread_keys, rules, rules_of, unusable_home};
pub(crate) use produced::tell_of_unproduced;
