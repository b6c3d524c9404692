//! A shell script taken apart, to be looked at: commands, words, pipelines, redirections and expansions with their places.
//!
//! [`Script::read`] never fails: what cannot be understood is left out, and what follows is read again from the next command.
//! `${{ … }}` counts as one opaque piece of a word. Reading takes time in proportion to the text, whatever it holds.
//! This crate runs nothing and expands nothing. Start reading at [`Script`].

#![warn(missing_docs)]

mod cmd;
mod posix;
mod power_shell;
mod program;
mod script;
mod text;
mod word;

pub use script::{
    Assignment, Command, Connector, Group, GroupKind, Language, Part, Quoting, Redirect, RedirectKind, Script, Word,
};
pub use text::expressions;
