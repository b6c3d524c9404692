//! Published ports on the job's own loopback.
//!
//! Where a job has a loopback of its own, its containers publish on free ports of the machine's loopback, and the ports that were
//! asked for are opened in the job: two jobs may publish the same port, and each finds its own.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::ops::RangeInclusive;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use lineclear_backend::JobNetwork;
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use serde_json::Value;

use crate::engine::Engine;
use crate::http::Target;
use crate::rewrite::{PORTS_LABEL, ShownPort, label};
use crate::stream::copy;

/// The open ports of one job's containers.
#[derive(Debug)]
pub(crate) struct Ports {
    network: Option<Arc<dyn JobNetwork>>,
    /// By the id of their container.
    open: Mutex<HashMap<String, Vec<Forward>>>,
}

/// One open port. Dropped, it is closed.
#[derive(Debug)]
struct Forward {
    port: ShownPort,
    _listeners: Vec<Listener>,
}

/// Ends the thread that accepts.
#[derive(Debug)]
struct Listener(Arc<OwnedFd>);

impl Drop for Listener {
    fn drop(&mut self) {
        // Cannot fail: it counts to far more than one.
        let _written = rustix::io::write(&*self.0, &1_u64.to_ne_bytes());
    }
}

impl Ports {
    pub(crate) fn new(network: Option<Arc<dyn JobNetwork>>) -> Self {
        Self { network, open: Mutex::default() }
    }

    pub(crate) fn is_own(&self) -> bool {
        self.network.is_some()
    }

    /// Where steps find the ports of a container.
    pub(crate) fn of(&self, container: &str) -> Vec<ShownPort> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.get(container)
            .map(|forwards| forwards.iter().map(|forward| forward.port.clone()).collect())
            .unwrap_or_default()
    }

    pub(crate) fn close_all(&self) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Opens and closes ports until they are those of the container as it is now.
    ///
    /// # Errors
    /// What the engine would say of a port that cannot be opened.
    pub(crate) fn follow(&self, engine: &Engine, container: &str) -> Result<(), String> {
        let Some(network) = &self.network else { return Ok(()) };
        // Held while the engine is asked: of two that follow one container, the later has the newer answer.
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = engine.get(Target::of(&format!("/containers/{container}/json")));
        let answer = answer.map_err(|error| lineclear_event::with_causes(&error))?;
        let inspected = answer.value();
        let is_running = answer.is_fine() && inspected.pointer("/State/Running") == Some(&Value::Bool(true));
        let wanted = if is_running { wanted(&inspected) } else { Vec::new() };
        let mut forwards = open.remove(container).unwrap_or_default();
        forwards.retain(|forward| wanted.iter().any(|wanted| wanted.is(&forward.port)));
        for wanted in wanted {
            if forwards.iter().any(|forward| wanted.is(&forward.port)) {
                continue;
            }
            let name = inspected["Name"].as_str().unwrap_or(container).trim_start_matches('/').to_owned();
            let forward = wanted.open(network.as_ref()).map_err(|error| {
                let (ip, port) = (&wanted.ip, &wanted.text);
                format!("driver failed programming external connectivity on endpoint {name}: Bind for {ip}:{port} failed: {error}")
            })?;
            forwards.push(forward);
        }
        if !forwards.is_empty() {
            open.insert(container.to_owned(), forwards);
        }
        Ok(())
    }
}

/// A port that is to be open.
#[derive(Debug)]
struct Wanted {
    inside: String,
    published: u16,
    /// As it is shown.
    ip: String,
    /// As it was asked for: `5433`, `8000-8010`.
    text: String,
    /// The first one that is free.
    shown: RangeInclusive<u16>,
}

/// What an inspected container that runs publishes, and where it asked for that.
fn wanted(container: &Value) -> Vec<Wanted> {
    let asked: Value =
        label(container, PORTS_LABEL).and_then(|asked| serde_json::from_str(asked).ok()).unwrap_or_default();
    let published = container.pointer("/NetworkSettings/Ports").and_then(Value::as_object);
    let mut wanted = Vec::new();
    for (inside, places) in published.into_iter().flatten() {
        let Some(port) = inside.strip_suffix("/tcp") else { continue };
        let asked = asked.get(inside).or_else(|| asked.get(port));
        let mut seen = Vec::new();
        for place in places.as_array().into_iter().flatten() {
            let Some(published) = place["HostPort"].as_str().and_then(|port| port.parse::<u16>().ok()) else {
                continue;
            };
            // Docker tells a port that is open for IPv4 and IPv6 twice.
            if seen.contains(&published) {
                continue;
            }
            let asked = asked.and_then(|asked| asked.get(seen.len()));
            seen.push(published);
            let text = |key: &str| asked.and_then(|asked| asked.get(key)?.as_str()).unwrap_or_default().to_owned();
            let range = text("HostPort");
            let shown = read_range(&range).unwrap_or(published..=published);
            let ip = Some(text("HostIp")).filter(|ip| !ip.is_empty()).unwrap_or_else(|| "0.0.0.0".into());
            wanted.push(Wanted { inside: inside.clone(), published, ip, text: range, shown });
        }
    }
    wanted
}

