//! A door: its socket, and its end.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use lineclear_backend::{DoorRequest, EngineDoor, EngineDoors, Layout, Told};
use rustix::event::{EventfdFlags, eventfd};

use crate::cleanup;
use crate::engine::Engine;
use crate::look::real_path;
use crate::names::Names;
use crate::ports::Ports;
use crate::rewrite::Job;
use crate::serve::{Shared, accept};
use crate::settings::{EngineAddress, Settings};
use crate::stream::Stream;
use crate::turns::Turns;

/// How long the end waits for requests that are being answered. What they still make is removed in any case.
const LAST_REQUESTS: Duration = Duration::from_secs(5);

/// Opens doors to one engine.
#[derive(Debug)]
pub struct Doors {
    settings: Settings,
    turns: Arc<Turns>,
}

impl Doors {
    /// Connects to nothing yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings, turns: Arc::default() }
    }
}

impl EngineDoors for Doors {
    fn open(&self, request: &DoorRequest<'_>) -> io::Result<Option<Box<dyn EngineDoor>>> {
        match Stream::connect(&self.settings.engine) {
            Ok(_) => {}
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        }
        Ok(Some(Box::new(Door::open(&self.settings, &self.turns, request)?)))
    }
}

#[derive(Debug)]
struct Door {
    shared: Arc<Shared>,
    folder: PathBuf,
    socket: PathBuf,
    stop: Arc<OwnedFd>,
    accepting: Option<JoinHandle<()>>,
}

impl Door {
    fn open(settings: &Settings, turns: &Arc<Turns>, request: &DoorRequest<'_>) -> io::Result<Self> {
        // Nobody else gets into the folder; in a container any user may use the socket that is mounted there.
        let folder = request.folder.join("door");
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let socket = folder.join("docker.sock");
        let with_path =
            |error: io::Error| io::Error::new(error.kind(), format!("cannot open `{}`: {error}", socket.display()));
        let listener = UnixListener::bind(&socket).map_err(with_path)?;
        fs::set_permissions(&socket, fs::Permissions::from_mode(0o666)).map_err(with_path)?;
        let job = job(settings, request, &socket);
        let ports = Ports::new(request.network.clone());
        let engine = Engine { address: settings.engine.clone() };
        let shared = Arc::new(Shared::new(engine, job, ports, request.images.clone(), Arc::clone(turns)));
        let stop = Arc::new(eventfd(0, EventfdFlags::CLOEXEC)?);
        let (serving, stopping) = (Arc::clone(&shared), Arc::clone(&stop));
        let accepting =
            thread::Builder::new().name("door".into()).spawn(move || accept(&listener, &stopping, &serving))?;
        Ok(Self { shared, folder, socket, stop, accepting: Some(accepting) })
    }

    /// Lets nobody in any more, and waits for the last ones to leave.
    fn shut(&mut self) {
        let Some(accepting) = self.accepting.take() else { return };
        // Cannot fail: it counts to far more than one.
        let _written = rustix::io::write(&*self.stop, &1_u64.to_ne_bytes());
        let _ended = accepting.join();
        self.shared.end_connections();
        let until = Instant::now() + LAST_REQUESTS;
        while self.shared.connected() > 0 && Instant::now() < until {
            thread::sleep(Duration::from_millis(2));
        }
        self.shared.ports.close_all();
        // The folder is the job's, and is removed with it.
        let _with_it = fs::remove_dir_all(&self.folder);
    }

    fn remove(&self) -> io::Result<()> {
        if !self.shared.is_used.load(Ordering::SeqCst) {
            return Ok(());
        }
        cleanup::remove(&self.shared.engine, &self.shared.job)
    }
}

impl EngineDoor for Door {
    fn socket(&self) -> &Path {
        &self.socket
    }

    fn close(mut self: Box<Self>, told: &dyn Told) -> io::Result<()> {
        self.shut();
        if self.shared.is_used.swap(false, Ordering::SeqCst) {
            cleanup::tell(&self.shared.engine, &self.shared.job, told);
            return cleanup::remove(&self.shared.engine, &self.shared.job);
        }
        Ok(())
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.shut();
        // Nobody is there to be told; whoever sweeps the engine later finds what is left by its labels.
        let _swept_later = self.remove();
    }
}

fn job(settings: &Settings, request: &DoorRequest<'_>, socket: &Path) -> Job {
    let engine_sockets = match &settings.engine {
        EngineAddress::Unix(path) => vec![path.clone(), real_path(path)],
        EngineAddress::Tcp(_) => Vec::new(),
    };
    Job {
        owner: settings.owner.clone(),
        run: request.run.to_string(),
        tracking_id: request.tracking_id.to_owned(),
        names: Names::of(&settings.owner, request.tracking_id),
        view: settings.view,
        is_confined: request.is_confined,
        has_network: request.network.is_some(),
        folders: folders(request.layout).iter().map(|path| real_path(path)).collect(),
        seen: request.seen.to_vec(),
        protected: settings.protected.iter().map(|path| real_path(path)).collect(),
        engine_sockets,
        socket: socket.to_owned(),
        routes: settings.routes.clone(),
        registry: request.registry.cloned(),
    }
}

/// The job's own folders.
fn folders(layout: &Layout) -> Vec<PathBuf> {
    let mut folders = vec![
        layout.workspace.clone(),
        layout.temp.clone(),
        layout.scratch.clone(),
        layout.actions.clone(),
        layout.tool_cache.clone(),
    ];
    // `RUNNER_WORKSPACE` of a job with a copy: it holds nothing but the workspace.
    if let Some(parent) = layout.workspace.parent()
        && parent.file_name() == layout.workspace.file_name()
    {
        folders.push(parent.to_owned());
    }
    folders
}
