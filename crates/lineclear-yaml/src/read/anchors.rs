//! What anchors name while a document is read.

use lineclear_source::Span;

use crate::{Anchor, Node};

/// A complete node with what it costs to walk it.
#[derive(Clone, Debug)]
pub(super) struct Built {
    pub(super) node: Node,
    /// With every alias followed.
    pub(super) nodes: usize,
    /// Levels of collections, this one included.
    pub(super) height: usize,
}

/// The anchors so far, by the numbers that the parser gives them, which count from one.
#[derive(Debug, Default)]
pub(super) struct Anchors {
    slots: Vec<Slot>,
    anchors: Vec<Anchor>,
}

#[derive(Clone, Debug, Default)]
struct Slot {
    /// `None` while the node is not complete.
    built: Option<Built>,
    /// The index in the list of anchors.
    name: Option<usize>,
}

/// What an alias leads to. `name` is the index in the list of anchors.
pub(super) enum Named<'a> {
    Complete { name: Option<usize>, built: &'a Built },
    Open { name: Option<usize> },
}

impl Anchors {
    /// Makes room for an anchor before its node is complete.
    pub(super) fn reserve(&mut self, number: Option<usize>) {
        if let Some(number) = number
            && self.slots.len() < number
        {
            self.slots.resize(number, Slot::default());
        }
    }

    /// The node with this anchor is complete.
    pub(super) fn complete(&mut self, number: Option<usize>, built: &Built) {
        let slot = number.and_then(|number| number.checked_sub(1)).and_then(|index| self.slots.get_mut(index));
        let Some(slot) = slot else { return };
        if let Some(anchor) = slot.name.and_then(|name| self.anchors.get_mut(name)) {
            anchor.node = built.node.span();
        }
        slot.built = Some(built.clone());
    }

    /// The name of the anchor of the node whose event came last: a complete scalar, or a collection just opened.
    pub(super) fn give_name(&mut self, number: usize, name: String, span: Span) {
        let Some(slot) = number.checked_sub(1).and_then(|index| self.slots.get_mut(index)) else { return };
        slot.name = Some(self.anchors.len());
        let node = slot.built.as_ref().map_or(span, |built| built.node.span());
        self.anchors.push(Anchor { name, span, node });
    }

    pub(super) fn find(&self, number: usize) -> Named<'_> {
        let slot = number.checked_sub(1).and_then(|index| self.slots.get(index));
        match slot {
            Some(Slot { built: Some(built), name }) => Named::Complete { name: *name, built },
            Some(Slot { built: None, name }) => Named::Open { name: *name },
            None => Named::Open { name: None },
        }
    }

    /// In file order.
    pub(super) fn list(&self) -> &[Anchor] {
        &self.anchors
    }

    pub(super) fn finish(self) -> Vec<Anchor> {
        self.anchors
    }
}