/// `5433` or `8000-8010`; `None` where any port will do.
fn read_range(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let range = first.parse().ok()?..=last.parse().ok()?;
    (*range.start() > 0 && range.start() <= range.end()).then_some(range)
}

impl Wanted {
    fn is(&self, port: &ShownPort) -> bool {
        self.inside == port.inside && self.published == port.published
    }

    fn open(&self, network: &dyn JobNetwork) -> io::Result<Forward> {
        let ip: IpAddr =
            self.ip.parse().map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "it is not an address"))?;
        let (ip, other) = match ip {
            IpAddr::V4(Ipv4Addr::UNSPECIFIED) => {
                (IpAddr::V4(Ipv4Addr::LOCALHOST), Some(IpAddr::V6(Ipv6Addr::LOCALHOST)))
            }
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) => (IpAddr::V6(Ipv6Addr::LOCALHOST), None),
            ip => (ip, None),
        };
        let mut last = io::Error::from(io::ErrorKind::AddrInUse);
        for port in self.shown.clone() {
            match network.listen(SocketAddr::new(ip, port)) {
                Ok(listener) => {
                    let mut listeners = vec![accept(listener, self.published)?];
                    // `localhost` is ::1 for many programs; a job without IPv6 does not have it.
                    if let Some(listener) = other.and_then(|ip| network.listen(SocketAddr::new(ip, port)).ok()) {
                        listeners.push(accept(listener, self.published)?);
                    }
                    let (inside, ip) = (self.inside.clone(), self.ip.clone());
                    let port = ShownPort { inside, published: self.published, shown: port, ip };
                    return Ok(Forward { port, _listeners: listeners });
                }
                Err(error) => last = error,
            }
        }
        Err(match last.kind() {
            io::ErrorKind::AddrInUse => {
                io::Error::new(last.kind(), "port is already allocated: something in this job listens on it")
            }
            _ => last,
        })
    }
}

/// Accepts until the listener is dropped.
fn accept(listener: TcpListener, published: u16) -> io::Result<Listener> {
    let stop = Arc::new(eventfd(0, EventfdFlags::CLOEXEC)?);
    let ours = Listener(Arc::clone(&stop));
    listener.set_nonblocking(true)?;
    thread::Builder::new().name("door-port".into()).spawn(move || {
        loop {
            let mut waited = [PollFd::new(&listener, PollFlags::IN), PollFd::new(&*stop, PollFlags::IN)];
            match poll(&mut waited, None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
            }
            if !waited[1].revents().is_empty() {
                return;
            }
            if let Ok((connection, _)) = listener.accept() {
                // A thread that cannot be had closes the connection, which its client sees.
                let _closed =
                    thread::Builder::new().name("door-port".into()).spawn(move || carry(connection, published));
            }
        }
    })?;
    Ok(ours)
}

/// Carries one connection to the container, in both directions, each until its end.
fn carry(client: TcpStream, published: u16) {
    let Ok(container) = TcpStream::connect((Ipv4Addr::LOCALHOST, published)) else { return };
    let _slower = client.set_nodelay(true).and_then(|()| container.set_nodelay(true));
    if client.set_nonblocking(false).is_err() {
        return;
    }
    let (Ok(mut client_in), Ok(mut container_out)) = (client.try_clone(), container.try_clone()) else { return };
    thread::scope(|scope| {
        scope.spawn(move || {
            let _ended = copy(&mut client_in, &mut container_out);
            let _gone = container_out.shutdown(Shutdown::Write);
        });
        let (mut container_in, mut client_out) = (&container, &client);
        if copy(&mut container_in, &mut client_out).is_err() {
            // Nobody reads any more, or the container is gone: the other direction has no end of its own then.
            let _gone = container.shutdown(Shutdown::Both);
            let _gone = client.shutdown(Shutdown::Both);
        }
        let _gone = client.shutdown(Shutdown::Write);
    });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_open_follows_what_was_asked_for() {
        let asked = json!({"5432/tcp": [{"HostIp": "", "HostPort": "5433"}], "80/tcp": [{"HostIp": "127.0.0.2", "HostPort": "8000-8010"}]});
        let container = json!({
            "Config": {"Labels": {PORTS_LABEL: asked.to_string()}},
            "NetworkSettings": {"Ports": {
                "5432/tcp": [{"HostIp": "127.0.0.1", "HostPort": "49153"}],
                "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "49154"}],
                "81/tcp": [{"HostIp": "0.0.0.0", "HostPort": "49155"}, {"HostIp": "::", "HostPort": "49155"}],
                "53/udp": [{"HostIp": "127.0.0.1", "HostPort": "49156"}],
                "90/tcp": null,
            }},
        });
        let wanted: Vec<_> =
            wanted(&container).into_iter().map(|wanted| (wanted.published, wanted.ip, wanted.shown)).collect();
        assert_eq!(
            wanted,
            [
                (49153, "0.0.0.0".to_owned(), 5433..=5433),
                (49154, "127.0.0.2".to_owned(), 8000..=8010),
                (49155, "0.0.0.0".to_owned(), 49155..=49155),
            ]
        );
    }

    #[test]
    fn a_range_that_is_none_means_any_port() {
        assert_eq!(read_range(""), None);
        assert_eq!(read_range("0"), None);
        assert_eq!(read_range("10-5"), None);
        assert_eq!(read_range("70000"), None);
    }
}
