//! The engine.

use crate::{Effect, Input};

/// All runs of one repository, and how far each is.
#[derive(Debug, Default)]
pub struct Engine {}

/// The input cannot be a fact in this state, such as the end of a job that never started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

impl Engine {
    pub fn new() -> Self {
        Self::default()
    }

    /// One turn: what has to be done now that `input` is a fact.
    pub fn apply(&mut self, _input: &Input) -> Result<Vec<Effect>, Refused> {
        unimplemented!()
    }

    /// Whether any run is still going on.
    pub fn is_idle(&self) -> bool {
        unimplemented!()
    }
}
