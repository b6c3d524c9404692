//! A shell script taken apart, to be looked at: commands, words, pipelines, redirections and expansions with their places.
//!
//! [`Script::read`] never fails: what cannot be understood is left out, and what follows is read again from the next line.
//! `${{ … }}` counts as one opaque piece of a word. This crate runs nothing and expands nothing.

#![warn(missing_docs)]

mod script;

pub use script::{Assignment, Command, Connector, Language, Part, Quoting, Redirect, RedirectKind, Script, Word};
