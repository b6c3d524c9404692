//! Calls of the engine.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::http::{BodyKind, ChunkError, Connection, write_chunked};
use crate::{Address, EngineError, Patience};

/// How long a call that changes little may take. A busy machine starts a container in a second.
pub(crate) const CALL: Patience<'static> = Patience::of(Duration::from_secs(120));
/// How long the first call may take: nothing has to be done for it.
const HELLO: Patience<'static> = Patience::of(Duration::from_secs(20));
/// The newest version of the API that this client was written against.
const NEWEST: Api = Api(1, 47);
/// That of Docker 20.10.
const OLDEST: Api = Api(1, 40);
/// The longest answer that is kept in memory.
const LONGEST_ANSWER: usize = 64 << 20;
/// Connections kept for the next call.
const IDLE: usize = 8;
/// What is not escaped in a path or a query.
const PLAIN: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/').remove(b':');

/// A version of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Api(u32, u32);

impl Api {
    fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once('.')?;
        Some(Self(major.parse().ok()?, minor.parse().ok()?))
    }
}

/// Which engine it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// Docker, or something that says so.
    Docker,
    /// Podman's Docker-compatible service.
    Podman,
}

/// An engine that answered. Cheap to clone; calls from many threads run at the same time.
#[derive(Clone, Debug)]
pub struct Engine {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    address: Address,
    product: Product,
    version: String,
    api: Api,
    idle: Mutex<Vec<Connection>>,
}

/// What is asked of the engine.
pub(crate) struct Request<'r> {
    /// Continues "the engine was told to": `pull image x`.
    pub(crate) what: String,
    pub(crate) method: &'static str,
    /// Without the version.
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Body<'r>,
}

pub(crate) enum Body<'r> {
    Empty,
    Json(Value),
    /// A tar archive, sent as it is read.
    Tar(&'r mut dyn Read),
}

impl Request<'static> {
    pub(crate) fn new(method: &'static str, path: impl Into<String>, what: impl Into<String>) -> Self {
        Self { what: what.into(), method, path: path.into(), headers: Vec::new(), body: Body::Empty }
    }

    pub(crate) fn json(self, body: Value) -> Self {
        Self { body: Body::Json(body), ..self }
    }
}

impl<'r> Request<'r> {
    pub(crate) fn header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Adds to the query.
    pub(crate) fn query(mut self, name: &str, value: &str) -> Self {
        let mark = if self.path.contains('?') { '&' } else { '?' };
        let _ = write!(self.path, "{mark}{name}={}", escaped(value));
        self
    }

    /// Asks only for what bears this label.
    pub(crate) fn labelled(self, label: &str) -> Self {
        let filters = serde_json::json!({ "label": [label] }).to_string();
        self.query("filters", &filters)
    }
}

pub(crate) fn escaped(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// An answer whose body has not been read yet.
pub(crate) struct Answer<'e> {
    engine: &'e Engine,
    pub(crate) connection: Option<Connection>,
    pub(crate) kind: BodyKind,
    pub(crate) status: u16,
    keep: bool,
    what: String,
}

impl Answer<'_> {
    /// Appends the next piece of the body. `false` at its end.
    pub(crate) fn piece(&mut self, into: &mut Vec<u8>, patience: Patience<'_>) -> Result<bool, EngineError> {
        let Some(connection) = &mut self.connection else { return Ok(false) };
        let more = connection.body(&mut self.kind, into, &self.what, patience)?;
        if !more
            && self.keep
            && let Some(connection) = self.connection.take()
        {
            self.engine.give_back(connection);
        }
        Ok(more)
    }

    pub(crate) fn whole(mut self, patience: Patience<'_>) -> Result<Vec<u8>, EngineError> {
        let mut body = Vec::new();
        while self.piece(&mut body, patience)? {
            if body.len() > LONGEST_ANSWER {
                return Err(EngineError::Answer { what: self.what, problem: "it is larger than 64 MB".into() });
            }
        }
        Ok(body)
    }

    /// Each line of a body of JSON lines, as it comes.
    pub(crate) fn lines(
        mut self,
        patience: Patience<'_>,
        mut each: impl FnMut(&Value) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let mut buffer = Vec::new();
        loop {
            let more = self.piece(&mut buffer, patience)?;
            let mut used = 0;
            let mut stream = serde_json::Deserializer::from_slice(&buffer).into_iter::<Value>();
            loop {
                match stream.next() {
                    Some(Ok(value)) => {
                        used = stream.byte_offset();
                        each(&value)?;
                    }
                    Some(Err(error)) if error.is_eof() && more => break,
                    Some(Err(error)) => {
                        return Err(EngineError::Answer { what: self.what, problem: error.to_string() });
                    }
                    None => break,
                }
            }
            buffer.drain(..used);
            if !more {
                return Ok(());
            }
            if buffer.len() > LONGEST_ANSWER {
                return Err(EngineError::Answer {
                    what: self.what,
                    problem: "one of its lines is larger than 64 MB".into(),
                });
            }
        }
    }
}

