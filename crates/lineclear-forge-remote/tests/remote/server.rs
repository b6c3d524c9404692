//! An HTTP server on loopback that does as it is told: one connection, one call.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What the server read.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// `GET /api/v3/repos/o/r?x=1`.
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// What it does then.
pub(crate) enum Reaction {
    /// Sends these bytes and closes.
    Send(Vec<u8>),
    /// Keeps the connection open and says nothing.
    Hang,
}

pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Reaction {
    let mut text = format!("HTTP/1.1 {status} Said\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    Reaction::Send(format!("{text}\r\n{body}").into_bytes())
}

pub(crate) fn json(status: u16, body: &serde_json::Value) -> Reaction {
    answer(status, &[("content-type", "application/json; charset=utf-8")], &body.to_string())
}

pub(crate) struct Server {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    /// Connections that hang, until the test is over.
    _open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Server {
    pub(crate) fn start(react: impl Fn(&Seen, usize) -> Reaction + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("a bound socket has an address"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let open = Arc::new(Mutex::new(Vec::new()));
        let (log, kept) = (Arc::clone(&seen), Arc::clone(&open));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Some(call) = read(&stream) else { continue };
                let number = {
                    let mut log = log.lock().expect("no test panics with the log");
                    log.push(call.clone());
                    log.len()
                };
                match react(&call, number) {
                    Reaction::Send(bytes) => {
                        // The client may be gone by then.
                        let _ = (&stream).write_all(&bytes);
                    }
                    Reaction::Hang => kept.lock().expect("no test panics with the list").push(stream),
                }
            }
        });
        Self { url, seen, _open: open }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no test panics with the log").clone()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.line).collect()
    }
}

fn read(stream: &TcpStream) -> Option<Seen> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let line = line.trim_end().strip_suffix(" HTTP/1.1")?.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Seen { line, headers, body })
}
