//! Version 1 of the cache protocol: REST below `_apis/artifactcache/`.
//!
//! Older clients use it, and newer ones where `GITHUB_SERVER_URL` names a host that they do not know.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use lineclear_store::{CacheEntry, CacheKind, StoreError};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use super::{commit, look_up, reserve};
use crate::http::{self, BodyLimits, Query};
use crate::route::Call;
use crate::services::Shared;
use crate::session::Session;
use crate::twirp::{Code, Fault, Fields, authenticated, unauthenticated};
use crate::upload::{Arrival, Upload};

/// Bytes of a call.
const CALL_BYTES: u64 = 1 << 20;

/// How many entries the debug listing shows.
const LISTED: usize = 100;

type Answer = Result<(StatusCode, Option<Value>), Fault>;

/// Answers `call` to `path` below `_apis/artifactcache/`.
pub(crate) async fn rest(shared: Arc<Shared>, call: Call, path: &str) -> Response {
    let stall = shared.config.limits.stall;
    let Some(session) = authenticated(&shared, &call) else {
        http::discard(call.body, stall).await;
        return refusal(&unauthenticated());
    };
    let number = |text: &str| text.parse::<u64>().ok();
    let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let query = call.query;
    let answer = match (&call.method, parts.as_slice()) {
        (&Method::GET, ["cache"]) => blocking(move || find(&shared, &session, &query)).await,
        (&Method::GET, ["caches"]) => blocking(move || list(&shared, &session, &query)).await,
        (&Method::POST, ["caches"]) => {
            with_fields(call.body, stall, move |fields| begin(&shared, &session, fields)).await
        }
        (&Method::PATCH, ["caches", id]) => match number(id) {
            Some(id) => put_part(shared, session, id, &call.headers, call.body).await,
            None => Err(no_such_upload()),
        },
        (&Method::POST, ["caches", id]) => match number(id) {
            Some(id) => with_fields(call.body, stall, move |fields| finish(&shared, &session, id, fields)).await,
            None => Err(no_such_upload()),
        },
        _ => Err(Fault::new(Code::BadRoute, "there is no such call of the cache service")),
    };
    match answer {
        Ok((status, Some(value))) => http::json(status, &value),
        Ok((status, None)) => http::reply(status, &[], ""),
        Err(fault) => refusal(&fault),
    }
}

fn refusal(fault: &Fault) -> Response {
    // The type's name is what clients of the time looked for.
    let kind = if fault.code == Code::AlreadyExists { "ArtifactCacheItemAlreadyExistsException" } else { "" };
    http::json(fault.code.status(), &json!({ "message": fault.message, "typeKey": kind }))
}

async fn blocking(work: impl FnOnce() -> Answer + Send + 'static) -> Answer {
    spawn_blocking(work).await.unwrap_or_else(|_| Err(Fault::new(Code::Internal, "the service failed")))
}

async fn with_fields(
    body: Body,
    stall: std::time::Duration,
    work: impl FnOnce(&Fields) -> Answer + Send + 'static,
) -> Answer {
    let body = http::read_whole(body, BodyLimits { bytes: CALL_BYTES, stall })
        .await
        .map_err(|error| Fault::new(Code::Malformed, error.to_string()))?;
    blocking(move || work(&Fields::parse(&body)?)).await
}

fn find(shared: &Shared, session: &Session, query: &Query) -> Answer {
    let keys = query.get("keys").unwrap_or_default().split(',').map(str::to_owned).collect();
    Ok(match look_up(shared, session, keys, query.get("version").unwrap_or_default())? {
        None => (StatusCode::NO_CONTENT, None),
        Some(found) => {
            let mut entry = shown(&found.entry);
            entry["archiveLocation"] = found.url.into();
            (StatusCode::OK, Some(entry))
        }
    })
}

fn shown(entry: &CacheEntry) -> Value {
    json!({
        "cacheKey": entry.key,
        "cacheVersion": entry.version,
        "scope": entry.scope.0,
        "creationTime": entry.created.to_string(),
        "lastAccessTime": entry.used.to_string(),
        "compressedSize": entry.size,
    })
}

/// Entries whose key begins with `key`: what clients print for a debug log after a miss.
fn list(shared: &Shared, session: &Session, query: &Query) -> Answer {
    let prefix = query.get("key").unwrap_or_default();
    let scopes = session.identity.readable_scopes();
    let entries = match &shared.config.caches {
        Some(caches) => caches.list(Some(&session.identity.caller.repository))?,
        None => Vec::new(),
    };
    let seen: Vec<Value> = entries
        .iter()
        .filter(|entry| {
            entry.kind == CacheKind::Archive && entry.key.starts_with(prefix) && scopes.contains(&entry.scope)
        })
        .map(shown)
        .collect();
    let total = seen.len();
    let first: Vec<Value> = seen.into_iter().take(LISTED).collect();
    Ok((StatusCode::OK, Some(json!({ "totalCount": total, "artifactCaches": first }))))
}

