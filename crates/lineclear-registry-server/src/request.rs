//! The head of a request.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// A request without its body. Path and query are percent-encoded as sent; names of headers are in lower case.
#[derive(Clone, Copy, Debug)]
pub struct Request<'r> {
    /// In capitals.
    pub method: &'r str,
    /// `/v2/…`
    pub path: &'r str,
    /// What follows `?`.
    pub query: &'r str,
    /// In the order in which they came; a name may come again.
    pub headers: &'r [(&'r str, &'r str)],
}

impl<'r> Request<'r> {
    /// A header's value; empty where there is none. One that came several times is joined by commas.
    pub(crate) fn header(&self, name: &str) -> Cow<'r, str> {
        let mut values = self.headers.iter().filter(|(known, _)| *known == name).map(|(_, value)| *value);
        let first = values.next().unwrap_or_default();
        values.fold(Cow::Borrowed(first), |joined, value| Cow::Owned(format!("{joined}, {value}")))
    }

    /// The first value of a name in the query, decoded.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let pairs = self.query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
        pairs.into_iter().find(|(known, _)| decode(known) == name).map(|(_, value)| decode(value))
    }

    /// The body's length, where it is told.
    pub(crate) fn content_length(&self) -> Option<u64> {
        self.header("content-length").parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_and_headers_joined() {
        let headers = [("accept", "a"), ("range", "x"), ("accept", "b")];
        let query = "digest=sha256%3Aab&n=1+2&&c";
        let request = Request { method: "GET", path: "/v2/", query, headers: &headers };
        assert_eq!(request.parameter("digest").as_deref(), Some("sha256:ab"));
        assert_eq!(request.parameter("n").as_deref(), Some("1 2"));
        assert_eq!(request.parameter("c").as_deref(), Some(""));
        assert_eq!(request.parameter("d"), None);
        assert_eq!((&*request.header("accept"), &*request.header("range"), &*request.header("x")), ("a, b", "x", ""));
    }
}
