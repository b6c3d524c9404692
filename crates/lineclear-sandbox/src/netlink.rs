//! Messages to the kernel's networks: as bytes, and their answers.
//!
//! # Source
//! `netlink(7)`, `rtnetlink(7)`.

use std::io;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType};

pub(crate) const REQUEST: u16 = 1;
pub(crate) const ACK: u16 = 4;
pub(crate) const CREATE: u16 = 0x400;

const HEADER: usize = 16;
const ERROR: u16 = 2;
const PATIENCE: Duration = Duration::from_secs(5);

/// One message, or several after each other.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    bytes: Vec<u8>,
    count: u32,
    acks: usize,
}

impl Messages {
    pub(crate) fn message(&mut self, kind: u16, flags: u16, fill: impl FnOnce(&mut Body<'_>)) {
        let start = self.bytes.len();
        self.count += 1;
        self.acks += usize::from(flags & ACK != 0);
        self.bytes.extend_from_slice(&0_u32.to_ne_bytes());
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.bytes.extend_from_slice(&(flags | REQUEST).to_ne_bytes());
        self.bytes.extend_from_slice(&self.count.to_ne_bytes());
        self.bytes.extend_from_slice(&0_u32.to_ne_bytes());
        fill(&mut Body { bytes: &mut self.bytes });
        pad(&mut self.bytes);
        let length = u32::try_from(self.bytes.len() - start).unwrap_or(u32::MAX);
        self.bytes[start..start + 4].copy_from_slice(&length.to_ne_bytes());
    }

    /// Sends them and waits until each that asked for it was acknowledged.
    ///
    /// # Errors
    /// The first one that the kernel answers with.
    pub(crate) fn carry_out(&self, protocol: Option<Protocol>) -> io::Result<()> {
        let socket = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, protocol)?;
        rustix::net::sendto(&socket, &self.bytes, SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
        let mut waiting = self.acks;
        let mut buffer = vec![0_u8; 32 << 10];
        while waiting > 0 {
            let pause = Timespec::try_from(PATIENCE).map_err(io::Error::other)?;
            if poll(&mut [PollFd::new(&socket, PollFlags::IN)], Some(&pause))? == 0 {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "the kernel does not answer"));
            }
            let (length, _) = rustix::net::recv(&socket, &mut *buffer, RecvFlags::empty())?;
            let mut rest = buffer.get(..length).unwrap_or_default();
            while let Some((length, kind)) = header(rest) {
                if kind == ERROR {
                    let number = rest.get(HEADER..HEADER + 4).and_then(|bytes| bytes.try_into().ok());
                    match number.map(i32::from_ne_bytes) {
                        Some(0) => waiting = waiting.saturating_sub(1),
                        Some(number) => return Err(io::Error::from_raw_os_error(-number)),
                        None => return Err(io::Error::other("the kernel's answer is cut short")),
                    }
                }
                rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
            }
        }
        Ok(())
    }
}

fn header(bytes: &[u8]) -> Option<(usize, u16)> {
    let length = u32::from_ne_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
    let kind = u16::from_ne_bytes(bytes.get(4..6)?.try_into().ok()?);
    (length >= HEADER).then_some((length, kind))
}

fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

/// What stands in a message.
#[derive(Debug)]
pub(crate) struct Body<'b> {
    bytes: &'b mut Vec<u8>,
}

impl Body<'_> {
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        pad(self.bytes);
    }

    pub(crate) fn attribute(&mut self, kind: u16, value: &[u8]) {
        let length = u16::try_from(value.len() + 4).unwrap_or(u16::MAX);
        self.bytes.extend_from_slice(&length.to_ne_bytes());
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.put(value);
    }

    pub(crate) fn text(&mut self, kind: u16, text: &str) {
        self.attribute(kind, format!("{text}\0").as_bytes());
    }

    pub(crate) fn number(&mut self, kind: u16, number: u32) {
        self.attribute(kind, &number.to_be_bytes());
    }

    pub(crate) fn nested(&mut self, kind: u16, fill: impl FnOnce(&mut Body<'_>)) {
        const NESTED: u16 = 0x8000;
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&0_u16.to_ne_bytes());
        self.bytes.extend_from_slice(&(kind | NESTED).to_ne_bytes());
        fill(&mut Body { bytes: &mut *self.bytes });
        let length = u16::try_from(self.bytes.len() - start).unwrap_or(u16::MAX);
        self.bytes[start..start + 2].copy_from_slice(&length.to_ne_bytes());
    }
}
