//! A parsed expression as nodes in one vector.
//!
//! Children are linked by index rather than owned, so that a tree of any depth is built, dropped and measured without
//! recursion, and the operands of a chain of `&&` or `||` are joined at no cost.

use std::sync::Arc;

use lineclear_source::Span;

use crate::ast::Comparison;
use crate::{Function, Value};

/// A node's place in its tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NodeId(u32);

impl NodeId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Literal(Value),
    /// Lower-case name.
    Context(Arc<str>),
    /// `.name` of the one child.
    Property(Arc<str>),
    /// The second child selects from the first.
    Index,
    /// All elements of the one child.
    Wildcard,
    Not,
    Compare(Comparison),
    /// All of two or more children.
    And,
    /// The first of two or more children that is true.
    Or,
    Call(Function),
    /// The children's texts one behind the other: what text around `${{ }}` makes of a condition.
    Text,
}

#[derive(Clone, Debug)]
pub(crate) struct TreeNode {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
    /// How many nodes the longest way down has, this one included.
    height: u32,
    first: Option<NodeId>,
    last: Option<NodeId>,
    next: Option<NodeId>,
}

/// All nodes of an expression. Some may hang loose where chains were joined; the root leads to those that count.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    nodes: Vec<TreeNode>,
}

impl Tree {
    pub(crate) fn leaf(&mut self, kind: Kind, span: Span) -> NodeId {
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(TreeNode { kind, span, height: 1, first: None, last: None, next: None });
        id
    }

    pub(crate) fn branch(&mut self, kind: Kind, span: Span, children: &[NodeId]) -> NodeId {
        let id = self.leaf(kind, span);
        for &child in children {
            self.append(id, child);
        }
        id
    }

    /// A chain of `&&` or `||`: operands that are such chains themselves give their own operands to it.
    pub(crate) fn chain(&mut self, kind: Kind, span: Span, operands: [NodeId; 2]) -> NodeId {
        let id = self.leaf(kind, span);
        for operand in operands {
            let same = matches!(
                (&self.node(operand).kind, &self.node(id).kind),
                (Kind::And, Kind::And) | (Kind::Or, Kind::Or)
            );
            if same { self.adopt(id, operand) } else { self.append(id, operand) }
        }
        id
    }

    fn append(&mut self, parent: NodeId, child: NodeId) {
        let height = self.node(child).height.saturating_add(1);
        self.link(parent, child, child, height);
    }

    /// Makes the children of `chain` children of `parent`.
    fn adopt(&mut self, parent: NodeId, chain: NodeId) {
        let TreeNode { first, last, height, .. } = *self.node(chain);
        if let (Some(first), Some(last)) = (first, last) {
            self.link(parent, first, last, height);
        }
    }

    fn link(&mut self, parent: NodeId, first: NodeId, last: NodeId, height: u32) {
        match self.node(parent).last {
            Some(before) => self.nodes[before.index()].next = Some(first),
            None => self.nodes[parent.index()].first = Some(first),
        }
        let parent = &mut self.nodes[parent.index()];
        parent.last = Some(last);
        parent.height = parent.height.max(height);
    }

    pub(crate) fn node(&self, id: NodeId) -> &TreeNode {
        &self.nodes[id.index()]
    }

    pub(crate) fn height(&self, id: NodeId) -> u32 {
        self.node(id).height
    }

    /// How many nodes there are, those that hang loose included: one more than the greatest index.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn first(&self, id: NodeId) -> Option<NodeId> {
        self.node(id).first
    }

    pub(crate) fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> + Clone + '_ {
        std::iter::successors(self.node(id).first, |&child| self.node(child).next)
    }
}
