//! Twirp: remote calls as JSON over POST.
//!
//! # Source
//! The Twirp wire protocol, version 7, and its clients in `@actions/artifact` and `@actions/cache`: they repeat a call after 500,
//! 502, 503 and 504 and show `msg` to the user.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use axum::response::Response;
use lineclear_event::with_causes;
use lineclear_store::StoreError;
use serde_json::{Map, Value, json};
use tokio::task::spawn_blocking;

use crate::http::{self, BodyLimits};
use crate::route::Call;
use crate::services::Shared;
use crate::session::Session;

/// Bytes of a call. The longest real ones are some kilobytes: keys of caches.
const CALL_BYTES: u64 = 1 << 20;

/// Why a call failed: a word that programs read and a sentence that people read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: Code,
    pub(crate) message: String,
}

/// The codes of Twirp that are in use here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    Malformed,
    InvalidArgument,
    Unauthenticated,
    PermissionDenied,
    NotFound,
    BadRoute,
    AlreadyExists,
    FailedPrecondition,
    ResourceExhausted,
    Internal,
}

impl Code {
    fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::InvalidArgument => "invalid_argument",
            Self::Unauthenticated => "unauthenticated",
            Self::PermissionDenied => "permission_denied",
            Self::NotFound => "not_found",
            Self::BadRoute => "bad_route",
            Self::AlreadyExists => "already_exists",
            Self::FailedPrecondition => "failed_precondition",
            Self::ResourceExhausted => "resource_exhausted",
            Self::Internal => "internal",
        }
    }

    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::Malformed | Self::InvalidArgument => StatusCode::BAD_REQUEST,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::PermissionDenied => StatusCode::FORBIDDEN,
            Self::NotFound | Self::BadRoute => StatusCode::NOT_FOUND,
            Self::AlreadyExists => StatusCode::CONFLICT,
            Self::FailedPrecondition => StatusCode::PRECONDITION_FAILED,
            Self::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl Fault {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub(crate) fn response(&self) -> Response {
        http::json(self.code.status(), &json!({ "code": self.code.as_str(), "msg": self.message }))
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::Io { .. } => Code::Internal,
            // Clients repeat a call after "internal"; these do not mend by themselves.
            StoreError::DiskFull { .. } | StoreError::Damaged { .. } => Code::FailedPrecondition,
            StoreError::NotFound { .. } => Code::NotFound,
            StoreError::ArtifactExists { .. } => Code::AlreadyExists,
            StoreError::Refused(_) => Code::InvalidArgument,
        };
        Self::new(code, with_causes(&error))
    }
}

/// The fields of a call.
#[derive(Clone, Debug)]
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Fault> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            _ => Err(Fault::new(Code::Malformed, "the body of the call is not a JSON object")),
        }
    }

    /// A field by its name in the protocol, `size_bytes`, or as JSON writers of protobuf spell it, `sizeBytes`. Optional values
    /// may be wrapped: `{"value": …}`.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        let value = self.0.get(name).or_else(|| self.0.get(&camel_case(name)))?;
        let value = value.get("value").unwrap_or(value);
        (!value.is_null()).then_some(value)
    }

    /// A text; empty when it is not there, as writers leave empty ones out.
    pub(crate) fn text(&self, name: &str) -> Result<&str, Fault> {
        match self.get(name) {
            None => Ok(""),
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(Fault::new(Code::InvalidArgument, format!("`{name}` has to be a text"))),
        }
    }

    /// A whole number, as text or as number (trap 85); zero when it is not there.
    pub(crate) fn number(&self, name: &str) -> Result<u64, Fault> {
        let number = match self.get(name) {
            None => return Ok(0),
            Some(Value::String(text)) => text.parse().ok(),
            Some(value) => value.as_u64(),
        };
        number.ok_or_else(|| {
            Fault::new(Code::InvalidArgument, format!("`{name}` has to be a whole number, not negative"))
        })
    }

    pub(crate) fn texts(&self, name: &str) -> Result<Vec<String>, Fault> {
        let wrong = || Fault::new(Code::InvalidArgument, format!("`{name}` has to be a list of texts"));
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => {
                items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
            }
            Some(_) => Err(wrong()),
        }
    }
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}

/// Carries out one method of a service for an open job. `None` for a method that the service does not have.
pub(crate) type Service = fn(&Shared, &Session, &str, &Fields) -> Option<Result<Value, Fault>>;

pub(crate) async fn answer(shared: Arc<Shared>, call: Call, method: &str, service: Service) -> Response {
    if call.method != Method::POST {
        return Fault::new(Code::BadRoute, "calls are made with POST").response();
    }
    let stall = shared.config.limits.stall;
    let Some(session) = authenticated(&shared, &call) else {
        http::discard(call.body, stall).await;
        return unauthenticated().response();
    };
    let body = match http::read_whole(call.body, BodyLimits { bytes: CALL_BYTES, stall }).await {
        Ok(body) => body,
        Err(error) => {
            let fault = json!({ "code": Code::Malformed.as_str(), "msg": error.to_string() });
            return http::json(error.status(), &fault);
        }
    };
    let name = method.to_owned();
    let path = call.path;
    let done = spawn_blocking(move || match Fields::parse(&body) {
        Ok(fields) => service(&shared, &session, &name, &fields),
        Err(fault) => Some(Err(fault)),
    });
    match done.await {
        Ok(Some(Ok(value))) => http::json(StatusCode::OK, &value),
        Ok(Some(Err(fault))) => fault.response(),
        Ok(None) => no_such_method(&path),
        Err(_) => Fault::new(Code::Internal, "the service failed").response(),
    }
}

/// The open job of a call's runtime token.
pub(crate) fn authenticated(shared: &Shared, call: &Call) -> Option<Arc<Session>> {
    shared.session_of_runtime_token(http::bearer(&call.headers)?)
}

pub(crate) fn unauthenticated() -> Fault {
    Fault::new(Code::Unauthenticated, "the runtime token is missing, expired, or of a job that has ended")
}

pub(crate) fn no_such_method(path: &str) -> Response {
    Fault::new(Code::BadRoute, format!("there is no method `{path}`")).response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trap_85_numbers_come_as_text_or_number_and_names_in_both_spellings() {
        let fields =
            Fields::parse(br#"{"size_bytes":7,"entryId":"8","runId":{"value":"9"},"bad":-1,"k":["a"],"nothing":null}"#)
                .expect("fields");
        assert_eq!(
            (fields.number("size_bytes"), fields.number("entry_id"), fields.number("run_id")),
            (Ok(7), Ok(8), Ok(9))
        );
        assert_eq!((fields.number("missing"), fields.text("nothing")), (Ok(0), Ok("")));
        assert!(fields.number("bad").is_err() && fields.text("k").is_err() && fields.texts("entry_id").is_err());
        assert_eq!(fields.texts("k"), Ok(vec!["a".to_owned()]));
        for body in ["", "[]", "1", "{", "\u{1}"] {
            assert_eq!(Fields::parse(body.as_bytes()).expect_err("no object").code, Code::Malformed);
        }
    }

    #[test]
    fn names_are_spelt_both_ways() {
        assert_eq!(camel_case("workflow_job_run_backend_id"), "workflowJobRunBackendId");
        assert_eq!((camel_case("key"), camel_case("_a__b")), ("key".into(), "AB".into()));
    }
}
