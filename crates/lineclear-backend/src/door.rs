//! The port through which steps reach the container engine: a door of the job's own in front of it.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use lineclear_event::{JobKey, RunId};

use crate::{JobNetwork, Told};

/// Opens doors to the engine, one for each job.
pub trait EngineDoors: Send + Sync + fmt::Debug {
    /// Opens a door: a socket that speaks the engine's own API. `None` where this machine has no engine.
    ///
    /// # Errors
    /// If the socket cannot be made.
    fn open(&self, request: &DoorRequest<'_>) -> io::Result<Option<Box<dyn EngineDoor>>>;
}

/// What a door is made for.
#[derive(Clone, Debug)]
pub struct DoorRequest<'r> {
    pub run: RunId,
    pub job: &'r JobKey,
    /// Marks everything that is made through the door.
    pub tracking_id: &'r str,
    /// A folder of the job's own for the socket.
    pub folder: &'r Path,
    /// The job's own loopback: published ports are opened there, so that jobs with the same ports do not meet.
    pub network: Option<Arc<dyn JobNetwork>>,
}

/// An open door. What steps make through it is theirs alone: other jobs do not see it, and it is removed when the door closes.
pub trait EngineDoor: Send + Sync + fmt::Debug {
    /// The socket, for `DOCKER_HOST`.
    fn socket(&self) -> &Path;

    /// Tells logs and health of what still runs, removes everything that was made through the door, and looks whether something is left.
    ///
    /// # Errors
    /// If something is left after all: what, in one sentence each.
    fn close(self: Box<Self>, told: &dyn Told) -> io::Result<()>;
}
