//! The way out of a job's own network: what its processes connect to is accepted inside and carried on from outside.
//!
//! Nothing is made in the machine's network for it: no device, no route, no rule. So nothing can be left there, it needs no
//! privilege, and what may be reached is decided where the name that was asked for is known. TCP and name resolution pass; a
//! datagram to anywhere else is refused at once by the job's own kernel.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;

use lineclear_backend::{JobNetwork, NetworkAccess};

use crate::dns;
use crate::forward::{self, Bell};
use crate::link::{Ask, Link};
use crate::reach::{self, Reach};

/// Where a job's resolver asks.
pub(crate) const NAMES: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 53);

/// A job's network, seen from outside.
#[derive(Debug)]
pub(crate) struct Gateway {
    link: Arc<Link>,
    bell: Bell,
    reach: Option<Arc<Reach>>,
    holder: u32,
    /// Attempts of the job to reach what no route leads to, as far as they were told.
    told_without_route: std::sync::atomic::AtomicU64,
}

impl Gateway {
    /// Opens what `access` asks for, in the network that the holder made.
    pub(crate) fn open(
        access: &NetworkAccess,
        link: Arc<Link>,
        holder: u32,
        services: &[SocketAddr],
    ) -> io::Result<Self> {
        let bell = Bell::new()?;
        let mut gateway =
            Self { link, bell, reach: None, holder, told_without_route: std::sync::atomic::AtomicU64::new(0) };
        if *access != NetworkAccess::None {
            for &address in services {
                gateway.offer(address)?;
            }
        }
        let reach = match access {
            NetworkAccess::Private => Reach::everything(),
            NetworkAccess::AllowList(list) => Reach::only(list),
            NetworkAccess::Host | NetworkAccess::Loopback | NetworkAccess::None => return Ok(gateway),
        };
        gateway.open_outside(Arc::new(reach))?;
        Ok(gateway)
    }

    /// Lets the job reach a listener of the machine's loopback at the same address in its own.
    fn offer(&self, address: SocketAddr) -> io::Result<()> {
        let listener = self.listener(address)?;
        forward::accept("service", listener, self.bell.clone(), move |inside| forward::carry(inside, address))
    }

    fn open_outside(&mut self, reach: Arc<Reach>) -> io::Result<()> {
        let v4 = self.listener((Ipv4Addr::LOCALHOST, 0).into())?;
        let has_v6 = reach::has_way_to(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 1).into());
        let v6 = if has_v6 { self.listener((Ipv6Addr::LOCALHOST, 0).into()).ok() } else { None };
        let port = |listener: &TcpListener| listener.local_addr().map(|address| address.port());
        let names = UdpSocket::from(self.link.ask_fd(&Ask::ListenUdp(NAMES))?);
        self.link.ask(&Ask::Redirect { v4: port(&v4)?, v6: v6.as_ref().map(port).transpose()? })?;
        for listener in std::iter::once(v4).chain(v6) {
            let reach = Arc::clone(&reach);
            forward::accept("gateway", listener, self.bell.clone(), move |inside| connection(inside, &reach))?;
        }
        dns::serve(names, Arc::clone(&reach), self.bell.clone())?;
        self.reach = Some(reach);
        Ok(())
    }

    fn listener(&self, address: SocketAddr) -> io::Result<TcpListener> {
        Ok(TcpListener::from(self.link.ask_fd(&Ask::ListenTcp(address))?))
    }

    /// What was refused since this was asked last: a sentence each.
    pub(crate) fn take_refused(&self) -> Vec<String> {
        let times = |count: u64| if count == 1 { "once".to_owned() } else { format!("{count} times") };
        if let Some(reach) = &self.reach {
            let refused = reach.take_refused().into_iter();
            return refused
                .map(|(what, count)| {
                    format!("the network refused {what}, which this job may not reach ({})", times(count))
                })
                .collect();
        }
        let now = without_route(self.holder);
        let before = self.told_without_route.fetch_max(now, std::sync::atomic::Ordering::Relaxed);
        match now.saturating_sub(before) {
            0 => Vec::new(),
            count => vec![format!(
                "this job has no network but its own loopback: it tried to reach something else ({})",
                times(count)
            )],
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.bell.ring();
    }
}

impl JobNetwork for Gateway {
    fn listen(&self, address: SocketAddr) -> io::Result<TcpListener> {
        self.listener(address)
    }

    fn forward(&self, inside: SocketAddr, outside: SocketAddr) -> io::Result<()> {
        let listener = self.listener(inside)?;
        forward::accept("port", listener, self.bell.clone(), move |stream| forward::carry(stream, outside))
    }
}

fn connection(inside: TcpStream, reach: &Reach) {
    let to = match inside.local_addr() {
        Ok(SocketAddr::V4(_)) => rustix::net::sockopt::ip_original_dst(&inside).map(SocketAddr::V4),
        Ok(SocketAddr::V6(_)) => rustix::net::sockopt::ipv6_original_dst(&inside).map(SocketAddr::V6),
        Err(_) => return forward::reset(&inside),
    };
    match to {
        // A process of the job that connects to this port by itself would be led in a circle.
        Ok(to) if !to.ip().is_loopback() && reach.may_connect(to) => forward::carry(inside, to),
        _ => forward::reset(&inside),
    }
}

/// How often the job's network was asked for a way that it does not have.
///
/// # Source
/// `proc(5)`, `/proc/net/snmp` and `snmp6`: `OutNoRoutes`.
fn without_route(holder: u32) -> u64 {
    let old = fs::read_to_string(format!("/proc/{holder}/net/snmp")).unwrap_or_default();
    let mut lines = old.lines().filter_map(|line| line.strip_prefix("Ip: "));
    let v4 = match (lines.next(), lines.next()) {
        (Some(names), Some(values)) => {
            let mut pairs = names.split(' ').zip(values.split(' '));
            pairs.find(|(name, _)| *name == "OutNoRoutes").and_then(|(_, value)| value.parse::<u64>().ok())
        }
        _ => None,
    };
    let new = fs::read_to_string(format!("/proc/{holder}/net/snmp6")).unwrap_or_default();
    let v6 = new.lines().find_map(|line| line.strip_prefix("Ip6OutNoRoutes")?.trim().parse::<u64>().ok());
    v4.unwrap_or(0) + v6.unwrap_or(0)
}
