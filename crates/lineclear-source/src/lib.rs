//! Source text, spans and diagnostics: the ground that every reader of text stands on.
//!
//! A [`Source`] is one file's text with a name; a [`Span`] is a byte range in it; a [`Diagnostic`] says what is wrong
//! there, what was expected and what to do. Diagnostics are values: [`render`] turns one into the text a person reads.
//! This crate opens no file and knows nothing of YAML, expressions or workflows.

#![warn(missing_docs)]

mod diagnostic;
mod excerpt;
mod position;
mod record;
mod render;
mod shorten;
mod style;
mod suggest;

pub use diagnostic::{Diagnostic, Label, Severity};
pub use position::{Position, Source, Span, Spanned};
pub use record::DiagnosticRecord;
pub use render::render;
pub use shorten::{clipped, shortened};
pub use style::Style;
pub use suggest::suggest;
