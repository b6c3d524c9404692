//! Who holds some repositories against pushes: the port through which gates are asked.

use std::fmt;

use lineclear_forge::Caller;
use lineclear_oci::{RepositoryName, Tag};
use lineclear_registry_server::{Naming, Permit};

/// Holds repositories. Called where it may block; what is refused is told to the client and to the record of the job's run.
///
/// What is not held is nobody's business here: it is permitted.
pub trait Permits: Send + Sync + fmt::Debug {
    /// Whether a tag may be set.
    ///
    /// # Errors
    /// Why not, and what to do, in words for a person.
    fn may_name(&self, who: Who<'_>, naming: &Naming<'_>) -> Result<Box<dyn Permit>, String>;

    /// Whether a tag may be taken away; without one, whatever else is in the repository.
    ///
    /// # Errors
    /// As [`Permits::may_name`].
    fn may_remove(&self, repository: &RepositoryName, tag: Option<&Tag>) -> Result<(), String>;
}

/// Who wants to set a tag.
#[derive(Clone, Copy, Debug)]
pub enum Who<'w> {
    /// A job that runs now.
    Job(&'w Caller),
    /// One of several jobs, of different runs, that were given the same token: which of them cannot be told.
    SomeJob,
    /// A person, by the name that they logged in with; empty for one without a name.
    Person(&'w str),
}