impl Engine {
    /// Says hello at this address and agrees on a version of the API.
    ///
    /// # Errors
    /// [`EngineError::Unreachable`] where nobody listens; others if what answers is no engine, or one that is too old.
    pub fn connect(address: Address) -> Result<Self, EngineError> {
        let mut engine = Self {
            inner: Arc::new(Inner {
                address,
                product: Product::Docker,
                version: String::new(),
                api: OLDEST,
                idle: Mutex::default(),
            }),
        };
        let what = "tell its version";
        let answer = engine.send_to(Request::new("GET", "/version", what), "/version", HELLO)?;
        let said: Value = decode(what, &engine.checked(answer)?.whole(HELLO)?)?;
        let text = |name: &str| said.get(name).and_then(Value::as_str).unwrap_or_default();
        let newest = Api::parse(text("ApiVersion")).unwrap_or(OLDEST);
        if newest < OLDEST {
            return Err(EngineError::Answer {
                what: what.into(),
                problem: format!("version {} is too old: Docker 20.10 or newer is needed", text("Version")),
            });
        }
        let oldest = Api::parse(text("MinAPIVersion")).unwrap_or(OLDEST);
        let components = said.get("Components").and_then(Value::as_array).into_iter().flatten();
        let is_podman = components
            .filter_map(|component| component.get("Name")?.as_str())
            .any(|name| name.to_ascii_lowercase().contains("podman"));
        let version = text("Version").split(['+', ' ']).next().unwrap_or_default().to_owned();
        let idle = std::mem::take(&mut *engine.idle());
        engine.inner = Arc::new(Inner {
            address: engine.inner.address.clone(),
            product: if is_podman { Product::Podman } else { Product::Docker },
            version,
            api: newest.min(NEWEST).max(oldest),
            idle: Mutex::new(idle),
        });
        Ok(engine)
    }

    /// Where it listens.
    pub fn address(&self) -> &Address {
        &self.inner.address
    }

    /// Which engine it is.
    pub fn product(&self) -> Product {
        self.inner.product
    }

    /// Its own version: `26.1.5`.
    pub fn version(&self) -> &str {
        &self.inner.version
    }

    /// The version of the API that is spoken: `1.41`.
    pub fn api_version(&self) -> String {
        let Api(major, minor) = self.inner.api;
        format!("{major}.{minor}")
    }

    /// ``Docker 26.1.5 at `unix:///var/run/docker.sock` ``.
    pub fn description(&self) -> String {
        let product = match self.product() {
            Product::Docker => "Docker",
            Product::Podman => "Podman",
        };
        format!("{product} {} at `{}`", self.version(), self.address())
    }

    /// What the engine says of itself and its machine.
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn info(&self) -> Result<Value, EngineError> {
        self.json(Request::new("GET", "/info", "describe itself"), CALL)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.inner.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give_back(&self, connection: Connection) {
        let mut idle = self.idle();
        if idle.len() < IDLE {
            idle.push(connection);
        }
    }

    /// Sends a request and reads the head of its answer, whatever that says.
    pub(crate) fn send(&self, request: Request<'_>, patience: Patience<'_>) -> Result<Answer<'_>, EngineError> {
        let Api(major, minor) = self.inner.api;
        let path = format!("/v{major}.{minor}{}", request.path);
        self.send_to(request, &path, patience)
    }

    /// Sends a request without a body, and leaves its answer to be read.
    pub(crate) fn send_only(&self, request: Request<'_>) -> Result<Connection, EngineError> {
        let mut connection = self.connection()?;
        let text = format!(
            "{} /v{}{} HTTP/1.1\r\nHost: engine\r\nUser-Agent: lineclear\r\nContent-Length: 0\r\n\r\n",
            request.method,
            self.api_version(),
            request.path
        );
        let sent = connection.socket.write_all(text.as_bytes());
        sent.map_err(|source| EngineError::Broken { what: request.what, source })?;
        Ok(connection)
    }

