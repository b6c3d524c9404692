//! Addresses that are called: made from a registry's host, or given by it in `Location` and `Link`.

use std::fmt;

use lineclear_oci::RegistryHost;

/// An `http` or `https` address, as far as a client has to understand it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Address {
    pub(crate) encrypted: bool,
    /// Host and port as they are written, without anything like a user's name.
    pub(crate) authority: String,
    /// With its query; begins with `/`.
    pub(crate) path: String,
}

impl Address {
    /// Reads an absolute address. One with a user's name is none: nobody should be led to send credentials that a server made up.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let encrypted = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        RegistryHost::parse(authority).ok()?;
        Some(Self { encrypted, authority: authority.to_ascii_lowercase(), path: rooted(without_fragment(path)) })
    }

    /// What `location`, given with the answer of this address, means.
    pub(crate) fn join(&self, location: &str) -> Option<Self> {
        let location = location.trim();
        if location.contains("://")
            && location.split_once("://").is_some_and(|(scheme, _)| !scheme.contains(['/', '?']))
        {
            let mut address = Self::parse(location)?;
            // Behind a proxy that ends TLS, registries take themselves for unencrypted: the same host stays encrypted.
            if self.encrypted && address.host() == self.host() && matches!(address.port(), None | Some(80)) {
                address = Self { encrypted: true, authority: self.authority.clone(), ..address };
            }
            return Some(address);
        }
        let location = without_fragment(location);
        if location.starts_with("//") {
            let scheme = if self.encrypted { "https:" } else { "http:" };
            return Self::parse(&format!("{scheme}{location}"));
        }
        let here = self.path.split('?').next().unwrap_or("/");
        let path = if location.starts_with('/') {
            location.to_owned()
        } else if location.starts_with('?') {
            format!("{here}{location}")
        } else {
            let folder = here.rsplit_once('/').map_or("", |(folder, _)| folder);
            format!("{folder}/{location}")
        };
        Some(Self { path, ..self.clone() })
    }

    /// The same with another parameter in its query. `value` is made of what needs no encoding, or is encoded.
    pub(crate) fn with_parameter(&self, name: &str, value: &str) -> Self {
        let separator = if self.path.contains('?') { '&' } else { '?' };
        Self { path: format!("{}{separator}{name}={value}", self.path), ..self.clone() }
    }

    /// Whether both are one server: credentials for one may be sent to the other.
    pub(crate) fn is_same_server(&self, other: &Self) -> bool {
        self.encrypted == other.encrypted
            && self.host() == other.host()
            && self.effective_port() == other.effective_port()
    }

    pub(crate) fn registry_host(&self) -> Option<RegistryHost> {
        RegistryHost::parse(&self.authority).ok()
    }

    fn host(&self) -> String {
        self.registry_host().map(|host| host.host().to_owned()).unwrap_or_default()
    }

    fn port(&self) -> Option<u16> {
        self.registry_host().and_then(|host| host.port())
    }

    fn effective_port(&self) -> u16 {
        self.port().unwrap_or(if self.encrypted { 443 } else { 80 })
    }
}

fn without_fragment(text: &str) -> &str {
    text.split('#').next().unwrap_or_default()
}

fn rooted(path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("/{path}") }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", if self.encrypted { "https" } else { "http" }, self.authority, self.path)
    }
}

/// The address of the next page in a `Link` header.
pub(crate) fn next_page(header: &str) -> Option<&str> {
    header.split(',').find_map(|link| {
        let (address, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = |parameter: &str| {
            let parameter: String = parameter.chars().filter(|c| !c.is_whitespace() && *c != '"').collect();
            parameter.eq_ignore_ascii_case("rel=next")
        };
        parameters.split(';').any(is_next).then_some(address)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(base: &str, location: &str) -> String {
        let base = Address::parse(base).expect(base);
        base.join(location).map_or_else(|| "none".to_owned(), |address| address.to_string())
    }

    #[test]
    fn locations_are_resolved() {
        let base = "https://r.example/v2/a/blobs/uploads/?x=1";
        for (location, expected) in [
            ("/v2/a/blobs/uploads/1?state=s", "https://r.example/v2/a/blobs/uploads/1?state=s"),
            ("https://cdn.example:8443/x#f", "https://cdn.example:8443/x"),
            ("//cdn.example/x", "https://cdn.example/x"),
            ("1?s", "https://r.example/v2/a/blobs/uploads/1?s"),
            ("?n=2", "https://r.example/v2/a/blobs/uploads/?n=2"),
            ("http://r.example/v2/x", "https://r.example/v2/x"),
            ("http://r.example:5000/v2/x", "http://r.example:5000/v2/x"),
            ("http://user:pass@evil.example/x", "none"),
            ("ftp://r.example/x", "none"),
            ("https://", "none"),
        ] {
            assert_eq!(joined(base, location), expected, "{location}");
        }
    }

    #[test]
    fn one_server_is_scheme_host_and_port() {
        let address = |text: &str| Address::parse(text).expect(text);
        assert!(address("https://a.b/x").is_same_server(&address("https://A.b:443/y")));
        assert!(!address("https://a.b/x").is_same_server(&address("http://a.b/x")));
        assert!(!address("https://a.b/x").is_same_server(&address("https://a.b:444/x")));
        assert!(!address("https://a.b/x").is_same_server(&address("https://c.a.b/x")));
    }

    #[test]
    fn the_next_page_is_found() {
        assert_eq!(next_page("</v2/a/tags/list?n=1&last=x>; rel=\"next\""), Some("/v2/a/tags/list?n=1&last=x"));
        assert_eq!(next_page("<a>; rel=prev, <b>; title=x; rel = next"), Some("b"));
        assert_eq!(next_page("<a>; rel=prev"), None);
        assert_eq!(next_page("nonsense"), None);
    }
}
