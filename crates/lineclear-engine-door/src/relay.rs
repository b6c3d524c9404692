//! One request on its way to the engine, and the answer on its way back.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::client::Client;
use crate::engine::answer_head;
use crate::http::{AnswerHead, Body, Framing, HttpError, Inbound, RequestHead, chunk, last_chunk};
use crate::lines::Reader;
use crate::rewrite::{Answer, Decision, Pass, Refusal, Shown, Then};
use crate::serve::{Registered, Shared};
use crate::stream::{Stream, Watched, copy};

/// The longest answer that is read as a whole, in bytes.
const ANSWER_LIMIT: u64 = 64 * 1024 * 1024;
/// How long a client may go on sending a body that nobody wants any more.
const LINGER: Duration = Duration::from_secs(2);
/// Bytes that are moved at once.
const PIECE: usize = 64 * 1024;

/// A request of a client that is being answered.
pub(crate) struct Exchange<'e> {
    pub(crate) shared: &'e Arc<Shared>,
    pub(crate) registered: &'e Registered,
    pub(crate) client: &'e mut Client,
    pub(crate) inbound: &'e mut Inbound<Stream>,
    pub(crate) head: &'e RequestHead,
    /// What was read of the body.
    pub(crate) body: Vec<u8>,
    /// The framing of a body that was not read.
    pub(crate) stream: Option<Framing>,
}

/// What is done with lines of an answer besides.
#[derive(Clone, Copy, Default)]
pub(crate) struct Extra<'x> {
    /// A text in them, and what stands in its place.
    pub(crate) replace: Option<(&'x str, &'x str)>,
    /// Done when all went well, before the client hears of the end.
    pub(crate) at_end: Option<&'x dyn Fn()>,
}

/// How the sending of a body ended.
enum Sent {
    /// All of it was read.
    Whole,
    /// The client hung up, or sends more than anybody waits for.
    Broken,
    /// Its framing cannot be read.
    Bad(io::Error),
}

