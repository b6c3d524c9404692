//! The containers of a job, from *Initialize containers* to *Stop containers*, and where its processes run because of them.
//!
//! # Source
//! Sections 1.9, 1.10 and 4.13 of the protocol notes, after `ContainerOperationProvider.cs` of `actions/runner`.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use lineclear_backend::{
    ContainerError, ContainerSpec, ContainersFacts, ContainersRequest, Enforce, EngineDoor, JobContainers, Room,
    ServiceSpec, Stop, Told,
};
use lineclear_event::with_causes;
use lineclear_workflow::StepsJob;

use crate::command_files::Writers;
use crate::container_spec::{self, Wanted};
use crate::context::{Speaker, StepScope};
use crate::environment::Env;
use crate::frame::Frame;
use crate::job::Job;
use crate::log::StepLog;
use crate::ports::{JobControl, Reached};
use crate::seen::{self, Seen};
use crate::stage::Stage;
use crate::step;
use crate::told::ToldStep;

/// The `PATH` of an image that sets none.
///
/// # Source
/// What Docker gives a container then.
const USUAL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Where a process of a job runs: what it finds in its environment, and what paths are called there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// On the machine itself.
    Machine,
    /// In the job's own container.
    Container,
    /// In the container of a Docker action.
    Action,
}

/// What a job has of containers. Made by *Initialize containers*, or when the first Docker action asks.
#[derive(Debug, Default)]
pub(crate) struct OwnContainers {
    /// Whether the job has a container of its own, in which its steps run.
    in_container: bool,
    /// Whether *Stop containers* is shown also where it has nothing to tell.
    were_initialized: bool,
    opened: OnceLock<Result<Opened, Unopened>>,
    /// What the `job` context still says of them when they are gone.
    gone: Option<ContainersFacts>,
    door: Option<Box<dyn EngineDoor>>,
}

#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) containers: Box<dyn JobContainers>,
    /// Names of the job's folders in its own container, and in those of actions.
    container: Seen,
    action: Seen,
    /// How what steps talk to is reached from a container; why it is not.
    reached: Option<Result<Reached, String>>,
}

#[derive(Clone, Debug)]
enum Unopened {
    Failed(String),
    Cancelled,
}

impl Unopened {
    fn reason(&self) -> &str {
        match self {
            Self::Failed(reason) => reason,
            Self::Cancelled => "the job was cancelled while its containers were made",
        }
    }
}

impl OwnContainers {
    pub(crate) fn behind(door: Option<Box<dyn EngineDoor>>) -> Self {
        Self { door, ..Self::default() }
    }

    pub(crate) fn facts(&self) -> Option<&ContainersFacts> {
        self.opened().map(|opened| opened.containers.facts()).or(self.gone.as_ref())
    }

    fn opened(&self) -> Option<&Opened> {
        self.opened.get().and_then(|opened| opened.as_ref().ok())
    }
}

