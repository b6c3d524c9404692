//! What is said of a forge before it is called.

use std::fmt;
use std::time::Duration;

use zeroize::Zeroizing;

/// Which API a forge speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForgeKind {
    /// github.com, a ghe.com subdomain, or GitHub Enterprise Server.
    GitHub,
    /// Gitea or Forgejo.
    Gitea,
}

/// A token for a forge. It is wiped when it is dropped, and no text shows it.
#[derive(Clone)]
pub struct Token(Zeroizing<String>);

impl Token {
    /// # Errors
    /// [`SettingsError::Token`] where it cannot stand in a header: empty, with spaces or line ends inside, or not ASCII.
    pub fn new(text: &str) -> Result<Self, SettingsError> {
        let text = text.trim();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(SettingsError::Token);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// How a forge is reached.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The forge or its API: `https://github.com`, `https://ghe.example.org/api/v3`, `https://git.example.org`.
    pub url: String,
    pub kind: ForgeKind,
    /// Without one, only what everybody may read is answered.
    pub token: Option<Token>,
    /// The address that jobs know as the API's: addresses of the forge's API in its answers become ones below it.
    pub local_base: String,
    pub limits: Limits,
}

/// How long and how much.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub connect: Duration,
    /// One try of one call, with its body.
    pub call: Duration,
    /// Tries of a call that may be made twice.
    pub tries: u32,
    /// The wait before the second try; it doubles.
    pub pause: Duration,
    /// The longest wait that a forge may ask for before the call is given up with its answer.
    pub longest_wait: Duration,
    /// Bytes of an answer.
    pub answer: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            call: Duration::from_secs(60),
            tries: 3,
            pause: Duration::from_millis(500),
            longest_wait: Duration::from_secs(10),
            answer: 256 << 20,
        }
    }
}

/// Why a forge cannot be called as set.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("the forge's address `{url}` cannot be used: {why}")]
    Address { url: String, why: &'static str },
    #[error("the forge's token is empty or has characters that no token has: check for spaces and line ends")]
    Token,
    #[error("no certificate authorities were found on this machine, so no forge can be trusted: install `ca-certificates`, or name a file of them in SSL_CERT_FILE{}", if .0.is_empty() { String::new() } else { format!(" ({})", .0) })]
    Certificates(String),
}
