//! Checking files of this machine: which there are, what lies around them, and all of them at once on all cores.

mod discover;
mod files;
mod tools;
mod work;

pub(crate) use discover::{Input, Named, discover};
pub(crate) use files::Around;
pub(crate) use work::{Outcome, Work, decode};
