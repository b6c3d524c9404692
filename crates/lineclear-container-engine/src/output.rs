//! What processes in containers write, as the engine sends it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::http::Connection;

/// How much is read at once.
const CHUNK: usize = 256 << 10;
/// How long the head of a frame is: one byte for the stream, three of nothing, four for the length.
const FRAME_HEAD: usize = 8;

/// Who wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The process, to its standard output.
    Stdout,
    /// The process, to its standard error.
    Stderr,
    /// The engine itself: what went wrong.
    Engine,
}

/// What a read gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputPiece {
    /// Bytes of one source were appended.
    Bytes(Source),
    /// Nothing is there; [`OutputStream::fd`] becomes readable when something comes.
    Nothing,
    /// The streams are at their end: nothing will follow.
    End,
}

/// Both output streams of one process, or of a container. Reading never waits.
#[derive(Debug)]
pub struct OutputStream {
    connection: Connection,
    /// What was read and not told yet begins here.
    at: usize,
    /// The source of the frame that is being read, and how much of it is to come.
    frame: Option<(Source, usize)>,
    ended: bool,
}

impl OutputStream {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection, at: 0, frame: None, ended: false }
    }

    /// Becomes readable when there is something to [`read`](Self::read), once that gave [`OutputPiece::Nothing`].
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.connection.socket.as_fd()
    }

    /// Appends what is there of one source, at most a piece of bounded size.
    ///
    /// # Errors
    /// If the connection broke, or what comes is not in the engine's form.
    pub fn read(&mut self, into: &mut Vec<u8>) -> io::Result<OutputPiece> {
        loop {
            let before = into.len();
            if let Some(source) = self.take(into)? {
                if into.len() > before {
                    return Ok(OutputPiece::Bytes(source));
                }
                continue; // An empty frame.
            }
            if self.ended {
                return match self.frame {
                    None if self.connection.ahead.len() == self.at => Ok(OutputPiece::End),
                    _ => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the engine cut the output off")),
                };
            }
            if !self.fill()? {
                return Ok(OutputPiece::Nothing);
            }
        }
    }

    /// Takes what was read ahead of one source, of as many frames as follow each other. `None` where more has to be read.
    fn take(&mut self, into: &mut Vec<u8>) -> io::Result<Option<Source>> {
        let mut taken = None;
        loop {
            let ahead = self.connection.ahead.get(self.at..).unwrap_or_default();
            match &mut self.frame {
                None => {
                    let Some(head) = ahead.first_chunk::<FRAME_HEAD>() else { return Ok(taken) };
                    let source = match head[0] {
                        0 | 1 => Source::Stdout,
                        2 => Source::Stderr,
                        3 => Source::Engine,
                        _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "the engine's output is garbled")),
                    };
                    if taken.is_some_and(|taken| taken != source) {
                        return Ok(taken);
                    }
                    let length = u32::from_be_bytes([head[4], head[5], head[6], head[7]]) as usize;
                    self.at += FRAME_HEAD;
                    self.frame = Some((source, length));
                }
                Some((source, 0)) => {
                    taken = Some(*source);
                    self.frame = None;
                }
                Some((source, left)) => {
                    if ahead.is_empty() {
                        return Ok(taken);
                    }
                    let count = ahead.len().min(*left);
                    into.extend_from_slice(&ahead[..count]);
                    self.at += count;
                    *left -= count;
                    taken = Some(*source);
                }
            }
        }
    }

    /// Reads once if there is something. `false` if there is nothing yet.
    fn fill(&mut self) -> io::Result<bool> {
        let mut source = [PollFd::from_borrowed_fd(self.connection.socket.as_fd(), PollFlags::IN)];
        match poll(&mut source, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) {
            Ok(0) | Err(Errno::INTR) => return Ok(false),
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        let ahead = &mut self.connection.ahead;
        ahead.drain(..self.at);
        self.at = 0;
        ahead.reserve_exact(CHUNK.saturating_sub(ahead.len()));
        match rustix::io::read(&self.connection.socket, spare_capacity(ahead)) {
            Ok(count) => {
                self.ended = count == 0;
                Ok(true)
            }
            Err(Errno::INTR | Errno::AGAIN) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    use super::*;
    use crate::http::Socket;

    fn stream() -> (OutputStream, UnixStream) {
        let (ours, theirs) = UnixStream::pair().expect("sockets");
        (OutputStream::new(Connection { socket: Socket::Unix(ours), ahead: Vec::new() }), theirs)
    }

    fn frame(source: u8, text: &[u8]) -> Vec<u8> {
        let mut frame = vec![source, 0, 0, 0];
        frame.extend_from_slice(&u32::try_from(text.len()).expect("short").to_be_bytes());
        frame.extend_from_slice(text);
        frame
    }

    #[test]
    fn frames_are_joined_by_source_however_they_are_cut() {
        let mut sent = frame(1, b"ab");
        sent.extend(frame(1, b"c"));
        sent.extend(frame(2, b""));
        sent.extend(frame(2, b"err"));
        sent.extend(frame(1, b"d"));
        for cut in 1..sent.len() {
            let (mut stream, mut theirs) = stream();
            let mut told: Vec<(Source, Vec<u8>)> = Vec::new();
            for (index, part) in sent.chunks(cut).enumerate() {
                theirs.write_all(part).expect("sent");
                let _ = index;
                loop {
                    let mut bytes = Vec::new();
                    match stream.read(&mut bytes).expect("read") {
                        OutputPiece::Bytes(source) => match told.last_mut() {
                            Some((last, text)) if *last == source => text.extend(bytes),
                            _ => told.push((source, bytes)),
                        },
                        OutputPiece::Nothing => break,
                        OutputPiece::End => panic!("it is not over"),
                    }
                }
            }
            drop(theirs);
            assert_eq!(stream.read(&mut Vec::new()).expect("read"), OutputPiece::End);
            let expected =
                [(Source::Stdout, b"abc".to_vec()), (Source::Stderr, b"err".to_vec()), (Source::Stdout, b"d".to_vec())];
            assert_eq!(told, expected, "cut at {cut}");
        }
    }

    #[test]
    fn output_that_is_cut_off_or_garbled_is_an_error() {
        for text in [&frame(1, b"abc")[..9], &[1, 0, 0][..]] {
            let (mut stream, mut theirs) = stream();
            theirs.write_all(text).expect("sent");
            drop(theirs);
            let mut bytes = Vec::new();
            let error = loop {
                match stream.read(&mut bytes) {
                    Ok(piece) => assert_ne!(piece, OutputPiece::End),
                    Err(error) => break error,
                }
            };
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        }
        let (mut stream, mut theirs) = stream();
        theirs.write_all(b"plain text").expect("sent");
        assert_eq!(stream.read(&mut Vec::new()).expect_err("garbled").kind(), io::ErrorKind::InvalidData);
    }
}
