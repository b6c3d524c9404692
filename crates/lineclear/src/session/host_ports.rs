//! Whose job has the machine's own ports.
//!
//! Test stacks publish fixed ports: two of them at once would clash. The first job that may do so works on the machine's own
//! network, as every job does; those that run beside it, of whichever command, get a loopback of their own.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

/// The right to the machine's own ports. It ends when it is dropped, and with this process, whatever ends it.
#[derive(Debug)]
pub(crate) struct HostPorts(#[expect(dead_code, reason = "held, not used")] UnixListener);

impl HostPorts {
    /// Takes it; `None` while another job has it.
    ///
    /// A name without a file: it cannot be left behind, and is the same for all commands of this user on this machine's network.
    pub(crate) fn take() -> Option<Self> {
        let name = format!("lineclear-host-ports-{}", rustix::process::geteuid().as_raw());
        Self::of(&name)
    }

    fn of(name: &str) -> Option<Self> {
        let address = SocketAddr::from_abstract_name(name).ok()?;
        UnixListener::bind_addr(&address).ok().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_job_at_a_time_has_them() {
        let name = format!("lineclear-test-ports-{}", std::process::id());
        let first = HostPorts::of(&name);
        assert!(first.is_some() && HostPorts::of(&name).is_none());
        drop(first);
        assert!(HostPorts::of(&name).is_some());
    }
}
