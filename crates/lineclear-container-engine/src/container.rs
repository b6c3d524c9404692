//! Containers.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::engine::{CALL, Engine, Request, escaped};
use crate::http::{BodyKind, Connection, wait};
use crate::{EngineError, OutputPiece, OutputStream, Patience, Product, Source};

/// Nothing is waited for.
const AT_ONCE: Patience<'static> = Patience::of(Duration::ZERO);

/// A container to make.
#[derive(Clone, Debug, Default)]
pub struct NewContainer {
    /// The engine makes one up if there is none.
    pub name: Option<String>,
    /// `linux/arm64`
    pub platform: Option<String>,
    /// Everything else, in the form of the API: `Image`, `Cmd`, `HostConfig` …
    pub body: Value,
}

/// Where a container stands.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerState {
    /// `created`, `running`, `exited` …
    pub status: String,
    /// Its first process lives.
    pub running: bool,
    /// Of its first process, as the engine's machine counts; 0 if there is none.
    pub pid: u32,
    /// Of its first process.
    pub exit_code: i64,
    /// What went wrong at its start.
    pub error: String,
    /// It was ended because the memory was used up.
    #[serde(rename = "OOMKilled")]
    pub oom_killed: bool,
    /// What its health check says, where there is one.
    pub health: Option<Health>,
}

/// What a health check says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Health {
    /// `starting`, `healthy`, `unhealthy`; `none` or empty without a check.
    pub status: String,
    /// How often it failed in a row.
    pub failing_streak: i64,
    /// The last results.
    pub log: Option<Vec<HealthResult>>,
}

/// One result of a health check.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HealthResult {
    /// Of the check.
    pub exit_code: i64,
    /// What it said.
    pub output: String,
}

/// What the engine tells of one container.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Inspected {
    /// Its full id.
    pub id: String,
    /// With a slash before it.
    pub name: String,
    /// The image's id.
    pub image: String,
    /// Where it stands.
    pub state: ContainerState,
    /// What it was made with.
    pub config: InspectedConfig,
    network_settings: NetworkSettings,
}

/// What a container was made with, the image's part included.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct InspectedConfig {
    /// `NAME=value`
    pub env: Option<Vec<String>>,
    /// As the image or the maker said: a name, a number, with a group after a colon, or empty for root.
    pub user: String,
    /// Its labels.
    pub labels: Option<BTreeMap<String, String>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct NetworkSettings {
    ports: Option<BTreeMap<String, Option<Vec<PortBinding>>>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct PortBinding {
    host_port: String,
}

impl Inspected {
    /// Ports that are open on the engine's machine: `5432/tcp` → the port there, the first of several.
    pub fn published(&self) -> BTreeMap<String, String> {
        let ports = self.network_settings.ports.iter().flatten();
        ports.filter_map(|(port, bound)| Some((port.clone(), bound.as_ref()?.first()?.host_port.clone()))).collect()
    }
}

/// A container in a list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerSummary {
    /// Its full id.
    pub id: String,
    /// With a slash before each.
    pub names: Vec<String>,
    /// As it was named when the container was made.
    pub image: String,
    /// `running`, `exited` …
    pub state: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

impl ContainerSummary {
    /// What a person knows it by.
    pub fn name(&self) -> &str {
        self.names.first().map_or(self.id.as_str(), |name| name.trim_start_matches('/'))
    }
}

/// What of a container's log is wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogRequest {
    /// The last lines only.
    pub tail: Option<u32>,
    /// Goes on until the container ends.
    pub follow: bool,
}

#[derive(Deserialize)]
struct Created {
    #[serde(rename = "Id")]
    id: String,
}

impl Engine {
    /// Makes a container without starting it. Gives its id.
    ///
    /// # Errors
    /// [`EngineError::Refused`], for a missing image with [`EngineError::is_not_found`].
    pub fn container_create(&self, container: &NewContainer) -> Result<String, EngineError> {
        let mut request = Request::new("POST", "/containers/create", "create a container");
        if let Some(name) = &container.name {
            request = request.query("name", name);
        }
        if let Some(platform) = &container.platform {
            request = request.query("platform", platform);
        }
        Ok(self.json::<Created>(request.json(container.body.clone()), CALL)?.id)
    }

    /// Starts a container; one that runs stays as it is.
    ///
    /// # Errors
    /// [`EngineError::Refused`], if its entry point cannot be executed or a port is taken, among others.
    pub fn container_start(&self, id: &str) -> Result<(), EngineError> {
        self.done(Request::new("POST", format!("/containers/{id}/start"), "start a container"), CALL)
    }

    /// # Errors
    /// [`EngineError`], with [`EngineError::is_not_found`] for one that is not there.
    pub fn container_inspect(&self, id: &str) -> Result<Inspected, EngineError> {
        let path = format!("/containers/{}/json", escaped(id));
        self.json(Request::new("GET", path, "tell of a container"), CALL)
    }

    /// Sends a signal such as `SIGTERM` to a container's first process.
    ///
    /// # Errors
    /// [`EngineError`], with [`EngineError::is_conflict`] for one that does not run.
    pub fn container_kill(&self, id: &str, signal: &str) -> Result<(), EngineError> {
        let request = Request::new("POST", format!("/containers/{id}/kill"), "send a signal to a container");
        self.done(request.query("signal", signal), CALL)
    }

    /// Kills and removes a container with its anonymous volumes. One that is not there is no error.
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn container_remove(&self, id: &str) -> Result<(), EngineError> {
        let path = format!("/containers/{}?force=1&v=1", escaped(id));
        let mut pause = Duration::from_millis(5);
        for _ in 0..60 {
            match self.done(Request::new("DELETE", path.clone(), "remove a container"), CALL) {
                Err(error) if error.is_not_found() => return Ok(()),
                // Somebody else removes it at this moment: it is gone when it is gone.
                Err(error) if error.is_conflict() => {
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(Duration::from_millis(500));
                }
                result => return result,
            }
        }
        Err(EngineError::TimedOut { what: "remove a container".into(), after: Duration::from_secs(30) })
    }

