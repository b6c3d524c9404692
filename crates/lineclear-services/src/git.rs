//! The way to the run's repository: git over HTTP with a job's token.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use lineclear_forge::Caller;
use tokio::task::spawn_blocking;

use crate::forge;
use crate::http::{self, BodyLimits, PieceBody, Pieces};
use crate::route::Call;
use crate::services::Shared;
use crate::session::Session;

/// Bytes of an answer that are read at once.
const PIECE: usize = 64 << 10;

/// Serves the repository of a run.
///
/// It is asked only for the repository of the caller's own run, and only if the job may read it. Called on a thread where it may
/// block; several calls overlap.
pub trait GitService: Send + Sync + fmt::Debug {
    fn handle(&self, caller: &Caller, request: GitRequest) -> GitResponse;
}

/// One HTTP request to the repository.
pub struct GitRequest {
    /// `GET`, `POST`, in capitals.
    pub method: String,
    /// Below the repository, beginning with `/`: `/info/refs`. Percent-encoding as sent.
    pub path: String,
    /// The text after `?`, as sent.
    pub query: String,
    /// Names in lower case, without `authorization`.
    pub headers: Vec<(String, String)>,
    /// Fails when the client's connection breaks off. Packed as `content-encoding` says.
    pub body: Box<dyn Read + Send>,
    /// Whether the job may push: `contents: write`.
    pub may_write: bool,
}

impl fmt::Debug for GitRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GitRequest").field("method", &self.method).field("path", &self.path).finish_non_exhaustive()
    }
}

/// The answer. Its body is read while it is sent; dropped before its end when the client goes away. An error of it breaks the
/// connection.
pub struct GitResponse {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Box<dyn Read + Send>,
}

impl fmt::Debug for GitResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GitResponse").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Answers `call` to `path` below `git/`: `owner/name.git/info/refs`.
pub(crate) async fn answer(shared: Arc<Shared>, call: Call, path: &str) -> Response {
    let limits = shared.config.limits;
    let Some(session) = forge::token(&call.headers).and_then(|token| shared.sessions.of_forge_token(&token)) else {
        http::discard(call.body, limits.stall).await;
        // Git sends its credentials only after it was asked for them.
        let headers = [("www-authenticate", "Basic realm=\"GitHub\""), ("content-type", "text/plain; charset=utf-8")];
        return http::reply(StatusCode::UNAUTHORIZED, &headers, "The job's token is needed.\n");
    };
    let mut parts = path.splitn(3, '/');
    let (owner, name, rest) =
        (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let repository = format!("{owner}/{}", name.strip_suffix(".git").unwrap_or(name));
    let (Some(git), true) = (shared.config.git.clone(), may_read(&session, &repository)) else {
        http::discard(call.body, limits.stall).await;
        return not_found();
    };
    if !matches!(call.method, Method::GET | Method::POST) {
        http::discard(call.body, limits.stall).await;
        return http::reply(StatusCode::METHOD_NOT_ALLOWED, &[("allow", "GET, POST")], "");
    }
    let headers = call.headers.iter().filter(|(name, _)| *name != axum::http::header::AUTHORIZATION);
    let headers = headers.filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
    let headers = headers.collect();
    // Git's own service bounds the bytes of a push; here only time is bounded.
    let (body, _fed) = http::stream_in(call.body, BodyLimits { bytes: limits.archive, stall: limits.stall });
    let request = GitRequest {
        method: call.method.as_str().to_owned(),
        path: format!("/{rest}"),
        query: call.query_text,
        headers,
        body: Box::new(body),
        may_write: contents(&session) == Some("write"),
    };
    let handled = spawn_blocking(move || {
        let response = git.handle(&session.identity.caller, request);
        let mut pieces = ReadPieces(response.body);
        let first = pieces.next();
        (response.status, response.headers, first, pieces)
    });
    let Ok((status, headers, Ok(first), pieces)) = handled.await else {
        return http::reply(StatusCode::INTERNAL_SERVER_ERROR, &[], "The repository could not answer.\n");
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = http::reply(status, &[], PieceBody::body(first, pieces));
    for (name, value) in &headers {
        if !matches!(name.to_ascii_lowercase().as_str(), "transfer-encoding" | "connection") {
            http::set(response.headers_mut(), name, value);
        }
    }
    response
}

fn not_found() -> Response {
    let headers = [("content-type", "text/plain; charset=utf-8")];
    http::reply(StatusCode::NOT_FOUND, &headers, "Repository not found.\n")
}

fn contents(session: &Session) -> Option<&str> {
    session.identity.caller.permissions.get("contents").map(String::as_str)
}

/// A job reads its own repository with `contents: read`; a public one anyway.
fn may_read(session: &Session, repository: &str) -> bool {
    session.identity.caller.repository.eq_ignore_ascii_case(repository)
        && (session.identity.repository_visibility == "public" || matches!(contents(session), Some("read" | "write")))
}

struct ReadPieces(Box<dyn Read + Send>);

impl Pieces for ReadPieces {
    fn next(&mut self) -> io::Result<Bytes> {
        let mut piece = vec![0; PIECE];
        loop {
            match self.0.read(&mut piece) {
                Ok(read) => {
                    piece.truncate(read);
                    return Ok(Bytes::from(piece));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