impl Exchange<'_> {
    pub(crate) fn carry_out(&mut self, decision: Decision) -> Result<(), HttpError> {
        match decision {
            Decision::Pass(pass) => self.pass(*pass, Extra::default()).map(drop),
            Decision::Reply(status, value) => Ok(self.client.value(AnswerHead::new(status, "OK"), &value)?),
            Decision::Push(image) => self.push(&image),
            Decision::Pull(image, there) => self.pull(&image, *there),
            Decision::Either(kept, there) => self.either(*kept, *there),
            Decision::PruneImages { all } => self.prune_images(all),
        }
    }

    pub(crate) fn refuse(&mut self, refusal: &Refusal) -> Result<(), HttpError> {
        // What the client still sends would be taken for its next request.
        self.client.closes |= self.stream.is_some();
        Ok(self.client.message(refusal.status, &refusal.message)?)
    }

    fn trouble(&mut self, what: &str, error: &dyn std::error::Error) -> Result<(), HttpError> {
        self.refuse(&Refusal::new(502, format!("{what}: {}", lineclear_event::with_causes(error))))
    }

    /// Passes a request on, and its answer back. Gives whether the engine did what it was asked for.
    pub(crate) fn pass(&mut self, pass: Pass, extra: Extra<'_>) -> Result<bool, HttpError> {
        for (target, body) in &pass.before {
            let problem = match self.shared.engine.post(target.clone(), Some(body)) {
                Ok(answer) if answer.is_fine() => continue,
                Ok(answer) => Refusal::new(answer.status, self.shared.job.names.shown(&answer.problem())),
                Err(error) => Refusal::from(error),
            };
            self.refuse(&problem)?;
            return Ok(false);
        }
        let engine = match Stream::connect(&self.shared.engine.address)
            .and_then(|engine| self.registered.add(&engine).map(|()| engine))
        {
            Ok(engine) => engine,
            Err(error) => {
                self.trouble("cannot connect to the container engine", &error)?;
                return Ok(false);
            }
        };
        let images_before = (pass.then == Then::MaybeBuilt).then(|| self.shared.image_tags());
        let head = self.engine_head(&pass);
        let result = match self.stream.take() {
            None => self.whole(&pass, head, engine, extra),
            Some(framing) => self.streamed(&pass, head, engine, framing, extra),
        };
        if let Some(before) = images_before {
            self.shared.note_new_tags(&before);
        }
        result
    }

    fn engine_head(&self, pass: &Pass) -> RequestHead {
        let mut headers = self.head.headers.end_to_end();
        headers.set("Host", "docker");
        // Parameters in the body of a form would count before those of the target, which were looked at.
        let kind = headers.get("Content-Type").unwrap_or_default().to_ascii_lowercase();
        if kind.contains("form") {
            headers.set("Content-Type", "application/octet-stream");
        }
        if pass.body.is_some() {
            headers.set("Content-Type", "application/json");
        }
        if let Some(login) = &pass.login {
            headers.set("X-Registry-Auth", login.clone());
        }
        match self.head.headers.get("Upgrade").filter(|_| pass.answer == Answer::Tunnel) {
            Some(upgrade) => {
                headers.set("Connection", "Upgrade");
                headers.set("Upgrade", upgrade.to_owned());
            }
            None => headers.set("Connection", "close"),
        }
        RequestHead { method: self.head.method.clone(), target: pass.target.write(), minor: 1, headers }
    }

    /// A request whose body is here.
    fn whole(
        &mut self,
        pass: &Pass,
        mut head: RequestHead,
        mut engine: Stream,
        extra: Extra<'_>,
    ) -> Result<bool, HttpError> {
        let body = match &pass.body {
            Some(value) => value.to_string().into_bytes(),
            None => std::mem::take(&mut self.body),
        };
        if !body.is_empty() || !matches!(head.method.as_str(), "GET" | "HEAD") {
            head.headers.set("Content-Length", body.len().to_string());
        }
        let mut message = head.write();
        message.extend_from_slice(&body);
        if let Err(error) = engine.write_all(&message) {
            self.trouble("cannot send the request to the container engine", &error)?;
            return Ok(false);
        }
        let client = self.client.stream.try_clone()?;
        let mut answer = Inbound::new(Watched { engine, client });
        let head = match answer_head(&mut answer) {
            Ok(head) => head,
            Err(HttpError::Io(error)) if error.kind() == io::ErrorKind::ConnectionAborted => return Err(error.into()),
            Err(error) => {
                self.trouble("the container engine did not answer", &error)?;
                return Ok(false);
            }
        };
        self.answer(pass, head, answer, extra)
    }

    /// A request whose body is passed on as it comes, while the answer comes already.
    fn streamed(
        &mut self,
        pass: &Pass,
        mut head: RequestHead,
        mut engine: Stream,
        framing: Framing,
        extra: Extra<'_>,
    ) -> Result<bool, HttpError> {
        match framing {
            Framing::Length(length) => head.headers.set("Content-Length", length.to_string()),
            _ => head.headers.set("Transfer-Encoding", "chunked"),
        }
        if let Err(error) = engine.write_all(&head.write()) {
            self.trouble("cannot send the request to the container engine", &error)?;
            return Ok(false);
        }
        let control = engine.try_clone()?;
        let to_engine = engine.try_clone()?;
        let client_control = self.client.stream.try_clone()?;
        let watched = Watched { engine, client: self.client.stream.try_clone()? };
        let (client, head, shared) = (&mut *self.client, self.head, self.shared);
        let inbound = &mut *self.inbound;
        let (tell, told) = mpsc::channel();
        thread::scope(|scope| {
            let sending = thread::Builder::new().name("door-body".into()).spawn_scoped(scope, move || {
                let sent = send(inbound, framing, to_engine);
                // Nobody listens any more if the connection has failed meanwhile.
                let _unheard = tell.send(sent);
            });
            if let Err(error) = sending {
                client.closes = true;
                client.message(503, &format!("the door to the container engine has no thread for this: {error}"))?;
                return Ok(false);
            }
            let mut answer = Inbound::new(watched);
            let begun = answer_head(&mut answer);
            let result = match begun {
                Ok(answer_head) => {
                    let mut nothing = Inbound::new(client_control.try_clone()?);
                    let registered = self.registered;
                    let mut exchange = Exchange {
                        shared,
                        registered,
                        client,
                        inbound: &mut nothing,
                        head,
                        body: Vec::new(),
                        stream: None,
                    };
                    exchange.answer(pass, answer_head, answer, extra)
                }
                Err(error) => Err(error),
            };
            // The engine has said everything: what the client still sends is not for it.
            control.end(Shutdown::Both);
            let sent = told.recv_timeout(LINGER).unwrap_or_else(|_| {
                client_control.end(Shutdown::Read);
                told.recv().unwrap_or(Sent::Broken)
            });
            match (result, sent) {
                (result, Sent::Whole) => match result {
                    Err(error) if !client.has_begun => {
                        client.message(
                            502,
                            &format!("the container engine did not answer: {}", lineclear_event::with_causes(&error)),
                        )?;
                        Ok(false)
                    }
                    other => other,
                },
                (_, Sent::Bad(error)) => Err(HttpError::Io(error)),
                (result, Sent::Broken) => {
                    client.closes = true;
                    result
                }
            }
        })
    }

    /// Passes an answer back.
    fn answer(
        &mut self,
        pass: &Pass,
        head: AnswerHead,
        mut inbound: Inbound<Watched>,
        extra: Extra<'_>,
    ) -> Result<bool, HttpError> {
        let framing = head.framing(&self.head.method)?;
        let mut back = AnswerHead { headers: head.headers.end_to_end(), ..head.clone() };
        if pass.answer == Answer::Tunnel
            && (head.status == 101 || (head.status == 200 && framing == Framing::UntilClose))
        {
            return self.tunnel(&head, back, inbound);
        }
        if head.status >= 400 && self.head.method != "HEAD" {
            let mut body = Vec::new();
            Body::new(&mut inbound, framing).take(ANSWER_LIMIT).read_to_end(&mut body)?;
            let mut value: Value = serde_json::from_slice(&body)
                .unwrap_or_else(|_| crate::rewrite::message(String::from_utf8_lossy(&body).trim()));
            self.shared.job.names.show(&mut value);
            if let Some(message) = value.get("message").and_then(Value::as_str)
                && let Some(better) = self.shared.explain(pass, message)
            {
                value = crate::rewrite::message(&better);
            }
            self.client.value(back, &value)?;
            return Ok(false);
        }
        if let Err(problem) = self.shared.follow_up(&pass.then, self.registered) {
            self.refuse(&Refusal::new(500, problem))?;
            return Ok(false);
        }
        let mut body = Body::new(&mut inbound, framing);
        match &pass.answer {
            Answer::Raw | Answer::Tunnel => {
                if self.head.method == "HEAD" {
                    // Its length is that of a body that is not there.
                    if let Some(length) = head.headers.get("Content-Length") {
                        back.headers.set("Content-Length", length.to_owned());
                    }
                    self.client.head(back)?;
                    return Ok(true);
                }
                self.client.begin(back, framing)?;
                let mut buffer = vec![0; PIECE];
                loop {
                    match body.read(&mut buffer) {
                        Ok(0) => break,
                        Ok(read) => self.client.piece(&buffer[..read])?,
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(error) => return Err(cut(error)),
                    }
                }
                self.client.end()?;
                Ok(true)
            }
            Answer::Value(shape) => {
                let mut bytes = Vec::new();
                body.take(ANSWER_LIMIT).read_to_end(&mut bytes).map_err(cut)?;
                let mut value: Value = serde_json::from_slice(&bytes).unwrap_or_default();
                self.shared.note(&pass.then, &value);
                let ports = |id: &str| self.shared.ports.of(id);
                let is_own = |id: &str| self.shared.known.get().containers.contains(id);
                let digests = |id: &str| self.shared.digests_of(id);
                let job = &self.shared.job;
                shape.show(&mut value, &Shown { job, ports: &ports, digests: &digests, is_own: &is_own });
                self.client.value(back, &value)?;
                Ok(true)
            }
            Answer::Lines(lines) => {
                self.client.begin(back, Framing::Chunked)?;
                let mut reader = Reader::new(lines, self.shared, extra.replace);
                let mut buffer = vec![0; PIECE];
                let mut out = Vec::new();
                loop {
                    let read = match body.read(&mut buffer) {
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                        other => other.map_err(cut)?,
                    };
                    out.clear();
                    if read == 0 {
                        reader.rest(&mut out);
                    } else {
                        reader.read(&buffer[..read], &mut out);
                    }
                    self.client.piece(&out)?;
                    if read == 0 {
                        break;
                    }
                }
                // Before the client hears of the end: its next request may ask for what this one made.
                let is_fine = reader.conclude();
                if let Some(at_end) = extra.at_end.filter(|_| is_fine) {
                    at_end();
                }
                self.client.end()?;
                Ok(is_fine)
            }
        }
    }

    /// A connection that became a stream in both directions, each with an end of its own.
    fn tunnel(
        &mut self,
        head: &AnswerHead,
        mut back: AnswerHead,
        inbound: Inbound<Watched>,
    ) -> Result<bool, HttpError> {
        if head.status == 101 {
            back.headers.set("Connection", "Upgrade");
            back.headers.set("Upgrade", head.headers.get("Upgrade").unwrap_or("tcp").to_owned());
        }
        self.client.bare(&back)?;
        let (Watched { engine, mut client }, come) = inbound.into_parts();
        let sent = self.inbound.take_buffered();
        let mut from_client = client.try_clone()?;
        let mut to_engine = engine.try_clone()?;
        let mut from_engine = engine;
        thread::scope(|scope| {
            let there = thread::Builder::new().name("door-tunnel".into()).spawn_scoped(scope, move || {
                let result = to_engine.write_all(&sent).and_then(|()| copy(&mut from_client, &mut to_engine));
                // The client may have said all and go on listening. If the connection broke instead, writing to it will tell.
                to_engine.end(if result.is_ok() { Shutdown::Write } else { Shutdown::Both });
            });
            let back = client.write_all(&come).and_then(|()| copy(&mut from_engine, &mut client));
            // The engine hangs up as a whole. What was written can still be read by the client.
            client.end(Shutdown::Both);
            from_engine.end(Shutdown::Both);
            there.map(|_| ()).and(back)
        })?;
        Ok(true)
    }
}

