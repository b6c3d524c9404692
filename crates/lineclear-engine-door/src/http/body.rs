//! Bodies: how they are framed, and what is in them.

use std::io::{self, Read};

use super::Inbound;

/// The longest line of a chunk's size with its extensions, and of a trailer.
const LINE_LIMIT: usize = 4096;
/// More trailers than this are not waited for.
const TRAILERS: usize = 32;

/// How the end of a body is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

/// A body as its bytes alone. At its end, what follows is a new message.
#[derive(Debug)]
pub(crate) struct Body<'i, S> {
    inbound: &'i mut Inbound<S>,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Length(u64),
    /// Before the line that says how long the next chunk is.
    Size,
    /// So many bytes of a chunk are left.
    Chunk(u64),
    UntilClose,
    Ended,
}

impl<'i, S: Read> Body<'i, S> {
    pub(crate) fn new(inbound: &'i mut Inbound<S>, framing: Framing) -> Self {
        let state = match framing {
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::Size,
            Framing::UntilClose => State::UntilClose,
        };
        Self { inbound, state }
    }

    fn some(&mut self, into: &mut [u8], left: u64) -> io::Result<u64> {
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(into.len());
        match self.inbound.read(&mut into[..wanted])? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            read => Ok(read as u64),
        }
    }

    /// Reads the size of the next chunk; after the last one, the trailers.
    fn size(&mut self) -> io::Result<u64> {
        let bad = || io::Error::new(io::ErrorKind::InvalidData, "the size of a chunk is not a number");
        let line = self.inbound.line(LINE_LIMIT)?;
        let digits = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        let digits = std::str::from_utf8(digits).map_err(|_| bad())?;
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(bad());
        }
        let size = u64::from_str_radix(digits, 16).map_err(|_| bad())?;
        if size == 0 {
            for _ in 0..TRAILERS {
                if self.inbound.line(LINE_LIMIT)?.is_empty() {
                    return Ok(0);
                }
            }
            return Err(io::Error::new(io::ErrorKind::InvalidData, "there are too many trailers"));
        }
        Ok(size)
    }
}

impl<S: Read> Read for Body<'_, S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            match self.state {
                State::Ended | State::Length(0) => return Ok(0),
                State::UntilClose => return self.inbound.read(into),
                State::Length(left) => {
                    let read = self.some(into, left)?;
                    self.state = State::Length(left - read);
                    return Ok(read as usize);
                }
                State::Size => {
                    self.state = match self.size()? {
                        0 => State::Ended,
                        size => State::Chunk(size),
                    };
                }
                State::Chunk(left) => {
                    let read = self.some(into, left)?;
                    self.state = State::Chunk(left - read);
                    if left == read {
                        if !self.inbound.line(2)?.is_empty() {
                            return Err(io::Error::new(io::ErrorKind::InvalidData, "a chunk is longer than its size"));
                        }
                        self.state = State::Size;
                    }
                    return Ok(read as usize);
                }
            }
        }
    }
}

/// Writes `data`, which is not empty, as one chunk into `out`, which is emptied first.
pub(crate) fn chunk(data: &[u8], out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(format!("{:x}\r\n", data.len()).as_bytes());
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n");
}

/// What ends a chunked body.
pub(crate) fn last_chunk() -> &'static [u8] {
    b"0\r\n\r\n"
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8], framing: Framing) -> (io::Result<Vec<u8>>, Vec<u8>) {
        let mut inbound = Inbound::new(bytes);
        let mut data = Vec::new();
        let result = Body::new(&mut inbound, framing).read_to_end(&mut data).map(|_| data);
        let mut rest = Vec::new();
        inbound.read_to_end(&mut rest).expect("a slice is read");
        (result, rest)
    }

    #[test]
    fn what_follows_a_body_is_left() {
        let (data, rest) = read(b"5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nTrailer: x\r\n\r\nGET", Framing::Chunked);
        assert_eq!((data.expect("the body is whole").as_slice(), rest.as_slice()), (&b"hello!"[..], &b"GET"[..]));
        let (data, rest) = read(b"helloGET", Framing::Length(5));
        assert_eq!((data.expect("the body is whole").as_slice(), rest.as_slice()), (&b"hello"[..], &b"GET"[..]));
    }

    #[test]
    fn bad_chunks_are_errors() {
        for bytes in [
            "x\r\n",
            "-1\r\n",
            "+1\r\na\r\n",
            "\r\n",
            "5\r\nhelloworld\r\n",
            "5\r\nhe",
            "fffffffffffffffff\r\n",
            "5 5\r\nhello",
        ] {
            assert!(read(bytes.as_bytes(), Framing::Chunked).0.is_err(), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn chunks_are_read_as_they_were_written(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 0..6)) {
            let (mut bytes, mut one) = (Vec::new(), Vec::new());
            for piece in &pieces {
                chunk(piece, &mut one);
                bytes.extend_from_slice(&one);
            }
            bytes.extend_from_slice(last_chunk());
            prop_assert_eq!(read(&bytes, Framing::Chunked).0.expect("the body is whole"), pieces.concat());
        }
    }
}
