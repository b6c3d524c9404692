//! Mappings with fixed keys.

use std::sync::Arc;

use lineclear_source::{Diagnostic, Severity, Span};
use lineclear_yaml::{Entry, Node, Scalar};

use super::{Reader, keys};
use crate::code;

/// The keys that one kind of mapping may have.
#[derive(Debug)]
pub(super) struct Keys {
    /// "a job".
    pub(super) of: &'static str,
    pub(super) names: &'static [&'static str],
}

/// The entries of a mapping whose keys were checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'n> {
    entries: &'n [Entry],
    pub(super) span: Span,
}

impl<'n> Fields<'n> {
    pub(super) fn entry(&self, key: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|entry| entry.key.text == key)
    }

    pub(super) fn get(&self, key: &str) -> Option<&'n Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    pub(super) fn entries(&self) -> &'n [Entry] {
        self.entries
    }

    fn unknown(&self, keys: &'static Keys) -> impl Iterator<Item = &'n Entry> {
        self.entries.iter().filter(|entry| !keys.names.contains(&&*entry.key.text))
    }
}

impl Reader {
    /// The entries of `node` if it is a mapping. `place` is how the message calls it: "`strategy`", "a step".
    pub(super) fn mapping<'n>(&mut self, node: &'n Node, place: &str) -> Option<Fields<'n>> {
        match node {
            Node::Mapping { entries, span } => Some(Fields { entries, span: *span }),
            _ => {
                self.wrong_type(node, place, "a mapping");
                None
            }
        }
    }

    /// A mapping of which every key must be one of `keys`.
    pub(super) fn fields<'n>(&mut self, node: &'n Node, place: &str, keys: &'static Keys) -> Option<Fields<'n>> {
        let fields = self.mapping(node, place)?;
        self.check_keys(&fields, keys);
        Some(fields)
    }

    /// As [`Self::fields`], for the places where GitHub ignores a key that it does not know.
    pub(super) fn fields_among_others<'n>(
        &mut self,
        node: &'n Node,
        place: &str,
        keys: &'static Keys,
    ) -> Option<Fields<'n>> {
        let fields = self.mapping(node, place)?;
        for entry in fields.unknown(keys) {
            self.unknown_key(Severity::Warning, &entry.key, keys);
        }
        Some(fields)
    }

    pub(super) fn check_keys(&mut self, fields: &Fields<'_>, keys: &'static Keys) {
        for entry in fields.unknown(keys) {
            self.unknown_key(Severity::Error, &entry.key, keys);
        }
    }

    fn unknown_key(&mut self, severity: Severity, key: &Arc<Scalar>, keys: &'static Keys) {
        let (name, of) = (&key.text, keys.of);
        if name.contains("${{") {
            let message = format!("the keys of {of} cannot be expressions here");
            self.report(
                Diagnostic::error(code::EXPRESSION_NOT_ALLOWED, message)
                    .at(key.span)
                    .help("write the keys out, and put an expression into each value that needs one"),
            );
            return;
        }
        let near = self.suggest(name, keys.names.iter().copied());
        let elsewhere = keys::places_of(name, keys);
        let (code, message) = match near {
            // A key of another place that looks like one of this place is more likely a slip of indentation.
            Some(near) if elsewhere.is_empty() => {
                (code::UNKNOWN_KEY, format!("`{name}` is not a key of {of}; did you mean `{near}`?"))
            }
            _ if !elsewhere.is_empty() => {
                let message = format!("`{name}` is not a key of {of}; it belongs to {}", any_of(&elsewhere));
                (code::MISPLACED_KEY, message)
            }
            _ => (code::UNKNOWN_KEY, format!("`{name}` is not a key of {of}")),
        };
        let diagnostic = Diagnostic::new(severity, code, message);
        self.report(diagnostic.at(key.span).help(format!("{of} may have: {}", keys.names.join(", "))));
    }

    /// Reports that `key` is missing from the mapping at `span`.
    pub(super) fn missing(&mut self, key: &str, of: &str, span: Span) {
        if !self.is_misspelt(key, span) {
            self.error(code::MISSING_KEY, span, format!("{of} needs the key `{key}`"));
        }
    }

    /// Whether a finding inside of `span` says already that another key is meant to be `key`.
    pub(super) fn is_misspelt(&self, key: &str, span: Span) -> bool {
        let meant = format!("did you mean `{key}`?");
        let is_inside = |found: Span| found.start >= span.start && found.end <= span.end;
        self.diagnostics.iter().any(|found| {
            found.code == code::UNKNOWN_KEY && found.span.is_some_and(is_inside) && found.message.ends_with(&meant)
        })
    }

    /// Reports a node of the wrong shape.
    pub(super) fn wrong_type(&mut self, node: &Node, place: &str, wanted: &str) {
        // An alias that leads nowhere is no value, and said already.
        let is_lost = |found: &Diagnostic| {
            found.span == Some(node.span())
                && matches!(&*found.code, "undefined-anchor" | "recursive-anchor" | "complex-key")
        };
        if node.is_null() && self.diagnostics.iter().any(is_lost) {
            return;
        }
        let found = if node.is_null() { "nothing" } else { node.kind() };
        self.error(code::WRONG_TYPE, node.span(), format!("expected {wanted} for {place}, found {found}"));
    }

    /// The items of a sequence.
    pub(super) fn sequence<'n>(&mut self, node: &'n Node, place: &str) -> Option<&'n [Node]> {
        let items = node.as_sequence();
        if items.is_none() {
            self.wrong_type(node, place, "a sequence");
        }
        items
    }
}

/// "a, b or c".
pub(super) fn any_of(words: &[&str]) -> String {
    listed(words, "or")
}

/// "a, b and c".
pub(super) fn all_of(words: &[&str]) -> String {
    listed(words, "and")
}

fn listed(words: &[&str], last_link: &str) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} {last_link} {last}", first.join(", ")),
    }
}
