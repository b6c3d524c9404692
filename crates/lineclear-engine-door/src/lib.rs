//! A job's own door to the container engine.

mod settings;

use std::io;

use lineclear_backend::{DoorRequest, EngineDoor, EngineDoors};

pub use settings::{EngineAddress, Settings, View};

/// Opens doors to one engine.
#[derive(Debug)]
pub struct Doors {
    settings: Settings,
}

impl Doors {
    /// Connects to nothing yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }
}

impl EngineDoors for Doors {
    fn open(&self, _request: &DoorRequest<'_>) -> io::Result<Option<Box<dyn EngineDoor>>> {
        let _ = &self.settings;
        Ok(None)
    }
}
