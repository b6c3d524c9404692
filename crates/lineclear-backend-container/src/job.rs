//! The containers of one job: its own, its services', and those of Docker actions.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use lineclear_backend::{
    ActionContainer, ActionImage, ContainerError, ContainersFacts, ContainersRequest, HostReach, ImageRoute,
    JobContainers, Layout, PreparedImage, Process, Room, ServiceFacts, StartError, Stop, Told, labels,
};
use lineclear_container_engine::{
    BuildRequest, Engine, EngineError, Inspected, NewContainer, Patience, Product, build_with_buildx, has_buildx,
};
use serde_json::json;

use crate::action::ActionProcess;
use crate::backend::{Shared, lock};
use crate::error::{as_io, translate};
use crate::mounts::{self, Mount, PathMap};
use crate::networks;
use crate::plan::{Plan, Surroundings};
use crate::process_table::Processes;
use crate::pull::{Had, Wanted};
use crate::room::{ContainerRoom, RoomParts};
use crate::volumes::Volume;
use crate::{health, node, reclaim, remove, trust};

/// How long a build may be silent: a step that compiles says nothing for long.
const BUILD_SILENCE: Duration = Duration::from_secs(60 * 60);

/// Dropped without being closed, everything is removed all the same, and nobody is told what was left.
#[derive(Debug)]
pub(crate) struct Job {
    shared: Arc<Shared>,
    /// Once one was needed.
    engine: OnceLock<Engine>,
    labels: BTreeMap<String, String>,
    tracking_id: String,
    layout: Layout,
    engine_socket: Option<PathBuf>,
    route: Route,
    facts: ContainersFacts,
    room: Option<ContainerRoom>,
    /// What containers were made from, which may serve to give files back.
    images: Mutex<Vec<String>>,
    /// Containers of services: the id of the service, and of the container.
    services: Vec<(String, String)>,
    /// Named volumes that this job uses and that were made here.
    volumes: Vec<String>,
    action_map: PathMap,
    action_mounts: Vec<Mount>,
    prepared: Mutex<BTreeMap<ActionImage, PreparedImage>>,
    reach: OnceLock<Option<HostReach>>,
    closed: bool,
}

struct Route(Arc<ImageRoute>);

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Route")
    }
}

/// A container that runs.
#[derive(Debug)]
struct Made {
    id: String,
    inspected: Inspected,
}

impl Job {
    pub(crate) fn open(
        shared: Arc<Shared>,
        request: &ContainersRequest<'_>,
        told: &dyn Told,
    ) -> Result<Self, ContainerError> {
        let labels = labels::of_job(&shared.owner, request.run, request.tracking_id).into();
        let (action_mounts, action_map) = mounts::of_action(request.layout);
        let mut job = Self {
            shared,
            engine: OnceLock::new(),
            labels,
            tracking_id: request.tracking_id.into(),
            layout: request.layout.clone(),
            engine_socket: request.engine_socket.map(Path::to_owned),
            route: Route(Arc::clone(&request.route)),
            facts: ContainersFacts::default(),
            room: None,
            images: Mutex::default(),
            services: Vec::new(),
            volumes: Vec::new(),
            action_map,
            action_mounts,
            prepared: Mutex::default(),
            reach: OnceLock::new(),
            closed: false,
        };
        if request.container.is_none() && request.services.is_empty() {
            return Ok(job);
        }
        let mut plans = Vec::new();
        if let Some(spec) = &request.container {
            plans.push(Plan::of_job(spec, &job.layout)?);
        }
        for service in &request.services {
            plans.push(Plan::of_service(service, &job.layout)?);
        }
        // Dropped on failure, the job removes what was made.
        job.make(&plans, request.stop, told)?;
        Ok(job)
    }

    fn engine(&self) -> Result<&Engine, ContainerError> {
        if let Some(engine) = self.engine.get() {
            return Ok(engine);
        }
        let engine = self.shared.engine()?;
        Ok(self.engine.get_or_init(|| engine))
    }

    fn job_label(&self) -> String {
        format!("{}={}", labels::JOB, self.tracking_id)
    }

