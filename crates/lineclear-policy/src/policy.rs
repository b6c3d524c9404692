//! The file as a whole.

use lineclear_source::{Diagnostic, Source};

/// `lineclear.toml`.
#[derive(Clone, Debug, Default)]
pub struct Policy {}

impl Policy {
    /// Reads the file's text: all that could be understood, and everything that is wrong with it.
    pub fn read(_source: &Source) -> (Self, Vec<Diagnostic>) {
        (Self::default(), Vec::new())
    }
}
