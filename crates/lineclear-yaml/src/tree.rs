//! The tree.

use std::sync::Arc;

use lineclear_source::{Diagnostic, Span};

use crate::Scalar;

/// One document. `root` is `None` for an empty one.
#[derive(Clone, Debug)]
pub struct Tree {
    /// The document's value.
    pub root: Option<Node>,
    /// Every anchor (`&name`), in file order.
    pub anchors: Vec<Anchor>,
    /// Every alias (`*name`) that names an anchor, in file order.
    pub aliases: Vec<Alias>,
    /// Every tag that is none of YAML's own (`!name`), as [`parse_ordinary`](crate::parse_ordinary) keeps them.
    pub tags: Vec<NodeTag>,
}

/// What [`parse`](crate::parse) understood, and everything it found wrong. The tree is usable for further checks unless `None`.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// `None` when the text is not YAML at all or goes beyond a limit: then nothing can be said of its content.
    pub tree: Option<Tree>,
    /// In the order in which they were found.
    pub diagnostics: Vec<Diagnostic>,
}

/// A value with its place. Cheap to clone: an alias shares the node it names, and so has that node's spans.
#[derive(Clone, Debug)]
pub enum Node {
    /// A single value: string, number, boolean or null.
    Scalar(Arc<Scalar>),
    /// A list.
    Sequence {
        /// In file order.
        items: Arc<Vec<Node>>,
        /// From the first `-` or `[` to the end of the last item or `]`.
        span: Span,
    },
    /// Keys and values.
    Mapping {
        /// In file order, without two keys that are equal (for GitHub: ignoring case).
        entries: Arc<Vec<Entry>>,
        /// From the first key or `{` to the end of the last value or `}`.
        span: Span,
    },
}

/// One `key: value` of a mapping, in file order. Keys are scalars; any other key is reported and left out.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What stands before the colon.
    pub key: Arc<Scalar>,
    /// What stands after it.
    pub value: Node,
}

/// A node that was given a name with `&name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// Without the `&`.
    pub name: String,
    /// The `&name` itself.
    pub span: Span,
    /// The node that carries the name.
    pub node: Span,
}

/// A tag to which the reader of the tree may give a meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeTag {
    /// The `!name` itself.
    pub span: Span,
    /// The node that carries it, as [`Node::span`] has it.
    pub node: Span,
}

/// A place where an anchor is used with `*name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The `*name` itself.
    pub span: Span,
    /// The index in [`Tree::anchors`] of the anchor it names.
    pub anchor: usize,
}

impl Node {
    /// Where the node stands: for an alias, where the node it names stands.
    pub fn span(&self) -> Span {
        match self {
            Self::Scalar(scalar) => scalar.span,
            Self::Sequence { span, .. } | Self::Mapping { span, .. } => *span,
        }
    }

    /// The scalar, if it is one.
    pub fn as_scalar(&self) -> Option<&Arc<Scalar>> {
        match self {
            Self::Scalar(scalar) => Some(scalar),
            Self::Sequence { .. } | Self::Mapping { .. } => None,
        }
    }

    /// The items, if it is a sequence.
    pub fn as_sequence(&self) -> Option<&[Self]> {
        match self {
            Self::Sequence { items, .. } => Some(items),
            Self::Scalar(_) | Self::Mapping { .. } => None,
        }
    }

    /// The entries, if it is a mapping.
    pub fn as_mapping(&self) -> Option<&[Entry]> {
        match self {
            Self::Mapping { entries, .. } => Some(entries),
            Self::Scalar(_) | Self::Sequence { .. } => None,
        }
    }

    /// The value of `key`, compared exactly, if this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_mapping()?.iter().find(|entry| entry.key.text == key).map(|entry| &entry.value)
    }

    /// Whether this is null: nothing written, `~` or `null`.
    pub fn is_null(&self) -> bool {
        self.as_scalar().is_some_and(|scalar| scalar.is_null())
    }

    /// What it is, for messages: "a mapping", "a number".
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Scalar(scalar) => scalar.resolve().kind(),
            Self::Sequence { .. } => "a sequence",
            Self::Mapping { .. } => "a mapping",
        }
    }
}

impl Entry {
    /// From the start of the key to the end of the value; only the key where the value is an alias of a node elsewhere.
    pub fn span(&self) -> Span {
        let value = self.value.span();
        if value.start >= self.key.span.end { self.key.span.to(value) } else { self.key.span }
    }
}
