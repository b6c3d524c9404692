//! What is done with a request, decided without touching the engine.
//!
//! Each kind of object has a file with a table of its endpoints. [`find`] looks a request up in them, [`Endpoint::decide`] turns it into a
//! [`Decision`], asking the [`Machine`] for what is there. What is in no table is refused: the engine may learn new ways to
//! reach what is not the job's.

mod answers;
mod containers;
mod create;
mod exec;
mod fields;
mod filters;
mod images;
mod job;
mod mounts;
mod networks;
mod system;
mod volumes;

#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use crate::http::Target;

pub(crate) use answers::{Shape, Shown, ShownPort, found, is_own_event, label};
pub(crate) use job::{DOOR_LABEL, Job, PORTS_LABEL, full_name};

/// What the engine is asked for while a request is looked at.
pub(crate) trait Machine {
    /// The containers of this job, running or not.
    fn containers(&self) -> Result<Vec<Found>, Refusal>;
    /// All networks of the machine.
    fn networks(&self) -> Result<Vec<Found>, Refusal>;
    /// The volume with this very name.
    fn volume(&self, name: &str) -> Result<Option<Found>, Refusal>;
    /// The image that a name or an id means.
    fn image(&self, name: &str) -> Result<Option<ImageFound>, Refusal>;
    /// The container in which something is run by `exec`.
    fn exec(&self, id: &str) -> Result<Option<String>, Refusal>;
    /// Whether this full id is known to be a container of this job.
    fn is_own_container(&self, id: &str) -> bool;
    /// The image that this job gave a name to, by the name in full.
    fn tagged(&self, name: &str) -> Option<String>;
    /// Whether this job made the image with this id.
    fn made(&self, id: &str) -> bool;
    /// Folders as containers of the job that reach this door see them, and where they are on the machine.
    fn seen_in_containers(&self) -> Result<Vec<(String, String)>, Refusal>;
    /// The path with its links followed, as far as it exists.
    fn real_path(&self, path: &str) -> String;
}

/// A container, network or volume.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// A volume's is its name.
    pub(crate) id: String,
    /// As the engine has them, without the slash of containers.
    pub(crate) names: Vec<String>,
    /// The value of the label that names a job.
    pub(crate) job: Option<String>,
}

/// An image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ImageFound {
    pub(crate) id: String,
    pub(crate) tags: Vec<String>,
    /// Where it wants volumes.
    pub(crate) volumes: Vec<String>,
}

/// Why a request is not passed on: what the client is answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    /// It is there perhaps, but not for this job.
    pub(crate) fn missing(what: &str, name: &str) -> Self {
        Self::new(404, format!("No such {what}: {name}"))
    }

    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(403, message)
    }
}

/// What is done with the body of a request before it is decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyUse {
    /// It is small, and what is in it does not matter.
    Ignored,
    /// It is read as JSON; nothing at all is `null`.
    Json,
    /// It is passed on as it comes, however long.
    Stream,
}

/// One line of a table.
#[derive(Clone, Copy)]
pub(crate) struct Endpoint {
    method: &'static str,
    /// `{}` stands for one part of the path, `{*}` for one or more: an image's name has slashes.
    path: &'static str,
    pub(crate) body: BodyUse,
    decide: fn(Ask<'_>) -> Result<Decision, Refusal>,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

const fn endpoint(
    method: &'static str,
    path: &'static str,
    body: BodyUse,
    decide: fn(Ask<'_>) -> Result<Decision, Refusal>,
) -> Endpoint {
    Endpoint { method, path, body, decide }
}

/// A request that is looked at.
pub(crate) struct Ask<'a> {
    pub(crate) target: Target,
    /// What stood for the braces of the path.
    pub(crate) name: String,
    /// `null` where there is none.
    pub(crate) body: Value,
    pub(crate) job: &'a Job,
    pub(crate) machine: &'a dyn Machine,
}

/// What is done with a request.
#[derive(Debug)]
pub(crate) enum Decision {
    /// It is passed on, and what comes back is made ready for the job's eyes.
    Pass(Box<Pass>),
    /// It is answered here.
    Reply(u16, Value),
    /// An image with a mapped name is pushed to where it is kept.
    Push(MappedImage),
    /// An image with a mapped name is pulled from where it is kept, or else from where its name says.
    Pull(MappedImage, Box<Pass>),
    /// What is told about a mapped name is asked where it is kept, or else where its name says.
    Either(Box<Pass>, Box<Pass>),
    /// Images of this job that no container uses are removed: all, or those without a name.
    PruneImages { all: bool },
}

/// An image whose name is mapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MappedImage {
    /// `ghcr.io/owner/app`
    pub(crate) asked: lineclear_oci::Reference,
    /// `127.0.0.1:5000/ghcr.io/owner/app`
    pub(crate) kept: lineclear_oci::Reference,
}

/// A request to the engine.
#[derive(Debug)]
pub(crate) struct Pass {
    pub(crate) target: Target,
    /// In place of the one that came; `None`: as it came.
    pub(crate) body: Option<Value>,
    /// In place of the login that came.
    pub(crate) login: Option<String>,
    /// Asked of the engine first; one that fails is the answer.
    pub(crate) before: Vec<(Target, Value)>,
    pub(crate) answer: Answer,
    /// Done when the engine agreed, before the answer is told.
    pub(crate) then: Then,
}

impl Pass {
    pub(crate) fn new(target: Target, answer: Answer) -> Self {
        Self { target, body: None, login: None, before: Vec::new(), answer, then: Then::Nothing }
    }

