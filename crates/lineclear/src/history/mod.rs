//! Looking back: which runs there are, what happened in one, and what was decided on the way.
//!
//! [`History`] is the store with the repository that is looked at, and finds the run that a person means ([`Selector`]).
//! [`RunView`] is one run read from its events; [`decisions`] decides again on its recorded inputs; [`places`] finds jobs and
//! steps in the recorded texts of the workflows. Everything here reads; what is printed is made in `command/history/`.

pub(crate) mod caching;
pub(crate) mod commits;
pub(crate) mod decisions;
pub(crate) mod durations;
mod error;
pub(crate) mod places;
mod scope;
mod selector;
mod siblings;
mod status;
pub(crate) mod table;
pub(crate) mod terminal;
pub(crate) mod tests_of_runs;
mod view;
pub(crate) mod words;

pub(crate) use error::HistoryError;
pub(crate) use scope::{History, Scope};

pub(crate) use selector::{Selector, is_of};
pub(crate) use status::{Status, StatusFilter};
pub(crate) use view::{JobView, RunView, StepView};
