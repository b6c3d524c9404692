//! What is said to a client.

use std::io::{self, Write};

use serde_json::Value;

use crate::http::{AnswerHead, Framing, chunk, last_chunk};
use crate::stream::Stream;

/// The side of a connection that answers.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) stream: Stream,
    /// The version of HTTP/1 that the client speaks.
    pub(crate) minor: u8,
    /// Whether the connection is closed after the answer.
    pub(crate) closes: bool,
    out: Vec<u8>,
    framing: Framing,
    /// Whether an answer was begun: then no other one can be given.
    pub(crate) has_begun: bool,
}

impl Client {
    pub(crate) fn new(stream: Stream) -> Self {
        Self { stream, minor: 1, closes: false, out: Vec::new(), framing: Framing::Length(0), has_begun: false }
    }

    /// Answers with a value.
    pub(crate) fn value(&mut self, mut head: AnswerHead, value: &Value) -> io::Result<()> {
        head.headers.set("Content-Type", "application/json");
        let mut body = value.to_string();
        body.push('\n');
        self.begin(head, Framing::Length(body.len() as u64))?;
        self.piece(body.as_bytes())
    }

    /// Answers with a message, as the engine tells failures.
    pub(crate) fn message(&mut self, status: u16, text: &str) -> io::Result<()> {
        self.value(AnswerHead::new(status, reason(status)), &crate::rewrite::message(text))
    }

    /// Says to go on with a body.
    pub(crate) fn go_on(&mut self) -> io::Result<()> {
        self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
    }

    /// Begins an answer; its body follows in pieces.
    pub(crate) fn begin(&mut self, mut head: AnswerHead, framing: Framing) -> io::Result<()> {
        let has_body = head.status >= 200 && !matches!(head.status, 204 | 304);
        // The end of a body without a length is the end of the connection for a client that knows no chunks.
        self.framing = match framing {
            Framing::Length(_) => framing,
            _ if self.minor == 0 => Framing::UntilClose,
            _ => Framing::Chunked,
        };
        match self.framing {
            Framing::Length(length) if has_body => head.headers.set("Content-Length", length.to_string()),
            Framing::Length(_) => {}
            Framing::Chunked => head.headers.set("Transfer-Encoding", "chunked"),
            Framing::UntilClose => self.closes = true,
        }
        self.head(head)
    }

    /// Answers with a head alone.
    pub(crate) fn head(&mut self, mut head: AnswerHead) -> io::Result<()> {
        if self.closes {
            head.headers.set("Connection", "close");
        } else if self.minor == 0 {
            head.headers.set("Connection", "keep-alive");
        }
        self.has_begun = true;
        self.stream.write_all(&head.write())
    }

    /// A head that a body without any framing, or a stream in both directions, follows.
    pub(crate) fn bare(&mut self, head: &AnswerHead) -> io::Result<()> {
        self.has_begun = true;
        self.closes = true;
        self.stream.write_all(&head.write())
    }

    pub(crate) fn piece(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        match self.framing {
            Framing::Chunked => {
                chunk(bytes, &mut self.out);
                self.stream.write_all(&self.out)
            }
            _ => self.stream.write_all(bytes),
        }
    }

    pub(crate) fn end(&mut self) -> io::Result<()> {
        match self.framing {
            Framing::Chunked => self.stream.write_all(last_chunk()),
            _ => Ok(()),
        }
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        409 => "Conflict",
        413 => "Content Too Large",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "Answer",
    }
}
