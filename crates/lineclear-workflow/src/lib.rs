//! Workflows and actions as a typed model with spans.
//!
//! [`Workflow::read`] and [`Action::read`] turn a file's text into the model and report *everything* that is wrong with it.
//! There is one model: the planner, the engine, the runner and the checker read the same values, so they cannot disagree
//! about what a file says. A part that could not be understood is missing from the model and has an error diagnostic.
//!
//! [`Cron`] and [`PatternSet`] are the two small languages inside of `on:`, with what they mean.
//! This crate opens no file, evaluates no expression and knows no event that really happened.

mod check_names;
pub mod code;
mod cron;
mod model;
mod pattern;
mod read;
mod walk;

pub use check_names::{Called, CheckName, ProducedCheck, produced_checks};
pub use code::{CODES, Code};
pub use cron::{CivilMinute, Cron, CronError};
pub use model::*;
pub use pattern::{FilterPattern, Names, PatternError, PatternErrorKind, PatternSet};
pub use read::{ReferenceError, keys_at, values_at};
pub use walk::{Key, Place, Written, walk_action, walk_workflow};
