//! Heads of requests and answers.

use std::fmt::Write as _;

use super::{Framing, HttpError};

/// More fields than this are no sensible head.
const FIELDS: usize = 100;

/// Header fields in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Headers(Vec<(String, String)>);

/// Fields that belong to one connection, and those that say how a body is framed: each side has its own.
const OF_CONNECTION: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "content-length",
    "upgrade",
    "expect",
    "host",
];

impl Headers {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    fn all<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h str> {
        self.0.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Whether a field that lists words has this one.
    pub(crate) fn lists(&self, name: &str, word: &str) -> bool {
        self.all(name).flat_map(|value| value.split(',')).any(|listed| listed.trim().eq_ignore_ascii_case(word))
    }

    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.remove(name);
        self.0.push((name.to_owned(), value.into()));
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.0.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
    }

    /// What is passed on to the other side.
    pub(crate) fn end_to_end(&self) -> Self {
        let keep = |(key, _): &&(String, String)| !OF_CONNECTION.iter().any(|own| key.eq_ignore_ascii_case(own));
        Self(self.0.iter().filter(keep).cloned().collect())
    }

    fn write(&self, text: &mut String) {
        for (name, value) in &self.0 {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        text.push_str("\r\n");
    }

    fn read(fields: &[httparse::Header<'_>]) -> Result<Self, HttpError> {
        let field = |field: &httparse::Header<'_>| {
            let value = std::str::from_utf8(field.value);
            let value = value.map_err(|_| HttpError::Head(format!("the field `{}` is not UTF-8", field.name)))?;
            Ok((field.name.to_owned(), value.trim().to_owned()))
        };
        Ok(Self(fields.iter().map(field).collect::<Result<_, HttpError>>()?))
    }

    /// How the body is framed where these fields say it: `None` where they say nothing.
    fn framing(&self) -> Result<Option<Framing>, HttpError> {
        let codings: Vec<&str> = self.all("transfer-encoding").collect();
        let mut lengths: Vec<&str> = self.all("content-length").collect();
        lengths.dedup();
        match (codings.as_slice(), lengths.as_slice()) {
            ([], []) => Ok(None),
            ([coding], []) if coding.eq_ignore_ascii_case("chunked") => Ok(Some(Framing::Chunked)),
            ([coding], []) if coding.eq_ignore_ascii_case("identity") => Ok(None),
            ([], [length]) if !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit()) => {
                let length = length.parse().map_err(|_| HttpError::Framing("the content length is too large"))?;
                Ok(Some(Framing::Length(length)))
            }
            ([], _) => Err(HttpError::Framing("the content length is not one number")),
            (_, []) => Err(HttpError::Framing("the transfer coding is not `chunked`")),
            // Two parsers that disagree here would see different requests in the same bytes.
            _ => Err(HttpError::Framing("there are a transfer coding and a content length")),
        }
    }
}

/// The head of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestHead {
    pub(crate) method: String,
    pub(crate) target: String,
    /// Of HTTP/1.
    pub(crate) minor: u8,
    pub(crate) headers: Headers,
}

impl RequestHead {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, HttpError> {
        let mut fields = [httparse::EMPTY_HEADER; FIELDS];
        let mut request = httparse::Request::new(&mut fields);
        match request.parse(bytes) {
            Ok(httparse::Status::Complete(_)) => {}
            Ok(httparse::Status::Partial) => return Err(HttpError::Head("it is not complete".into())),
            Err(error) => return Err(HttpError::Head(error.to_string())),
        }
        Ok(Self {
            method: request.method.unwrap_or_default().to_owned(),
            target: request.path.unwrap_or_default().to_owned(),
            minor: request.version.unwrap_or(1),
            headers: Headers::read(request.headers)?,
        })
    }

    pub(crate) fn framing(&self) -> Result<Framing, HttpError> {
        Ok(self.headers.framing()?.unwrap_or(Framing::Length(0)))
    }

    /// Whether more requests may follow on the connection.
    pub(crate) fn keeps_alive(&self) -> bool {
        match self.minor {
            0 => self.headers.lists("connection", "keep-alive"),
            _ => !self.headers.lists("connection", "close"),
        }
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut text = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        self.headers.write(&mut text);
        text.into_bytes()
    }
}

/// The head of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AnswerHead {
    pub(crate) status: u16,
    pub(crate) reason: String,
    pub(crate) headers: Headers,
}

impl AnswerHead {
    pub(crate) fn new(status: u16, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into(), headers: Headers::default() }
    }

    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, HttpError> {
        let mut fields = [httparse::EMPTY_HEADER; FIELDS];
        let mut answer = httparse::Response::new(&mut fields);
        match answer.parse(bytes) {
            Ok(httparse::Status::Complete(_)) => {}
            Ok(httparse::Status::Partial) => return Err(HttpError::Head("it is not complete".into())),
            Err(error) => return Err(HttpError::Head(error.to_string())),
        }
        Ok(Self {
            status: answer.code.unwrap_or(502),
            reason: answer.reason.unwrap_or_default().to_owned(),
            headers: Headers::read(answer.headers)?,
        })
    }

    /// How the body of this answer to a request with this method is framed.
    pub(crate) fn framing(&self, method: &str) -> Result<Framing, HttpError> {
        if method == "HEAD" || self.status < 200 || matches!(self.status, 204 | 304) {
            return Ok(Framing::Length(0));
        }
        Ok(self.headers.framing()?.unwrap_or(Framing::UntilClose))
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut text = format!("HTTP/1.1 {} {}\r\n", self.status, self.reason);
        self.headers.write(&mut text);
        text.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framing(fields: &str) -> Result<Framing, HttpError> {
        RequestHead::parse(format!("POST / HTTP/1.1\r\n{fields}\r\n").as_bytes()).expect("the head is whole").framing()
    }

    #[test]
    fn a_body_that_two_parsers_would_see_differently_is_refused() {
        assert!(matches!(framing("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), Err(HttpError::Framing(_))));
        assert!(matches!(framing("Content-Length: 5\r\nContent-Length: 6\r\n"), Err(HttpError::Framing(_))));
        assert!(matches!(framing("Content-Length: +5\r\n"), Err(HttpError::Framing(_))));
        assert!(matches!(framing("Content-Length: 99999999999999999999\r\n"), Err(HttpError::Framing(_))));
        assert!(matches!(framing("Transfer-Encoding: gzip, chunked\r\n"), Err(HttpError::Framing(_))));
        assert!(matches!(framing("Content-Length: 5\r\nContent-Length: 5\r\n"), Ok(Framing::Length(5))));
        assert!(matches!(framing("transfer-encoding: Chunked\r\n"), Ok(Framing::Chunked)));
        assert!(matches!(framing(""), Ok(Framing::Length(0))));
    }

    #[test]
    fn what_belongs_to_one_connection_is_not_passed_on() {
        let head = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nX-Registry-Auth: a\r\n\r\n";
        let head = RequestHead::parse(head).expect("the head is whole");
        assert_eq!(head.headers.end_to_end(), Headers(vec![("X-Registry-Auth".into(), "a".into())]));
    }
}
