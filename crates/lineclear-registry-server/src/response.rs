//! What is answered.

use std::fmt;

use lineclear_event::{ImageFact, with_causes};
use lineclear_oci::{ErrorCode, RegistryError, RegistryErrors};
use lineclear_store::{ImageError, ReadAt, StoreError};

/// A response. Headers are complete, with `content-length`.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    /// Names in lower case; a name may come twice.
    pub headers: Vec<(&'static str, String)>,
    /// Nothing is sent of it when the request was `HEAD`.
    pub body: Body,
    /// The manifest that was pushed by this request; its names are `repository:tag`, without a registry.
    pub pushed: Option<Box<ImageFact>>,
    /// What a person should know of beside the client: damage, a full disk.
    pub warning: Option<String>,
}

#[derive(Debug)]
pub enum Body {
    Empty,
    Bytes(Vec<u8>),
    Part(Part),
}

/// A part of a blob, to be read and sent.
pub struct Part {
    pub content: Box<dyn ReadAt>,
    /// The first byte's place in the content.
    pub first: u64,
    pub length: u64,
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part").field("first", &self.first).field("length", &self.length).finish_non_exhaustive()
    }
}

impl Response {
    pub(crate) fn new(status: u16) -> Self {
        let headers = vec![
            ("docker-distribution-api-version", "registry/2.0".to_owned()),
            ("x-content-type-options", "nosniff".to_owned()),
        ];
        Self { status, headers, body: Body::Empty, pushed: None, warning: None }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    /// A response that has no body.
    pub(crate) fn empty(self) -> Self {
        // Nothing may be said of a length here.
        if matches!(self.status, 204 | 304) { self } else { self.with("content-length", 0) }
    }

    pub(crate) fn bytes(mut self, media_type: &str, bytes: Vec<u8>) -> Self {
        self = self.with("content-type", media_type).with("content-length", bytes.len());
        self.body = Body::Bytes(bytes);
        self
    }

    pub(crate) fn part(mut self, part: Part) -> Self {
        self = self.with("content-length", part.length);
        self.body = Body::Part(part);
        self
    }

    pub(crate) fn json(self, value: &serde_json::Value) -> Self {
        self.bytes("application/json; charset=utf-8", value.to_string().into_bytes())
    }

    /// An error with the status that usually goes with its code.
    pub(crate) fn error(code: ErrorCode, message: impl Into<String>) -> Self {
        let status = code.status();
        refusal(status, code, message)
    }
}

/// An error in the form of the specification.
pub fn refusal(status: u16, code: ErrorCode, message: impl Into<String>) -> Response {
    let errors = RegistryErrors { errors: vec![RegistryError::new(code).says(message)] };
    let response = Response::new(status).with("cache-control", "no-store");
    response.bytes("application/json; charset=utf-8", errors.write())
}

/// What an error of the store is to a client.
pub(crate) fn of_store(error: &ImageError) -> Response {
    let message = with_causes(error);
    match error {
        ImageError::UnknownUpload => Response::error(ErrorCode::BlobUploadUnknown, message),
        ImageError::OutOfOrder { .. } => Response::error(ErrorCode::RangeInvalid, message),
        ImageError::WrongDigest { .. } | ImageError::Algorithm { .. } => {
            Response::error(ErrorCode::DigestInvalid, message)
        }
        ImageError::TooLarge { .. } => refusal(413, ErrorCode::SizeInvalid, message),
        ImageError::Sender(_) => Response::error(ErrorCode::BlobUploadInvalid, message),
        ImageError::Missing { .. } => Response::error(ErrorCode::ManifestBlobUnknown, message),
        ImageError::TagTaken { .. } | ImageError::InUse { .. } => refusal(409, ErrorCode::Denied, message),
        ImageError::Store(StoreError::DiskFull { .. }) => {
            let response = refusal(507, ErrorCode::Unavailable, message.clone());
            Response { warning: Some(message), ..response }
        }
        ImageError::Store(_) => {
            let response = refusal(500, ErrorCode::Other("UNKNOWN".into()), message.clone());
            Response { warning: Some(message), ..response }
        }
    }
}
