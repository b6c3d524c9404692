//! The file as a whole.

use lineclear_source::{Diagnostic, Source};

/// A compose file.
#[derive(Clone, Debug)]
pub struct Compose {
    /// The file.
    pub source: Source,
}

impl Compose {
    /// Reads the file's text: all that could be understood, and everything that is wrong with it.
    pub fn read(source: &Source) -> (Option<Self>, Vec<Diagnostic>) {
        (Some(Self { source: source.clone() }), Vec::new())
    }
}
