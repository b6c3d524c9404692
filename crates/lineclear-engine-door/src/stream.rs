//! Connections: to clients and to the engine.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};

use crate::settings::EngineAddress;

/// A connection over a socket of either kind.
#[derive(Debug)]
pub(crate) enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Stream {
    pub(crate) fn connect(address: &EngineAddress) -> io::Result<Self> {
        match address {
            EngineAddress::Unix(path) => UnixStream::connect(path).map(Self::Unix),
            EngineAddress::Tcp(address) => TcpStream::connect(address).map(Self::Tcp),
        }
    }

    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        match self {
            Self::Unix(stream) => stream.try_clone().map(Self::Unix),
            Self::Tcp(stream) => stream.try_clone().map(Self::Tcp),
        }
    }

    /// Ends one or both directions. A connection that is gone already has nothing left to end.
    pub(crate) fn end(&self, how: Shutdown) {
        let _gone = match self {
            Self::Unix(stream) => stream.shutdown(how),
            Self::Tcp(stream) => stream.shutdown(how),
        };
    }

    pub(crate) fn set_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        match self {
            Self::Unix(stream) => stream.set_read_timeout(timeout).and_then(|()| stream.set_write_timeout(timeout)),
            Self::Tcp(stream) => stream.set_read_timeout(timeout).and_then(|()| stream.set_write_timeout(timeout)),
        }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Unix(stream) => stream.as_fd(),
            Self::Tcp(stream) => stream.as_fd(),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.read(into),
            Self::Tcp(stream) => stream.read(into),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.write(bytes),
            Self::Tcp(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What the engine answers, read as long as the client is there to hear it: an engine gives up a pull or a build when its
/// client hangs up, so it has to be told.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) engine: Stream,
    pub(crate) client: Stream,
}

impl Read for Watched {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            // Asked for nothing, it tells of a client that has closed the socket, but not of one that only has said all.
            let mut waited = [PollFd::new(&self.engine, PollFlags::IN), PollFd::new(&self.client, PollFlags::empty())];
            match poll(&mut waited, None) {
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            // What has come counts before the client's end.
            if !waited[0].revents().is_empty() {
                return self.engine.read(into);
            }
            if !waited[1].revents().is_empty() {
                self.engine.end(Shutdown::Both);
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
        }
    }
}

/// Copies until the end of `from`. Whoever listens to `to` may be gone: then this ends, too.
pub(crate) fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => to.write_all(&buffer[..read])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
