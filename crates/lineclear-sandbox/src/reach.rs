//! Where a job may connect to.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lineclear_backend::Destination;

/// How long the addresses of an allowed name are taken for its own. Services move between addresses within minutes.
const KEPT: Duration = Duration::from_secs(300);

/// What is allowed, and what was refused.
#[derive(Debug)]
pub(crate) struct Reach {
    /// `None`: everything.
    allowed: Option<Vec<Rule>>,
    /// Addresses that allowed names were told to have.
    known: Mutex<BTreeMap<IpAddr, Vec<(String, Instant)>>>,
    /// When the names of the list were last looked up for an address that nobody had asked a name for.
    looked: Mutex<Option<Instant>>,
    refused: Mutex<BTreeMap<String, u64>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    host: Host,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Network(IpAddr, u8),
    Name(String),
    /// Everything below this name.
    Below(String),
}

impl Reach {
    pub(crate) fn everything() -> Self {
        Self::of(None)
    }

    pub(crate) fn only(list: &[Destination]) -> Self {
        Self::of(Some(list.iter().map(rule).collect()))
    }

    fn of(allowed: Option<Vec<Rule>>) -> Self {
        Self { allowed, known: Mutex::default(), looked: Mutex::default(), refused: Mutex::default() }
    }

    /// Whether a job may know the addresses of a name.
    pub(crate) fn may_resolve(&self, name: &str) -> bool {
        self.allowed.as_ref().is_none_or(|rules| rules.iter().any(|rule| rule.host.is(name)))
    }

    /// The addresses of a name that can be reached from this machine, which are the name's from now on.
    pub(crate) fn resolve(&self, name: &str) -> std::io::Result<Vec<IpAddr>> {
        let mut found: Vec<IpAddr> = (name, 0_u16).to_socket_addrs()?.map(|address| address.ip()).collect();
        found.sort();
        found.dedup();
        found.retain(|address| address.is_ipv4() || has_way_to(*address));
        let mut known = lock(&self.known);
        for address in &found {
            let names = known.entry(*address).or_default();
            names.retain(|(own, at)| own != name && at.elapsed() < KEPT);
            names.push((name.to_owned(), Instant::now()));
        }
        Ok(found)
    }

    /// Whether a connection may be made. One that may not is remembered.
    pub(crate) fn may_connect(&self, to: SocketAddr) -> bool {
        let Some(rules) = &self.allowed else { return true };
        if rules.iter().any(|rule| rule.fits_address(to)) || self.fits_name(rules, to) {
            return true;
        }
        // The address may have been known without asking for its name, as from a file of hosts.
        let is_time = {
            let mut looked = lock(&self.looked);
            let is_time = looked.is_none_or(|at| at.elapsed() > Duration::from_secs(30));
            if is_time {
                *looked = Some(Instant::now());
            }
            is_time
        };
        if is_time {
            for rule in rules {
                if let Host::Name(name) = &rule.host {
                    // A name that cannot be resolved has no address to compare with.
                    let _ = self.resolve(name);
                }
            }
            if self.fits_name(rules, to) {
                return true;
            }
        }
        let names: Vec<String> =
            lock(&self.known).get(&to.ip()).into_iter().flatten().map(|(name, _)| name.clone()).collect();
        let what = if names.is_empty() { to.to_string() } else { format!("{to} ({})", names.join(", ")) };
        self.refuse(&what);
        false
    }

    fn fits_name(&self, rules: &[Rule], to: SocketAddr) -> bool {
        let known = lock(&self.known);
        let names = known.get(&to.ip()).into_iter().flatten().filter(|(_, at)| at.elapsed() < KEPT);
        let mut names = names.map(|(name, _)| name.as_str());
        names.any(|name| rules.iter().any(|rule| rule.host.is(name) && rule.port.is_none_or(|port| port == to.port())))
    }

    pub(crate) fn refuse(&self, what: &str) {
        const MOST: usize = 200;
        let mut refused = lock(&self.refused);
        if refused.len() < MOST || refused.contains_key(what) {
            *refused.entry(what.to_owned()).or_default() += 1;
        }
    }

