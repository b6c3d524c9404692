//! What the forge asks of others.

use std::fmt;
use std::sync::Arc;

use lineclear_event::Timestamp;
use lineclear_forge::Caller;
use lineclear_store::{ArtifactMeta, Artifacts, Caches, Store};

/// Gives the address at which the bytes of an artifact can be fetched without a token.
pub trait ArtifactLinks: Send + Sync + fmt::Debug {
    /// A link to the zip of `artifact`, good for a short time; `None` when no link can be given.
    fn link(&self, caller: &Caller, artifact: &ArtifactMeta) -> Option<String>;
}

/// Where nobody serves artifacts: there is no link.
#[derive(Clone, Copy, Debug)]
pub struct NoLinks;

impl ArtifactLinks for NoLinks {
    fn link(&self, _: &Caller, _: &ArtifactMeta) -> Option<String> {
        None
    }
}

/// What a [`crate::LocalForge`] reads beside its own folder, and the addresses it writes into answers.
pub struct Ports {
    pub store: Arc<dyn Store>,
    pub artifacts: Arc<dyn Artifacts>,
    pub caches: Arc<dyn Caches>,
    pub links: Arc<dyn ArtifactLinks>,
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    pub addresses: Addresses,
}

impl fmt::Debug for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ports").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

/// Addresses without a slash at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// `github.api_url`: the base of `url` fields and of `Link` headers.
    pub api: String,
    /// `github.server_url`: the base of `html_url` fields.
    pub server: String,
    /// What stands before `/repos/…/releases/{id}/assets` in a release's `upload_url`; often equal to `api`.
    pub uploads: String,
}
