//! The file as a whole.

use lineclear_source::{Diagnostic, Source};

/// A Dockerfile.
#[derive(Clone, Debug)]
pub struct Dockerfile {
    /// The file.
    pub source: Source,
}

impl Dockerfile {
    /// Reads the file's text: all that could be understood, and everything that is wrong with it.
    pub fn read(source: &Source) -> (Self, Vec<Diagnostic>) {
        (Self { source: source.clone() }, Vec::new())
    }
}
