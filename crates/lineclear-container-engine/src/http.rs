//! HTTP/1.1 over one connection to the engine.
//!
//! Everything that is read is waited for by `poll` first, so that a silent engine is noticed and a caller that gives up is heard.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::{Address, EngineError};

/// How long the head of an answer may be.
const LONGEST_HEAD: usize = 64 << 10;
/// How much is read at once.
const CHUNK: usize = 64 << 10;
/// How often the caller is asked whether it gives up.
const ASK: Duration = Duration::from_millis(40);
/// How long a write may make no progress.
const WRITE_TIME: Duration = Duration::from_secs(120);

/// How long to wait for the engine.
#[derive(Clone, Copy)]
pub struct Patience<'p> {
    /// How long it may be silent.
    pub silence: Duration,
    /// Whether the caller gives up, asked now and then.
    pub cancelled: Option<&'p (dyn Fn() -> bool + Sync)>,
}

impl Patience<'static> {
    /// This long, and nobody gives up.
    pub const fn of(silence: Duration) -> Self {
        Self { silence, cancelled: None }
    }
}

impl fmt::Debug for Patience<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patience").field("silence", &self.silence).finish_non_exhaustive()
    }
}

/// A connected socket.
#[derive(Debug)]
pub(crate) enum Socket {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Socket {
    pub(crate) fn connect(address: &Address) -> io::Result<Self> {
        match address {
            Address::Unix(path) => {
                let socket = UnixStream::connect(path)?;
                socket.set_write_timeout(Some(WRITE_TIME))?;
                Ok(Self::Unix(socket))
            }
            Address::Tcp { host, port } => {
                use std::net::ToSocketAddrs;
                let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
                for address in (host.as_str(), *port).to_socket_addrs()? {
                    match TcpStream::connect_timeout(&address, Duration::from_secs(10)) {
                        Ok(socket) => {
                            socket.set_nodelay(true)?;
                            socket.set_write_timeout(Some(WRITE_TIME))?;
                            return Ok(Self::Tcp(socket));
                        }
                        Err(error) => last = error,
                    }
                }
                Err(last)
            }
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Unix(socket) => socket.as_fd(),
            Self::Tcp(socket) => socket.as_fd(),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Unix(socket) => socket.write(bytes),
            Self::Tcp(socket) => socket.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A connection, with what was read of it and not used yet.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) socket: Socket,
    /// What was read ahead.
    pub(crate) ahead: Vec<u8>,
}

/// The head of an answer, and how its body goes on.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) body: BodyKind,
    /// Whether the connection may be used again after the body.
    pub(crate) keep: bool,
}

/// How far the body goes from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyKind {
    Ended,
    Length(u64),
    /// Bytes left of the current chunk; `None` before its length was read.
    Chunked(Option<u64>),
    UntilClosed,
    /// It is no HTTP any more.
    Upgraded,
}

impl Connection {
    pub(crate) fn open(address: &Address) -> io::Result<Self> {
        Ok(Self { socket: Socket::connect(address)?, ahead: Vec::new() })
    }

