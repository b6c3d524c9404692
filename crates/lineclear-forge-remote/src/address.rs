//! Where the parts of a forge's API are.

use crate::{ForgeKind, SettingsError};

/// The addresses of an API, without a slash at their ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Addresses {
    /// Before every path.
    pub(crate) api: String,
    /// Before the paths of uploads of release assets.
    pub(crate) uploads: String,
    /// Scheme, host and port of `api`.
    pub(crate) origin: String,
}

impl Addresses {
    /// From the address of the forge or of its API.
    ///
    /// # Errors
    /// [`SettingsError::Address`] where it is none, holds a name and password, or would send a token in the clear.
    pub(crate) fn of(kind: ForgeKind, url: &str) -> Result<Self, SettingsError> {
        let refuse = |why| Err(SettingsError::Address { url: without_user(url), why });
        let url = url.trim().trim_end_matches('/');
        let Some((scheme, rest)) = url.split_once("://") else { return refuse("it has to begin with `https://`") };
        let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
        if authority.contains('@') {
            return refuse("a token does not belong into it: it is given apart");
        }
        if authority.is_empty() || !rest.chars().all(|c| c.is_ascii_alphanumeric() || "-._~:/[]".contains(c)) {
            return refuse("it may have a host, a port and a plain path only");
        }
        let host = host_of(authority).to_ascii_lowercase();
        match scheme {
            "https" => {}
            "http" if is_loopback(&host) => {}
            "http" => return refuse("a token would be sent in the clear: it has to begin with `https://`"),
            _ => return refuse("it has to begin with `https://`"),
        }
        let origin = format!("{scheme}://{authority}");
        Ok(match kind {
            ForgeKind::Gitea => Self::plain(&origin, path.trim_end_matches("/api/v1"), "/api/v1", "/api/v1"),
            ForgeKind::GitHub if matches!(host.as_str(), "github.com" | "www.github.com" | "api.github.com") => {
                Self::apart("https://api.github.com", "https://uploads.github.com")
            }
            ForgeKind::GitHub if host.ends_with(".ghe.com") => {
                let tenant = host.strip_prefix("api.").unwrap_or(&host);
                Self::apart(&format!("https://api.{tenant}"), &format!("https://uploads.{tenant}"))
            }
            ForgeKind::GitHub => Self::plain(&origin, path.trim_end_matches("/api/v3"), "/api/v3", "/api/uploads"),
        })
    }

    fn plain(origin: &str, path: &str, api: &str, uploads: &str) -> Self {
        Self {
            api: format!("{origin}{path}{api}"),
            uploads: format!("{origin}{path}{uploads}"),
            origin: origin.to_owned(),
        }
    }

    fn apart(api: &str, uploads: &str) -> Self {
        Self { api: api.to_owned(), uploads: uploads.to_owned(), origin: api.to_owned() }
    }

    pub(crate) fn host(&self) -> &str {
        self.origin.split_once("://").map_or("", |(_, host)| host)
    }
}

fn host_of(authority: &str) -> &str {
    match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, _)) => host,
        None => authority.split_once(':').map_or(authority, |(host, _)| host),
    }
}

fn is_loopback(host: &str) -> bool {
    matches!(host, "127.0.0.1" | "::1" | "localhost")
}

/// The address as it may be shown: a name and password are left out.
fn without_user(url: &str) -> String {
    let shown: String = match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://***@{rest}"),
        (None, Some((_, rest))) => format!("***@{rest}"),
        _ => url.to_owned(),
    };
    shown.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(kind: ForgeKind, url: &str) -> (String, String) {
        let found = Addresses::of(kind, url).expect("the address is one");
        (found.api, found.uploads)
    }

    #[test]
    fn every_form_of_a_forges_address_leads_to_its_api() {
        use ForgeKind::{GitHub, Gitea};
        for (kind, url, expected) in [
            (GitHub, "https://github.com", ("https://api.github.com", "https://uploads.github.com")),
            (GitHub, "https://api.github.com/", ("https://api.github.com", "https://uploads.github.com")),
            (GitHub, "https://acme.ghe.com", ("https://api.acme.ghe.com", "https://uploads.acme.ghe.com")),
            (GitHub, "https://api.acme.ghe.com", ("https://api.acme.ghe.com", "https://uploads.acme.ghe.com")),
            (
                GitHub,
                "https://git.acme.org:8443",
                ("https://git.acme.org:8443/api/v3", "https://git.acme.org:8443/api/uploads"),
            ),
            (
                GitHub,
                "https://git.acme.org/api/v3/",
                ("https://git.acme.org/api/v3", "https://git.acme.org/api/uploads"),
            ),
            (Gitea, "https://codeberg.org", ("https://codeberg.org/api/v1", "https://codeberg.org/api/v1")),
            (Gitea, "https://acme.org/git/api/v1", ("https://acme.org/git/api/v1", "https://acme.org/git/api/v1")),
            (Gitea, "http://[::1]:3000", ("http://[::1]:3000/api/v1", "http://[::1]:3000/api/v1")),
        ] {
            assert_eq!(api(kind, url), (expected.0.to_owned(), expected.1.to_owned()), "{url}");
        }
    }

    #[test]
    fn an_address_that_would_give_the_token_away_is_refused() {
        for url in [
            "http://github.com",
            "http://127.0.0.1.evil.org",
            "ftp://x",
            "x",
            "https://",
            "https://a b",
            "https://x/?y",
            "https://u:secret@x",
        ] {
            let error = Addresses::of(ForgeKind::GitHub, url).expect_err("no such address").to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
