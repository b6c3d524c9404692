//! The port through which steps reach the container engine: a door of the job's own in front of it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lineclear_event::{ImageFact, JobKey, RunId};

use crate::{Credentials, JobNetwork, Layout, Told};

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
    /// The job's folders: containers may mount them.
    pub layout: &'r Layout,
    /// Folders that processes of the job see at another place than where they are on this machine (seen, really), such as a private
    /// `/tmp`. Those of the job's own container need not be here: the door asks the engine for them.
    pub seen: &'r [(PathBuf, PathBuf)],
    /// Whether the job is kept from the machine: its containers then get nothing of it but the job's folders, and no privileges.
    pub is_confined: bool,
    /// The job's own loopback: published ports are opened there, so that jobs with the same ports do not meet.
    pub network: Option<Arc<dyn JobNetwork>>,
    /// What opens the embedded registry to this job; `None`: mapped names are not mapped.
    pub registry: Option<&'r Credentials>,
    /// Is told of images that go through the door.
    pub images: Option<Arc<dyn ImagesTold>>,
}

/// Is told what became of images.
pub trait ImagesTold: Send + Sync + fmt::Debug {
    /// An image was pushed, pulled or built. Called from threads of the door.
    fn image(&self, fact: ImageFact);
}

/// An open door. What steps make through it is theirs alone: other jobs do not see it, and it is removed when the door closes.
///
/// Dropped without being closed, it removes it all the same, and nobody is told.
pub trait EngineDoor: Send + Sync + fmt::Debug {
    /// The socket, for `DOCKER_HOST`.
    fn socket(&self) -> &Path;

    /// Tells logs and health of what still runs, removes everything that was made through the door, and looks whether something is left.
    ///
    /// # Errors
    /// If something is left after all: what, in one sentence each.
    fn close(self: Box<Self>, told: &dyn Told) -> io::Result<()>;
}

/// A machine where steps have no door, as without an engine.
#[derive(Clone, Copy, Debug)]
pub struct NoDoors;

impl EngineDoors for NoDoors {
    fn open(&self, _: &DoorRequest<'_>) -> io::Result<Option<Box<dyn EngineDoor>>> {
        Ok(None)
    }
}
