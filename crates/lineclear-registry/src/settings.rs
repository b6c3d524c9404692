//! What a client is told when it is made.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lineclear_oci::{RegistryHost, RepositoryName};

use crate::credentials::{CredentialSource, NoCredentials};
use crate::{Progress, RetryPolicy};

/// How a registry is talked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTPS with a certificate that is trusted.
    Https,
    /// HTTPS with any certificate: whoever sits on the line can read and change everything but content named by digest.
    HttpsUnverified,
    /// HTTP without encryption.
    Http,
}

/// Another registry that is asked first when images of a registry are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// Its host.
    pub registry: RegistryHost,
    /// Below which repository it keeps the images; none is its root.
    pub prefix: Option<RepositoryName>,
}

/// What a client is told when it is made. `Default` is what fits for most.
#[derive(Clone)]
pub struct ClientSettings {
    /// Who the client is, for each registry.
    pub credentials: Arc<dyn CredentialSource>,
    /// Registries that are talked to in another way than by default: HTTPS, and HTTP on this machine.
    pub protocols: BTreeMap<RegistryHost, Protocol>,
    /// Registries that are asked first when images are read. What they do not have, or not now, comes from the registry itself.
    pub mirrors: BTreeMap<RegistryHost, Vec<Mirror>>,
    /// Files with certificates of authorities (PEM), in addition to those that this machine trusts.
    pub authorities: Vec<PathBuf>,
    /// When something is tried again.
    pub retry: RetryPolicy,
    /// How long a connection may take.
    pub connect_timeout: Duration,
    /// How long nothing may come, and nothing be taken, on a connection.
    pub idle_timeout: Duration,
    /// How many blobs travel at once.
    pub parallel: usize,
    /// Up to how many bytes a blob is pushed in one request. Larger ones are pushed in chunks, of which a broken connection costs but one.
    pub chunk_bytes: u64,
    /// Is told what happens.
    pub progress: Option<Arc<dyn Progress>>,
    /// How the client names itself.
    pub user_agent: String,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            credentials: Arc::new(NoCredentials),
            protocols: BTreeMap::new(),
            mirrors: BTreeMap::new(),
            authorities: Vec::new(),
            retry: RetryPolicy::default(),
            connect_timeout: Duration::from_secs(20),
            idle_timeout: Duration::from_secs(60),
            parallel: 4,
            chunk_bytes: 32 << 20,
            progress: None,
            user_agent: concat!("lineclear/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

impl ClientSettings {
    /// How a registry is talked to.
    pub fn protocol(&self, registry: &RegistryHost) -> Protocol {
        match self.protocols.get(registry) {
            Some(protocol) => *protocol,
            None if registry.is_loopback() => Protocol::Http,
            None => Protocol::Https,
        }
    }

    /// Whether a host that is not a registry, such as one that blobs are redirected to, may be talked to without encryption.
    pub(crate) fn allows_plain(&self, host: &RegistryHost) -> bool {
        self.protocol(host) == Protocol::Http
    }
}

impl fmt::Debug for ClientSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mirrored: BTreeSet<_> = self.mirrors.keys().collect();
        f.debug_struct("ClientSettings")
            .field("credentials", &self.credentials)
            .field("protocols", &self.protocols)
            .field("mirrored", &mirrored)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}
