//! Why something was not signed, or could not be looked at.

use lineclear_oci::Digest;
use lineclear_registry::RegistryClientError;
use lineclear_sigstore::{KeyError, ProvenanceError};

/// Why something was not signed, or could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    #[error(transparent)]
    Registry(Box<RegistryClientError>),
    #[error("the key cannot be used")]
    Key(#[from] KeyError),
    /// A tag can be moved between looking and signing.
    #[error("`{0}` names no digest: what is signed is a digest, never a tag")]
    NoDigest(String),
    /// The registry took it, and does not give it back, or gives something else.
    #[error("the registry took the {what} of {digest}, and what it gives back does not verify")]
    Lost { what: &'static str, digest: Digest },
    /// More than anybody attaches.
    #[error("{found} things refer to {digest}; at most {most} are looked at")]
    TooMany { digest: Digest, found: usize, most: usize },
    #[error("the provenance is of no use")]
    Provenance(#[from] ProvenanceError),
}

impl From<RegistryClientError> for SigningError {
    fn from(error: RegistryClientError) -> Self {
        Self::Registry(Box::new(error))
    }
}