    fn with_body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    fn then(mut self, then: Then) -> Self {
        self.then = then;
        self
    }
}

impl From<Pass> for Decision {
    fn from(pass: Pass) -> Self {
        Self::Pass(Box::new(pass))
    }
}

/// What is done with an answer. One that tells of a failure is always read, and shown without the marks of names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Passed on as it comes.
    Raw,
    /// Passed on as it comes; the connection may become a stream in both directions.
    Tunnel,
    /// Read as one value.
    Value(Shape),
    /// Lines of JSON, each passed on when it comes.
    Lines(Lines),
}

/// What lines of JSON are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lines {
    /// Names in them are shown as steps know them.
    Plain,
    /// Those of other jobs are left out.
    Events,
    /// A push of this image.
    Push(String),
    /// A pull of this image; whether it was on the machine before.
    Pull { image: String, was_there: bool },
    /// A build that gives these tags.
    Build(Vec<String>),
    /// Images out of an archive.
    Load,
    /// An image made of an archive of files, with this name.
    Import(String),
}

/// What follows from an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    Nothing,
    /// The container with this id started or stopped: its ports are opened or closed. `must_open`: or else it is stopped again.
    Ports {
        container: String,
        must_open: bool,
    },
    /// The answer names a container of this job.
    Created,
    /// This image has this name now.
    Tagged {
        name: String,
        id: String,
    },
    /// The answer has the id of an image that has this name, if any.
    Committed {
        name: Option<String>,
    },
    /// The image with this name is not this job's any more.
    Removed {
        name: String,
    },
    /// Images may be built without an answer that tells it.
    MaybeBuilt,
}

const TABLES: &[&[Endpoint]] =
    &[containers::TABLE, exec::TABLE, networks::TABLE, volumes::TABLE, images::TABLE, system::TABLE];

/// The line of the tables that fits, and what stands for its braces.
pub(crate) fn find(method: &str, target: &Target) -> Result<(Endpoint, String), Refusal> {
    for endpoint in TABLES.iter().copied().flatten() {
        if endpoint.method == method
            && let Some(name) = fits(endpoint.path, &target.path)
        {
            return Ok((*endpoint, name));
        }
    }
    Err(system::refused(method, target))
}

fn fits(pattern: &str, path: &[String]) -> Option<String> {
    let parts: Vec<&str> = pattern.split('/').collect();
    let Some(at) = parts.iter().position(|part| part.starts_with('{')) else {
        return (parts == path).then(String::new);
    };
    let after = parts.len() - at - 1;
    let is_right_length = if parts[at] == "{*}" { path.len() >= parts.len() } else { path.len() == parts.len() };
    if !is_right_length || path[..at] != parts[..at] || path[path.len() - after..] != parts[at + 1..] {
        return None;
    }
    Some(path[at..path.len() - after].join("/"))
}

impl Endpoint {
    /// Decides on a request that fits this line.
    ///
    /// # Errors
    /// [`Refusal`]: what the client is answered instead.
    pub(crate) fn decide(
        &self,
        target: Target,
        name: String,
        body: &[u8],
        job: &Job,
        machine: &dyn Machine,
    ) -> Result<Decision, Refusal> {
        let body = match self.body {
            BodyUse::Json if !body.trim_ascii().is_empty() => serde_json::from_slice(body)
                .map_err(|error| Refusal::bad(format!("the body of the request is not JSON: {error}")))?,
            _ => Value::Null,
        };
        (self.decide)(Ask { target, name, body, job, machine })
    }
}

impl Ask<'_> {
    /// The full id of a container of this job, by its id, the beginning of it, or its name.
    fn own_container(&self, name: &str) -> Result<String, Refusal> {
        if self.machine.is_own_container(name) {
            return Ok(name.to_owned());
        }
        let asked = name.strip_prefix('/').unwrap_or(name);
        let containers = self.machine.containers()?;
        let marked = self.job.names.engine(asked);
        let by_name = |wanted: &str| containers.iter().find(|found| found.names.iter().any(|name| name == wanted));
        let by_id = containers.iter().find(|found| found.id == asked);
        if let Some(found) = by_id.or_else(|| by_name(&marked)).or_else(|| by_name(asked)) {
            return Ok(found.id.clone());
        }
        let mut begins = containers.iter().filter(|found| !asked.is_empty() && found.id.starts_with(asked));
        match (begins.next(), begins.next()) {
            (Some(found), None) => Ok(found.id.clone()),
            (Some(_), Some(_)) => Err(Refusal::bad(format!("Multiple IDs found with provided prefix: {asked}"))),
            (None, _) => Err(Refusal::missing("container", name)),
        }
    }

    /// As [`Self::own_container`], but where the machine is shared, any container's name is let through.
    fn seen_container(&self, name: &str) -> Result<String, Refusal> {
        match self.own_container(name) {
            Err(refusal) if refusal.status == 404 && self.job.is_shared() => Ok(name.to_owned()),
            other => other,
        }
    }

    /// Puts another name in the place of the braces, which stand after the first part of the path.
    fn rename_target(&mut self, name: &str) {
        if let Some(part) = self.target.path.get_mut(1) {
            *part = name.to_owned();
        }
    }
}

/// The text of a refusal or of another answer made here, as the engine would write it.
pub(crate) fn message(text: &str) -> Value {
    json!({ "message": text })
}
