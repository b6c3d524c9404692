//! The connections of a door's socket.

use std::collections::HashMap;
use std::io::{self, Read};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use lineclear_backend::ImagesTold;
use rustix::event::{PollFd, PollFlags, poll};

use crate::client::Client;
use crate::engine::Engine;
use crate::http::{Body, Framing, HttpError, Inbound, RequestHead, Target};
use crate::known::Known;
use crate::look::Look;
use crate::ports::Ports;
use crate::relay::Exchange;
use crate::rewrite::{BodyUse, Job, find};
use crate::stream::Stream;
use crate::turns::Turns;

/// The longest body that is read as a whole, in bytes. The engine's own limit for such bodies is lower.
const BODY_LIMIT: u64 = 8 * 1024 * 1024;

/// Connections of one job at the same time.
const CONNECTIONS: usize = 1024;

/// What all connections of one door share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) engine: Engine,
    pub(crate) job: Job,
    pub(crate) known: Known,
    pub(crate) ports: Ports,
    pub(crate) images: Option<Arc<dyn ImagesTold>>,
    pub(crate) turns: Arc<Turns>,
    /// Whether anything was asked that may have made something.
    pub(crate) is_used: AtomicBool,
    pub(crate) is_closed: AtomicBool,
    /// Whether a thread follows the engine's events for the sake of ports.
    pub(crate) is_followed: AtomicBool,
    connections: Mutex<HashMap<u64, Vec<Stream>>>,
    next: AtomicU64,
}

impl Shared {
    pub(crate) fn new(
        engine: Engine,
        job: Job,
        ports: Ports,
        images: Option<Arc<dyn ImagesTold>>,
        turns: Arc<Turns>,
    ) -> Self {
        Self {
            engine,
            job,
            known: Known::default(),
            ports,
            images,
            turns,
            is_used: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
            is_followed: AtomicBool::new(false),
            connections: Mutex::default(),
            next: AtomicU64::new(0),
        }
    }

    pub(crate) fn look(&self) -> Look<'_> {
        Look { engine: &self.engine, job: &self.job, known: &self.known }
    }

    /// A place for the connections of one client, which end when the door closes.
    pub(crate) fn register(self: &Arc<Self>) -> Registered {
        Registered { shared: Arc::clone(self), number: self.next.fetch_add(1, Ordering::Relaxed) }
    }

    /// Ends all connections; new ones end at once.
    pub(crate) fn end_connections(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
        for stream in self.connections.lock().unwrap_or_else(PoisonError::into_inner).values().flatten() {
            stream.end(Shutdown::Both);
        }
    }

    /// How many clients are connected.
    pub(crate) fn connected(&self) -> usize {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// Keeps count of a client's connections.
#[derive(Debug)]
pub(crate) struct Registered {
    shared: Arc<Shared>,
    number: u64,
}

impl Registered {
    /// Adds a connection, which is ended with the door.
    pub(crate) fn add(&self, stream: &Stream) -> io::Result<()> {
        let stream = stream.try_clone()?;
        let mut connections = self.shared.connections.lock().unwrap_or_else(PoisonError::into_inner);
        // Looked at under the lock: whoever closes the door sets it first, then ends what is in the list.
        if self.shared.is_closed.load(Ordering::SeqCst) {
            stream.end(Shutdown::Both);
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        connections.entry(self.number).or_default().push(stream);
        Ok(())
    }

    /// Forgets all connections but the first: those to the engine that have ended.
    fn only_client(&self) {
        let mut connections = self.shared.connections.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(streams) = connections.get_mut(&self.number) {
            streams.truncate(1);
        }
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.shared.connections.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
    }
}

/// Accepts clients until `stop` can be read.
pub(crate) fn accept(listener: &UnixListener, stop: &OwnedFd, shared: &Arc<Shared>) {
    loop {
        let mut waited = [PollFd::new(listener, PollFlags::IN), PollFd::new(stop, PollFlags::IN)];
        match poll(&mut waited, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
        if !waited[1].revents().is_empty() {
            return;
        }
        let Ok((client, _)) = listener.accept() else { continue };
        // A client that opens more and more of them finds them closed, and the machine keeps its threads.
        if shared.connected() >= CONNECTIONS {
            continue;
        }
        let shared = Arc::clone(shared);
        // A thread that cannot be had closes the connection, which its client sees.
        let _closed = thread::Builder::new().name("door".into()).spawn(move || {
            // What goes wrong on a connection is told on it; where that is not possible, nobody is there to be told.
            let _hung_up = serve(Stream::Unix(client), &shared);
        });
    }
}

/// Serves one client until it hangs up.
fn serve(stream: Stream, shared: &Arc<Shared>) -> io::Result<()> {
    let registered = shared.register();
    registered.add(&stream)?;
    let mut client = Client::new(stream.try_clone()?);
    let mut inbound = Inbound::new(stream);
    loop {
        client.has_begun = false;
        let head = match inbound.head().and_then(|bytes| bytes.map(|bytes| RequestHead::parse(&bytes)).transpose()) {
            Ok(Some(head)) => head,
            Ok(None) => return Ok(()),
            Err(error) => return refuse(&mut client, &error),
        };
        client.minor = head.minor;
        client.closes = !head.keeps_alive();
        match one(head, &mut inbound, &mut client, shared, &registered) {
            Ok(()) if client.closes => return Ok(()),
            Ok(()) => registered.only_client(),
            Err(HttpError::Io(error)) if error.kind() != io::ErrorKind::InvalidData => return Err(error),
            Err(error) => return refuse(&mut client, &error),
        }
    }
}

/// Tells a client that what it says cannot be understood, and hangs up.
fn refuse(client: &mut Client, error: &HttpError) -> io::Result<()> {
    if let HttpError::Io(error) = error
        && error.kind() != io::ErrorKind::InvalidData
    {
        return Ok(());
    }
    client.closes = true;
    if client.has_begun {
        return Ok(());
    }
    let status = if matches!(error, HttpError::HeadTooLong) { 431 } else { 400 };
    client.message(status, &lineclear_event::with_causes(error))
}

/// One request and its answer.
fn one(
    head: RequestHead,
    inbound: &mut Inbound<Stream>,
    client: &mut Client,
    shared: &Arc<Shared>,
    registered: &Registered,
) -> Result<(), HttpError> {
    let target = Target::parse(&head.target)?;
    let framing = head.framing()?;
    let has_body = framing != Framing::Length(0);
    let (endpoint, name) = match find(&head.method, &target) {
        Ok(found) => found,
        Err(refusal) => {
            client.closes |= has_body;
            return Ok(client.message(refusal.status, &refusal.message)?);
        }
    };
    if head.method != "GET" && head.method != "HEAD" {
        shared.is_used.store(true, Ordering::SeqCst);
    }
    if has_body && head.headers.lists("expect", "100-continue") {
        client.go_on()?;
    }
    let mut body = Vec::new();
    if endpoint.body != BodyUse::Stream {
        Body::new(inbound, framing).take(BODY_LIMIT + 1).read_to_end(&mut body)?;
        if body.len() as u64 > BODY_LIMIT {
            client.closes = true;
            return Ok(client.message(413, &format!("the body of the request is longer than {BODY_LIMIT} bytes"))?);
        }
    }
    let decision = endpoint.decide(target, name, &body, &shared.job, &shared.look());
    let stream = (endpoint.body == BodyUse::Stream && has_body).then_some(framing);
    let mut exchange = Exchange { shared, registered, client, inbound, head: &head, body, stream };
    match decision {
        Ok(decision) => exchange.carry_out(decision),
        Err(refusal) => exchange.refuse(&refusal),
    }
}
