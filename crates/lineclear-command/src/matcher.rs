//! Problem matchers: regular expressions that find errors and warnings in ordinary output.

use crate::Note;

/// The matchers that are on in a job.
#[derive(Debug, Default)]
pub struct Matchers {}

/// Why a matcher file is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MatcherError(pub String);

impl Matchers {
    /// Turns on the matchers of a file; one whose owner is on already is replaced.
    pub fn add(&mut self, _json: &str) -> Result<(), MatcherError> {
        unimplemented!()
    }

    /// Turns off the matchers of an owner.
    pub fn remove(&mut self, _owner: &str) {
        unimplemented!()
    }

    /// The owners that a matcher file names.
    pub fn owners(_json: &str) -> Result<Vec<String>, MatcherError> {
        unimplemented!()
    }

    pub fn is_empty(&self) -> bool {
        unimplemented!()
    }

    /// What the matchers see in one more line, colours already removed.
    pub fn see(&mut self, _line: &str) -> Option<Note> {
        unimplemented!()
    }
}