    /// Whether nothing came since the last answer: a connection that the engine closed has something to read, its end.
    pub(crate) fn is_idle(&self) -> bool {
        let mut source = [PollFd::from_borrowed_fd(self.socket.as_fd(), PollFlags::IN)];
        self.ahead.is_empty() && matches!(poll(&mut source, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })), Ok(0))
    }

    /// Reads once, after waiting for it. `Ok(0)` is the end.
    fn fill(&mut self, what: &str, patience: Patience<'_>) -> Result<usize, EngineError> {
        wait(self.socket.as_fd(), what, patience)?;
        self.ahead.reserve(CHUNK);
        match rustix::io::read(&self.socket, rustix::buffer::spare_capacity(&mut self.ahead)) {
            Ok(count) => Ok(count),
            Err(Errno::INTR | Errno::AGAIN) => self.fill(what, patience),
            Err(error) => Err(EngineError::Broken { what: what.into(), source: error.into() }),
        }
    }

    /// Reads the head of the next answer. Informational ones are passed over.
    pub(crate) fn head(&mut self, what: &str, patience: Patience<'_>) -> Result<Head, EngineError> {
        loop {
            if let Some((head, length)) = parse_head(what, &self.ahead)? {
                self.ahead.drain(..length);
                if (100..200).contains(&head.status) && head.status != 101 {
                    continue;
                }
                return Ok(head);
            }
            if self.ahead.len() > LONGEST_HEAD {
                return Err(EngineError::Answer { what: what.into(), problem: "its head has no end".into() });
            }
            if self.fill(what, patience)? == 0 {
                let source = io::Error::new(io::ErrorKind::UnexpectedEof, "it closed the connection without an answer");
                return Err(EngineError::Broken { what: what.into(), source });
            }
        }
    }

    /// Appends the next piece of the body to `into`. `false` at its end.
    pub(crate) fn body(
        &mut self,
        kind: &mut BodyKind,
        into: &mut Vec<u8>,
        what: &str,
        patience: Patience<'_>,
    ) -> Result<bool, EngineError> {
        let broken = || EngineError::Broken {
            what: what.into(),
            source: io::Error::new(io::ErrorKind::UnexpectedEof, "its answer was cut off"),
        };
        loop {
            match kind {
                BodyKind::Ended | BodyKind::Upgraded | BodyKind::Length(0) => return Ok(false),
                BodyKind::Length(left) | BodyKind::Chunked(Some(left)) if *left > 0 => {
                    if self.ahead.is_empty() && self.fill(what, patience)? == 0 {
                        return Err(broken());
                    }
                    let count = self.ahead.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    into.extend(self.ahead.drain(..count));
                    *left -= count as u64;
                    return Ok(true);
                }
                BodyKind::Length(_) => return Ok(false),
                BodyKind::UntilClosed => {
                    if self.ahead.is_empty() && self.fill(what, patience)? == 0 {
                        *kind = BodyKind::Ended;
                        return Ok(false);
                    }
                    into.append(&mut self.ahead);
                    return Ok(true);
                }
                BodyKind::Chunked(Some(_)) => {
                    // The line end after a chunk.
                    while self.ahead.len() < 2 {
                        if self.fill(what, patience)? == 0 {
                            return Err(broken());
                        }
                    }
                    self.ahead.drain(..2);
                    *kind = BodyKind::Chunked(None);
                }
                BodyKind::Chunked(None) => match httparse::parse_chunk_size(&self.ahead) {
                    Ok(httparse::Status::Complete((length, 0))) => {
                        self.ahead.drain(..length);
                        self.trailer(what, patience)?;
                        *kind = BodyKind::Ended;
                        return Ok(false);
                    }
                    Ok(httparse::Status::Complete((length, size))) => {
                        self.ahead.drain(..length);
                        *kind = BodyKind::Chunked(Some(size));
                    }
                    Ok(httparse::Status::Partial) if self.ahead.len() < 256 => {
                        if self.fill(what, patience)? == 0 {
                            return Err(broken());
                        }
                    }
                    _ => {
                        return Err(EngineError::Answer { what: what.into(), problem: "a chunk has no length".into() });
                    }
                },
            }
        }
    }

    /// Passes over what follows the last chunk: lines, up to an empty one.
    fn trailer(&mut self, what: &str, patience: Patience<'_>) -> Result<(), EngineError> {
        loop {
            if let Some(end) = self.ahead.windows(2).position(|pair| pair == b"\r\n") {
                self.ahead.drain(..end + 2);
                if end == 0 {
                    return Ok(());
                }
                continue;
            }
            if self.ahead.len() > LONGEST_HEAD || self.fill(what, patience)? == 0 {
                return Err(EngineError::Answer { what: what.into(), problem: "its end is missing".into() });
            }
        }
    }
}

/// Waits until there is something to read, the silence became too long, or the caller gives up.
pub(crate) fn wait(fd: BorrowedFd<'_>, what: &str, patience: Patience<'_>) -> Result<(), EngineError> {
    let until = Instant::now() + patience.silence;
    loop {
        if patience.cancelled.is_some_and(|cancelled| cancelled()) {
            return Err(EngineError::Cancelled);
        }
        let left = until.saturating_duration_since(Instant::now());
        let pause = if patience.cancelled.is_some() { left.min(ASK) } else { left };
        let mut source = [PollFd::from_borrowed_fd(fd, PollFlags::IN)];
        match poll(&mut source, Timespec::try_from(pause).ok().as_ref()) {
            Ok(0) if left.is_zero() => {
                return Err(EngineError::TimedOut { what: what.into(), after: patience.silence });
            }
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return Ok(()),
            Err(error) => return Err(EngineError::Broken { what: what.into(), source: error.into() }),
        }
    }
}

