//! Opening rooms on this host.

use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lineclear_backend::{Backend, Layout, OpenError, Room, RoomRequest, Workspace};

use crate::base_env::base_env;
use crate::family;
use crate::instance::{Instance, folder_error, is_full};
use crate::job_processes::JobProcesses;
use crate::room::HostRoom;
use crate::settings::HostSettings;
use crate::skeleton::{Shape, Skeleton, make_private};
use crate::slug::slug;

/// Runs jobs as processes of this machine and user.
///
/// From its making on, this process adopts orphaned descendants. Dropping it, after its rooms, removes what is left of its
/// folders and lets its guard go.
#[derive(Debug)]
pub struct HostBackend {
    instance: Arc<Instance>,
}

impl HostBackend {
    /// Makes no folder and starts nothing yet.
    ///
    /// # Errors
    /// If the system refuses to give orphans to this process; Linux has done so on request since 3.4.
    pub fn new(settings: HostSettings) -> io::Result<Self> {
        family::adopt_orphans()?;
        // Steps are started in folders of their own, so a relative path would mean another place to each.
        let settings = HostSettings {
            work: std::path::absolute(&settings.work)?,
            tool_cache: std::path::absolute(&settings.tool_cache)?,
            ..settings
        };
        let is_withheld = |name: &std::ffi::OsStr| settings.withheld.iter().any(|withheld| name == withheld.as_str());
        let inherited = std::env::vars_os().filter(|(name, _)| !is_withheld(name));
        let base_env = base_env(inherited);
        Ok(Self { instance: Arc::new(Instance::new(settings, base_env)) })
    }

    /// Begins to start the guard now, beside what the caller does, and not when the first room is opened.
    pub fn begin_guard(&self) {
        self.instance.begin_guard();
    }

    /// Lets isolated jobs reach a listener of this machine's loopback, at the same address in a loopback of their own. For rooms
    /// that are opened from now on.
    pub fn offer(&self, address: std::net::SocketAddr) {
        self.instance.offered.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(address);
    }

    /// Why there is no guard although the settings ask for one. Known once a process was started.
    pub fn guard_problem(&self) -> Option<String> {
        self.instance.guard.problem()
    }
}

impl Backend for HostBackend {
    fn open(&self, request: &RoomRequest) -> Result<Box<dyn Room>, OpenError> {
        let instance = &self.instance;
        instance.begin_guard();
        let shape = match &request.workspace {
            Workspace::InPlace(_) => Shape::WithoutWorkspace,
            Workspace::Copy(_) | Workspace::Empty => Shape::WithWorkspace(slug(&request.repository)),
        };
        let skeleton = instance.enter(request.run, &slug(request.job.as_str()), &shape)?;
        let number = instance.next_room();
        let scratch = match make_scratch(instance, &skeleton, number) {
            Ok(scratch) => scratch,
            Err(error) => {
                // The first error is the one to tell.
                let _ = instance.leave(request.run, skeleton);
                return Err(error);
            }
        };
        let layout = Layout {
            workspace: match (&request.workspace, skeleton.workspace()) {
                (Workspace::InPlace(folder), _) => folder.clone(),
                (_, workspace) => workspace.unwrap_or_else(|| skeleton.path().to_owned()),
            },
            temp: skeleton.temp(),
            scratch: shown_scratch(&skeleton, &scratch),
            actions: skeleton.actions(),
            tool_cache: instance.settings.tool_cache.clone(),
        };
        let job = JobProcesses::new(
            format!("{}{number:012x}", instance.prefix),
            instance.prefix.clone(),
            skeleton.path().to_owned(),
            Arc::clone(&instance.guard),
        );
        // Dropped on failure, the room removes its folders.
        let mut room = HostRoom::new(Arc::clone(instance), request.run, skeleton, scratch, layout, job);
        if let Workspace::Copy(fill) = &request.workspace {
            let path = &room.layout().workspace;
            fill.fill(path).map_err(|source| match is_full(&source) {
                true => OpenError::DiskFull { path: path.clone() },
                false => OpenError::Fill { path: path.clone(), source },
            })?;
        }
        if let Some(isolation) = &request.isolation {
            room.isolate(isolation)?;
        }
        Ok(Box::new(room))
    }
}

/// Where the hosted runner has the files that a step writes commands to, below the job's temporary folder.
const FILE_COMMANDS: &str = "_runner_file_commands";

/// The path under which steps know the scratch folder: the hosted runner's, a link where the folder itself is in memory.
fn shown_scratch(skeleton: &Skeleton, scratch: &Path) -> PathBuf {
    let shown = skeleton.temp().join(FILE_COMMANDS);
    match scratch == shown || symlink(scratch, &shown).is_ok() {
        true => shown,
        // Steps can do with the folder's own path.
        false => scratch.to_owned(),
    }
}

/// In memory where it can be, below the job's temporary folder otherwise, as on the hosted runner.
fn make_scratch(instance: &Instance, skeleton: &Skeleton, number: u64) -> Result<PathBuf, OpenError> {
    if let Some(base) = instance.scratch() {
        let path = base.join(number.to_string());
        match make_private(&path) {
            Ok(()) => return Ok(path),
            Err(error) if is_full(&error) => {}
            Err(error) => return Err(folder_error(&path, error)),
        }
    }
    let path = skeleton.temp().join(FILE_COMMANDS);
    make_private(&path).map_err(|error| folder_error(&path, error))?;
    Ok(path)
}
