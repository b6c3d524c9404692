//! Addresses that carry their own authority (trap 92).
//!
//! Clients upload and download without a token. The address itself says what may be done until when: a signature over method,
//! subject and expiry. It is good for one blob and one action.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lineclear_event::Timestamp;

use crate::ServicesError;
use crate::base_url::BaseUrl;
use crate::http::Query;
use crate::time::{after, seconds};

/// What an address allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// PUT.
    Write,
    /// GET and HEAD.
    Read,
}

impl Action {
    fn word(self) -> &'static str {
        match self {
            Self::Write => "w",
            Self::Read => "r",
        }
    }
}

/// Why an address is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadUrl {
    Unsigned,
    Forged,
    Expired,
}

impl BadUrl {
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Unsigned => "the address is not signed; ask the service for a new one",
            Self::Forged => "the signature of the address does not fit what is asked; ask the service for a new one",
            Self::Expired => "the address has expired; ask the service for a new one",
        }
    }
}

/// Signs addresses with a key of this process.
pub(crate) struct UrlSigner(hmac::Key);

impl std::fmt::Debug for UrlSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UrlSigner")
    }
}

impl UrlSigner {
    pub(crate) fn generate() -> Result<Self, ServicesError> {
        Ok(Self(random_key()?))
    }

    /// The address of `path`, which begins with `/`, for one action until `now + life`. It always has a query, as clients add to it.
    pub(crate) fn sign(&self, base: &BaseUrl, path: &str, action: Action, now: Timestamp, life: Duration) -> String {
        let expires = seconds(after(now, life));
        let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&self.0, message(path, action, expires).as_bytes()));
        format!("{}{path}?sp={}&se={expires}&sig={signature}", base.as_str(), action.word())
    }

    /// Whether the query of a request to `path` allows `action` at `now`. The time of the comparison does not depend on the
    /// signature.
    pub(crate) fn check(&self, path: &str, query: &Query, action: Action, now: Timestamp) -> Result<(), BadUrl> {
        let (Some(expires), Some(signature)) = (query.get("se"), query.get("sig")) else {
            return Err(BadUrl::Unsigned);
        };
        let expires: i64 = expires.parse().map_err(|_| BadUrl::Forged)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| BadUrl::Forged)?;
        hmac::verify(&self.0, message(path, action, expires).as_bytes(), &signature).map_err(|_| BadUrl::Forged)?;
        if seconds(now) >= expires { Err(BadUrl::Expired) } else { Ok(()) }
    }
}

/// A key of 32 random bytes for HMAC-SHA256.
pub(crate) fn random_key() -> Result<hmac::Key, ServicesError> {
    let mut bytes = zeroize::Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes).map_err(|_| ServicesError::Random)?;
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &*bytes))
}

fn message(path: &str, action: Action, expires: i64) -> String {
    format!("{}\n{expires}\n{path}", action.word())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, path: &str, action: Action, now: i64, signer: &UrlSigner) -> Result<(), BadUrl> {
        signer.check(path, &Query::parse(url.split_once('?').map_or("", |(_, query)| query)), action, Timestamp(now))
    }

    #[test]
    fn trap_92_an_address_is_good_for_one_blob_one_action_and_some_time() {
        let signer = UrlSigner::generate().expect("randomness");
        let base = BaseUrl::parse("http://127.0.0.1:1/sub").expect("an address");
        let url = signer.sign(&base, "/_blob/upload/a", Action::Write, Timestamp(0), Duration::from_secs(60));
        assert!(url.starts_with("http://127.0.0.1:1/sub/_blob/upload/a?"), "{url}");
        assert_eq!(check(&url, "/_blob/upload/a", Action::Write, 59_999, &signer), Ok(()));
        assert_eq!(check(&url, "/_blob/upload/a", Action::Write, 60_000, &signer), Err(BadUrl::Expired));
        assert_eq!(check(&url, "/_blob/upload/a", Action::Read, 0, &signer), Err(BadUrl::Forged));
        assert_eq!(check(&url, "/_blob/upload/b", Action::Write, 0, &signer), Err(BadUrl::Forged));
        assert_eq!(
            check(&url.replace("se=60", "se=6000"), "/_blob/upload/a", Action::Write, 0, &signer),
            Err(BadUrl::Forged)
        );
        assert_eq!(check("/x?a=b", "/_blob/upload/a", Action::Write, 0, &signer), Err(BadUrl::Unsigned));
        let other = UrlSigner::generate().expect("randomness");
        assert_eq!(check(&url, "/_blob/upload/a", Action::Write, 0, &other), Err(BadUrl::Forged));
    }
}
