//! Networks of jobs. Making and removing one costs an engine more than a container, so that of a finished job is given to the next
//! one: nobody is connected to it then, and it keeps nothing.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use lineclear_backend::{Owner, labels};
use lineclear_container_engine::{Engine, EngineError};

use crate::backend::lock;

/// How many are kept for jobs to come.
const SPARES: usize = 4;

/// Those that no job uses.
#[derive(Debug, Default)]
pub(crate) struct Networks {
    spares: Mutex<Vec<String>>,
    made: AtomicU64,
}

impl Networks {
    /// A network for one job, by its name. `unique` is a text that no other process has.
    pub(crate) fn take(&self, engine: &Engine, owner: &Owner, unique: &str) -> Result<String, EngineError> {
        while let Some(name) = { lock(&self.spares).pop() } {
            // Somebody may have tidied up in the engine.
            if matches!(engine.network_members(&name), Ok(members) if members.is_empty()) {
                return Ok(name);
            }
        }
        let number = self.made.fetch_add(1, Ordering::Relaxed) + 1;
        let name = format!("github_network_{unique}-{number}");
        let labels: BTreeMap<String, String> = [(labels::OWNER.to_owned(), owner.write())].into();
        engine.network_create(&name, &labels)?;
        Ok(name)
    }

    /// Takes a job's network back, or removes it. To be called when the job's containers are gone.
    pub(crate) fn give_back(&self, engine: &Engine, name: &str) -> Result<(), EngineError> {
        let is_empty = engine.network_members(name)?.is_empty();
        {
            let mut spares = lock(&self.spares);
            if is_empty && spares.len() < SPARES {
                spares.push(name.to_owned());
                return Ok(());
            }
        }
        for container in engine.network_members(name)? {
            // Whether it helps shows in what follows.
            let _ = engine.network_disconnect(name, &container);
        }
        engine.network_remove(name)
    }

    /// Removes those that no job will use any more.
    pub(crate) fn clear(&self, engine: &Engine) {
        for name in lock(&self.spares).drain(..) {
            // What is left now, the guard finds, and the next sweep.
            let _ = engine.network_remove(&name);
        }
    }
}
