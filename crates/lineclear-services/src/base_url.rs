//! Where clients find the services.

use crate::ServicesError;

/// An address such as `http://127.0.0.1:4711` or `https://ci.example.org/lineclear`, without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BaseUrl {
    text: String,
    /// Where the path begins in `text`.
    path_at: usize,
}

impl BaseUrl {
    pub(crate) fn parse(url: &str) -> Result<Self, ServicesError> {
        let refuse = |why| Err(ServicesError::BaseUrl { url: url.to_owned(), why });
        let text = url.trim_end_matches('/');
        let Some((scheme, rest)) = text.split_once("://") else {
            return refuse("it has to begin with `http://` or `https://`");
        };
        if !matches!(scheme, "http" | "https") {
            return refuse("it has to begin with `http://` or `https://`");
        }
        if rest.is_empty() || rest.starts_with('/') {
            return refuse("it names no host");
        }
        if rest.contains(['?', '#', '@', ' ', '"', '\\', '%']) || rest.contains(char::is_control) {
            return refuse("it may have a host, a port and a plain path only");
        }
        let host_at = scheme.len() + 3;
        let path_at = rest.find('/').map_or(text.len(), |slash| host_at + slash);
        Ok(Self { text: text.to_owned(), path_at })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Scheme, host and port.
    pub(crate) fn origin(&self) -> &str {
        &self.text[..self.path_at]
    }

    /// Host and port.
    pub(crate) fn authority(&self) -> &str {
        self.origin().split_once("://").map_or("", |(_, authority)| authority)
    }

    /// `/lineclear`, or empty.
    pub(crate) fn path(&self) -> &str {
        &self.text[self.path_at..]
    }

    /// The host without its port.
    pub(crate) fn host(&self) -> &str {
        host_of(self.authority())
    }

    /// A request's path below this address. Clients that drop the path of the results URL are understood, too (trap 82).
    pub(crate) fn below<'p>(&self, path: &'p str) -> &'p str {
        match path.strip_prefix(self.path()) {
            Some(rest) if rest.starts_with('/') => rest,
            _ => path,
        }
    }
}

/// The host of `host:port`, `[::1]:port` or a bare host.
pub(crate) fn host_of(authority: &str) -> &str {
    if authority.starts_with('[') {
        return authority.find(']').map_or(authority, |end| &authority[..=end]);
    }
    authority.split_once(':').map_or(authority, |(host, _)| host)
}

/// Whether a request's `Host` names this machine's loopback. Any other name in it is a page that a browser on this machine was
/// lured to, whose name now points here.
pub(crate) fn is_loopback(authority: &str) -> bool {
    let host = host_of(authority).to_ascii_lowercase();
    matches!(host.as_str(), "127.0.0.1" | "[::1]" | "localhost") || host.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Trap 82.
    #[test]
    fn a_path_of_the_base_url_is_taken_off_and_not_required() {
        let base = BaseUrl::parse("https://ci.example.org:8443/lineclear/").expect("an address");
        assert_eq!(base.as_str(), "https://ci.example.org:8443/lineclear");
        assert_eq!(
            (base.origin(), base.path(), base.host()),
            ("https://ci.example.org:8443", "/lineclear", "ci.example.org")
        );
        assert_eq!(base.below("/lineclear/twirp/x"), "/twirp/x");
        assert_eq!(base.below("/twirp/x"), "/twirp/x");
        assert_eq!(base.below("/lineclearing"), "/lineclearing");
        assert_eq!(BaseUrl::parse("http://127.0.0.1:1").expect("an address").path(), "");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for url in ["", "ftp://a", "http://", "http:///x", "http://a?b", "http://u@a", "http://a/%2e"] {
            assert!(BaseUrl::parse(url).is_err(), "{url}");
        }
    }

    #[test]
    fn loopback_is_known_by_its_names_alone() {
        for host in ["127.0.0.1:80", "localhost", "LOCALHOST:1", "[::1]:80", "x.localhost:3000"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["", "example.org", "localhost.example.org", "127.0.0.1.nip.io", "xlocalhost", "0.0.0.0"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