impl Job<'_> {
    /// Where the job's own steps run.
    pub(crate) fn place(&self) -> Place {
        if self.containers.in_container { Place::Container } else { Place::Machine }
    }

    /// The room of a process.
    ///
    /// # Errors
    /// A sentence, if the job's container could not be made.
    pub(crate) fn room_at(&self, place: Place) -> Result<&dyn Room, String> {
        if place == Place::Machine {
            return Ok(self.room);
        }
        match self.containers.opened.get() {
            Some(Ok(opened)) => {
                opened.containers.room().ok_or_else(|| "the container engine gave the job no container".to_owned())
            }
            Some(Err(unopened)) => Err(format!("the job's container is not there: {}", unopened.reason())),
            None => Err("the job's container is not there yet".to_owned()),
        }
    }

    /// Who writes to the command files of steps.
    pub(crate) fn writers(&self) -> Writers {
        match self.containers.opened() {
            Some(_) => Writers::AnyUser,
            None => Writers::ThisUser,
        }
    }

    /// The variables that a process finds before any layer of the workflow.
    pub(crate) fn base_env(&self, place: Place) -> Cow<'_, [(OsString, OsString)]> {
        if place == Place::Machine {
            return Cow::Borrowed(&self.machine_env);
        }
        let mut env = match self.room_at(place) {
            Ok(room) if place == Place::Container => room.base_env().to_vec(),
            _ => Vec::new(),
        };
        let home = self.room.layout().temp.join(seen::HOME);
        env.push(("HOME".into(), self.inside(place, &home).into_owned().into()));
        if place == Place::Container && !env.iter().any(|(name, _)| name == "PATH") {
            env.push(("PATH".into(), USUAL_PATH.into()));
        }
        Cow::Owned(env)
    }

    /// The home folder of the job's steps, on this machine.
    pub(crate) fn home(&self) -> Option<PathBuf> {
        match self.place() {
            Place::Machine => self.machine_variable("HOME").map(PathBuf::from),
            Place::Container | Place::Action => Some(self.room.layout().temp.join(seen::HOME)),
        }
    }

    /// What a path of this machine is called at `place`.
    pub(crate) fn inside<'p>(&self, place: Place, path: &'p Path) -> Cow<'p, Path> {
        let inside = self.containers.opened().and_then(|opened| match place {
            Place::Machine => None,
            Place::Container => opened.container.inside(path),
            Place::Action => opened.action.inside(path),
        });
        inside.map_or(Cow::Borrowed(path), Cow::Owned)
    }

    /// What a path that some process of the job named is called on this machine.
    pub(crate) fn here<'p>(&self, path: &'p Path) -> Cow<'p, Path> {
        let Some(opened) = self.containers.opened() else { return Cow::Borrowed(path) };
        let here = opened.container.here(path).or_else(|| opened.action.here(path));
        here.map_or(Cow::Borrowed(path), Cow::Owned)
    }

    /// A folder of the `PATH` that some process of the job named, as it is kept.
    pub(crate) fn path_entry_here(&self, folder: String) -> String {
        match self.here(Path::new(&folder)) {
            Cow::Borrowed(_) => folder,
            Cow::Owned(here) => here.to_string_lossy().into_owned(),
        }
    }

    /// The value of a variable as a process at `place` needs it: paths of the job's folders, and addresses of what steps talk to.
    /// `None` where it is the same.
    pub(crate) fn value_inside(&self, place: Place, value: &OsStr) -> Option<OsString> {
        if place == Place::Machine {
            return None;
        }
        if value.as_encoded_bytes().first() == Some(&b'/') {
            let path = Path::new(value);
            return match self.inside(place, path) {
                Cow::Borrowed(_) => None,
                Cow::Owned(inside) => Some(inside.into()),
            };
        }
        let opened = self.containers.opened()?;
        let reached = opened.reached.as_ref()?.as_ref().ok()?;
        reached.translate(value.to_str()?).map(OsString::from)
    }

    /// Why containers do not reach what steps talk to, where they do not.
    fn is_out_of_reach(&self) -> Option<&str> {
        self.containers.opened()?.reached.as_ref()?.as_ref().err().map(String::as_str)
    }

    fn open(&self, wanted: Wanted, control: &JobControl, told: &dyn Told) -> Result<Opened, Unopened> {
        let Wanted { container, services, .. } = wanted;
        let is_cancelled = || control.is_cancelled();
        let layout = self.room.layout();
        let request = ContainersRequest {
            run: self.spec.run,
            job: &self.spec.job,
            tracking_id: self.room.tracking_id(),
            layout,
            container,
            services,
            engine_socket: self.containers.door.as_ref().map(|door| door.socket()),
            route: self.hands.settings.image_route(),
            stop: Stop { wake: control.wake(), is_cancelled: &is_cancelled },
        };
        let containers = self.hands.containers.open(&request, told).map_err(|error| match error {
            ContainerError::Cancelled => Unopened::Cancelled,
            error => Unopened::Failed(refused(&error)),
        })?;
        let container = match containers.room() {
            Some(room) => Seen::of(layout, |path| room.seen(path)),
            None => Seen::default(),
        };
        let action = Seen::of(layout, |path| containers.seen_by_action(path));
        let reached = self.hands.reach.map(|reach| match containers.host() {
            Some(host) => reach.open(&host).map_err(|error| error.to_string()),
            None => Err("the container engine does not say how containers reach this machine".to_owned()),
        });
        Ok(Opened { containers, container, action, reached })
    }

    /// The job's containers for a Docker action: those that are there, or a network for it alone.
    pub(crate) fn for_action(&self, control: &JobControl, told: &dyn Told) -> Result<&Opened, String> {
        let opened = self.containers.opened.get_or_init(|| self.open(Wanted::default(), control, told));
        opened.as_ref().map_err(|unopened| unopened.reason().to_owned())
    }
}

/// The error with the way out.
pub(crate) fn refused(error: &ContainerError) -> String {
    match error {
        ContainerError::NoEngine { .. } => {
            format!("{error}: start Docker or Podman, or name an engine (`--engine`, DOCKER_HOST)")
        }
        error => with_causes(error),
    }
}

/// Which containers the job wants. Decides where its steps run, so it comes before everything that asks.
///
/// # Errors
/// A sentence.
pub(crate) fn plan(job: &mut Job<'_>, env: &Env, frame: &Frame, steps_job: &StepsJob) -> Result<Wanted, String> {
    let scope = StepScope::new(job, env, frame, Speaker { step: "", env: None, files: None });
    let mut wanted = container_spec::wanted(&frame.source, steps_job, &scope, &job.masker)?;
    drop(scope);
    if wanted.container.is_none() {
        wanted.container = image_of_label(job).map(|image| ContainerSpec { image, ..ContainerSpec::default() });
    }
    job.containers.in_container = wanted.container.is_some();
    Ok(wanted)
}

