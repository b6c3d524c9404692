//! Downloads: whole archives and parts of them.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use lineclear_event::{RunId, Timestamp, with_causes};
use lineclear_store::{CacheEntry, OpenArchive, ReadAt, StoreError, is_zip};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::task::spawn_blocking;

use super::Refusal;
use super::range::{self, Wanted};
use crate::http::{self, PieceBody, Pieces};
use crate::services::Shared;
use crate::signed_url::Action;
use crate::time::after;

/// Bytes that are read at once.
const PIECE: usize = 512 << 10;

/// What look-ups in the caches found, for as long as the addresses are good.
#[derive(Debug, Default)]
pub(crate) struct Downloads(Mutex<HashMap<u64, Offer>>);

#[derive(Clone, Debug)]
struct Offer {
    entry: CacheEntry,
    /// Whose job was offered it last.
    run: RunId,
    until: Timestamp,
}

impl Downloads {
    /// The address of an entry's archive, for a job of `run`.
    pub(crate) fn offer(&self, shared: &Shared, run: RunId, entry: &CacheEntry, now: Timestamp) -> String {
        let life = shared.config.limits.download_url;
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.retain(|_, offer| now < offer.until);
        table.insert(entry.id, Offer { entry: entry.clone(), run, until: after(now, life) });
        shared.urls.sign(&shared.base, &format!("/_blob/cache/{}", entry.id), Action::Read, now, life)
    }

    fn get(&self, id: u64) -> Option<Offer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }
}

/// A request for a blob, without its body.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
}

/// What is downloaded, for messages, and who is told of damage.
struct Subject {
    shared: Arc<Shared>,
    run: RunId,
    name: String,
}

impl Subject {
    /// Damage is told to people, too: clients show little of an answer's text.
    fn tell(&self, error: &StoreError) {
        if !matches!(error, StoreError::NotFound { .. }) {
            self.shared.warn_run(self.run, &format!("{} cannot be downloaded: {}", self.name, with_causes(error)));
        }
    }
}

pub(super) async fn artifact(
    shared: Arc<Shared>,
    asked: &Asked,
    run: RunId,
    name: String,
) -> Result<Response, Refusal> {
    let store = shared.config.archives.clone();
    let subject = Subject { shared, run, name: format!("the artifact `{name}`") };
    let wanted = name.clone();
    let (archive, subject) = open(subject, move || store.open_artifact(run, &wanted)).await?;
    // A raw file is saved under this name; a zip is unpacked, whatever it is called (trap 84).
    let file = if is_zip(&archive.content_type) { format!("{name}.zip") } else { name };
    send(asked, archive, subject, &disposition(&file)).await
}

pub(super) async fn cache(shared: Arc<Shared>, asked: &Asked, id: u64) -> Result<Response, Refusal> {
    let Offer { entry, run, .. } = shared.downloads.get(id).ok_or_else(Refusal::not_found)?;
    let store = shared.config.archives.clone();
    let subject = Subject { shared, run, name: format!("the cache `{}`", entry.key) };
    let (archive, subject) = open(subject, move || store.open_cache(&entry)).await?;
    send(asked, archive, subject, "attachment; filename=\"cache\"").await
}

async fn open(
    subject: Subject,
    open: impl FnOnce() -> Result<OpenArchive, StoreError> + Send + 'static,
) -> Result<(OpenArchive, Subject), Refusal> {
    match spawn_blocking(open).await {
        Ok(Ok(archive)) => Ok((archive, subject)),
        Ok(Err(error)) => {
            subject.tell(&error);
            Err(unreadable(&error))
        }
        Err(_) => Err(failed("the service failed")),
    }
}

fn failed(message: impl Into<String>) -> Refusal {
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", message)
}

fn unreadable(error: &StoreError) -> Refusal {
    match error {
        StoreError::NotFound { .. } => Refusal::not_found(),
        // Never served, and named.
        StoreError::Damaged { .. } => Refusal::new(StatusCode::GONE, "BlobDamaged", with_causes(error)),
        _ => failed(with_causes(error)),
    }
}

/// `attachment` with the name twice: in ASCII for old readers, and as it is.
fn disposition(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%') || c == ' ' { c } else { '_' })
        .collect();
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{}", utf8_percent_encode(name, NON_ALPHANUMERIC))
}

