//! Errors in the form that registries answer them.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::descriptor::null_is_empty;

/// The kind of a registry's error.
///
/// # Source
/// The distribution specification, "Error Codes"; the last three are Docker's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum ErrorCode {
    /// The blob is not known in this repository.
    BlobUnknown,
    /// The upload cannot go on.
    BlobUploadInvalid,
    /// There is no such upload.
    BlobUploadUnknown,
    /// The digest is not that of the content.
    DigestInvalid,
    /// The manifest refers to a blob or manifest that is not there.
    ManifestBlobUnknown,
    /// The manifest is not one.
    ManifestInvalid,
    /// The manifest is not known in this repository.
    ManifestUnknown,
    /// The repository's name is not one.
    NameInvalid,
    /// The repository is not known.
    NameUnknown,
    /// The length is not that of the content.
    SizeInvalid,
    /// It is not known who asks.
    Unauthorized,
    /// Who asks may not.
    Denied,
    /// The registry does not do that.
    Unsupported,
    /// Too many requests.
    TooManyRequests,
    /// Docker: the range is not the next one of the upload.
    RangeInvalid,
    /// Docker: the number of entries asked for is not one.
    PaginationNumberInvalid,
    /// Docker: it does not answer now.
    Unavailable,
    /// Any other.
    Other(String),
}

/// Each code, how it is written, the status that goes with it, and what it means.
const CODES: [(ErrorCode, &str, u16, &str); 17] = [
    (ErrorCode::BlobUnknown, "BLOB_UNKNOWN", 404, "the blob is not known to this repository"),
    (ErrorCode::BlobUploadInvalid, "BLOB_UPLOAD_INVALID", 400, "the upload is not valid"),
    (ErrorCode::BlobUploadUnknown, "BLOB_UPLOAD_UNKNOWN", 404, "the upload is not known to this repository"),
    (ErrorCode::DigestInvalid, "DIGEST_INVALID", 400, "the digest is not that of the content"),
    (ErrorCode::ManifestBlobUnknown, "MANIFEST_BLOB_UNKNOWN", 400, "the manifest names a blob that is not known"),
    (ErrorCode::ManifestInvalid, "MANIFEST_INVALID", 400, "the manifest is not valid"),
    (ErrorCode::ManifestUnknown, "MANIFEST_UNKNOWN", 404, "the manifest is not known to this repository"),
    (ErrorCode::NameInvalid, "NAME_INVALID", 400, "the repository's name is not valid"),
    (ErrorCode::NameUnknown, "NAME_UNKNOWN", 404, "the repository is not known"),
    (ErrorCode::SizeInvalid, "SIZE_INVALID", 400, "the length is not that of the content"),
    (ErrorCode::Unauthorized, "UNAUTHORIZED", 401, "authentication is required"),
    (ErrorCode::Denied, "DENIED", 403, "access is denied"),
    (ErrorCode::Unsupported, "UNSUPPORTED", 405, "the operation is not supported"),
    (ErrorCode::TooManyRequests, "TOOMANYREQUESTS", 429, "too many requests"),
    (ErrorCode::RangeInvalid, "RANGE_INVALID", 416, "the range is not the next one of the upload"),
    (ErrorCode::PaginationNumberInvalid, "PAGINATION_NUMBER_INVALID", 400, "the number of entries is not valid"),
    (ErrorCode::Unavailable, "UNAVAILABLE", 503, "the service is not available"),
];

impl ErrorCode {
    /// Reads a code.
    pub fn parse(text: &str) -> Self {
        let known = CODES.iter().find(|(_, name, ..)| *name == text);
        known.map_or_else(|| Self::Other(text.to_owned()), |(code, ..)| code.clone())
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Other(text) => text,
            known => CODES.iter().find(|(code, ..)| code == known).map_or("UNKNOWN", |(_, name, ..)| name),
        }
    }

    /// The HTTP status that usually goes with it.
    pub fn status(&self) -> u16 {
        CODES.iter().find(|(code, ..)| code == self).map_or(500, |(_, _, status, _)| *status)
    }

    /// What it means, in a few words.
    pub fn meaning(&self) -> &str {
        match self {
            Self::Other(text) => text,
            known => CODES.iter().find(|(code, ..)| code == known).map_or("unknown error", |(.., text)| text),
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<String> for ErrorCode {
    fn from(text: String) -> Self {
        Self::parse(&text)
    }
}

impl From<ErrorCode> for String {
    fn from(code: ErrorCode) -> Self {
        code.as_str().to_owned()
    }
}

/// One error of a registry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RegistryError {
    /// Its kind.
    pub code: ErrorCode,
    /// What people read.
    #[serde(default, deserialize_with = "null_is_empty", skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// What programs read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Value>,
}

impl RegistryError {
    /// An error with what its code means as message.
    pub fn new(code: ErrorCode) -> Self {
        Self { message: code.meaning().to_owned(), code, detail: None }
    }

    /// The same with another message.
    pub fn says(self, message: impl Into<String>) -> Self {
        Self { message: message.into(), ..self }
    }

    /// The same with a detail for programs.
    pub fn with(self, detail: Value) -> Self {
        Self { detail: Some(detail), ..self }
    }
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message.as_str() {
            "" => write!(f, "{}", self.code),
            message => write!(f, "{message} ({})", self.code),
        }
    }
}

/// The body of a registry's answer that is an error.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RegistryErrors {
    /// The errors; usually one.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub errors: Vec<RegistryError>,
}

impl RegistryErrors {
    /// Reads the body of an answer; anything that is not of this form is no error of a registry.
    pub fn read(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }

    /// The body as bytes.
    pub fn write(&self) -> Vec<u8> {
        crate::manifest::to_json(self)
    }

    /// Whether one of them is of this kind.
    pub fn has(&self, code: &ErrorCode) -> bool {
        self.errors.iter().any(|error| error.code == *code)
    }
}

impl From<RegistryError> for RegistryErrors {
    fn from(error: RegistryError) -> Self {
        Self { errors: vec![error] }
    }
}

impl fmt::Display for RegistryErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, error) in self.errors.iter().enumerate() {
            write!(f, "{}{error}", if number == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_read_as_it_is_written() {
        for (code, name, status, _) in CODES {
            assert_eq!(ErrorCode::parse(name), code);
            assert_eq!(code.as_str(), name);
            assert!((400..600).contains(&status));
        }
        assert_eq!(ErrorCode::parse("TEAPOT"), ErrorCode::Other("TEAPOT".to_owned()));
    }

    #[test]
    fn errors_of_a_registry_are_read_and_shown() {
        let body = br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{"Tag":"1"}}]}"#;
        let errors = RegistryErrors::read(body);
        assert!(errors.has(&ErrorCode::ManifestUnknown));
        assert_eq!(errors.to_string(), "manifest unknown (MANIFEST_UNKNOWN)");
        assert_eq!(RegistryErrors::read(&errors.write()), errors);
        assert_eq!(RegistryErrors::read(b"<html>").to_string(), "");
    }
}
