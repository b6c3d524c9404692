//! One request and its answer, as plain data between the HTTP server and git.

use std::fmt;
use std::io::{Cursor, Read};

/// One HTTP request to the repository.
pub struct GitRequest {
    /// `GET` or `POST`; in capitals.
    pub method: String,
    /// The path below the repository, such as `/info/refs` or `/git-upload-pack`; not decoded.
    pub path: String,
    /// The text after `?`, without it; empty where there is none.
    pub query: String,
    /// Header names in any case.
    pub headers: Vec<(String, String)>,
    /// Read while [`crate::GitServer::handle`] runs, and after it on a thread of its own, until git has what it wants.
    pub body: Box<dyn Read + Send>,
    /// Whether who asks may push (`contents: write`).
    pub may_write: bool,
}

impl GitRequest {
    /// The value of a header, whatever the case of its name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// The value of a query parameter; the protocol's own values need no decoding.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }
}

impl fmt::Debug for GitRequest {
    /// Headers are left out: one of them holds the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GitRequest")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("query", &self.query)
            .field("may_write", &self.may_write)
            .finish_non_exhaustive()
    }
}

/// The answer to a [`GitRequest`].
///
/// The body streams from git. Dropping it before its end, as when the client goes away, ends git at once. A body that ends with
/// an error must break the connection, so that the client notices: the status was sent before.
pub struct GitResponse {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Box<dyn Read + Send>,
}

impl GitResponse {
    /// A refusal that the git client shows as `remote: <words>`.
    pub(crate) fn refused(status: u16, words: impl Into<String>) -> Self {
        let mut text: String = words.into();
        text.push('\n');
        let mut headers = vec![("content-type", "text/plain; charset=utf-8".to_owned())];
        headers.push(("content-length", text.len().to_string()));
        Self { status, headers, body: Box::new(Cursor::new(text.into_bytes())) }
    }

    /// An answer of git's own, never to be cached by anything between.
    pub(crate) fn git(content_type: String, body: Box<dyn Read + Send>) -> Self {
        let headers = vec![
            ("content-type", content_type),
            ("cache-control", "no-cache, max-age=0, must-revalidate".to_owned()),
            ("pragma", "no-cache".to_owned()),
            ("expires", "Fri, 01 Jan 1980 00:00:00 GMT".to_owned()),
        ];
        Self { status: 200, headers, body }
    }
}

impl fmt::Debug for GitResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GitResponse")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}
