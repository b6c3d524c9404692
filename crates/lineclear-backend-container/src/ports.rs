//! Published ports: `5432`, `5432:5432`, `127.0.0.1:53:53/udp`, `8000-8010:80-90`.

/// One port of a container, and where it is opened on the machine.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Published {
    /// `5432/tcp`
    pub(crate) container: String,
    /// All addresses if empty.
    pub(crate) address: String,
    /// Any free port if empty. A range is one that the engine picks from.
    pub(crate) port: String,
}

/// # Errors
/// What is wrong with it, in a sentence.
pub(crate) fn parse(text: &str) -> Result<Vec<Published>, String> {
    let fail = |problem: &str| format!("`{text}` is not a port mapping: {problem}");
    let text = text.trim();
    let (spec, protocol) = text.rsplit_once('/').unwrap_or((text, "tcp"));
    let protocol = protocol.to_ascii_lowercase();
    if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        return Err(fail("after `/` stands `tcp`, `udp` or `sctp`"));
    }
    let (front, container) = spec.rsplit_once(':').map_or((None, spec), |(front, container)| (Some(front), container));
    let (address, host) = match front {
        None => ("", ""),
        Some(front) => match front.rsplit_once(':') {
            Some((address, host)) => (address, host),
            None => ("", front),
        },
    };
    let address = match address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address,
        None if address.contains(':') => return Err(fail("an IPv6 address stands in brackets: `[::1]:80:80`")),
        None => address,
    };
    if !address.is_empty() && address.parse::<std::net::IpAddr>().is_err() {
        return Err(fail("what stands before the ports is an IP address"));
    }
    let container = range(container).map_err(fail)?;
    let inside = container.1 - container.0;
    let host = if host.is_empty() { None } else { Some(range(host).map_err(fail)?) };
    if let Some((first, last)) = host
        && inside > 0
        && last - first != inside
    {
        return Err(fail("both ranges must have the same length"));
    }
    let published = (0..=inside).map(|index| Published {
        container: format!("{}/{protocol}", container.0 + index),
        address: address.into(),
        port: match host {
            None => String::new(),
            Some((first, last)) if inside == 0 && first != last => format!("{first}-{last}"),
            Some((first, _)) => (first + index).to_string(),
        },
    });
    Ok(published.collect())
}

fn range(text: &str) -> Result<(u16, u16), &'static str> {
    let number =
        |text: &str| text.parse::<u16>().ok().filter(|&port| port > 0).ok_or("a port is a number from 1 to 65535");
    match text.split_once('-') {
        None => number(text).map(|port| (port, port)),
        Some((first, last)) => {
            let (first, last) = (number(first)?, number(last)?);
            if first <= last { Ok((first, last)) } else { Err("a range goes from the lower port to the higher one") }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let ports = parse(text).expect("ports");
        ports.into_iter().map(|p| format!("{}:{}>{}", p.address, p.port, p.container)).collect()
    }

    #[test]
    fn ports_are_read_as_docker_reads_them() {
        assert_eq!(shown("5432"), [":>5432/tcp"]);
        assert_eq!(shown("5433:5432"), [":5433>5432/tcp"]);
        assert_eq!(shown("127.0.0.1:53:53/UDP"), ["127.0.0.1:53>53/udp"]);
        assert_eq!(shown("127.0.0.1::80"), ["127.0.0.1:>80/tcp"]);
        assert_eq!(shown("[::1]:80:81"), ["::1:80>81/tcp"]);
        assert_eq!(shown("8000-8002:80-82"), [":8000>80/tcp", ":8001>81/tcp", ":8002>82/tcp"]);
        assert_eq!(shown("8000-8010:80"), [":8000-8010>80/tcp"]);
        assert_eq!(shown("3000-3001"), [":>3000/tcp", ":>3001/tcp"]);
        for bad in ["", "x", "0", "70000", "80/xyz", "::1:80:80", "host:80:80", "9-8", "80-82:80-81", "80:", "-"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
