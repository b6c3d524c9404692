//! Who a client is, for each registry.

mod docker;
mod helper;

use std::collections::BTreeMap;
use std::fmt;

use lineclear_oci::{RegistryHost, RepositoryName};

pub use crate::secret::Secret;
pub use docker::DockerConfig;

/// Who a client is.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// Nobody in particular.
    Anonymous,
    /// A user with a password, or with a token in its place.
    Basic {
        /// The user's name.
        user: String,
        /// The password.
        password: Secret,
    },
    /// A token that is exchanged for those of single repositories (OAuth 2).
    IdentityToken(Secret),
    /// A token that is sent as it is.
    Bearer(Secret),
}

impl Credentials {
    /// A user with a password.
    pub fn basic(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self::Basic { user: user.into(), password: Secret::new(password) }
    }
}

/// Why credentials cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// A file cannot be read.
    #[error("cannot read the credentials in `{path}`")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("`{path}` is no configuration of Docker: {reason}")]
    Malformed {
        /// The file.
        path: String,
        /// What is wrong; without anything of its content.
        reason: String,
    },
    /// A credential helper did not work.
    #[error("the credential helper `{helper}` failed for `{registry}`: {reason}")]
    Helper {
        /// The program.
        helper: String,
        /// For which registry.
        registry: String,
        /// What it said.
        reason: String,
    },
}

/// Knows who a client is for a registry.
pub trait CredentialSource: Send + Sync + fmt::Debug {
    /// The credentials for a repository of a registry, or for the registry as a whole.
    ///
    /// Asked once for each registry and repository; may take time.
    ///
    /// # Errors
    /// When there may be credentials that cannot be read. That there are none is no error.
    fn credentials(
        &self,
        registry: &RegistryHost,
        repository: Option<&RepositoryName>,
    ) -> Result<Credentials, CredentialError>;
}

/// Nobody in particular, everywhere.
#[derive(Debug, Clone, Copy)]
pub struct NoCredentials;

impl CredentialSource for NoCredentials {
    fn credentials(&self, _: &RegistryHost, _: Option<&RepositoryName>) -> Result<Credentials, CredentialError> {
        Ok(Credentials::Anonymous)
    }
}

/// Credentials that are given for some registries.
impl CredentialSource for BTreeMap<RegistryHost, Credentials> {
    fn credentials(&self, registry: &RegistryHost, _: Option<&RepositoryName>) -> Result<Credentials, CredentialError> {
        Ok(self.get(registry).cloned().unwrap_or(Credentials::Anonymous))
    }
}

/// The first of several sources that knows any.
impl CredentialSource for Vec<Box<dyn CredentialSource>> {
    fn credentials(
        &self,
        registry: &RegistryHost,
        repository: Option<&RepositoryName>,
    ) -> Result<Credentials, CredentialError> {
        for source in self {
            match source.credentials(registry, repository)? {
                Credentials::Anonymous => {}
                found => return Ok(found),
            }
        }
        Ok(Credentials::Anonymous)
    }
}
