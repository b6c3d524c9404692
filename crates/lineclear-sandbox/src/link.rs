//! What Lineclear and a holder tell each other: one JSON value a packet, with a file descriptor where one is handed over.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The longest packet. The plan of a view names some dozens of paths.
const LONGEST: usize = 160 << 10;

/// What a holder is to make.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// A user namespace: without one, a privileged process makes the others by its own right.
    pub(crate) user: bool,
    pub(crate) network: Option<NetworkPlan>,
    pub(crate) view: Option<ViewPlan>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NetworkPlan {
    pub(crate) loopback: bool,
}

/// What the job sees of the machine's files.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct ViewPlan {
    pub(crate) read_only: bool,
    pub(crate) writable: Vec<PathBuf>,
    pub(crate) shown: Vec<PathBuf>,
    pub(crate) hidden: Vec<PathBuf>,
    /// Folders that stand in for shared ones: `(the job's own, where it is seen)`.
    pub(crate) instead: Vec<(PathBuf, PathBuf)>,
    /// The user's home, seen through a layer that takes the changes, which are kept in the second folder.
    pub(crate) home: Option<(PathBuf, PathBuf)>,
    /// The text of `/etc/resolv.conf`.
    pub(crate) resolver: Option<(PathBuf, String)>,
    pub(crate) user_id: u32,
}

/// Holder → Lineclear.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Told {
    /// The namespaces are there, or why not. Lineclear then writes the user maps.
    Unshared(Result<(), String>),
    /// What became of the plan.
    Ready { network: Result<(), String>, view: Result<String, String> },
    /// The answer to an [`Ask`]: a descriptor comes with it where one was asked for.
    Done(Result<(), Refusal>),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Refusal {
    pub(crate) errno: Option<i32>,
    pub(crate) text: String,
}

/// Lineclear → holder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Ask {
    /// The user maps are written.
    GoOn,
    ListenTcp(SocketAddr),
    ListenUdp(SocketAddr),
    /// Sends all connections to places outside to these ports of the loopback.
    Redirect {
        v4: u16,
        v6: Option<u16>,
    },
}

pub(crate) fn send(link: BorrowedFd<'_>, value: &impl Serialize, fd: Option<BorrowedFd<'_>>) -> io::Result<()> {
    let text = serde_json::to_vec(value)?;
    if text.len() > LONGEST {
        return Err(io::Error::other("the plan of the job's surroundings is too long"));
    }
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let fds: Vec<BorrowedFd<'_>> = fd.into_iter().collect();
    if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(&fds)) {
        return Err(io::Error::other("no room for a descriptor"));
    }
    rustix::net::sendmsg(link, &[IoSlice::new(&text)], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Waits for a packet. `None` when the other side is gone.
pub(crate) fn receive<T: DeserializeOwned>(
    link: BorrowedFd<'_>,
    patience: Option<Duration>,
) -> io::Result<Option<(T, Option<OwnedFd>)>> {
    if let Some(patience) = patience {
        let pause = Timespec::try_from(patience).map_err(io::Error::other)?;
        let mut source = [PollFd::from_borrowed_fd(link, PollFlags::IN)];
        loop {
            match poll(&mut source, Some(&pause)) {
                Ok(0) => {
                    return Err(io::Error::new(
                        io::ErrorKind::TimedOut,
                        "the holder of the namespaces does not answer",
                    ));
                }
                Ok(_) => break,
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    let mut buffer = vec![0; LONGEST];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let length = loop {
        match rustix::net::recvmsg(link, &mut [IoSliceMut::new(&mut buffer)], &mut control, RecvFlags::CMSG_CLOEXEC) {
            Ok(message) => break message.bytes,
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::CONNRESET) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    };
    if length == 0 {
        return Ok(None);
    }
    let mut fd = None;
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(fds) = message {
            fd = fds.into_iter().next().or(fd);
        }
    }
    let value = serde_json::from_slice(buffer.get(..length).unwrap_or_default())?;
    Ok(Some((value, fd)))
}

/// Lineclear's end of the link to one holder.
#[derive(Debug)]
pub(crate) struct Link {
    socket: std::sync::Mutex<OwnedFd>,
}

/// How long a holder may take to answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

impl Link {
    pub(crate) fn new(socket: OwnedFd) -> Self {
        Self { socket: std::sync::Mutex::new(socket) }
    }

    pub(crate) fn tell(&self, value: &impl Serialize) -> io::Result<()> {
        let socket = self.socket.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        send(socket.as_fd(), value, None)
    }

    pub(crate) fn hear(&self) -> io::Result<Told> {
        let socket = self.socket.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match receive(socket.as_fd(), Some(PATIENCE))? {
            Some((told, _)) => Ok(told),
            None => Err(io::Error::new(io::ErrorKind::BrokenPipe, "the holder of the job's namespaces has ended")),
        }
    }

    /// Asks for something that is answered with a descriptor, or without.
    pub(crate) fn ask(&self, ask: &Ask) -> io::Result<Option<OwnedFd>> {
        let socket = self.socket.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        send(socket.as_fd(), ask, None)?;
        match receive(socket.as_fd(), Some(PATIENCE))? {
            Some((Told::Done(Ok(())), fd)) => Ok(fd),
            Some((Told::Done(Err(Refusal { errno: Some(errno), .. })), _)) => Err(io::Error::from_raw_os_error(errno)),
            Some((Told::Done(Err(Refusal { text, .. })), _)) => Err(io::Error::other(text)),
            Some(_) => Err(io::Error::other("the holder of the job's namespaces said something unexpected")),
            None => Err(io::Error::new(io::ErrorKind::BrokenPipe, "the job's network is gone")),
        }
    }

    pub(crate) fn ask_fd(&self, ask: &Ask) -> io::Result<OwnedFd> {
        self.ask(ask)?.ok_or_else(|| io::Error::other("the holder of the job's namespaces handed nothing over"))
    }
}
