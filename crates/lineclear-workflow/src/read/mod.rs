//! From the YAML tree to the model, one file for each part of the language.
//!
//! Every function takes a node and returns what it understood of it; what is wrong goes to the [`Reader`] on the way, so
//! reading never stops at the first fault. The keys that each mapping may have are tables in [`keys`], the events in
//! [`event`]. Start reading at [`workflow`] and [`action`].

mod action;
mod container;
mod event;
mod expression;
mod graph;
mod input;
mod job;
mod keys;
mod mapping;
mod matrix;
mod permission;
mod reference;
mod scalar;
mod step;
mod trigger;
mod workflow;

#[cfg(test)]
mod tests;

use lineclear_source::{Diagnostic, Source, Span};
use lineclear_yaml::{Limits, Node};

use crate::{Action, Read, Workflow};

pub use reference::ReferenceError;

/// Gathers what is wrong while a file is read.
#[derive(Debug, Default)]
struct Reader {
    diagnostics: Vec<Diagnostic>,
}

impl Reader {
    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>) {
        self.report(Diagnostic::error(code, message).at(span));
    }

    fn warning(&mut self, code: &'static str, span: Span, message: impl Into<String>) {
        self.report(Diagnostic::warning(code, message).at(span));
    }

    /// All findings in the order of the text. An alias leads to the same place twice, which is worth saying once.
    fn finish(mut self) -> Vec<Diagnostic> {
        let place = |diagnostic: &Diagnostic| diagnostic.span.map_or((0, 0), |span| (span.start, span.end));
        self.diagnostics.sort_by_key(place);
        let mut seen = std::collections::HashSet::new();
        self.diagnostics.retain(|found| seen.insert((place(found), found.code.clone(), found.message.clone())));
        self.diagnostics
    }
}

impl Workflow {
    /// Reads a workflow file's text: all that could be understood, and everything that is wrong with it.
    pub fn read(source: &Source) -> Read<Self> {
        read(source, workflow::read)
    }
}

impl Action {
    /// Reads an `action.yml`: all that could be understood, and everything that is wrong with it.
    pub fn read(source: &Source) -> Read<Self> {
        read(source, action::read)
    }
}

fn read<T>(source: &Source, convert: impl FnOnce(&mut Reader, &Source, Option<&Node>) -> Option<T>) -> Read<T> {
    let parsed = lineclear_yaml::parse(source, &Limits::workflow());
    let mut reader = Reader { diagnostics: parsed.diagnostics };
    // Without a tree the YAML reader has said why; with a tree that is empty, nobody has yet.
    let model = parsed.tree.and_then(|tree| convert(&mut reader, source, tree.root.as_ref()));
    Read { model, diagnostics: reader.finish() }
}
