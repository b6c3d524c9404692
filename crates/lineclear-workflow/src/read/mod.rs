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
mod schema;
mod step;
mod trigger;
mod workflow;

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use lineclear_source::{Diagnostic, Severity, Source, Span, suggest};
use lineclear_yaml::{Limits, Node};

use crate::{Action, Read, Workflow, code};

pub use reference::ReferenceError;
pub use schema::{keys_at, values_at};

/// Findings beyond this number are counted, not kept: nobody reads them, and a hostile file could have any number.
const MOST_FINDINGS: usize = 1_000;

/// "Did you mean" is a comparison with every candidate, so a file gets it this often.
const MOST_SUGGESTIONS: usize = 200;

/// Gathers what is wrong while a file is read.
#[derive(Debug, Default)]
struct Reader {
    diagnostics: Vec<Diagnostic>,
    /// What was reported already: an alias leads to the same fault again, which is worth saying once.
    seen: HashSet<(Option<Span>, String)>,
    more_errors: usize,
    more_warnings: usize,
    suggestions: usize,
}

impl Reader {
    fn report(&mut self, diagnostic: Diagnostic) {
        if self.diagnostics.len() >= MOST_FINDINGS {
            match diagnostic.is_error() {
                true => self.more_errors += 1,
                false => self.more_warnings += 1,
            }
        } else if self.seen.insert((diagnostic.span, diagnostic.message.clone())) {
            self.diagnostics.push(diagnostic);
        }
    }

    fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>) {
        self.report(Diagnostic::error(code, message).at(span));
    }

    fn warning(&mut self, code: &'static str, span: Span, message: impl Into<String>) {
        self.report(Diagnostic::warning(code, message).at(span));
    }

    /// The word that was probably meant.
    fn suggest<'a>(&mut self, word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
        self.suggestions += 1;
        if self.suggestions > MOST_SUGGESTIONS { None } else { suggest(word, candidates) }
    }

    /// All findings in the order of the text.
    fn finish(mut self) -> Vec<Diagnostic> {
        self.diagnostics.sort_by_key(|found| found.span);
        if self.more_errors + self.more_warnings > 0 {
            let (errors, warnings) = (self.more_errors, self.more_warnings);
            let severity = if errors > 0 { Severity::Error } else { Severity::Warning };
            let message = format!("{errors} more errors and {warnings} more warnings are not shown");
            self.diagnostics.push(Diagnostic::new(severity, code::TOO_MANY_FINDINGS, message));
        }
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
    let mut reader = Reader::default();
    parsed.diagnostics.into_iter().for_each(|found| reader.report(found));
    // Without a tree the YAML reader has said why; with a tree that is empty, nobody has yet.
    let model = parsed.tree.and_then(|tree| convert(&mut reader, source, tree.root.as_ref()));
    Read { model, diagnostics: reader.finish() }
}
