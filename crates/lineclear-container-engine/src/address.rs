//! Where an engine listens.

use std::fmt;
use std::path::PathBuf;

use crate::EngineError;

/// Where an engine listens, in the form of `DOCKER_HOST`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `unix:///var/run/docker.sock`
    Unix(PathBuf),
    /// `tcp://127.0.0.1:2375`, unencrypted.
    Tcp {
        /// Name or address.
        host: String,
        /// Port number.
        port: u16,
    },
}

impl Address {
    /// Reads an address as `DOCKER_HOST` has it. A bare absolute path is that of a socket.
    ///
    /// # Errors
    /// [`EngineError::Address`], with what to do about kinds that are not spoken.
    pub fn parse(text: &str) -> Result<Self, EngineError> {
        let fail = |problem: &str| EngineError::Address { address: text.into(), problem: problem.into() };
        let text = text.trim();
        if text.starts_with('/') {
            return Ok(Self::Unix(text.into()));
        }
        let (scheme, rest) =
            text.split_once("://").ok_or_else(|| fail("expected `unix:///path` or `tcp://host:port`"))?;
        match scheme {
            "unix" if rest.starts_with('/') => Ok(Self::Unix(rest.into())),
            "unix" => Err(fail("the path of a socket is absolute: `unix:///path`")),
            "tcp" | "http" => {
                let rest = rest.trim_end_matches('/');
                let (host, port) = match rest.rsplit_once(':') {
                    Some((host, port)) => {
                        (host, port.parse().map_err(|_| fail("the port is not a number up to 65535"))?)
                    }
                    None => (rest, 2375),
                };
                let host = host.trim_start_matches('[').trim_end_matches(']');
                match host.is_empty() || host.contains('/') {
                    true => Err(fail("expected `tcp://host:port`")),
                    false => Ok(Self::Tcp { host: host.into(), port }),
                }
            }
            "ssh" => Err(fail(
                "ssh is not spoken here; forward the socket with `ssh -N -L /tmp/engine.sock:/var/run/docker.sock host` \
                 and set DOCKER_HOST=unix:///tmp/engine.sock",
            )),
            "https" => Err(fail("TLS is not spoken here; forward the engine's socket by ssh instead")),
            _ => Err(fail("only `unix` and `tcp` are spoken")),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp { host, port } if host.contains(':') => write!(f, "tcp://[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_docker_host_has_them() {
        let read = |text| Address::parse(text).map(|address| address.to_string());
        assert_eq!(read("unix:///a/b.sock").expect("read"), "unix:///a/b.sock");
        assert_eq!(read("/a/b.sock").expect("read"), "unix:///a/b.sock");
        assert_eq!(read("tcp://host").expect("read"), "tcp://host:2375");
        assert_eq!(read("tcp://[::1]:99/").expect("read"), "tcp://[::1]:99");
        for bad in
            ["", "docker", "unix://relative", "tcp://", "tcp://h:99999", "ssh://me@there", "https://h", "npipe:////x"]
        {
            assert!(matches!(Address::parse(bad), Err(EngineError::Address { .. })), "{bad}");
        }
    }
}
