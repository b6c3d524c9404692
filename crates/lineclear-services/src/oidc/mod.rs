//! Identity tokens: a job proves to a third party who it is (rows S1-16, S1-119).
//!
//! The third party reads the discovery document and the keys from the issuer, which is the base URL of the services.

mod claims;
mod keys;

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lineclear_event::with_causes;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::ServicesError;
use crate::http;
use crate::job_token::unsigned;
use crate::route::Call;
use crate::services::Shared;
use crate::session::Session;
use crate::twirp::authenticated;

pub use claims::SubjectForm;
pub(crate) use claims::claims;
pub(crate) use keys::Oidc;

/// An audience is a name or an address.
const AUDIENCE_BYTES: usize = 2048;

/// Answers a job that asks for an identity token.
pub(crate) async fn token(shared: Arc<Shared>, call: Call) -> Response {
    if !matches!(call.method, Method::GET | Method::POST) {
        return refusal(StatusCode::METHOD_NOT_ALLOWED, "identity tokens are asked for with GET");
    }
    let Some(session) = authenticated(&shared, &call) else {
        let message = "the request token is missing, expired, or of a job that has ended";
        return refusal(StatusCode::UNAUTHORIZED, message);
    };
    if !session.identity.has_id_token() {
        let message = "this job may have no identity token; its `permissions:` need `id-token: write`";
        return refusal(StatusCode::FORBIDDEN, message);
    }
    let audience = call.query.get("audience").unwrap_or_default().to_owned();
    if audience.len() > AUDIENCE_BYTES {
        return refusal(StatusCode::BAD_REQUEST, "the audience is too long");
    }
    match spawn_blocking(move || issue(&shared, &session, &audience)).await {
        Ok(Ok(token)) => http::json(StatusCode::OK, &json!({ "count": token.len(), "value": token })),
        Ok(Err(error)) => refusal(StatusCode::INTERNAL_SERVER_ERROR, &with_causes(&error)),
        Err(_) => refusal(StatusCode::INTERNAL_SERVER_ERROR, "the service failed"),
    }
}

fn refusal(status: StatusCode, message: &str) -> Response {
    http::json(status, &json!({ "message": message }))
}

fn issue(shared: &Shared, session: &Session, audience: &str) -> Result<String, ServicesError> {
    let now = shared.now();
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(|_| ServicesError::Random)?;
    let audience = match audience {
        "" => None,
        given => Some(given),
    };
    let form = shared.oidc.subject_form();
    let claims = claims(&session.identity, form, shared.issuer.as_str(), audience, &http::uuid(id), now);
    let key = shared.oidc.signing_key(now)?;
    let text = unsigned(&json!({ "alg": "RS256", "typ": "JWT", "kid": key.kid() }), &claims);
    Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(key.sign(text.as_bytes())?)))
}

/// `/.well-known/openid-configuration`.
pub(crate) fn discovery(shared: &Shared) -> Response {
    let issuer = shared.issuer.as_str();
    http::json(
        StatusCode::OK,
        &json!({
            "issuer": issuer,
            // Where the reader of this document is, which may be another address than the issuer's.
            "jwks_uri": format!("{}/.well-known/jwks", shared.base.as_str()),
            "subject_types_supported": ["public", "pairwise"],
            "response_types_supported": ["id_token"],
            "claims_supported": claims::NAMES.as_slice(),
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid"],
        }),
    )
}

/// `/.well-known/jwks`: the newest key and those before it, which tokens on their way are signed with.
pub(crate) async fn jwks(shared: Arc<Shared>) -> Response {
    let read = spawn_blocking(move || {
        let now = shared.now();
        shared.oidc.public_keys(now)
    });
    match read.await {
        Ok(Ok(keys)) => http::json(StatusCode::OK, &json!({ "keys": Value::Array(keys) })),
        Ok(Err(error)) => refusal(StatusCode::INTERNAL_SERVER_ERROR, &with_causes(&error)),
        Err(_) => refusal(StatusCode::INTERNAL_SERVER_ERROR, "the service failed"),
    }
}