fn parse_head(what: &str, bytes: &[u8]) -> Result<Option<(Head, usize)>, EngineError> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    let length = match response.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => {
            return Err(EngineError::Answer { what: what.into(), problem: format!("it is no HTTP ({error})") });
        }
    };
    let status = response.code.unwrap_or_default();
    let find = |name: &str| {
        let header = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(header.value).ok().map(str::trim)
    };
    let says = |name: &str, value: &str| find(name).is_some_and(|text| text.to_ascii_lowercase().contains(value));
    // Podman, and Docker when it is not asked to upgrade, go over to the raw stream with status 200.
    let raw = says("content-type", "vnd.docker.raw-stream") || says("content-type", "vnd.docker.multiplexed-stream");
    let body = if status == 101 {
        BodyKind::Upgraded
    } else if matches!(status, 204 | 304) {
        BodyKind::Ended
    } else if says("transfer-encoding", "chunked") {
        BodyKind::Chunked(None)
    } else if let Some(length) = find("content-length").and_then(|text| text.parse().ok()) {
        BodyKind::Length(length)
    } else if raw && status == 200 {
        BodyKind::Upgraded
    } else {
        BodyKind::UntilClosed
    };
    let keep = !says("connection", "close") && !matches!(body, BodyKind::UntilClosed | BodyKind::Upgraded);
    Ok(Some((Head { status, body, keep }, length)))
}

/// Writes what is read as the chunks of a request's body.
pub(crate) fn write_chunked(socket: &mut Socket, from: &mut dyn Read) -> Result<(), ChunkError> {
    let mut buffer = vec![0; CHUNK];
    loop {
        let count = match from.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(ChunkError::Source(error)),
        };
        let mut piece = format!("{count:x}\r\n").into_bytes();
        piece.extend_from_slice(&buffer[..count]);
        piece.extend_from_slice(b"\r\n");
        socket.write_all(&piece).map_err(ChunkError::Socket)?;
        if count == 0 {
            return Ok(());
        }
    }
}

/// Which side of an upload failed.
#[derive(Debug)]
pub(crate) enum ChunkError {
    Source(io::Error),
    Socket(io::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Patience<'static> = Patience::of(Duration::from_millis(100));

    /// A connection to somebody who said this and, if told so, hung up.
    fn said(text: &[u8], closes: bool) -> (Connection, Option<UnixStream>) {
        let (ours, mut theirs) = UnixStream::pair().expect("sockets");
        theirs.write_all(text).expect("said");
        (Connection { socket: Socket::Unix(ours), ahead: Vec::new() }, (!closes).then_some(theirs))
    }

    fn whole(connection: &mut Connection) -> Result<(u16, String), EngineError> {
        let mut head = connection.head("test", SHORT)?;
        let mut body = Vec::new();
        while connection.body(&mut head.body, &mut body, "test", SHORT)? {}
        Ok((head.status, String::from_utf8_lossy(&body).into_owned()))
    }

    #[test]
    fn bodies_end_where_they_say() {
        let two = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabHTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\nx: y\r\n\r\nHTTP/1.1 204 No\r\n\r\n";
        let (mut connection, _theirs) = said(two, false);
        assert_eq!(whole(&mut connection).expect("an answer"), (200, "ab".into()));
        assert_eq!(whole(&mut connection).expect("an answer"), (404, "abcd".into()));
        assert_eq!(whole(&mut connection).expect("an answer"), (204, String::new()));
        assert!(connection.is_idle());
        let (mut connection, _) = said(b"HTTP/1.0 200 OK\r\n\r\nall of it", true);
        assert_eq!(whole(&mut connection).expect("an answer"), (200, "all of it".into()));
        assert!(!connection.is_idle());
    }

    #[test]
    fn an_answer_that_is_cut_off_or_garbled_is_an_error() {
        for text in [
            &b""[..],
            b"HTTP/1.1 200",
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
        ] {
            let (mut connection, _) = said(text, true);
            assert!(matches!(whole(&mut connection), Err(EngineError::Broken { .. })), "{}", text.escape_ascii());
        }
        for text in [&b"SSH-2.0-x\r\n"[..], b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"] {
            let (mut connection, _) = said(text, true);
            assert!(matches!(whole(&mut connection), Err(EngineError::Answer { .. })), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn silence_is_noticed_and_giving_up_is_heard() {
        let (mut connection, _theirs) = said(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", false);
        assert!(matches!(whole(&mut connection), Err(EngineError::TimedOut { .. })));
        let (mut connection, _theirs) = said(b"", false);
        let patience = Patience { silence: Duration::from_secs(60), cancelled: Some(&|| true) };
        assert!(matches!(connection.head("test", patience), Err(EngineError::Cancelled)));
    }
}