    fn make(&mut self, plans: &[Plan<'_>], stop: Stop<'_>, told: &dyn Told) -> Result<(), ContainerError> {
        let engine = self.engine()?.clone();
        told.group("Initialize containers");
        told.line(&engine.description());
        let unique = self.tracking_id.trim_start_matches("github_").to_owned();
        let has_own = plans.first().is_some_and(|plan| plan.service.is_none());
        if has_own {
            self.make_folders()?;
        }
        self.make_volumes(&engine, plans)?;

        // The images, all at once, and the network beside them.
        let shared = Arc::clone(&self.shared);
        let route = Arc::clone(&self.route.0);
        let (network, images) = thread::scope(|scope| {
            let network = scope.spawn(|| networks::make(&engine, &self.labels, &unique).map_err(translate));
            let pulling: Vec<_> = plans
                .iter()
                .map(|plan| {
                    let (shared, route, engine) = (&shared, &route, &engine);
                    scope.spawn(move || {
                        let wanted = Wanted {
                            image: &plan.spec.image,
                            platform: plan.options.platform.as_deref(),
                            credentials: plan.spec.credentials.as_ref(),
                            pull: plan.options.pull.unwrap_or(shared.settings.pull),
                            route: &**route,
                        };
                        shared.pulls.have(engine, &wanted, stop, told)
                    })
                })
                .collect();
            let images: Result<Vec<Had>, _> = pulling.into_iter().map(joined).collect();
            (joined(network), images)
        });
        // Known first, so that it is given back whatever became of the images.
        let network = network?;
        self.facts.network.clone_from(&network);
        let images = images?;
        lock(&self.images).extend(images.iter().map(|had| had.name.clone()));

        // The containers, all at once.
        let host_node = has_own.then(|| node::on_host(shared.settings.node.as_deref())).flatten();
        let job = &*self;
        let made: Vec<Result<Made, ContainerError>> = thread::scope(|scope| {
            let making: Vec<_> = plans
                .iter()
                .zip(&images)
                .map(|(plan, had)| {
                    let (engine, network, host_node) = (&engine, network.as_str(), host_node.as_deref());
                    scope.spawn(move || job.make_one(engine, plan, had, network, host_node, told))
                })
                .collect();
            making.into_iter().map(joined).collect()
        });
        let made: Vec<Made> = made.into_iter().collect::<Result<_, _>>()?;
        if (stop.is_cancelled)() {
            return Err(ContainerError::Cancelled);
        }
        for (plan, made) in plans.iter().zip(&made) {
            match plan.service {
                None => self.facts.container = Some(made.id.clone()),
                Some(id) => {
                    self.services.push((id.to_owned(), made.id.clone()));
                    let mut ports: BTreeMap<String, String> = BTreeMap::new();
                    for (port, host) in made.inspected.published() {
                        let (number, protocol) = port.split_once('/').unwrap_or((&port, "tcp"));
                        if protocol == "tcp" || !ports.contains_key(number) {
                            ports.insert(number.to_owned(), host);
                        }
                    }
                    self.facts.services.push(ServiceFacts { id: id.into(), container: made.id.clone(), ports });
                }
            }
        }
        // Node is looked for while the services come up.
        let own = has_own.then(|| made.first()).flatten();
        let found = thread::scope(|scope| {
            let looking = own.map(|own| scope.spawn(|| self.find_node(&engine, own, host_node.as_deref())));
            let ready = self.wait_for_services(&engine, stop, told);
            let found = looking.map(joined);
            ready.map(|()| found)
        })?;
        self.facts.node = found;
        if let Some(own) = own {
            self.room = Some(self.make_room(&engine, own)?);
        }
        Ok(())
    }

    /// Folders that containers see and that rooms do not have.
    fn make_folders(&self) -> Result<(), ContainerError> {
        for (name, mode) in [(mounts::HOME, 0o777), (mounts::WORKFLOW, 0o755)] {
            let folder = self.layout.temp.join(name);
            let made = fs::create_dir_all(&folder)
                .and_then(|()| fs::set_permissions(&folder, fs::Permissions::from_mode(mode)));
            made.map_err(|error| ContainerError::Engine {
                what: format!("make `{}`", folder.display()),
                problem: error.to_string(),
            })?;
        }
        Ok(())
    }

    /// Makes named volumes that are not there, so that they are known to be the job's and go with it.
    fn make_volumes(&mut self, engine: &Engine, plans: &[Plan<'_>]) -> Result<(), ContainerError> {
        for plan in plans {
            for volume in &plan.volumes {
                let Volume::Named { name, .. } = volume else { continue };
                if self.volumes.contains(name) {
                    continue;
                }
                let mut users = lock(&self.shared.volumes);
                if !users.contains_key(name) {
                    if engine.has_volume(name).map_err(translate)? {
                        continue; // The user's own.
                    }
                    engine.volume_create(name, &self.labels).map_err(translate)?;
                }
                *users.entry(name.clone()).or_default() += 1;
                self.volumes.push(name.clone());
            }
        }
        Ok(())
    }

    fn make_one(
        &self,
        engine: &Engine,
        plan: &Plan<'_>,
        had: &Had,
        network: &str,
        host_node: Option<&Path>,
        told: &dyn Told,
    ) -> Result<Made, ContainerError> {
        let is_own = plan.service.is_none();
        let mut env = vec!["GITHUB_ACTIONS=true".to_owned(), "CI=true".into()];
        let (mut mounts, mut working_directory) = (Vec::new(), None);
        if is_own {
            env.push("HOME=/github/home".into());
            let (own, map) = mounts::of_job(&self.layout);
            mounts = own;
            working_directory = Some(map.seen(&self.layout.workspace).display().to_string());
            mounts.extend(self.engine_socket.as_ref().map(|socket| Mount::new(socket, "/var/run/docker.sock")));
            mounts.extend(host_node.map(|node| Mount::new(node, node::MOUNTED).read_only()));
        }
        let around = Surroundings {
            labels: &self.labels,
            network,
            name: format!("{}_{}", self.tracking_id, safe(plan.service.unwrap_or("job"))),
            mounts,
            trust_bundle: self.shared.settings.trust_bundle.as_deref(),
            env,
            working_directory,
        };
        let owner = plan.owner();
        told.line(&format!("Starting {owner} from {}", had.name));
        let id = engine
            .container_create(&plan.container(&had.name, &around))
            .map_err(|error| of(error, "create", &owner))?;
        if let Err(error) = engine.container_start(&id) {
            return Err(match error {
                EngineError::Refused { message, .. } if is_own && message.contains("tail") => ContainerError::Setting {
                    owner,
                    problem: format!(
                        "image `{}` has no program `tail`, by which the container of a job is kept running; use an image \
                         with a shell and the usual commands",
                        had.name
                    ),
                },
                error => of(error, "start", &owner),
            });
        }
        let inspected = engine.container_inspect(&id).map_err(translate)?;
        if is_own && !inspected.state.running {
            health::tell_log(engine, &id, told);
            return Err(ContainerError::Ended {
                what: format!("the container of image `{}`", had.name),
                code: inspected.state.exit_code,
                hint: Some("; it must have a `tail` that follows `/dev/null`".into()),
            });
        }
        Ok(Made { id, inspected })
    }

    fn wait_for_services(&self, engine: &Engine, stop: Stop<'_>, told: &dyn Told) -> Result<(), ContainerError> {
        let failed = AtomicBool::new(false);
        let gives_up = || failed.load(Ordering::Relaxed) || (stop.is_cancelled)();
        let results: Vec<_> = thread::scope(|scope| {
            let gives_up = &gives_up;
            let failed = &failed;
            let waiting: Vec<_> = self
                .services
                .iter()
                .map(|service| {
                    let wait = scope.spawn(move || {
                        let result = health::wait(engine, &service.0, &service.1, gives_up);
                        failed.fetch_or(result.is_err(), Ordering::Relaxed);
                        result
                    });
                    (service, wait)
                })
                .collect();
            waiting.into_iter().map(|(service, wait)| (service, joined(wait))).collect::<Vec<_>>()
        });
        let mut first = None;
        for ((id, container), result) in results {
            match result {
                Ok(()) => {}
                Err(ContainerError::Cancelled) => {
                    first.get_or_insert(ContainerError::Cancelled);
                }
                Err(error) => {
                    told.group(&format!("Log of service {id}"));
                    health::tell_log(engine, container, told);
                    if !matches!(first, Some(ref other) if !matches!(other, ContainerError::Cancelled)) {
                        first = Some(error);
                    }
                }
            }
        }
        first.map_or(Ok(()), Err)
    }

    fn find_node(&self, engine: &Engine, own: &Made, host_node: Option<&Path>) -> Result<PathBuf, String> {
        let image = &own.inspected.image;
        if let Some(known) = lock(&self.shared.nodes).get(image) {
            return known.clone();
        }
        let found = node::find(engine, &own.id, host_node);
        lock(&self.shared.nodes).insert(image.clone(), found.clone());
        found
    }

    fn make_room(&self, engine: &Engine, own: &Made) -> Result<ContainerRoom, ContainerError> {
        let (_, map) = mounts::of_job(&self.layout);
        let user = own.inspected.config.user.split(':').next().unwrap_or_default();
        let is_stranger = !matches!(user, "" | "0" | "root") && user != rustix::process::geteuid().as_raw().to_string();
        if is_stranger {
            // Its parent is this user's alone, so that nobody else on this machine comes here.
            let scratch = self.layout.scratch.canonicalize().unwrap_or_else(|_| self.layout.scratch.clone());
            for folder in [&scratch, &self.layout.temp, &self.layout.workspace] {
                let opened = fs::set_permissions(folder, fs::Permissions::from_mode(0o777));
                opened.map_err(|error| ContainerError::Engine {
                    what: format!("open `{}` to user `{user}` of the container", folder.display()),
                    problem: error.to_string(),
                })?;
            }
        }
        let (first, access) = (own.inspected.state.pid, self.shared.settings.processes);
        Ok(ContainerRoom::new(RoomParts {
            engine: engine.clone(),
            container: own.id.clone(),
            layout: self.layout.clone(),
            map,
            tracking_id: self.tracking_id.clone(),
            env: own.inspected.config.env.clone().unwrap_or_default(),
            processes: Processes::new(engine, &own.id, first, access, self.tracking_id.trim_start_matches("github_")),
            is_stranger,
        }))
    }

    fn pull_action(&self, image: &str, stop: Stop<'_>, told: &dyn Told) -> Result<PreparedImage, ContainerError> {
        let (engine, shared) = (self.engine()?, &self.shared);
        let wanted =
            Wanted { image, platform: None, credentials: None, pull: shared.settings.pull, route: &*self.route.0 };
        let had = shared.pulls.have(engine, &wanted, stop, told)?;
        Ok(PreparedImage { id: had.name })
    }

    fn build_action(
        &self,
        context: &Path,
        dockerfile: &Path,
        stop: Stop<'_>,
        told: &dyn Told,
    ) -> Result<PreparedImage, ContainerError> {
        let engine = self.engine()?;
        let fail = |problem| ContainerError::Build { dockerfile: dockerfile.into(), problem };
        // Named by the job, so that no other finds it; its layers are shared all the same.
        let number = lock(&self.prepared).len();
        let tag = format!("lineclear-action:{}-{number}", self.tracking_id.trim_start_matches("github_"));
        let build = BuildRequest {
            context: context.into(),
            dockerfile: dockerfile.into(),
            tags: vec![tag.clone()],
            labels: self.labels.clone(),
            ..BuildRequest::default()
        };
        told.line(&format!("Building {}", dockerfile.display()));
        let patience = Patience { silence: BUILD_SILENCE, cancelled: Some(stop.is_cancelled) };
        let mut each = |text: &str| {
            for line in text.lines().filter(|line| !line.trim().is_empty()) {
                told.line(line);
            }
        };
        let built = match engine.product() == Product::Docker && has_buildx() {
            true => build_with_buildx(engine, &build, patience, &mut each),
            false => engine.build(&build, patience, &mut each),
        };
        let id = built.map_err(|error| match error {
            EngineError::Cancelled => ContainerError::Cancelled,
            EngineError::Failed { message, .. } | EngineError::Refused { message, .. } => fail(message),
            error => fail(error.chain()),
        })?;
        told.image(&tag, &id);
        Ok(PreparedImage { id: tag })
    }

    fn run_action(&self, container: &ActionContainer<'_>) -> Result<ActionProcess, StartError> {
        let program = || container.entrypoint.unwrap_or("the entry point of its image").to_owned();
        let io_error = |source: io::Error| StartError::Io { program: program(), source };
        let engine = self.engine().map_err(|error| io_error(io::Error::other(error)))?;
        self.make_folders().map_err(|error| io_error(io::Error::other(error)))?;
        let mut env = Vec::new();
        for (index, (name, value)) in container.env.iter().enumerate() {
            if container.env[index + 1..].iter().any(|(later, _)| later == name) {
                continue;
            }
            let value = self.action_map.value(name, value);
            match (name.to_str(), value.to_str()) {
                (Some(name), Some(value)) => env.push(format!("{name}={value}")),
                _ => {
                    let problem = format!("`{}` is no UTF-8, which the container engine needs", name.to_string_lossy());
                    return Err(io_error(io::Error::new(io::ErrorKind::InvalidInput, problem)));
                }
            }
        }
        let has = |env: &[String], name: &str| env.iter().any(|entry| entry.split('=').next() == Some(name));
        for (name, value) in [("HOME", "/github/home"), ("GITHUB_ACTIONS", "true"), ("CI", "true")] {
            // The machine's own home means nothing in there.
            if name == "HOME" {
                env.retain(|entry| !entry.starts_with("HOME="));
            }
            if !has(&env, name) {
                env.push(format!("{name}={value}"));
            }
        }
        let mut mounts: Vec<_> = self.action_mounts.iter().map(Mount::json).collect();
        if let Some(socket) = &self.engine_socket {
            mounts.push(Mount::new(socket, "/var/run/docker.sock").json());
        }
        if let Some(bundle) = &self.shared.settings.trust_bundle {
            mounts.extend(trust::mounts(bundle).iter().map(Mount::json));
            let more = trust::env(|name| has(&env, name));
            env.extend(more);
        }
        let mut body = json!({
            "Image": container.image.id,
            "Env": env,
            "WorkingDir": "/github/workspace",
            "Labels": self.labels,
            "AttachStdout": true,
            "AttachStderr": true,
            "HostConfig": { "Mounts": mounts },
        });
        if let Some(entrypoint) = container.entrypoint {
            body["Entrypoint"] = json!([entrypoint]);
        }
        if !container.args.is_empty() {
            body["Cmd"] = json!(container.args);
        }
        if !self.facts.network.is_empty() {
            body["HostConfig"]["NetworkMode"] = json!(self.facts.network);
        }
        let fail = |error: EngineError| match error {
            EngineError::Refused { message, .. } if message.contains("permission denied") => {
                StartError::NotExecutable { program: program() }
            }
            EngineError::Refused { message, .. }
                if message.contains("not found") || message.contains("no such file") =>
            {
                StartError::NotFound { program: program() }
            }
            error => io_error(as_io(error)),
        };
        lock(&self.images).push(container.image.id.clone());
        let id = engine.container_create(&NewContainer { name: None, platform: None, body }).map_err(fail)?;
        let begin = || {
            // Asked for before the start, or a short life is missed.
            let output = engine.container_attach(&id)?;
            let end = engine.container_wait(&id)?;
            engine.container_start(&id)?;
            Ok((end, output))
        };
        match begin() {
            Ok((end, output)) => Ok(ActionProcess::new(engine.clone(), id, end, output)),
            Err(error) => {
                // The first error is the one to tell; what is left is found at the end of the job.
                let _ = engine.container_remove(&id);
                Err(fail(error))
            }
        }
    }

    /// Removes everything. The second time there is nothing to do.
    fn clean(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.closed, true) {
            return Ok(());
        }
        let Some(engine) = self.engine.get() else { return Ok(()) };
        let mut problems = Vec::new();
        if let Err(problem) = self.give_files_back(engine) {
            problems.push(format!("files of other users are left in the job's folders ({problem})"));
        }
        let known: Vec<&String> =
            self.facts.container.iter().chain(self.services.iter().map(|(_, container)| container)).collect();
        thread::scope(|scope| {
            for id in &known {
                scope.spawn(|| engine.container_remove(id));
            }
        });
        if !self.facts.network.is_empty() {
            // Seen below where it fails.
            let _ = networks::remove(engine, &self.facts.network);
        }
        {
            let mut users = lock(&self.shared.volumes);
            for name in &self.volumes {
                let Some(count) = users.get_mut(name) else { continue };
                *count -= 1;
                if *count == 0 {
                    users.remove(name);
                    // Seen below too.
                    let _ = engine.volume_remove(name);
                }
            }
        }
        let shared_volumes: Vec<String> =
            lock(&self.shared.volumes).keys().map(|name| format!("volume `{name}`")).collect();
        let label = self.job_label();
        let look = || {
            let found = remove::look(engine, &label)?;
            // One that other jobs use goes with the last of them.
            Ok::<_, EngineError>(found.into_iter().filter(|found| !shared_volumes.contains(found)).collect::<Vec<_>>())
        };
        let left = look().and_then(|found| match found.is_empty() {
            true => Ok(found),
            false => {
                remove::labelled(engine, &label)?;
                look()
            }
        });
        match left {
            Ok(left) => problems.extend(left.into_iter().map(|left| format!("{left} could not be removed"))),
            Err(error) => {
                problems.push(format!("what is left in the container engine is not known: {}", error.chain()))
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(io::Error::other(problems.join("; "))) }
    }

    /// Containers run as root, and what they write is root's. A user who is not must be able to remove it.
    fn give_files_back(&self, engine: &Engine) -> Result<(), String> {
        let (user, group) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        let images = lock(&self.images).clone();
        if user == 0 || images.is_empty() {
            return Ok(());
        }
        let folders = reclaim::strange(&self.layout, user);
        if folders.is_empty() {
            return Ok(());
        }
        let mut problem = String::new();
        for image in &images {
            match reclaim::give_back(engine, image, &folders, (user, group), &self.labels) {
                Ok(()) => return Ok(()),
                Err(error) => problem = error,
            }
        }
        Err(problem)
    }
}

impl JobContainers for Job {
    fn facts(&self) -> &ContainersFacts {
        &self.facts
    }

    fn room(&self) -> Option<&dyn Room> {
        self.room.as_ref().map(|room| room as &dyn Room)
    }

    fn host(&self) -> Option<HostReach> {
        self.reach
            .get_or_init(|| {
                let engine = self.engine().ok()?;
                let network = if self.facts.network.is_empty() { "bridge" } else { &self.facts.network };
                let gateway = engine.network_gateway(network).ok().flatten();
                // A gateway that is of this machine can be listened at.
                if let Some(gateway) = gateway.filter(|gateway| TcpListener::bind((*gateway, 0)).is_ok()) {
                    return Some(HostReach { name: gateway.to_string(), listen: gateway });
                }
                let info = engine.info().ok()?;
                let system = info.get("OperatingSystem").and_then(serde_json::Value::as_str).unwrap_or_default();
                let listen = IpAddr::V4(Ipv4Addr::LOCALHOST);
                system.contains("Docker Desktop").then(|| HostReach { name: "host.docker.internal".into(), listen })
            })
            .clone()
    }

    fn prepare(&self, image: &ActionImage, stop: Stop<'_>, told: &dyn Told) -> Result<PreparedImage, ContainerError> {
        if let Some(prepared) = lock(&self.prepared).get(image) {
            return Ok(prepared.clone());
        }
        let prepared = match image {
            ActionImage::Registry(name) => self.pull_action(name, stop, told),
            ActionImage::Dockerfile { context, dockerfile } => self.build_action(context, dockerfile, stop, told),
        }?;
        lock(&self.prepared).insert(image.clone(), prepared.clone());
        Ok(prepared)
    }

    fn run(&self, container: &ActionContainer<'_>) -> Result<Box<dyn Process>, StartError> {
        Ok(Box::new(self.run_action(container)?))
    }

    fn seen_by_action(&self, path: &Path) -> PathBuf {
        self.action_map.seen(path)
    }

    fn close(mut self: Box<Self>, told: &dyn Told) -> io::Result<()> {
        if let Some(engine) = self.engine.get() {
            for (id, container) in &self.services {
                told.group(&format!("Log of service {id}"));
                health::tell_log(engine, container, told);
            }
        }
        self.clean()
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        // Nobody is left to be told; the guard tries again.
        let _ = self.clean();
    }
}

/// What a thread gave. One that panicked did so with a message on standard error, and here it is passed on.
fn joined<T>(thread: thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn of(error: EngineError, deed: &str, owner: &str) -> ContainerError {
    match error {
        EngineError::Refused { message, .. } => {
            ContainerError::Engine { what: format!("{deed} the {owner}"), problem: message }
        }
        error => translate(error),
    }
}

/// A name that an engine takes.
fn safe(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' }).collect()
}
