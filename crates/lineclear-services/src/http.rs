//! Requests and answers: queries, bodies that blocking code reads and writes, plain replies.

use std::fmt;
use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use http_body::{Body as HttpBody, Frame};
use percent_encoding::percent_decode_str;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};

/// Pieces of a body that may wait for the store.
const WAITING: usize = 8;

/// How much of a body that nobody wants is read, so that its sender gets to read the refusal.
const POLITE: u64 = 32 << 20;

/// The pairs after the `?` of an address, decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// `+` is a space. What is not UTF-8 becomes replacement characters.
    pub(crate) fn parse(text: &str) -> Self {
        let decode = |part: &str| percent_decode_str(&part.replace('+', " ")).decode_utf8_lossy().into_owned();
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(name, value)| (decode(name), decode(value)))
                .collect(),
        )
    }

    /// The first value of a name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn into_pairs(self) -> Vec<(String, String)> {
        self.0
    }
}

/// Why a request's body did not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    TooLarge,
    /// Nothing came for [`crate::Limits::stall`].
    Stalled,
    /// The connection ended before the body did.
    Broken,
}

impl BodyError {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Stalled => StatusCode::REQUEST_TIMEOUT,
            Self::Broken => StatusCode::BAD_REQUEST,
        }
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "the request is larger than is allowed",
            Self::Stalled => "the rest of the request did not come in time",
            Self::Broken => "the request broke off",
        })
    }
}

/// How much of a body is taken, and how long is waited for each piece of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyLimits {
    pub(crate) bytes: u64,
    pub(crate) stall: Duration,
}

