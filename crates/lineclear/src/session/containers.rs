//! The container engine of this machine for the jobs of one command: containers, and the doors that steps reach it by.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use lineclear_backend::{
    Containers, Credentials, DoorRequest, EngineDoor, EngineDoors, ImageRoute, NoContainers, NoDoors, Owner,
    RoutedImage,
};
use lineclear_backend_container::{ContainerBackend, ContainerSettings, GuardProgram};
use lineclear_container_engine::{Address, Engine, Surroundings};
use lineclear_engine_door::{Doors, EngineAddress, Settings, View};
use lineclear_oci::{Reference, Routes};
use lineclear_policy::{EngineChoice, EngineView};

use super::machine::Machine;
use super::prepare::Stopped;

/// The engine as jobs have it.
#[derive(Clone, Debug)]
pub(crate) struct EngineOfRun {
    pub(crate) containers: Arc<dyn Containers>,
    pub(crate) doors: Arc<dyn EngineDoors>,
    backend: Option<Arc<ContainerBackend>>,
    routes: RoutesOfRun,
}

/// Other names of images.
#[derive(Clone, Debug)]
struct RoutesOfRun {
    /// In the embedded registry.
    embedded: Routes,
    /// At mirrors of their registries.
    mirrors: Routes,
}

impl EngineOfRun {
    /// Asks for nothing yet: the engine is looked for when the first job needs it. No job may mount anything in `home`.
    ///
    /// Names of images that lead to the embedded registry do so by `routes`.
    ///
    /// # Errors
    /// For a mirror that is none.
    pub(crate) fn new(machine: &Machine, home: &Path, routes: Routes) -> Result<Self, Stopped> {
        let mut mirrors = Routes::default();
        for (host, mirror) in &machine.mirrors {
            mirrors
                .add(&format!("{host}={mirror}"))
                .map_err(|error| Stopped::bad_input(format!("[runner.mirrors] of lineclear.toml: {error}")))?;
        }
        let routes = RoutesOfRun { embedded: routes, mirrors };
        if machine.engine == EngineChoice::None {
            return Ok(Self {
                containers: Arc::new(NoContainers("it was chosen to have none")),
                doors: Arc::new(NoDoors),
                backend: None,
                routes,
            });
        }
        let address = address(&machine.engine);
        let settings = ContainerSettings {
            engine: address.clone(),
            trust_bundle: machine.trust_bundle.clone(),
            guard: Some(GuardProgram { spawn: lineclear_backend_host::spawn_beside, ..GuardProgram::this_program() }),
            ..ContainerSettings::default()
        };
        let backend = Arc::new(ContainerBackend::new(settings));
        let doors = LateDoors {
            address,
            backend: Arc::clone(&backend),
            view: match machine.engine_view {
                EngineView::Own => View::Own,
                EngineView::Shared => View::Shared,
            },
            protected: home.to_owned(),
            routes: routes.embedded.clone(),
            doors: OnceLock::new(),
        };
        let containers = Arc::clone(&backend) as Arc<dyn Containers>;
        Ok(Self { containers, doors: Arc::new(doors), backend: Some(backend), routes })
    }

    /// Where the images of a job are looked for first: in the embedded registry with the job's token, or at a mirror.
    pub(crate) fn route(&self, token: &str) -> Arc<ImageRoute> {
        let RoutesOfRun { embedded, mirrors } = self.routes.clone();
        let credentials = Credentials { username: "lineclear".to_owned(), password: token.to_owned() };
        Arc::new(move |name| {
            let reference = name.parse::<Reference>().ok()?;
            if let Some(kept) = embedded.apply(&reference) {
                return Some(RoutedImage { image: kept.to_string(), credentials: Some(credentials.clone()) });
            }
            mirrors.apply(&reference).map(|mirrored| RoutedImage { image: mirrored.to_string(), credentials: None })
        })
    }

    /// Whether steps may find an engine.
    pub(crate) fn is_wanted(&self) -> bool {
        self.backend.is_some()
    }

    /// Why what jobs make in the engine would outlive a kill of this command.
    pub(crate) fn guard_problem(&self) -> Option<String> {
        self.backend.as_ref()?.guard_problem()
    }
}

/// The address of an engine that was chosen; `None` where any will do.
fn address(choice: &EngineChoice) -> Option<String> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let first = |places: Vec<PathBuf>| {
        let found = places.iter().find(|place| place.exists()).or(places.last());
        found.map(|place| format!("unix://{}", place.display()))
    };
    match choice {
        EngineChoice::Found | EngineChoice::None => None,
        EngineChoice::Address(address) => Some(address.clone()),
        EngineChoice::Docker => {
            let own = runtime.map(|runtime| runtime.join("docker.sock"));
            first(own.into_iter().chain([PathBuf::from("/var/run/docker.sock")]).collect())
        }
        EngineChoice::Podman => {
            let own = runtime.map(|runtime| runtime.join("podman/podman.sock"));
            first(own.into_iter().chain([PathBuf::from("/run/podman/podman.sock")]).collect())
        }
    }
}

/// Doors to an engine that is looked for when the first job has a step to give one to.
#[derive(Debug)]
struct LateDoors {
    address: Option<String>,
    backend: Arc<ContainerBackend>,
    view: View,
    /// What no container may mount.
    protected: PathBuf,
    routes: Routes,
    /// `None`: there is no engine.
    doors: OnceLock<Option<Doors>>,
}

impl LateDoors {
    fn find(&self) -> Option<Doors> {
        let engine = match &self.address {
            Some(address) => Address::parse(address).and_then(Engine::connect),
            None => Engine::find(&Surroundings::of_this_process()),
        };
        // Steps of a machine without an engine find none either, and say so themselves.
        let address = match engine.ok()?.address() {
            Address::Unix(path) => EngineAddress::Unix(path.clone()),
            Address::Tcp { host, port } => EngineAddress::Tcp(format!("{host}:{port}")),
        };
        let mut settings = Settings::new(address, Owner::this().write());
        settings.view = self.view;
        settings.protected = vec![self.protected.clone()];
        settings.routes = self.routes.clone();
        // What is made through a door goes too when this command is killed.
        self.backend.begin_guard();
        Some(Doors::new(settings))
    }
}

impl EngineDoors for LateDoors {
    fn open(&self, request: &DoorRequest<'_>) -> io::Result<Option<Box<dyn EngineDoor>>> {
        match self.doors.get_or_init(|| self.find()) {
            Some(doors) => doors.open(request),
            None => Ok(None),
        }
    }
}