    /// As [`Self::send`], at a path that has its version.
    pub(crate) fn send_to(
        &self,
        request: Request<'_>,
        path: &str,
        patience: Patience<'_>,
    ) -> Result<Answer<'_>, EngineError> {
        let Request { what, method, headers, body, .. } = request;
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: engine\r\nUser-Agent: lineclear\r\n");
        for (name, value) in &headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let mut bytes = head.into_bytes();
        let mut upload = None;
        match body {
            Body::Empty if method == "GET" || method == "HEAD" || method == "DELETE" => {
                bytes.extend_from_slice(b"\r\n")
            }
            Body::Empty => bytes.extend_from_slice(b"Content-Length: 0\r\n\r\n"),
            Body::Json(value) => {
                let text = value.to_string();
                bytes.extend_from_slice(
                    format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n", text.len()).as_bytes(),
                );
                bytes.extend_from_slice(text.as_bytes());
            }
            Body::Tar(from) => {
                bytes.extend_from_slice(b"Content-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n\r\n");
                upload = Some(from);
            }
        }
        let mut connection = self.connection()?;
        let broken = |source| EngineError::Broken { what: what.clone(), source };
        connection.socket.write_all(&bytes).map_err(broken)?;
        if let Some(from) = upload {
            match write_chunked(&mut connection.socket, from) {
                Ok(()) => {}
                Err(ChunkError::Source(source)) => return Err(EngineError::File { path: what.into(), source }),
                // An engine that refuses an upload says why, and closes without reading to its end.
                Err(ChunkError::Socket(source)) => match connection.head(&what, HELLO) {
                    Ok(head) if head.status >= 400 => {
                        let connection = Some(connection);
                        return Ok(Answer {
                            engine: self,
                            connection,
                            kind: head.body,
                            status: head.status,
                            keep: false,
                            what,
                        });
                    }
                    _ => return Err(broken(source)),
                },
            }
        }
        let mut head = connection.head(&what, patience)?;
        if method == "HEAD" {
            head.body = BodyKind::Ended;
        }
        Ok(Answer {
            engine: self,
            connection: Some(connection),
            kind: head.body,
            status: head.status,
            keep: head.keep,
            what,
        })
    }

    /// A connection that was kept and is still good, or a new one.
    fn connection(&self) -> Result<Connection, EngineError> {
        while let Some(connection) = { self.idle().pop() } {
            if connection.is_idle() {
                return Ok(connection);
            }
        }
        Connection::open(self.address())
            .map_err(|source| EngineError::Unreachable { address: self.address().to_string(), source })
    }

    /// The answer, if it says that all went well.
    pub(crate) fn checked<'e>(&self, answer: Answer<'e>) -> Result<Answer<'e>, EngineError> {
        if answer.status < 300 && answer.status != 0 {
            return Ok(answer);
        }
        let (what, status) = (answer.what.clone(), answer.status);
        let body = answer.whole(HELLO).unwrap_or_default();
        let said = serde_json::from_slice::<Value>(&body).ok();
        let message = said.as_ref().and_then(|said| said.get("message").or(said.get("cause"))?.as_str());
        let message = message.map_or_else(|| String::from_utf8_lossy(&body).trim().to_owned(), str::to_owned);
        let message = if message.is_empty() { format!("status {status}") } else { message };
        Err(EngineError::Refused { what, status, message })
    }

    /// Sends a request whose answer says nothing but that it was done.
    pub(crate) fn done(&self, request: Request<'_>, patience: Patience<'_>) -> Result<(), EngineError> {
        match self.send(request, patience).and_then(|answer| self.checked(answer)) {
            Ok(answer) => answer.whole(patience).map(drop),
            Err(error) if error.is_unchanged() => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Sends a request whose answer is JSON.
    pub(crate) fn json<T: DeserializeOwned>(
        &self,
        request: Request<'_>,
        patience: Patience<'_>,
    ) -> Result<T, EngineError> {
        let what = request.what.clone();
        let answer = self.send(request, patience)?;
        decode(&what, &self.checked(answer)?.whole(patience)?)
    }
}

fn decode<T: DeserializeOwned>(what: &str, body: &[u8]) -> Result<T, EngineError> {
    serde_json::from_slice(body).map_err(|error| EngineError::Answer { what: what.into(), problem: error.to_string() })
}