    /// What was refused since this was asked last, and how often.
    pub(crate) fn take_refused(&self) -> Vec<(String, u64)> {
        std::mem::take(&mut *lock(&self.refused)).into_iter().collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each holds a table that single calls change.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether the machine has a route to an address. Nothing is sent.
pub(crate) fn has_way_to(address: IpAddr) -> bool {
    let any: SocketAddr = match address {
        IpAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
        IpAddr::V6(_) => ([0_u16; 8], 0).into(),
    };
    UdpSocket::bind(any).and_then(|socket| socket.connect((address, 53))).is_ok()
}

fn rule(destination: &Destination) -> Rule {
    let host = match destination.host.split_once('/') {
        Some((address, bits)) => match (address.parse(), bits.parse()) {
            (Ok(address), Ok(bits)) => Host::Network(address, bits),
            // No name has a slash: it fits nothing.
            _ => Host::Name(destination.host.clone()),
        },
        None => match (destination.host.parse::<IpAddr>(), destination.host.strip_prefix("*.")) {
            (Ok(address), _) => Host::Network(address, if address.is_ipv4() { 32 } else { 128 }),
            (_, Some(below)) => Host::Below(below.to_ascii_lowercase()),
            _ => Host::Name(destination.host.to_ascii_lowercase()),
        },
    };
    Rule { host, port: destination.port }
}

impl Rule {
    fn fits_address(&self, to: SocketAddr) -> bool {
        let Host::Network(network, bits) = &self.host else { return false };
        self.port.is_none_or(|port| port == to.port()) && is_in(to.ip(), *network, *bits)
    }
}

impl Host {
    fn is(&self, name: &str) -> bool {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        match self {
            Self::Network(..) => false,
            Self::Name(own) => *own == name,
            Self::Below(own) => name.strip_suffix(own.as_str()).is_some_and(|rest| rest.ends_with('.')),
        }
    }
}

fn is_in(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits.min(32))).unwrap_or(0);
            address.to_bits() & mask == network.to_bits() & mask
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits.min(128))).unwrap_or(0);
            address.to_bits() & mask == network.to_bits() & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(list: &[&str]) -> Reach {
        let list: Vec<Destination> = list.iter().map(|text| text.parse().expect("a destination")).collect();
        Reach::only(&list)
    }

    #[test]
    fn networks_and_ports_are_compared() {
        let reach = reach(&["10.0.0.0/8:443", "192.0.2.7", "2001:db8::/32", "0.0.0.0/0:9"]);
        let cases = [
            ("10.255.0.1:443", true),
            ("10.255.0.1:80", false),
            ("11.0.0.1:443", false),
            ("192.0.2.7:1", true),
            ("192.0.2.8:1", false),
            ("[2001:db8:1::1]:22", true),
            ("[2001:db9::1]:22", false),
            ("203.0.113.1:9", true),
        ];
        for (to, expected) in cases {
            assert_eq!(reach.may_connect(to.parse().expect("an address")), expected, "{to}");
        }
        let refused: Vec<String> = reach.take_refused().into_iter().map(|(what, _)| what).collect();
        assert_eq!(refused.len(), 4, "{refused:?}");
        assert!(reach.take_refused().is_empty(), "told once");
    }

    #[test]
    fn a_name_opens_its_addresses_at_its_port() {
        let reach = reach(&["localhost:8080", "*.example.org"]);
        assert!(reach.may_resolve("LOCALHOST.") && reach.may_resolve("a.b.example.org"));
        assert!(!reach.may_resolve("example.org") && !reach.may_resolve("notexample.org"));
        assert!(reach.may_connect("127.0.0.1:8080".parse().expect("an address")), "known without being asked for");
        assert!(!reach.may_connect("127.0.0.1:8081".parse().expect("an address")));
        assert_eq!(reach.take_refused(), [("127.0.0.1:8081 (localhost)".to_owned(), 1)]);
    }
}
