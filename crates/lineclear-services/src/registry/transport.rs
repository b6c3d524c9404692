//! Requests and bodies between a connection and the registry, which blocks.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use http_body::{Body as HttpBody, Frame};
use lineclear_event::{ImageFact, Timestamp, with_causes};
use lineclear_oci::ErrorCode;
use lineclear_registry_server::{Body as Answer, Caller, Part, Registry, Request, refusal};
use lineclear_store::{ReadAt, StoreError};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::Limits;
use crate::http::{self, BodyError, BodyLimits};

/// Bytes that are read at once: the pieces that the store checks together.
const PIECE: u64 = 1 << 20;

/// Pieces that may wait for a connection: what a client that takes nothing holds in memory.
const AHEAD: usize = 3;

/// Who is told what, where it may block.
pub(super) struct Hearers {
    /// Of damage that shows when a blob is read.
    pub(super) warn: Warn,
    /// Of a manifest that was pushed: before anything is answered, and also if nobody waits for the answer any more.
    pub(super) pushed: Option<Pushed>,
}

/// A request with its body.
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
}

pub(super) type Warn = Arc<dyn Fn(&str) + Send + Sync>;

pub(super) type Pushed = Box<dyn FnOnce(Box<ImageFact>) + Send>;

/// Has the registry answer on a thread where it may block. Gives the answer, and a warning if there is one.
pub(super) async fn answer(
    registry: Registry,
    caller: Box<dyn Caller + Send>,
    asked: Asked,
    now: Timestamp,
    limits: Limits,
    hearers: Hearers,
) -> (Response, Option<String>) {
    let Hearers { warn, pushed } = hearers;
    let Asked { method, path, query, headers, body } = asked;
    let is_head = method == Method::HEAD;
    let has_body = matches!(method, Method::POST | Method::PATCH | Method::PUT);
    let work = move |reader: &mut dyn io::Read| {
        let headers: Vec<(&str, &str)> =
            headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
        let request = Request { method: method.as_str(), path: &path, query: &query, headers: &headers };
        let mut response = registry.answer(&request, reader, &*caller, now);
        if let (Some(tell), Some(fact)) = (pushed, response.pushed.take()) {
            tell(fact);
        }
        // The first piece is read before the status is sent: what is damaged at once can still be named.
        let body = match std::mem::replace(&mut response.body, Answer::Empty) {
            Answer::Part(part) if part.length > 0 => match PartPieces::begin(part, warn) {
                Ok((first, pieces)) => Sent::Pieces(first, pieces),
                Err(error) => {
                    let message = with_causes(&error);
                    let damaged = refusal(500, ErrorCode::Other("DAMAGED".into()), &message);
                    response.status = damaged.status;
                    response.headers = damaged.headers;
                    Sent::of(damaged.body)
                }
            },
            body => Sent::of(body),
        };
        (response, body)
    };
    let answered = if has_body {
        let bounds = BodyLimits { bytes: limits.archive, stall: limits.stall };
        http::read_blocking(body, bounds, move |reader| work(reader)).await
    } else {
        spawn_blocking(move || work(&mut io::empty())).await.map_err(|_| BodyError::Broken)
    };
    match answered {
        Ok((response, body)) => {
            let status = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (
                finished(status, &response.headers, if is_head { Body::empty() } else { body.into_body() }),
                response.warning,
            )
        }
        Err(error) => {
            let refused = refusal(error.status().as_u16(), ErrorCode::BlobUploadInvalid, error.to_string());
            let body = Sent::of(refused.body).into_body();
            (finished(error.status(), &refused.headers, body), None)
        }
    }
}

/// What is sent after the head.
enum Sent {
    Bytes(Vec<u8>),
    Pieces(Bytes, PartPieces),
}

impl Sent {
    fn of(body: Answer) -> Self {
        match body {
            Answer::Bytes(bytes) => Self::Bytes(bytes),
            Answer::Empty | Answer::Part(_) => Self::Bytes(Vec::new()),
        }
    }

    fn into_body(self) -> Body {
        match self {
            Self::Bytes(bytes) => Body::from(bytes),
            Self::Pieces(first, pieces) => ReadAhead::body(first, pieces),
        }
    }
}

fn finished(status: StatusCode, headers: &[(&'static str, String)], body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            // A name may come twice: there are several ways to say who one is.
            response.headers_mut().append(HeaderName::from_static(name), value);
        }
    }
    response
}

/// A part of a blob, piece by piece.
struct PartPieces {
    content: Box<dyn ReadAt>,
    at: u64,
    end: u64,
    warn: Warn,
}

impl PartPieces {
    fn begin(part: Part, warn: Warn) -> Result<(Bytes, Self), StoreError> {
        let end = part.first.saturating_add(part.length);
        let mut pieces = Self { content: part.content, at: part.first, end, warn };
        pieces.read().map(|first| (first, pieces))
    }

    fn read(&mut self) -> Result<Bytes, StoreError> {
        // To the end of the piece that the store checks as one: then nothing is checked twice.
        let length = (PIECE - self.at % PIECE).min(self.end - self.at);
        let mut piece = vec![0; usize::try_from(length).unwrap_or_default()];
        let mut filled = 0;
        while filled < piece.len() {
            let read = self.content.read_at(self.at, &mut piece[filled..]);
            match read {
                Ok(0) => {
                    let why = format!("it ends at byte {}, before its end", self.at);
                    return Err(StoreError::Damaged { what: "blob".into(), why });
                }
                Ok(read) => {
                    filled += read;
                    self.at += read as u64;
                }
                Err(error) => {
                    (self.warn)(&with_causes(&error));
                    return Err(error);
                }
            }
        }
        Ok(Bytes::from(piece))
    }
}

/// A body whose pieces are read by one thread while the connection sends those before: no hand-over for each of them.
struct ReadAhead {
    first: Option<Bytes>,
    rest: mpsc::Receiver<io::Result<Bytes>>,
}

impl ReadAhead {
    fn body(first: Bytes, mut pieces: PartPieces) -> Body {
        let (sender, rest) = mpsc::channel(AHEAD);
        if pieces.at < pieces.end {
            // Ends with the body: nobody takes what it reads then.
            let _reading = spawn_blocking(move || {
                while pieces.at < pieces.end {
                    let piece = pieces.read().map_err(|error| io::Error::other(with_causes(&error)));
                    let failed = piece.is_err();
                    if sender.blocking_send(piece).is_err() || failed {
                        return;
                    }
                }
            });
        }
        Body::new(Self { first: Some(first), rest })
    }
}

impl HttpBody for ReadAhead {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.first.take() {
            Some(first) => Poll::Ready(Some(Ok(Frame::data(first)))),
            None => self.rest.poll_recv(context).map(|piece| piece.map(|piece| piece.map(Frame::data))),
        }
    }
}
