//! HTTP by hand, so that a test says each byte of a request.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::world::{Job, World};

#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

pub(crate) fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the services listen");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a time-out");
    stream
}

/// Sends one request, with `Host`, `Content-Length` and `Connection: close` unless given.
pub(crate) fn send(address: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut stream = connect(address);
    stream.write_all(&head(address, method, path, headers, body.len())).expect("a request");
    // A refusal may come before everything is sent.
    let _ = stream.write_all(body);
    read(stream)
}

pub(crate) fn head(address: &str, method: &str, path: &str, headers: &[(&str, &str)], length: usize) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let is_given = |wanted: &str| headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
    if !is_given("host") {
        head.push_str(&format!("Host: {address}\r\n"));
    }
    if !is_given("content-length") && (length > 0 || !matches!(method, "GET" | "HEAD")) {
        head.push_str(&format!("Content-Length: {length}\r\n"));
    }
    head.push_str("Connection: close\r\n\r\n");
    head.into_bytes()
}

/// Reads an answer until the connection ends.
pub(crate) fn read(mut stream: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let mut piece = [0; 64 << 10];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => bytes.extend_from_slice(&piece[..read]),
            Err(error) if bytes.is_empty() => panic!("no answer: {error}"),
            Err(_) => break,
        }
    }
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> Answer {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Answer::default() };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut body = bytes[end + 4..].to_vec();
    if headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked") {
        body = unchunked(&body);
    }
    Answer { status: status.expect("a status"), headers, body }
}

fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = bytes.windows(2).position(|two| two == b"\r\n") {
        let length = usize::from_str_radix(&String::from_utf8_lossy(&bytes[..end]), 16).expect("a length");
        if length == 0 {
            break;
        }
        whole.extend_from_slice(&bytes[end + 2..end + 2 + length]);
        bytes = &bytes[end + 4 + length..];
    }
    whole
}

/// Address and path of a URL.
pub(crate) fn taken_apart(url: &str) -> (String, String) {
    let rest = url.strip_prefix("http://").expect("an address without TLS");
    let slash = rest.find('/').expect("a path");
    (rest[..slash].to_owned(), rest[slash..].to_owned())
}

pub(crate) fn get(url: &str, headers: &[(&str, &str)]) -> Answer {
    let (address, path) = taken_apart(url);
    send(&address, "GET", &path, headers, b"")
}

pub(crate) fn put(url: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let (address, path) = taken_apart(url);
    send(&address, "PUT", &path, headers, body)
}

/// Calls a method of a Twirp service with a job's runtime token.
pub(crate) fn twirp(world: &World, job: &Job, method: &str, body: &Value) -> Answer {
    twirp_as(world, &job.access.runtime_token, method, body)
}

pub(crate) fn twirp_as(world: &World, token: &str, method: &str, body: &Value) -> Answer {
    let path = format!("/twirp/github.actions.results.api.v1.{method}");
    let authorization = format!("Bearer {token}");
    let headers = [("Authorization", authorization.as_str()), ("Content-Type", "application/json")];
    send(&world.address(), "POST", &path, &headers, body.to_string().as_bytes())
}
