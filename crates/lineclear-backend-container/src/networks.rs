//! The network that the containers of one job share.

use std::collections::BTreeMap;

use lineclear_container_engine::{Engine, EngineError};

/// Makes a job's network, marked as the job's own: steps may connect containers of theirs to it. `unique` is a text that no other job has.
pub(crate) fn make(engine: &Engine, labels: &BTreeMap<String, String>, unique: &str) -> Result<String, EngineError> {
    let name = format!("github_network_{unique}");
    engine.network_create(&name, labels)?;
    Ok(name)
}

/// Removes it. To be called when the job's containers are gone; whoever else is connected does not hold it.
pub(crate) fn remove(engine: &Engine, name: &str) -> Result<(), EngineError> {
    for container in engine.network_members(name)? {
        // Whether it helps shows in what follows.
        let _ = engine.network_disconnect(name, &container);
    }
    engine.network_remove(name)
}
