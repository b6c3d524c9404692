//! The port through which a job has containers: its own, its services', and those of Docker actions.
//!
//! A job's folders are made by a [`Backend`](crate::Backend) first. Then [`Containers::open`] makes the network, the job's container and
//! its services, and waits for their health. Steps of a job in a container are started in [`JobContainers::room`], which is
//! a [`Room`] like any other, but sees paths of its own ([`Room::seen`]).

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lineclear_event::{JobKey, RunId};

use crate::{Layout, Process, Room, StartError, Wake};

/// What starts containers on this machine. One value serves many jobs at once, from many threads.
pub trait Containers: Send + Sync + fmt::Debug {
    /// The engine and where it was found: ``Docker 26.1.5 at `unix:///var/run/docker.sock` ``.
    ///
    /// # Errors
    /// Where no engine was found or it does not answer: what was tried, and what to do.
    fn engine(&self) -> Result<String, ContainerError>;

    /// Makes what the job needs: image pulls, a network (only if there is a container or service), the job's container, then all
    /// services at once, each waited for until it is healthy. A request with neither makes nothing until a Docker action asks.
    ///
    /// # Errors
    /// [`ContainerError`], after which nothing is left.
    fn open(&self, request: &ContainersRequest<'_>, told: &dyn Told) -> Result<Box<dyn JobContainers>, ContainerError>;
}

/// What a job needs of containers.
#[derive(Clone)]
pub struct ContainersRequest<'r> {
    pub run: RunId,
    pub job: &'r JobKey,
    /// The room's own: marks everything that is made for this job.
    pub tracking_id: &'r str,
    /// The room's folders, on this machine.
    pub layout: &'r Layout,
    /// The job's own container, if it has one.
    pub container: Option<ContainerSpec>,
    /// By their ids, in the order of the file. An empty image was left out by the caller.
    pub services: Vec<ServiceSpec>,
    /// The door to the engine that steps in containers are given in place of the engine's own socket; `None`: none.
    pub engine_socket: Option<&'r Path>,
    /// Where images are looked for before their own registry, also those of Docker actions.
    pub route: Arc<ImageRoute>,
    pub stop: Stop<'r>,
}

/// Where an image is looked for first, by its name as written. `None`: only where the name says.
pub type ImageRoute = dyn Fn(&str) -> Option<RoutedImage> + Send + Sync;

/// Another name of an image, under which it is pulled if it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutedImage {
    pub image: String,
    pub credentials: Option<Credentials>,
}

/// How work that takes long learns that nobody waits for it any more.
#[derive(Clone, Copy)]
pub struct Stop<'s> {
    /// Rung when the job is cancelled; what is being made is given up then.
    pub wake: &'s Wake,
    /// Whether to give up now; asked whenever `wake` was rung, and now and then.
    pub is_cancelled: &'s (dyn Fn() -> bool + Sync),
}

impl fmt::Debug for Stop<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stop").field("is_cancelled", &(self.is_cancelled)()).finish_non_exhaustive()
    }
}

impl fmt::Debug for ContainersRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContainersRequest")
            .field("run", &self.run)
            .field("job", &self.job)
            .field("container", &self.container)
            .field("services", &self.services)
            .finish_non_exhaustive()
    }
}

/// `container:` or the container of a service, evaluated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerSpec {
    /// As written: `postgres:15`, `ghcr.io/owner/image@sha256:…`. Not empty; `docker://` was taken off.
    pub image: String,
    pub credentials: Option<Credentials>,
    pub env: Vec<(String, String)>,
    /// `5432`, `5432:5432`, `127.0.0.1:53:53/udp`.
    pub ports: Vec<String>,
    /// `/src:/dst:ro`, `name:/dst`, `/dst`.
    pub volumes: Vec<String>,
    /// Options of `docker create`, as one text, split as a shell would. Unknown ones are refused by name.
    pub options: String,
}

/// One entry of `services:`, evaluated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceSpec {
    /// Its key: its name on the job's network.
    pub id: String,
    pub container: ContainerSpec,
    pub entrypoint: Option<String>,
    pub command: Option<String>,
}

/// A registry's user and password. `Debug` shows the user only.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub username: String,
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Where the making of containers is told, for the log of the job's set-up.
pub trait Told: Sync {
    /// A line for the log. May contain secrets: the caller masks.
    fn line(&self, text: &str);
    /// The lines from here to the next call, or to the end, belong under this heading.
    fn group(&self, title: &str);
    /// A pull's or build's progress: `done` of `total` bytes, drawn over where there is a terminal and otherwise dropped.
    fn progress(&self, what: &str, done: u64, total: Option<u64>);
    /// An image that is used, with the digest that its name meant now.
    fn image(&self, name: &str, digest: &str);
}

/// The containers of one job. Dropped without being closed, they are removed all the same.
pub trait JobContainers: Send + Sync + fmt::Debug {
    /// What the `job` context says.
    fn facts(&self) -> &ContainersFacts;