fn begin(shared: &Shared, session: &Session, fields: &Fields) -> Answer {
    let key = fields.text("key")?;
    let size = fields.number("cacheSize")?;
    if size > shared.config.limits.archive {
        let most = shared.config.limits.archive;
        return Err(Fault::new(
            Code::InvalidArgument,
            format!("the cache has {size} bytes; at most {most} are allowed"),
        ));
    }
    match reserve(shared, session, key, fields.text("version")?)? {
        Some(upload) => Ok((StatusCode::CREATED, Some(json!({ "cacheId": upload.number })))),
        None => Err(Fault::new(
            Code::AlreadyExists,
            format!("the cache `{key}` exists in the scope `{}`, or is being saved", session.identity.reference),
        )),
    }
}

fn no_such_upload() -> Fault {
    Fault::new(Code::NotFound, "this job has reserved no cache of this id, or waited too long")
}

fn upload_of(shared: &Shared, session: &Session, number: u64) -> Result<Upload, Fault> {
    shared.uploads.find(session.id, |upload| upload.number == number).ok_or_else(no_such_upload)
}

/// Keeps one part; parts come in any order, at most as many at once as the client likes.
async fn put_part(shared: Arc<Shared>, session: Arc<Session>, number: u64, headers: &HeaderMap, body: Body) -> Answer {
    let limits = shared.config.limits;
    let range = content_range(http::text(headers, "content-range"));
    let known = upload_of(&shared, &session, number);
    let arrival = known.and_then(|upload| Arrival::begin(&shared, &upload.id.0).ok_or_else(no_such_upload));
    let (arrival, upload) = match (arrival, range) {
        (Ok(arrival), Some(_)) => arrival,
        (Err(fault), _) => {
            http::discard(body, limits.stall).await;
            return Err(fault);
        }
        (_, None) => {
            http::discard(body, limits.stall).await;
            return Err(Fault::new(Code::InvalidArgument, "`Content-Range` has to be as `bytes 0-1023/*`"));
        }
    };
    let Some((start, end)) = range else { return Err(no_such_upload()) };
    let expected = end - start + 1;
    let most = limits.archive.saturating_sub(upload.bytes).min(expected);
    let store = shared.config.archives.clone();
    let id = upload.id.clone();
    let put = http::read_blocking(body, BodyLimits { bytes: most, stall: limits.stall }, move |reader| {
        store.put_block(&id, &part_name(start), reader)
    });
    let came = put.await.map_err(|error| Fault::new(Code::Malformed, error.to_string()))??;
    if came != expected {
        return Err(Fault::new(Code::InvalidArgument, format!("the part has {came} bytes, its range says {expected}")));
    }
    shared.uploads.change(&upload.id.0, |upload| {
        upload.bytes += came;
        upload.parts.insert(start, came);
    });
    drop(arrival);
    Ok((StatusCode::NO_CONTENT, None))
}

fn part_name(start: u64) -> String {
    format!("part-{start:020}")
}

/// First and last byte of `bytes 0-1023/*`.
pub(crate) fn content_range(text: &str) -> Option<(u64, u64)> {
    let range = text.trim().strip_prefix("bytes ")?.split_once('/')?.0;
    let (start, end) = range.split_once('-')?;
    let (start, end): (u64, u64) = (start.trim().parse().ok()?, end.trim().parse().ok()?);
    (start <= end && end < u64::MAX).then_some((start, end))
}

fn finish(shared: &Shared, session: &Session, number: u64, fields: &Fields) -> Answer {
    let mut upload = upload_of(shared, session, number)?;
    if upload.content.is_none() {
        check_gapless(&upload)?;
        let parts: Vec<String> = upload.parts.keys().map(|start| part_name(*start)).collect();
        let content = shared.config.archives.assemble(&upload.id, &parts).map_err(|error| match error {
            StoreError::NotFound { .. } => no_such_upload(),
            other => other.into(),
        })?;
        shared.uploads.change(&upload.id.0, |upload| upload.content = Some(content.clone()));
        upload.content = Some(content);
    }
    match commit(shared, &upload, fields.number("size")?)? {
        Some(_) => Ok((StatusCode::NO_CONTENT, None)),
        None => Err(Fault::new(Code::AlreadyExists, "another job saved this cache first")),
    }
}

/// The parts have to follow each other without gap and overlap.
fn check_gapless(upload: &Upload) -> Result<(), Fault> {
    let mut at = 0;
    for (start, length) in &upload.parts {
        if *start != at {
            return Err(Fault::new(
                Code::InvalidArgument,
                format!(
                    "the parts of the cache do not fit together: one ends at byte {at}, the next begins at {start}"
                ),
            ));
        }
        at = start.saturating_add(*length);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges_are_read_with_care() {
        assert_eq!(content_range("bytes 0-0/*"), Some((0, 0)));
        assert_eq!(content_range("bytes 33554432-67108863/*"), Some((33_554_432, 67_108_863)));
        for text in
            ["", "bytes", "bytes 1-0/*", "bytes -5/*", "bytes 0-18446744073709551615/*", "items 0-1/*", "bytes 0-1"]
        {
            assert_eq!(content_range(text), None, "{text}");
        }
    }
}