/// An answer that ends in the middle: the client sees its connection end, too.
fn cut(error: io::Error) -> HttpError {
    HttpError::Io(io::Error::new(io::ErrorKind::ConnectionAborted, error))
}

/// Sends a body to the engine as it comes. When the engine does not want it any more, the rest is read for a while, so that the
/// client gets to read the answer.
fn send(inbound: &mut Inbound<Stream>, framing: Framing, mut engine: Stream) -> Sent {
    let mut body = Body::new(inbound, framing);
    let mut buffer = vec![0; PIECE];
    let mut out = Vec::new();
    let mut unwanted: Option<Instant> = None;
    loop {
        let read = match body.read(&mut buffer) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                // Without its end the engine would wait for more.
                engine.end(Shutdown::Both);
                return if error.kind() == io::ErrorKind::InvalidData { Sent::Bad(error) } else { Sent::Broken };
            }
        };
        if read == 0 {
            let end = if framing == Framing::Chunked { last_chunk() } else { b"" };
            // An engine that hung up has said why in its answer.
            let _unwanted = engine.write_all(end);
            return Sent::Whole;
        }
        if let Some(since) = unwanted {
            if since.elapsed() > LINGER {
                return Sent::Broken;
            }
            continue;
        }
        let result = if framing == Framing::Chunked {
            chunk(&buffer[..read], &mut out);
            engine.write_all(&out)
        } else {
            engine.write_all(&buffer[..read])
        };
        if result.is_err() {
            unwanted = Some(Instant::now());
        }
    }
}
