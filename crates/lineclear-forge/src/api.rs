//! Calls and answers.

use std::fmt;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::Caller;

/// GitHub's REST and GraphQL API.
pub trait ForgeApi: Send + Sync + fmt::Debug {
    /// Carries out one call. An error is an answer, too: status 4xx or 5xx with `{"message": …}`, as GitHub words it.
    fn call(&self, caller: &Caller, request: &ApiRequest) -> ApiResponse;
}

impl<F: ForgeApi + ?Sized> ForgeApi for Box<F> {
    fn call(&self, caller: &Caller, request: &ApiRequest) -> ApiResponse {
        (**self).call(caller, request)
    }
}

impl<F: ForgeApi + ?Sized> ForgeApi for Arc<F> {
    fn call(&self, caller: &Caller, request: &ApiRequest) -> ApiResponse {
        (**self).call(caller, request)
    }
}

/// One request, freed from its transport.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiRequest {
    /// `GET`, `POST`, `PATCH`, `PUT`, `DELETE`, upper-case.
    pub method: String,
    /// Below the API's base, beginning with `/`, percent-encoding as sent: `/repos/o/r/issues/7/comments`; `/graphql`.
    pub path: String,
    /// Decoded, in order.
    pub query: Vec<(String, String)>,
    /// Names in lower case. The caller's `authorization` is left out.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl ApiRequest {
    pub fn new(method: &str, path: &str) -> Self {
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    #[must_use]
    pub fn json(mut self, body: &Value) -> Self {
        self.body = body.to_string().into_bytes();
        self.headers.push(("content-type".into(), "application/json".into()));
        self
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The answer to an [`ApiRequest`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiResponse {
    pub status: u16,
    /// Names in lower case; without `content-length`.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl ApiResponse {
    pub fn json(status: u16, body: &Value) -> Self {
        let headers = vec![("content-type".into(), "application/json; charset=utf-8".into())];
        Self { status, headers, body: body.to_string().into_bytes() }
    }

    /// An answer without a body.
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// `{"message": …, "documentation_url": …, "status": "403"}`, as GitHub words errors.
    pub fn error(status: u16, message: &str) -> Self {
        let body = json!({
            "message": message,
            "documentation_url": "https://docs.github.com/rest",
            "status": status.to_string(),
        });
        Self::json(status, &body)
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as JSON; null where it is none.
    pub fn value(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// Where there is no forge: every call is refused, with the reason.
#[derive(Clone, Copy, Debug)]
pub struct NoForge;

impl ForgeApi for NoForge {
    fn call(&self, _caller: &Caller, _request: &ApiRequest) -> ApiResponse {
        ApiResponse::error(503, "no forge is offered to this job")
    }
}
