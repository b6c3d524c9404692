//! The bytes of archives: block uploads and downloads by signed address, as clients know them from a blob service.

mod block_list;
mod download;
mod range;
mod upload;

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use axum::response::Response;
use lineclear_event::RunId;

use crate::http;
use crate::route::Call;
use crate::services::Shared;
use crate::signed_url::Action;

#[cfg(feature = "fuzzing")]
pub(crate) use block_list::parse as parse_block_list;
pub(crate) use download::Downloads;
#[cfg(feature = "fuzzing")]
pub(crate) use range::{Wanted, parse as parse_range};

/// A refusal in the form of the blob service.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Refusal {
    status: StatusCode,
    /// The blob service's word for it.
    code: &'static str,
    message: String,
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "BlobNotFound", "there is nothing at this address any more")
    }

    fn response(&self) -> Response {
        let message = self.message.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{}</Code><Message>{message}</Message></Error>",
            self.code
        );
        let headers = [
            ("content-type", "application/xml"),
            ("x-ms-error-code", self.code),
            ("x-ms-request-id", &http::request_id()),
        ];
        http::reply(self.status, &headers, body)
    }
}

/// Answers `call` to `path` below `_blob/`.
pub(crate) async fn answer(shared: Arc<Shared>, call: Call, path: &str) -> Response {
    let action = if call.method == Method::PUT { Action::Write } else { Action::Read };
    let stall = shared.config.limits.stall;
    if let Err(bad) = shared.urls.check(&call.path, &call.query, action, shared.now()) {
        http::discard(call.body, stall).await;
        return Refusal::new(StatusCode::FORBIDDEN, "AuthenticationFailed", bad.message()).response();
    }
    let parts: Vec<&str> = path.split('/').collect();
    if let (&Method::PUT, ["upload", id]) = (&call.method, parts.as_slice()) {
        return upload::put(shared, call, id).await.unwrap_or_else(|refusal| refusal.response());
    }
    let asked = download::Asked { method: call.method, headers: call.headers };
    let answer = match (&asked.method, parts.as_slice()) {
        (&Method::GET | &Method::HEAD, ["artifact", run, name]) => match (run.parse(), from_hexadecimal(name)) {
            (Ok(run), Some(name)) => download::artifact(shared, &asked, RunId(run), name).await,
            _ => Err(Refusal::not_found()),
        },
        (&Method::GET | &Method::HEAD, ["cache", id]) => match id.parse() {
            Ok(id) => download::cache(shared, &asked, id).await,
            Err(_) => Err(Refusal::not_found()),
        },
        _ => Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "UnsupportedHttpVerb", "this address is not for that")),
    };
    answer.unwrap_or_else(|refusal| refusal.response())
}

fn from_hexadecimal(text: &str) -> Option<String> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes: Option<Vec<u8>> = match text.as_bytes().as_chunks::<2>() {
        (pairs, []) => pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect(),
        _ => None,
    };
    String::from_utf8(bytes?).ok()
}
