//! Before a run: which secrets and variables the jobs use, and which of them are not set.
//!
//! [`uses`] walks the workflows' expression trees, through calls of reusable workflows; [`Standing`] says of each use where
//! its value comes from. `run` and `plan` report what is missing ([`missing`]), `secret audit` shows all of it.

mod check;
mod known_values;
mod missing;
mod reference;
mod standing;
mod texts;
mod uses;

pub(crate) use check::check;
pub(crate) use known_values::{KnownValues, Named};
pub(crate) use missing::{Lack, lacking, lines};
pub(crate) use standing::{Given, Standing};
pub(crate) use uses::{Use, Walk, of_workflow};

/// What comes of a value that is not set where nobody minds.
pub(crate) const EMPTY: &str = " and will be empty, as on GitHub (--require-secrets makes this an error)";
