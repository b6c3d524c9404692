//! The way to the forge's API.
//!
//! Whoever has a job's `GITHUB_TOKEN` calls on the job's behalf; what the job may do is for the forge to decide.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lineclear_event::Timestamp;
use lineclear_forge::{ApiRequest, ApiResponse};
use tokio::task::spawn_blocking;

use crate::http::{self, BodyLimits};
use crate::route::Call;
use crate::services::Shared;
use crate::session::Session;
use crate::time::seconds;

/// Calls in an hour that the rate-limit headers tell of. The forge may refuse earlier; the services never do.
const CALLS_PER_HOUR: u64 = 15_000;

/// What is called: it decides how large a body may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Api,
    /// `uploads.github.com`: a file of a release.
    Asset,
}

/// Answers `call` to `path`, which is below the API's base.
pub(crate) async fn answer(shared: Arc<Shared>, call: Call, path: &str, kind: Kind) -> Response {
    let limits = shared.config.limits;
    let Some(session) = token(&call.headers).and_then(|token| shared.sessions.of_forge_token(&token)) else {
        http::discard(call.body, limits.stall).await;
        return finished(&ApiResponse::error(401, "Bad credentials"), None, shared.now());
    };
    let bytes = match kind {
        Kind::Api => limits.api_body,
        Kind::Asset => limits.asset,
    };
    let body = match http::read_whole(call.body, BodyLimits { bytes: bytes as u64, stall: limits.stall }).await {
        Ok(body) => body,
        Err(error) => {
            let refused = ApiResponse::error(error.status().as_u16(), &error.to_string());
            return finished(&refused, Some(&session), shared.now());
        }
    };
    let headers = call.headers.iter().filter(|(name, _)| *name != header::AUTHORIZATION);
    let headers = headers.filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
    let request = ApiRequest {
        method: call.method.as_str().to_ascii_uppercase(),
        path: path.to_owned(),
        query: call.query.into_pairs(),
        headers: headers.collect(),
        body,
    };
    session.calls.fetch_add(1, Ordering::Relaxed);
    let now = shared.now();
    let (forge, who) = (shared.config.forge.clone(), session.clone());
    let answered = spawn_blocking(move || forge.call(&who.identity.caller, &request)).await;
    let answered = answered.unwrap_or_else(|_| ApiResponse::error(500, "the forge failed"));
    finished(&answered, Some(&session), now)
}

/// The token of `token X`, `Bearer X` or basic authentication, where it is the password, or the name of nobody's.
pub(crate) fn token(headers: &HeaderMap) -> Option<String> {
    let (scheme, value) = http::text(headers, header::AUTHORIZATION.as_str()).split_once(' ')?;
    let value = value.trim();
    match scheme.to_ascii_lowercase().as_str() {
        "token" | "bearer" => Some(value.to_owned()),
        "basic" => {
            let text = String::from_utf8(STANDARD.decode(value).ok()?).ok()?;
            let (name, password) = text.split_once(':')?;
            Some(if password.is_empty() { name } else { password }.to_owned())
        }
        _ => None,
    }
}

/// The forge's answer with the headers that clients expect of every one.
fn finished(answer: &ApiResponse, session: Option<&Session>, now: Timestamp) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = http::reply(status, &[], answer.body.clone());
    let headers = response.headers_mut();
    if let Some(session) = session {
        let used = session.calls.load(Ordering::Relaxed);
        let hour = seconds(now) / 3600 * 3600 + 3600;
        http::set(headers, "x-ratelimit-limit", &CALLS_PER_HOUR.to_string());
        http::set(headers, "x-ratelimit-used", &used.to_string());
        http::set(headers, "x-ratelimit-remaining", &CALLS_PER_HOUR.saturating_sub(used).max(1).to_string());
        http::set(headers, "x-ratelimit-reset", &hour.to_string());
        http::set(headers, "x-ratelimit-resource", "core");
    }
    http::set(headers, "x-github-request-id", &http::request_id());
    http::set(headers, "x-github-media-type", "github.v3; format=json");
    http::set(headers, "x-content-type-options", "nosniff");
    let mut links = false;
    for (name, value) in &answer.headers {
        let framing = matches!(name.as_str(), "content-length" | "transfer-encoding" | "connection");
        if framing {
            continue;
        }
        // A header that the forge sends twice stays twice; one of ours gives way.
        let is_link = name == "link";
        if is_link && links {
            if let (Ok(name), Ok(value)) =
                (header::HeaderName::try_from(name.as_str()), header::HeaderValue::from_str(value))
            {
                headers.append(name, value);
            }
        } else {
            http::set(headers, name, value);
        }
        links |= is_link;
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_found_in_every_form_that_clients_send() {
        let found = |value: &str| {
            let mut headers = HeaderMap::new();
            http::set(&mut headers, "authorization", value);
            token(&headers)
        };
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        for value in ["token T", "Bearer T", "bearer  T", &basic("x-access-token:T"), &basic("T:"), "basic VDo="] {
            assert_eq!(found(value).as_deref(), Some("T"), "{value}");
        }
        for value in ["", "T", "Digest T", "Basic !", &basic("T")] {
            assert_eq!(found(value), None, "{value}");
        }
    }
}
