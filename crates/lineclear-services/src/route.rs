//! Which request goes where.
//!
//! ```text
//! POST /twirp/github.actions.results.api.v1.{Service}/{Method}   artifacts, caches (version 2)      runtime token
//!      /_apis/artifactcache/…                                    caches (version 1)                 runtime token
//!      /_blob/upload/{id}, /_blob/artifact/{run}/{name}, /_blob/cache/{id}   the bytes              signed address
//! GET  /_oidc/token                                              identity tokens                    runtime token
//! GET  /.well-known/openid-configuration, /.well-known/jwks      who verifies identity tokens       –
//!      /api/v3/…, /api/graphql, /api/uploads/…, /graphql         the forge's API                    GITHUB_TOKEN
//!      /git/{owner}/{repo}/…                                     git                                GITHUB_TOKEN
//!      /v2/…                                                     the registry                       GITHUB_TOKEN
//! ```
//! There is no CORS anywhere: no page in a browser has business here.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use serde_json::json;

use crate::base_url::is_loopback;
use crate::http::{self, Query, json};
use crate::services::Shared;
use crate::{artifact, blob, cache, forge, git, oidc, registry, twirp};

/// A request, taken apart.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Below the base URL, percent-encoding as sent.
    pub(crate) path: String,
    /// As sent.
    pub(crate) query_text: String,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
}

pub(crate) async fn answer(shared: Arc<Shared>, request: Request) -> Response {
    if !is_for_us(&shared, &request) {
        return json(
            StatusCode::MISDIRECTED_REQUEST,
            &json!({ "message": "this service is not reached by that host name" }),
        );
    }
    let (head, body) = request.into_parts();
    let query_text = head.uri.query().unwrap_or_default().to_owned();
    let call = Call {
        path: shared.base.below(head.uri.path()).to_owned(),
        method: head.method,
        query: Query::parse(&query_text),
        query_text,
        headers: head.headers,
        body,
    };
    dispatch(shared, call).await
}

async fn dispatch(shared: Arc<Shared>, call: Call) -> Response {
    let path = call.path.clone();
    if let Some(method) = path.strip_prefix("/twirp/github.actions.results.api.v1.ArtifactService/") {
        return twirp::answer(shared, call, method, artifact::method).await;
    }
    if let Some(method) = path.strip_prefix("/twirp/github.actions.results.api.v1.CacheService/") {
        return twirp::answer(shared, call, method, cache::method).await;
    }
    if path.starts_with("/twirp/") {
        return twirp::no_such_method(&path);
    }
    if let Some(rest) = path.strip_prefix("/_apis/artifactcache/") {
        return cache::rest(shared, call, rest).await;
    }
    if let Some(rest) = path.strip_prefix("/_blob/") {
        return blob::answer(shared, call, rest).await;
    }
    if let Some(rest) = path.strip_prefix("/git/") {
        return git::answer(shared, call, rest).await;
    }
    if let Some(rest) = path.strip_prefix("/api/v3/") {
        return forge::answer(shared, call, &format!("/{rest}"), forge::Kind::Api).await;
    }
    if let Some(rest) = path.strip_prefix("/api/uploads/") {
        return forge::answer(shared, call, &format!("/{rest}"), forge::Kind::Asset).await;
    }
    if path == "/v2" || path.starts_with("/v2/") {
        return registry::job::answer(shared, call).await;
    }
    match path.as_str() {
        "/api/v3" => forge::answer(shared, call, "/", forge::Kind::Api).await,
        "/api/graphql" | "/graphql" => forge::answer(shared, call, "/graphql", forge::Kind::Api).await,
        "/_oidc/token" => oidc::token(shared, call).await,
        "/.well-known/openid-configuration" if is_read(&call) => oidc::discovery(&shared),
        "/.well-known/jwks" if is_read(&call) => oidc::jwks(shared).await,
        _ => json(StatusCode::NOT_FOUND, &json!({ "message": "Not Found" })),
    }
}

fn is_read(call: &Call) -> bool {
    matches!(call.method, Method::GET | Method::HEAD)
}

/// Whether a request's host is one of ours. A web page whose name was made to point at this machine has another.
fn is_for_us(shared: &Shared, request: &Request) -> bool {
    let named = http::text(request.headers(), header::HOST.as_str());
    let authority = request.uri().authority().map_or(named, |authority| authority.as_str());
    let host = crate::base_url::host_of(authority);
    is_loopback(authority)
        || host.eq_ignore_ascii_case(shared.base.host())
        || shared.config.hosts.iter().any(|known| known.eq_ignore_ascii_case(host))
}
