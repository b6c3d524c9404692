//! Removing what dead processes of Lineclear left in the engine.

use std::collections::BTreeSet;

use lineclear_backend::{ContainerError, Owner, labels};
use lineclear_container_engine::Engine;

use crate::error::translate;
use crate::{ContainerSettings, backend, remove};

/// What [`sweep`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// What was removed: ``container `name` ``, ``network `name` ``.
    pub removed: Vec<String>,
    /// What could not be removed, one phrase each.
    pub left: Vec<String>,
}

/// Removes containers, networks, volumes and images that processes of Lineclear left that are known to be gone. What
/// living ones use, and what Lineclear did not make, is not touched.
///
/// # Errors
/// [`ContainerError::NoEngine`] where there is no engine, so that nothing can be removed; [`ContainerError::Engine`] if it fails.
pub fn sweep(settings: &ContainerSettings) -> Result<Swept, ContainerError> {
    let engine = backend::find(settings)?;
    let here = Owner::this();
    let mut swept = Swept::default();
    for owner in owners(&engine).map_err(translate)? {
        if Owner::parse(&owner).is_some_and(|owner| owner.is_gone(&here)) {
            let label = format!("{}={owner}", labels::OWNER);
            swept.removed.extend(remove::labelled(&engine, &label).map_err(translate)?);
            swept.left.extend(remove::look(&engine, &label).map_err(translate)?);
        }
    }
    swept.removed.retain(|removed| !swept.left.contains(removed));
    Ok(swept)
}

/// What a [`sweep`] would look at: whatever bears the mark of an owner that is gone.
///
/// # Errors
/// As [`sweep`].
pub fn abandoned(settings: &ContainerSettings) -> Result<Vec<String>, ContainerError> {
    let engine = backend::find(settings)?;
    let here = Owner::this();
    let mut found = Vec::new();
    for owner in owners(&engine).map_err(translate)? {
        if Owner::parse(&owner).is_some_and(|owner| owner.is_gone(&here)) {
            found.extend(remove::look(&engine, &format!("{}={owner}", labels::OWNER)).map_err(translate)?);
        }
    }
    Ok(found)
}

/// Whose marks there are.
fn owners(engine: &Engine) -> Result<BTreeSet<String>, lineclear_container_engine::EngineError> {
    let label = labels::OWNER;
    let mut owners = BTreeSet::new();
    owners.extend(engine.containers(label)?.into_iter().filter_map(|mut item| item.labels.remove(label)));
    owners.extend(engine.networks(label)?.into_iter().filter_map(|mut item| item.labels.remove(label)));
    owners.extend(engine.volumes(label)?.into_iter().filter_map(|item| item.labels?.remove(label)));
    owners.extend(engine.images(label)?.into_iter().filter_map(|item| item.labels?.remove(label)));
    Ok(owners)
}
