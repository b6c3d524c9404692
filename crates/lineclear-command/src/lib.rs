//! What steps say to their runner: workflow commands on their output, command files, problem matchers; and the masks that
//! keep secrets out of everything they say.
//!
//! [`Interpreter`] takes a step's raw output in pieces of any size and gives masked lines and what was [`Said`].
//! [`parse_pairs`] and [`parse_paths`] read the command files. [`Masker`] hides secrets in all their encodings.
//! This crate opens no file and applies nothing: what a command changes is the runner's part.

mod annotation;
mod command;
mod encoding;
mod file_command;
mod interpreter;
mod mask;
mod matcher;

pub use annotation::{Note, NoteOrigin, log_prefix};
pub use command::{Command, escape_data, escape_property};
pub use file_command::{FileCommandError, parse_pairs, parse_paths};
pub use interpreter::{Ear, Interpreter, InterpreterSettings, Said};
pub use mask::{Masker, SharedMasker};
pub use matcher::{MatcherError, Matchers};
