//! What comes in on a connection, with what was read too far.

use std::io::{self, Read};

use super::{HEAD_LIMIT, HttpError};

/// How much is read at once while a head or a line is looked for.
const PIECE: usize = 16 * 1024;

/// A stream that can be asked for a head or a line, and keeps what followed it.
#[derive(Debug)]
pub(crate) struct Inbound<S> {
    stream: S,
    buffer: Vec<u8>,
    from: usize,
}

impl<S: Read> Inbound<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, buffer: Vec::new(), from: 0 }
    }

    /// What was read and not asked for yet.
    pub(crate) fn buffered(&self) -> &[u8] {
        &self.buffer[self.from..]
    }

    pub(crate) fn into_parts(self) -> (S, Vec<u8>) {
        let mut rest = self.buffer;
        rest.drain(..self.from);
        (self.stream, rest)
    }

    pub(crate) fn take_buffered(&mut self) -> Vec<u8> {
        let rest = self.buffered().to_vec();
        self.buffer.clear();
        self.from = 0;
        rest
    }

    fn consume(&mut self, count: usize) {
        self.from += count;
        if self.from == self.buffer.len() {
            self.buffer.clear();
            self.from = 0;
        }
    }

    fn more(&mut self) -> io::Result<usize> {
        if self.from > 0 {
            self.buffer.drain(..self.from);
            self.from = 0;
        }
        let before = self.buffer.len();
        self.buffer.resize(before + PIECE, 0);
        let read = loop {
            match self.stream.read(&mut self.buffer[before..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer.truncate(before + *read.as_ref().unwrap_or(&0));
        read
    }

    /// The bytes of the next head with the empty line that ends it; `None` at the end of the stream.
    pub(crate) fn head(&mut self) -> Result<Option<Vec<u8>>, HttpError> {
        let mut looked = 0_usize;
        loop {
            // A client may send an empty line between two requests.
            while self.buffered().starts_with(b"\r\n") {
                self.consume(2);
                looked = 0;
            }
            let bytes = self.buffered();
            let begin = looked.saturating_sub(3);
            if let Some(at) = bytes[begin..].windows(4).position(|window| window == b"\r\n\r\n") {
                let head = bytes[..begin + at + 4].to_vec();
                self.consume(head.len());
                return Ok(Some(head));
            }
            looked = bytes.len();
            if looked > HEAD_LIMIT {
                return Err(HttpError::HeadTooLong);
            }
            if self.more()? == 0 {
                return if looked == 0 { Ok(None) } else { Err(HttpError::Head("it ends too early".into())) };
            }
        }
    }

    /// The next line without its end.
    pub(super) fn line(&mut self, limit: usize) -> io::Result<Vec<u8>> {
        loop {
            let bytes = self.buffered();
            if let Some(at) = bytes.iter().position(|byte| *byte == b'\n') {
                let mut line = bytes[..at].to_vec();
                self.consume(at + 1);
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(line);
            }
            if bytes.len() > limit {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a line of the body's framing is too long"));
            }
            if self.more()? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

impl<S: Read> Read for Inbound<S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let bytes = self.buffered();
        if bytes.is_empty() {
            return self.stream.read(into);
        }
        let count = bytes.len().min(into.len());
        into[..count].copy_from_slice(&bytes[..count]);
        self.consume(count);
        Ok(count)
    }
}
