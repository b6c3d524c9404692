//! The entries of `updates`.

use lineclear_source::Span;
use lineclear_yaml::{Entry, Node};

use crate::File;

/// One entry of `updates`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Update<'t> {
    /// The whole entry.
    pub node: &'t Node,
    /// Its keys.
    pub entries: &'t [Entry],
}

impl<'t> Update<'t> {
    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&'t Node> {
        self.node.get(key)
    }

    /// The text of a key's value.
    pub(super) fn text(&self, key: &str) -> Option<(&'t str, Span)> {
        self.get(key)?.as_scalar().map(|scalar| (scalar.text.as_str(), scalar.span))
    }

    /// The package manager.
    pub(super) fn ecosystem(&self) -> Option<(&'t str, Span)> {
        self.text("package-ecosystem")
    }

    /// The folders that it names.
    pub(super) fn directories(&self) -> Vec<(&'t str, Span)> {
        let one = self.text("directory");
        let many = self.get("directories").and_then(Node::as_sequence).unwrap_or_default();
        let many = many.iter().filter_map(|node| node.as_scalar().map(|scalar| (scalar.text.as_str(), scalar.span)));
        one.into_iter().chain(many).collect()
    }
}

/// All entries of `updates` that are mappings.
pub(super) fn updates<'t>(file: &'t File<'_>) -> Vec<Update<'t>> {
    let root = file.tree().and_then(|tree| tree.root.as_ref());
    let items = root.and_then(|root| root.get("updates")).and_then(Node::as_sequence).unwrap_or_default();
    items.iter().filter_map(|node| node.as_mapping().map(|entries| Update { node, entries })).collect()
}
