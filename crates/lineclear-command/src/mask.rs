//! Masks.

use std::borrow::Cow;
use std::sync::{Arc, RwLock};

/// Hides secrets, in clear and in their usual encodings, as `***`.
#[derive(Clone, Default)]
pub struct Masker {}

impl std::fmt::Debug for Masker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Masker(***)")
    }
}

impl Masker {
    /// Hides `secret` from now on: the whole, each of its lines, and their encodings. Empty values are ignored.
    pub fn add(&mut self, _secret: &str) {
        unimplemented!()
    }

    pub fn mask<'a>(&self, _text: &'a str) -> Cow<'a, str> {
        unimplemented!()
    }
}

/// The masker of one job: every part that prints reads it, `add-mask` writes it.
#[derive(Clone, Debug, Default)]
pub struct SharedMasker(Arc<RwLock<Masker>>);

impl SharedMasker {
    pub fn add(&self, _secret: &str) {
        unimplemented!()
    }

    pub fn mask<'a>(&self, _text: &'a str) -> Cow<'a, str> {
        unimplemented!()
    }
}
