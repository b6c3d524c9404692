//! What a door remembers of what went through it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Memory of one door, shared by its connections.
#[derive(Debug, Default)]
pub(crate) struct Known {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
pub(crate) struct Inner {
    /// Full ids of containers of this job.
    pub(crate) containers: HashSet<String>,
    /// Full names of images that this job gave, and the ids they were given to.
    pub(crate) tags: HashMap<String, String>,
    /// The same of names that appeared while BuildKit worked for this job: most likely its own, but another job may have given
    /// them at that moment. So nothing is removed because of them that was not asked for by its name.
    pub(crate) likely_tags: HashMap<String, String>,
    /// By the id of an image that was pulled from where its name is mapped to: the names with digest that it has by that,
    /// `ghcr.io/owner/app@sha256:…`. The engine forgets them with the name that the image is kept under.
    pub(crate) digests: HashMap<String, BTreeSet<String>>,
    /// Ids of images that this job made.
    pub(crate) images: HashSet<String>,
    /// Whether networks and volumes that events named are this job's.
    pub(crate) owned: HashMap<String, bool>,
}

impl Known {
    pub(crate) fn get(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
