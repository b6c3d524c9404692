//! Uploads: blocks, the list that ends them, and whole blobs in one request (trap 83).

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use lineclear_event::with_causes;
use lineclear_store::{Assembled, StoreError};
use tokio::task::spawn_blocking;

use super::{Refusal, block_list};
use crate::http::{self, BodyError, BodyLimits};
use crate::route::Call;
use crate::services::Shared;
use crate::upload::{Arrival, Purpose, Upload};

/// The block that a whole blob is kept as.
const WHOLE: &str = "whole";

/// Answers a PUT to the address of an upload.
pub(super) async fn put(shared: Arc<Shared>, call: Call, id: &str) -> Result<Response, Refusal> {
    let stall = shared.config.limits.stall;
    let Some((arrival, upload)) = Arrival::begin(&shared, id) else {
        http::discard(call.body, stall).await;
        return Err(Refusal::not_found());
    };
    let comp = call.query.get("comp").map(str::to_owned);
    let put = match comp.as_deref() {
        Some("block") => put_block(&shared, call, &upload).await,
        Some("blocklist") => put_list(&shared, call, &upload).await,
        None if http::text(&call.headers, "x-ms-blob-type") == "BlockBlob" => put_whole(&shared, call, &upload).await,
        _ => {
            http::discard(call.body, stall).await;
            let message =
                "an upload is `comp=block`, `comp=blocklist`, or a whole blob with `x-ms-blob-type: BlockBlob`";
            Err(Refusal::new(StatusCode::BAD_REQUEST, "InvalidQueryParameterValue", message))
        }
    };
    drop(arrival);
    put
}

async fn put_block(shared: &Arc<Shared>, call: Call, upload: &Upload) -> Result<Response, Refusal> {
    // A plus sign that was not encoded has become a space.
    let block = call.query.get("blockid").unwrap_or_default().replace(' ', "+");
    if let Err(message) = block_list::check_id(&block) {
        http::discard(call.body, shared.config.limits.stall).await;
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "InvalidQueryParameterValue", message));
    }
    keep(shared, call, upload, format!("block-{block}")).await?;
    Ok(created(None))
}

async fn put_whole(shared: &Arc<Shared>, call: Call, upload: &Upload) -> Result<Response, Refusal> {
    if let Some(content) = &upload.content {
        // A client that did not hear the answer sends it again.
        http::discard(call.body, shared.config.limits.stall).await;
        return Ok(created(Some(content)));
    }
    keep(shared, call, upload, WHOLE.into()).await?;
    let content = assemble(shared, upload, vec![WHOLE.into()]).await?;
    Ok(created(Some(&content)))
}

async fn put_list(shared: &Arc<Shared>, call: Call, upload: &Upload) -> Result<Response, Refusal> {
    let limits = BodyLimits { bytes: block_list::LIST_BYTES, stall: shared.config.limits.stall };
    let list = http::read_whole(call.body, limits).await.map_err(not_arrived)?;
    let blocks = block_list::parse(&list)
        .map_err(|message| Refusal::new(StatusCode::BAD_REQUEST, "InvalidXmlDocument", message))?;
    let blocks = blocks.iter().map(|block| format!("block-{block}")).collect();
    let content = assemble(shared, upload, blocks).await?;
    Ok(created(Some(&content)))
}

/// Streams the body into the store. The block is there completely or not at all.
async fn keep(shared: &Arc<Shared>, call: Call, upload: &Upload, block: String) -> Result<(), Refusal> {
    let limits = shared.config.limits;
    let bytes = limits.archive.saturating_sub(upload.bytes);
    let (store, id) = (shared.config.archives.clone(), upload.id.clone());
    let put = http::read_blocking(call.body, BodyLimits { bytes, stall: limits.stall }, move |reader| {
        store.put_block(&id, &block, reader)
    });
    let came = put.await.map_err(not_arrived)?.map_err(|error| refused(shared, upload, &error))?;
    shared.uploads.change(&upload.id.0, |upload| upload.bytes += came);
    Ok(())
}

async fn assemble(shared: &Arc<Shared>, upload: &Upload, blocks: Vec<String>) -> Result<Assembled, Refusal> {
    let (store, id) = (shared.config.archives.clone(), upload.id.clone());
    let assembled = spawn_blocking(move || store.assemble(&id, &blocks)).await;
    let content = match assembled {
        Ok(assembled) => assembled.map_err(|error| refused(shared, upload, &error))?,
        Err(_) => return Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", "the service failed")),
    };
    shared.uploads.change(&upload.id.0, |upload| upload.content = Some(content.clone()));
    Ok(content)
}

fn not_arrived(error: BodyError) -> Refusal {
    let code = match error {
        BodyError::TooLarge => "RequestBodyTooLarge",
        BodyError::Stalled => "OperationTimedOut",
        BodyError::Broken => "IncompleteBody",
    };
    Refusal::new(error.status(), code, error.to_string())
}

fn refused(shared: &Shared, upload: &Upload, error: &StoreError) -> Refusal {
    let message = with_causes(error);
    match error {
        StoreError::NotFound { .. } => Refusal::not_found(),
        StoreError::Refused(_) | StoreError::ArtifactExists { .. } => {
            Refusal::new(StatusCode::BAD_REQUEST, "InvalidBlockList", message)
        }
        StoreError::DiskFull { .. } => {
            tell(shared, upload, &message);
            Refusal::new(StatusCode::INSUFFICIENT_STORAGE, "InsufficientStorage", message)
        }
        StoreError::Io { .. } | StoreError::Damaged { .. } => {
            tell(shared, upload, &message);
            Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", message)
        }
    }
}

fn tell(shared: &Shared, upload: &Upload, message: &str) {
    let what = match &upload.purpose {
        Purpose::Artifact { name, .. } => format!("the artifact `{name}`"),
        Purpose::Cache(identity) => format!("the cache `{}`", identity.key),
    };
    if let Some(session) = shared.sessions.get(upload.owner) {
        shared.warn(&session.identity.caller, &format!("{what} could not be uploaded: {message}"));
    }
}

/// 201, with the headers that clients read: the Go client crashes without a request id.
fn created(content: Option<&Assembled>) -> Response {
    let etag = content.map_or_else(|| "\"0x0\"".to_owned(), |content| format!("\"{}\"", content.digest));
    let headers = [
        ("etag", etag.as_str()),
        ("x-ms-request-id", &http::request_id()),
        ("x-ms-version", "2020-10-02"),
        ("x-ms-request-server-encrypted", "false"),
        ("content-length", "0"),
    ];
    http::reply(StatusCode::CREATED, &headers, "")
}