async fn send(asked: &Asked, archive: OpenArchive, subject: Subject, disposition: &str) -> Result<Response, Refusal> {
    let size = archive.size;
    let etag = archive.digest.as_ref().map(|digest| format!("\"{digest}\""));
    let is_stale = |header: &str| {
        let wanted = http::text(&asked.headers, header);
        !wanted.is_empty() && wanted != "*" && Some(wanted) != etag.as_deref()
    };
    if is_stale("if-match") {
        return Err(Refusal::new(StatusCode::PRECONDITION_FAILED, "ConditionNotMet", "the blob is another one now"));
    }
    // The blob service's own header comes first, as there.
    let headers = ["x-ms-range", "range"].map(|name| http::text(&asked.headers, name));
    let part = headers.into_iter().find(|value| !value.is_empty()).unwrap_or_default();
    let wanted = if is_stale("if-range") { Wanted::Whole } else { range::parse(part, size) };
    let (status, first, end) = match wanted {
        Wanted::Whole => (StatusCode::OK, 0, size),
        Wanted::Part { first, last } => (StatusCode::PARTIAL_CONTENT, first, last + 1),
        Wanted::Nothing => {
            let mut response =
                Refusal::new(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange", "the blob is shorter").response();
            http::set(response.headers_mut(), "content-range", &format!("bytes */{size}"));
            return Ok(response);
        }
    };
    let length = (end - first).to_string();
    let content_type = archive.content_type.clone();
    let body = if asked.method == Method::HEAD {
        axum::body::Body::empty()
    } else {
        let mut pieces = ArchivePieces { content: archive.content, at: first, end, subject };
        // The first piece is read before the status is sent: what is damaged at once can still be named.
        let read = spawn_blocking(move || (pieces.read(), pieces)).await;
        let (piece, pieces) = read.map_err(|_| failed("the service failed"))?;
        PieceBody::body(piece.map_err(|error| unreadable(&error))?, pieces)
    };
    let mut response = http::reply(status, &[], body);
    let answer = response.headers_mut();
    http::set(answer, "content-type", &content_type);
    http::set(answer, "content-length", &length);
    http::set(answer, "content-disposition", disposition);
    http::set(answer, "accept-ranges", "bytes");
    http::set(answer, "x-content-type-options", "nosniff");
    http::set(answer, "cache-control", "no-store");
    http::set(answer, "x-ms-request-id", &http::request_id());
    http::set(answer, "x-ms-blob-type", "BlockBlob");
    if let Some(etag) = &etag {
        http::set(answer, "etag", etag);
    }
    if status == StatusCode::PARTIAL_CONTENT {
        http::set(answer, "content-range", &format!("bytes {first}-{}/{size}", end - 1));
    }
    Ok(response)
}

/// A part of an archive, piece by piece.
struct ArchivePieces {
    content: Box<dyn ReadAt>,
    at: u64,
    end: u64,
    subject: Subject,
}

impl ArchivePieces {
    fn read(&mut self) -> Result<Bytes, StoreError> {
        let read = self.read_piece();
        if let Err(error) = &read {
            self.subject.tell(error);
        }
        read
    }

    fn read_piece(&mut self) -> Result<Bytes, StoreError> {
        let length = usize::try_from(self.end - self.at).unwrap_or(PIECE).min(PIECE);
        let mut piece = vec![0; length];
        let mut filled = 0;
        while filled < length {
            match self.content.read_at(self.at, &mut piece[filled..])? {
                0 => {
                    let why = format!("it ends at byte {}, before its end", self.at);
                    return Err(StoreError::Damaged { what: "archive".into(), why });
                }
                read => {
                    filled += read;
                    self.at += read as u64;
                }
            }
        }
        Ok(Bytes::from(piece))
    }
}

impl Pieces for ArchivePieces {
    fn next(&mut self) -> io::Result<Bytes> {
        self.read().map_err(|error| io::Error::other(with_causes(&error)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trap_84_names_are_kept_whatever_they_are() {
        assert_eq!(disposition("a b.txt"), "attachment; filename=\"a b.txt\"; filename*=UTF-8''a%20b%2Etxt");
        assert_eq!(disposition("é\"\r\n"), "attachment; filename=\"____\"; filename*=UTF-8''%C3%A9%22%0D%0A");
    }
}
