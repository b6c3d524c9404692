//! Carrying bytes between a connection of the job and one of the machine.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};

/// How long a place may take to answer a connection.
const CONNECT: Duration = Duration::from_secs(30);
/// Threads of connections need little.
const STACK: usize = 128 << 10;

/// Tells threads to end. All of them see it once it was rung.
#[derive(Clone, Debug)]
pub(crate) struct Bell(Arc<OwnedFd>);

impl Bell {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self(Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?)))
    }

    pub(crate) fn ring(&self) {
        // It cannot be full: nobody rings it that often.
        let _ = rustix::io::write(&*self.0, &1_u64.to_ne_bytes());
    }

    /// Waits for something to read at `source`. `false` if the bell was rung first.
    pub(crate) fn wait(&self, source: &impl AsFd) -> bool {
        loop {
            let mut sources = [PollFd::new(&*self.0, PollFlags::IN), PollFd::new(source, PollFlags::IN)];
            match poll(&mut sources, None) {
                Ok(_) if !sources[0].revents().is_empty() => return false,
                Ok(_) if !sources[1].revents().is_empty() => return true,
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(_) => return false,
            }
        }
    }

    /// Waits for the bell, at most so long. `true` if it was rung.
    pub(crate) fn wait_for(&self, time: Duration) -> bool {
        let pause = rustix::event::Timespec::try_from(time).ok();
        let mut sources = [PollFd::new(&*self.0, PollFlags::IN)];
        matches!(poll(&mut sources, pause.as_ref()), Ok(count) if count > 0)
    }
}

/// Accepts until the bell is rung; each connection is handled in a thread of its own.
pub(crate) fn accept(
    name: &str,
    listener: TcpListener,
    bell: Bell,
    handle: impl Fn(TcpStream) + Send + Sync + 'static,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let handle = Arc::new(handle);
    let of_connection = name.to_owned();
    thread::Builder::new().name(name.to_owned()).stack_size(STACK).spawn(move || {
        while bell.wait(&listener) {
            let Ok((stream, _)) = listener.accept() else { continue };
            let handle = Arc::clone(&handle);
            let blocking = stream.set_nonblocking(false);
            let thread = thread::Builder::new().name(of_connection.clone()).stack_size(STACK);
            if blocking.is_ok() {
                // Out of threads, the connection is dropped, as by a machine that is overloaded.
                let _ = thread.spawn(move || handle(stream));
            }
        }
    })?;
    Ok(())
}

/// Connects `inside` to `to`, and carries bytes both ways until both sides are done. A place that cannot be reached is told
/// to the inside as a connection that was reset.
pub(crate) fn carry(inside: TcpStream, to: SocketAddr) {
    let Ok(outside) = TcpStream::connect_timeout(&to, CONNECT) else {
        reset(&inside);
        return;
    };
    let (Ok(inside_too), Ok(outside_too)) = (inside.try_clone(), outside.try_clone()) else {
        reset(&inside);
        return;
    };
    // Latency counts more than the number of packets; on failure there is nothing to be done but go on.
    let _ = inside.set_nodelay(true);
    let _ = outside.set_nodelay(true);
    let back =
        thread::Builder::new().name("carry".into()).stack_size(STACK).spawn(move || pump(outside_too, inside_too));
    pump(inside, outside);
    if let Ok(back) = back {
        // It has told its own side.
        let _ = back.join();
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream) {
    match io::copy(&mut from, &mut to) {
        Ok(_) => drop(to.shutdown(Shutdown::Write)),
        Err(_) => {
            reset(&to);
            // The other direction has nothing to wait for any more.
            let _ = to.shutdown(Shutdown::Both);
            let _ = from.shutdown(Shutdown::Both);
        }
    }
}

/// Lets the connection end as one that was refused: at once, and with an error.
pub(crate) fn reset(stream: &TcpStream) {
    // Where it fails, the connection ends without an error.
    let _ = rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO));
}
