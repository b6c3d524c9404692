//! The tree.

use lineclear_source::{Diagnostic, Source, Span};

/// One document. `root` is `None` for an empty one.
#[derive(Clone, Debug)]
pub struct Tree {
    pub root: Option<Node>,
}

/// What [`parse`] understood, and everything it found wrong. The tree is usable for further checks unless `None`.
#[derive(Clone, Debug)]
pub struct Parsed {
    pub tree: Option<Tree>,
    pub diagnostics: Vec<Diagnostic>,
}

/// A value with its place. Cheap to clone: an alias shares the node it names.
#[derive(Clone, Debug)]
pub enum Node {
    Scalar(std::sync::Arc<Scalar>),
    Sequence { items: std::sync::Arc<Vec<Node>>, span: Span },
    Mapping { entries: std::sync::Arc<Vec<Entry>>, span: Span },
}

/// One `key: value` of a mapping, in file order. Keys are scalars; any other key is reported and left out.
#[derive(Clone, Debug)]
pub struct Entry {
    pub key: std::sync::Arc<Scalar>,
    pub value: Node,
}

/// A scalar: what was written and what it means.
#[derive(Clone, Debug)]
pub struct Scalar {
    /// The text after YAML's own unescaping and folding.
    pub text: String,
    /// The scalar with its quotes or block header; empty, at the place where a value could stand, for a key without value.
    pub span: Span,
    pub style: ScalarStyle,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScalarStyle {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
    Folded,
}

/// Beyond these a file is refused with a diagnostic that names the limit.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub bytes: usize,
    pub depth: usize,
    /// Nodes counted with every alias followed.
    pub nodes: usize,
}

/// Reads one document.
pub fn parse(_source: &Source, _limits: &Limits) -> Parsed {
    unimplemented!()
}

impl Node {
    pub fn span(&self) -> Span {
        match self {
            Self::Scalar(scalar) => scalar.span,
            Self::Sequence { span, .. } | Self::Mapping { span, .. } => *span,
        }
    }
}
