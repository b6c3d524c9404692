//! Opening a job's containers.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lineclear_backend::{ContainerError, Containers, ContainersRequest, JobContainers, Owner, Told};
use lineclear_container_engine::{Address, Engine, Surroundings};

use crate::ContainerSettings;
use crate::error::translate;
use crate::guard::Guard;
use crate::job::Job;
use crate::pull::Pulls;

/// Starts containers through the engine that is found on this machine. Nothing is asked for before it is needed.
#[derive(Debug)]
pub struct ContainerBackend {
    shared: Arc<Shared>,
}

/// What all jobs of one process share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) settings: ContainerSettings,
    pub(crate) owner: Owner,
    pub(crate) pulls: Pulls,
    /// Named volumes that were made here, and how many jobs use each.
    pub(crate) volumes: Mutex<BTreeMap<String, usize>>,
    /// Which Node containers of an image can use, by the image's id.
    pub(crate) nodes: Mutex<BTreeMap<String, Result<PathBuf, String>>>,
    guard: Guard,
    engine: Mutex<Option<Engine>>,
}

impl ContainerBackend {
    /// Makes and starts nothing yet.
    pub fn new(settings: ContainerSettings) -> Self {
        Self {
            shared: Arc::new(Shared {
                settings,
                owner: Owner::this(),
                pulls: Pulls::default(),
                volumes: Mutex::default(),
                nodes: Mutex::default(),
                guard: Guard::default(),
                engine: Mutex::default(),
            }),
        }
    }

    /// Starts the guard, unless it was started. To be called before anything is made in the engine by other means than this backend,
    /// such as a door. Without an engine there is nothing to guard.
    pub fn begin_guard(&self) {
        // Whoever needs the engine is told why there is none.
        let _ = self.shared.engine();
    }

    /// Why there is no guard although the settings ask for one. Known once something was made.
    pub fn guard_problem(&self) -> Option<String> {
        self.shared.guard.problem()
    }
}

impl Shared {
    /// The engine, found at the first call, with the guard beside it. One that was not found is looked for again.
    pub(crate) fn engine(&self) -> Result<Engine, ContainerError> {
        let mut known = lock(&self.engine);
        let engine = match &*known {
            Some(engine) => engine.clone(),
            None => find(&self.settings)?,
        };
        *known = Some(engine.clone());
        self.guard.begin(self.settings.guard.as_ref(), &engine, &self.owner);
        Ok(engine)
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is kept in these is changed by single calls that cannot leave it half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn find(settings: &ContainerSettings) -> Result<Engine, ContainerError> {
    match &settings.engine {
        Some(address) => Address::parse(address).and_then(Engine::connect),
        None => Engine::find(&Surroundings::of_this_process()),
    }
    .map_err(translate)
}

impl Containers for ContainerBackend {
    fn engine(&self) -> Result<String, ContainerError> {
        // Asked for by `doctor` too: nothing is made, so nothing is guarded.
        if let Some(engine) = &*lock(&self.shared.engine) {
            return Ok(engine.description());
        }
        Ok(find(&self.shared.settings)?.description())
    }

    fn open(&self, request: &ContainersRequest<'_>, told: &dyn Told) -> Result<Box<dyn JobContainers>, ContainerError> {
        Ok(Box::new(Job::open(Arc::clone(&self.shared), request, told)?))
    }
}