/// The image that a label of the job stands for on this machine.
fn image_of_label(job: &Job<'_>) -> Option<String> {
    let images = &job.hands.settings.label_images;
    let of = |label: &String| images.iter().find(|(known, _)| known.eq_ignore_ascii_case(label));
    job.spec.runs_on.iter().find_map(of).map(|(_, image)| image.clone())
}

/// *Initialize containers*: only where the job wants some.
pub(crate) fn initialize(job: &mut Job<'_>, frame: &mut Frame, mut wanted: Wanted) {
    if wanted.is_empty() {
        return;
    }
    let warnings = std::mem::take(&mut wanted.warnings);
    let in_words = in_words(wanted.container.as_ref(), &wanted.services);
    let told = ToldStep::new(job, "__initialize_containers", "Initialize containers");
    let log = told.begin();
    for warning in &warnings {
        log.warning(warning);
    }
    let control = job.hands.control;
    let is_in_container = wanted.container.is_some();
    let unisolated = is_in_container.then(|| not_isolated(job)).flatten();
    if let Some(Ok(warning)) = &unisolated {
        log.warning(warning);
    }
    let opened = match (unisolated, job.hands.containers.engine()) {
        (Some(Err(refusal)), _) => Err(Unopened::Failed(refusal)),
        (_, Ok(_)) => job.open(wanted, control, &told),
        (_, Err(error)) => Err(Unopened::Failed(format!("{in_words}, but {}", refused(&error)))),
    };
    if let (Ok(opened), false) = (&opened, is_in_container) {
        open_ports(job, opened, log);
    }
    let stage = match &opened {
        Ok(_) => Stage::success(Vec::new()),
        Err(Unopened::Failed(reason)) => Stage::told_failure(log, reason.as_str()),
        Err(Unopened::Cancelled) => {
            log.error("The operation was canceled.");
            Stage::cancelled("the job was cancelled")
        }
    };
    // Nobody else has made any yet: only the steps after this can ask.
    let _ = job.containers.opened.set(opened);
    if let Some(problem) = job.is_out_of_reach() {
        log.warning(&format!("containers of this job do not reach artifacts, caches and the forge: {problem}"));
    }
    if let Some(finished) = told.end(stage) {
        step::note(frame, finished.conclusion, || finished.as_failure());
    }
    job.containers.were_initialized = true;
}

/// What an isolation of the machine's jobs means for one in a container: nothing, which has to be said (`Ok`) or is refused (`Err`).
fn not_isolated(job: &Job<'_>) -> Option<Result<String, String>> {
    let isolation = job.hands.settings.isolation.as_ref()?;
    let says = "isolation is for jobs on the machine itself, and this one runs in a container, whose engine keeps it apart and \
                gives it a network of its own; limit it by `options:`";
    Some(match isolation.enforce {
        Enforce::Strict => Err(says.to_owned()),
        Enforce::BestEffort => Ok(says.to_owned()),
    })
}

/// Opens the ports of services on the job's own loopback, where it has one.
fn open_ports(job: &Job<'_>, opened: &Opened, log: &StepLog<'_>) {
    let Some(network) = job.room.network() else { return };
    for service in &opened.containers.facts().services {
        for port in service.ports.values().filter_map(|port| port.parse::<u16>().ok()) {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            if let Err(error) = network.forward(address, address) {
                log.warning(&format!("port {port} of service `{}` is not reached from steps: {error}", service.id));
            }
        }
    }
}

/// "the job runs in the container `node:24`": what needs an engine.
fn in_words(container: Option<&ContainerSpec>, services: &[ServiceSpec]) -> String {
    match (container, services) {
        (Some(container), _) => format!("the job runs in the container `{}`", container.image),
        (None, [service, ..]) => format!("the job needs the service `{}` (`{}`)", service.id, service.container.image),
        (None, []) => "the job needs containers".to_owned(),
    }
}

/// *Stop containers*, and what steps made through the door: shown only where there is something to tell. Answers what is left
/// after all, a sentence each.
pub(crate) fn stop(job: &mut Job<'_>) -> Vec<String> {
    job.containers.gone = job.containers.facts().cloned();
    let opened = job.containers.opened.take();
    let door = job.containers.door.take();
    let told = ToldStep::new(job, "__stop_containers", "Stop containers");
    if job.containers.were_initialized && matches!(opened, Some(Ok(_))) {
        told.begin();
    }
    let mut left = Vec::new();
    // What was made through the door may stand on the networks of the job.
    if let Some(Err(error)) = door.map(|door| door.close(&told)) {
        left.extend(leaks(&error.to_string()));
    }
    if let Some(Ok(Opened { containers, reached, .. })) = opened {
        // While there is a network to listen on.
        drop(reached);
        if let Err(error) = containers.close(&told) {
            left.extend(leaks(&error.to_string()));
        }
    }
    told.end(Stage::success(Vec::new()));
    left
}

fn leaks(text: &str) -> Vec<String> {
    text.lines().map(|line| format!("left behind in the container engine: {line}")).collect()
}
