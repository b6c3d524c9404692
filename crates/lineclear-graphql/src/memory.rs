//! Node ids that were given out in the forge's own form, which cannot be read back.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, PoisonError};

use lineclear_forge::{NodeId, NodeKind};

/// As many ids are remembered; the oldest are forgotten first.
const MAX_IDS: usize = 20_000;

/// Where a thing is: its repository, and its kind and number there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) repository: String,
    pub(crate) node: NodeId,
}

/// A real GitHub's ids name nothing that REST understands, so that what was shown once is remembered.
#[derive(Default)]
pub(crate) struct Memory(Mutex<Known>);

#[derive(Default)]
struct Known {
    places: HashMap<String, Place>,
    order: VecDeque<String>,
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memory")
    }
}

impl Memory {
    pub(crate) fn remember(&self, id: &str, repository: &str, kind: NodeKind, key: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = Place { repository: repository.to_owned(), node: NodeId::named(kind, key) };
        if known.places.insert(id.to_owned(), place).is_none() {
            known.order.push_back(id.to_owned());
        }
        if known.order.len() > MAX_IDS
            && let Some(oldest) = known.order.pop_front()
        {
            known.places.remove(&oldest);
        }
    }

    pub(crate) fn find(&self, id: &str) -> Option<Place> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).places.get(id).cloned()
    }
}