    /// All containers with this label (`name=value`), those that ended too.
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn containers(&self, label: &str) -> Result<Vec<ContainerSummary>, EngineError> {
        self.json(Request::new("GET", "/containers/json?all=1", "list containers").labelled(label), CALL)
    }

    /// Whether a container has a file or folder at this path.
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn container_has(&self, id: &str, path: &str) -> Result<bool, EngineError> {
        let request = Request::new("HEAD", format!("/containers/{id}/archive"), "look for a file in a container");
        match self.done(request.query("path", path), CALL) {
            Ok(()) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Has Podman check a container's health now. Its own timers need a service manager that is not everywhere.
    ///
    /// # Errors
    /// [`EngineError`], also of an engine that is not Podman.
    pub fn podman_health_check(&self, id: &str) -> Result<(), EngineError> {
        let path = format!("/v4.0.0/libpod/containers/{id}/healthcheck");
        let request = Request::new("GET", path.clone(), "check a container's health");
        let answer = self.send_to(request, &path, CALL)?;
        self.checked(answer)?.whole(CALL).map(drop)
    }

    /// What a container wrote, piece by piece.
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn container_logs(
        &self,
        id: &str,
        wanted: LogRequest,
        patience: Patience<'_>,
        each: &mut dyn FnMut(Source, &[u8]),
    ) -> Result<(), EngineError> {
        let what = "give the log of a container";
        let tail = wanted.tail.map_or("all".to_owned(), |tail| tail.to_string());
        let path = format!("/containers/{id}/logs?stdout=1&stderr=1&follow={}&tail={tail}", u8::from(wanted.follow));
        let answer = self.send(Request::new("GET", path, what), CALL)?;
        let mut answer = self.checked(answer)?;
        if answer.kind == BodyKind::Upgraded
            && let Some(connection) = answer.connection.take()
        {
            return self.drain(&mut OutputStream::new(connection), what, patience, each);
        }
        let mut frames = crate::output_frames::Frames::default();
        let mut bytes = Vec::new();
        while answer.piece(&mut bytes, patience)? {
            frames.each(&mut bytes, each);
        }
        Ok(())
    }

    /// What a container's first process writes from now on. To be asked for before its start, or its first words are lost.
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn container_attach(&self, id: &str) -> Result<OutputStream, EngineError> {
        let path = format!("/containers/{id}/attach?stream=1&stdout=1&stderr=1");
        self.hijack(Request::new("POST", path, "attach to a container"))
    }

    /// Begins to wait for the next end of a container. To be asked for before its start.
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn container_wait(&self, id: &str) -> Result<ContainerWait, EngineError> {
        let what = "wait for a container";
        let request = Request::new("POST", format!("/containers/{id}/wait?condition=next-exit"), what);
        // Docker answers at once that it waits. Podman says nothing before the end.
        if self.product() == Product::Docker {
            let answer = self.send(request, CALL)?;
            let mut answer = self.checked(answer)?;
            let connection = answer.connection.take();
            let connection =
                connection.ok_or_else(|| EngineError::Answer { what: what.into(), problem: "it is empty".into() })?;
            return Ok(ContainerWait { connection, kind: Some(answer.kind), said: Vec::new() });
        }
        Ok(ContainerWait { connection: self.send_only(request)?, kind: None, said: Vec::new() })
    }

    /// Reads a stream to its end.
    pub(crate) fn drain(
        &self,
        stream: &mut OutputStream,
        what: &str,
        patience: Patience<'_>,
        each: &mut dyn FnMut(Source, &[u8]),
    ) -> Result<(), EngineError> {
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            match stream.read(&mut bytes) {
                Ok(OutputPiece::Bytes(source)) => each(source, &bytes),
                Ok(OutputPiece::End) => return Ok(()),
                Ok(OutputPiece::Nothing) => wait(stream.fd(), what, patience)?,
                Err(source) => return Err(EngineError::Broken { what: what.into(), source }),
            }
        }
    }
}

/// The end of a container, to come.
#[derive(Debug)]
pub struct ContainerWait {
    connection: Connection,
    kind: Option<BodyKind>,
    said: Vec<u8>,
}

impl ContainerWait {
    /// Becomes readable when the container has ended.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.connection.socket.as_fd()
    }

    /// The exit code, if the container has ended. Does not wait.
    ///
    /// # Errors
    /// [`EngineError`], also if the engine is gone.
    pub fn look(&mut self) -> Result<Option<i64>, EngineError> {
        let what = "wait for a container";
        if self.kind.is_none() {
            match self.connection.head(what, AT_ONCE) {
                Ok(head) => self.kind = Some(head.body),
                Err(EngineError::TimedOut { .. }) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        let Some(kind) = &mut self.kind else { return Ok(None) };
        loop {
            match self.connection.body(kind, &mut self.said, what, AT_ONCE) {
                Ok(true) => {}
                Ok(false) => break,
                Err(EngineError::TimedOut { .. }) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        let said = serde_json::from_slice::<Value>(&self.said).ok();
        let code = said.as_ref().and_then(|said| said.get("StatusCode")).and_then(Value::as_i64);
        match code {
            Some(code) => Ok(Some(code)),
            None => Err(EngineError::Answer {
                what: what.into(),
                problem: format!("there is no exit code in `{}`", String::from_utf8_lossy(&self.said)),
            }),
        }
    }
}
