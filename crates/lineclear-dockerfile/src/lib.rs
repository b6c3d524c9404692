//! Dockerfiles as instructions with their places.
//!
//! [`Dockerfile::read`] gives the whole file as a typed model: directives, global arguments, and [`Stage`]s with their
//! [`Instruction`]s, together with everything that is wrong. [`Scope`] holds what `ARG` and `ENV` have set at a place, and
//! [`expand`] puts it into a word. Joined lines, here-documents and quotes all lead back to the file through [`Text::span_of`].
//! This crate builds nothing and runs nothing; a builder and a checker read the same model.

#![warn(missing_docs)]

mod exec_form;
mod expand;
mod lines;
mod model;
mod read;
mod scope;
mod text;

pub use exec_form::{ExecForm, JsonFault, looks_like_exec_form};
pub use expand::{ExpandFault, Variable, expand, variables};
pub use model::{
    Argument, Base, CommandLine, Directive, Dockerfile, Flag, From, Healthcheck, HereDocument, Instruction,
    InstructionKind, Mount, Pair, Run, Stage, Transfer, Word,
};
pub use read::{CODE, KEYWORDS};
pub use scope::Scope;
pub use text::Text;