/// The next piece of a body; `None` at its end.
async fn piece(body: &mut Body, stall: Duration) -> Result<Option<Bytes>, BodyError> {
    loop {
        let frame = std::future::poll_fn(|context| Pin::new(&mut *body).poll_frame(context));
        match tokio::time::timeout(stall, frame).await {
            Err(_) => return Err(BodyError::Stalled),
            Ok(None) => return Ok(None),
            Ok(Some(Err(_))) => return Err(BodyError::Broken),
            Ok(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

/// Whether a body says beforehand that it is longer than is allowed.
fn is_announced_too_large(body: &Body, limits: BodyLimits) -> bool {
    body.size_hint().lower() > limits.bytes
}

/// A whole body in memory: for small ones.
pub(crate) async fn read_whole(mut body: Body, limits: BodyLimits) -> Result<Vec<u8>, BodyError> {
    if is_announced_too_large(&body, limits) {
        discard(body, limits.stall).await;
        return Err(BodyError::TooLarge);
    }
    let mut whole = Vec::new();
    while let Some(piece) = piece(&mut body, limits.stall).await? {
        if (whole.len() + piece.len()) as u64 > limits.bytes {
            return Err(BodyError::TooLarge);
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole)
}

/// Reads a body that is not wanted, up to a limit: a client that is still sending does not see an answer otherwise.
pub(crate) async fn discard(mut body: Body, stall: Duration) {
    let mut read = 0;
    while let Ok(Some(piece)) = piece(&mut body, stall.min(Duration::from_secs(5))).await {
        read += piece.len() as u64;
        if read > POLITE {
            return;
        }
    }
}

/// A body for blocking code to read, and how its arrival ended. The reader fails unless the body came to its end.
pub(crate) fn stream_in(body: Body, limits: BodyLimits) -> (BodyReader, JoinHandle<Result<(), BodyError>>) {
    let (sender, pieces) = mpsc::channel(WAITING);
    let fed = tokio::spawn(feed(body, limits, sender));
    (BodyReader { pieces, current: Bytes::new(), ended: false }, fed)
}

/// Has blocking code read a body. What it made of a body that did not arrive is dropped.
pub(crate) async fn read_blocking<T: Send + 'static>(
    body: Body,
    limits: BodyLimits,
    work: impl FnOnce(&mut BodyReader) -> T + Send + 'static,
) -> Result<T, BodyError> {
    let (mut reader, fed) = stream_in(body, limits);
    let made = spawn_blocking(move || work(&mut reader)).await;
    fed.await.unwrap_or(Err(BodyError::Broken))?;
    made.map_err(|_| BodyError::Broken)
}

async fn feed(mut body: Body, limits: BodyLimits, reader: mpsc::Sender<Option<Bytes>>) -> Result<(), BodyError> {
    if is_announced_too_large(&body, limits) {
        drop(reader);
        discard(body, limits.stall).await;
        return Err(BodyError::TooLarge);
    }
    let mut bytes: u64 = 0;
    while let Some(piece) = piece(&mut body, limits.stall).await? {
        bytes += piece.len() as u64;
        if bytes > limits.bytes {
            return Err(BodyError::TooLarge);
        }
        if reader.send(Some(piece)).await.is_err() {
            // The work ended early and has its own word on it.
            discard(body, limits.stall).await;
            return Ok(());
        }
    }
    let _ = reader.send(None).await;
    Ok(())
}

/// A request's body as blocking code reads it.
#[derive(Debug)]
pub(crate) struct BodyReader {
    /// `None` says that the body came to its end; without it, it broke off.
    pieces: mpsc::Receiver<Option<Bytes>>,
    current: Bytes,
    ended: bool,
}

impl Read for BodyReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() && !self.ended {
            match self.pieces.blocking_recv() {
                Some(Some(piece)) => self.current = piece,
                Some(None) => self.ended = true,
                None => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the client's connection broke off")),
            }
        }
        let length = self.current.len().min(into.len());
        into[..length].copy_from_slice(&self.current.split_to(length));
        Ok(length)
    }
}

/// What gives a body piece by piece, blocking.
pub(crate) trait Pieces: Send + Unpin + 'static {
    /// The next piece; empty at the end. An error breaks the connection, so that the client notices.
    fn next(&mut self) -> io::Result<Bytes>;
}

/// A body out of blocking code. One piece is read ahead, and none while the client takes none.
pub(crate) struct PieceBody<P> {
    first: Option<Bytes>,
    rest: Option<JoinHandle<(P, io::Result<Bytes>)>>,
}

impl<P: Pieces> PieceBody<P> {
    /// `first` has been read from `pieces` already.
    pub(crate) fn body(first: Bytes, pieces: P) -> Body {
        let rest = (!first.is_empty()).then(|| read_ahead(pieces));
        Body::new(Self { first: Some(first), rest })
    }
}

fn read_ahead<P: Pieces>(mut pieces: P) -> JoinHandle<(P, io::Result<Bytes>)> {
    spawn_blocking(move || {
        let piece = pieces.next();
        (pieces, piece)
    })
}

impl<P: Pieces> HttpBody for PieceBody<P> {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(first) = self.first.take()
            && !first.is_empty()
        {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        let Some(reading) = &mut self.rest else { return Poll::Ready(None) };
        let read = std::task::ready!(Pin::new(reading).poll(context));
        self.rest = None;
        Poll::Ready(match read {
            Err(_) => Some(Err(io::Error::other("reading ended before its time"))),
            Ok((_, Err(error))) => Some(Err(error)),
            Ok((_, Ok(piece))) if piece.is_empty() => None,
            Ok((pieces, Ok(piece))) => {
                self.rest = Some(read_ahead(pieces));
                Some(Ok(Frame::data(piece)))
            }
        })
    }
}

/// An answer; headers that cannot stand in one are left out.
pub(crate) fn reply(status: StatusCode, headers: &[(&str, &str)], body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    for (name, value) in headers {
        set(response.headers_mut(), name, value);
    }
    response
}

pub(crate) fn set(headers: &mut HeaderMap, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
        headers.insert(name, value);
    }
}

pub(crate) fn json(status: StatusCode, body: &Value) -> Response {
    reply(
        status,
        &[("content-type", "application/json; charset=utf-8"), ("cache-control", "no-store")],
        body.to_string(),
    )
}

/// A header's value as text; empty where there is none, or no text.
pub(crate) fn text<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The token of `Authorization: Bearer …`, in any case of the word.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = text(headers, header::AUTHORIZATION.as_str()).split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A new id of a request, as answers tell it.
pub(crate) fn request_id() -> String {
    let mut bytes = [0; 16];
    // Without randomness the ids are equal, which harms nobody.
    let _ = getrandom::fill(&mut bytes);
    uuid(bytes)
}

/// Random bytes as a UUID of version 4.
pub(crate) fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = lineclear_event::hexadecimal(&bytes);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_decoded() {
        let query = Query::parse("a=1&b=x%2By+z&&c&a=2&d=%ff");
        assert_eq!((query.get("a"), query.get("b"), query.get("c")), (Some("1"), Some("x+y z"), Some("")));
        assert_eq!((query.get("d"), query.get("e")), (Some("\u{fffd}"), None));
    }

    #[test]
    fn the_bearer_is_found_in_any_case() {
        let mut headers = HeaderMap::new();
        set(&mut headers, "authorization", "bearer  x.y");
        assert_eq!(bearer(&headers), Some("x.y"));
        set(&mut headers, "authorization", "Basic x");
        assert_eq!(bearer(&headers), None);
    }
}