    /// Where steps run, if the job has a container of its own.
    fn room(&self) -> Option<&dyn Room>;

    /// How containers of this job, also those of Docker actions, reach this machine. `None` where they cannot.
    fn host(&self) -> Option<HostReach>;

    /// Makes an action's image ready: pulls it (three tries), or builds it from its Dockerfile. Once for each source in a job.
    ///
    /// # Errors
    /// [`ContainerError`].
    fn prepare(&self, image: &ActionImage, stop: Stop<'_>, told: &dyn Told) -> Result<PreparedImage, ContainerError>;

    /// Runs a Docker action's container to its end; it is removed then. Paths of the job's folders in `env` are translated.
    ///
    /// # Errors
    /// [`StartError`]: a missing entry point is told as a program that is not there.
    fn run(&self, container: &ActionContainer<'_>) -> Result<Box<dyn Process>, StartError>;

    /// Where a path of the job's folders is for a Docker action: `/github/workspace/…`. Others stay as they are.
    fn seen_by_action(&self, path: &Path) -> PathBuf;

    /// Tells the services' logs, then removes containers, networks and anonymous volumes, and looks whether something is left.
    ///
    /// # Errors
    /// If something of the job is left after all: what, in one sentence each.
    fn close(self: Box<Self>, told: &dyn Told) -> io::Result<()>;
}

/// How containers reach the machine that Lineclear runs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostReach {
    /// What they call it: an address, or a name that they can resolve.
    pub name: String,
    /// Where this machine listens for them: the gateway of their network, or loopback where the engine forwards to it.
    pub listen: IpAddr,
}

/// What containers give to the `job` context.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainersFacts {
    /// `job.container.network` and of every service; empty where no network was made.
    pub network: String,
    /// `job.container.id`.
    pub container: Option<String>,
    pub services: Vec<ServiceFacts>,
    /// The program that runs JavaScript actions inside of the job's container, as it is called there; why there is none.
    pub node: Option<Result<PathBuf, String>>,
}

/// What the `job.services` context says of one service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceFacts {
    pub id: String,
    /// The container's id.
    pub container: String,
    /// Port in the container, as text without protocol → port on the host (trap 79).
    pub ports: BTreeMap<String, String>,
}

/// Where the image of a Docker action comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ActionImage {
    /// `docker://…`, without that.
    Registry(String),
    /// The build's context, and the Dockerfile in it.
    Dockerfile { context: PathBuf, dockerfile: PathBuf },
}

/// An image that is on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreparedImage {
    /// What containers are made from.
    pub id: String,
}

/// One stage of a Docker action.
#[derive(Clone, Debug)]
pub struct ActionContainer<'c> {
    pub image: &'c PreparedImage,
    /// In place of the image's.
    pub entrypoint: Option<&'c str>,
    pub args: &'c [String],
    /// The whole environment but what the image sets.
    pub env: &'c [(std::ffi::OsString, std::ffi::OsString)],
}

/// Why a job cannot have its containers.
#[derive(Debug, thiserror::Error)]
pub enum ContainerError {
    /// What was tried, one sentence each.
    #[error("no container engine was found ({})", tried.join("; "))]
    NoEngine { tried: Vec<String> },
    /// It was there and is not any more, or does not do what it should.
    #[error("the container engine failed to {what}: {problem}")]
    Engine { what: String, problem: String },
    #[error("`{image}` is not the name of an image: {problem}")]
    ImageName { image: String, problem: String },
    /// The registry answered, and it does not have the image, or does not let this job see it.
    #[error("image `{image}` is not in its registry, or may not be seen with these credentials")]
    NoSuchImage { image: String },
    #[error("cannot pull image `{image}`: {problem}")]
    Pull { image: String, problem: String },
    #[error("cannot build the image of `{dockerfile}`: {problem}")]
    Build { dockerfile: PathBuf, problem: String },
    /// Of `options`, `ports` or `volumes`.
    #[error("{owner}: {problem}")]
    Setting { owner: String, problem: String },
    /// Its log was told before.
    #[error("service `{service}` is not healthy: {problem}")]
    Unhealthy { service: String, problem: String },
    /// A container that ended before its job began.
    #[error("{what} ended right after its start, with exit code {code}{}", hint.as_deref().unwrap_or_default())]
    Ended { what: String, code: i64, hint: Option<String> },
    #[error("the job was cancelled while its containers were made")]
    Cancelled,
}

/// A machine without containers: everything that needs one is refused with this reason.
#[derive(Clone, Debug)]
pub struct NoContainers(pub &'static str);

impl Containers for NoContainers {
    fn engine(&self) -> Result<String, ContainerError> {
        Err(ContainerError::NoEngine { tried: vec![self.0.to_owned()] })
    }

    fn open(&self, _: &ContainersRequest<'_>, _: &dyn Told) -> Result<Box<dyn JobContainers>, ContainerError> {
        Err(ContainerError::NoEngine { tried: vec![self.0.to_owned()] })
    }
}
