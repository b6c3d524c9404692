//! The language server: what `check` finds, while a file is being written.
//!
//! [`serve`] answers an editor over one connection: diagnostics as one types, hover with types of expressions and what actions take,
//! completion of keys, values, jobs, contexts and inputs, go to where something is defined, and repairs as code actions.
//! Everything it knows comes from the checker and the models; it reads files through [`Files`](lineclear_check::Files), unsaved texts first.
//!
//! One message is answered after the other, in order. Start reading at [`serve`]; a document and what is known of it is in `document`.

#![warn(missing_docs)]

mod action;
mod completion;
mod cursor;
mod definition;
mod diagnostic;
mod document;
mod hover;
mod key_words;
mod place;
mod server;
mod symbol;
mod workspace;

pub use server::{ServeError, serve};
pub use workspace::OpenFiles;
