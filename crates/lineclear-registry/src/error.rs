//! What can go wrong between a client and its registry.

use std::time::Duration;

use lineclear_oci::{ConfigError, DigestMismatch, ManifestError, RegistryErrors};

use crate::credentials::CredentialError;

/// Why a client cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A file with certificates cannot be read.
    #[error("cannot read the certificates in `{path}`")]
    Certificates {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file has no certificate in it.
    #[error("`{path}` has no certificate; expected PEM with `-----BEGIN CERTIFICATE-----`")]
    NoCertificate {
        /// The file.
        path: String,
    },
}

/// Why something with a registry did not work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryClientError {
    /// There is no connection.
    #[error("cannot reach the registry `{registry}`: {reason}")]
    Unreachable {
        /// The host that was called.
        registry: String,
        /// Why.
        reason: String,
    },
    /// The connection broke.
    #[error("the connection to `{registry}` broke: {reason}")]
    Broken {
        /// The host that was called.
        registry: String,
        /// Why.
        reason: String,
    },
    /// Nothing came, or nothing was taken, for too long.
    #[error("`{registry}` did not answer in time ({waiting})")]
    TimedOut {
        /// The host that was called.
        registry: String,
        /// What was waited for.
        waiting: &'static str,
    },
    /// The registry's certificate is not trusted.
    #[error(
        "`{registry}` is not trusted: {reason}; for an authority of your own name its certificate, for a registry without \
         encryption allow plain HTTP"
    )]
    Untrusted {
        /// The host that was called.
        registry: String,
        /// Why.
        reason: String,
    },
    /// It is not there, or whoever asks may not know of it.
    #[error("{what} is not in the registry{}", shown(.errors))]
    NotFound {
        /// What was asked for.
        what: String,
        /// What the registry says.
        errors: RegistryErrors,
    },
    /// It is not known who asks, or the credentials are wrong.
    #[error("`{registry}` asks for credentials: {why}")]
    Unauthorized {
        /// The host that was called.
        registry: String,
        /// What is wrong with those that there are.
        why: String,
    },
    /// Who asks may not.
    #[error("access to {what} is denied{}", shown(.errors))]
    Denied {
        /// What was asked for.
        what: String,
        /// What the registry says.
        errors: RegistryErrors,
    },
    /// Too many requests, and the registry asks for more patience than there is.
    #[error("`{registry}` takes no more requests now{}", until(.retry_after))]
    RateLimited {
        /// The host that was called.
        registry: String,
        /// When to come back.
        retry_after: Option<Duration>,
    },
    /// Any other refusal.
    #[error("the registry refused {what} with status {status}{}", shown(.errors))]
    Refused {
        /// What was asked for.
        what: String,
        /// The HTTP status.
        status: u16,
        /// When to come back.
        retry_after: Option<Duration>,
        /// What the registry says.
        errors: RegistryErrors,
    },
    /// An answer that makes no sense.
    #[error("`{registry}` answered nonsense for {what}: {found}")]
    Nonsense {
        /// The host that was called.
        registry: String,
        /// What was asked for.
        what: String,
        /// What came.
        found: String,
    },
    /// The bytes are not those that were named.
    #[error("{what} is not what its digest says")]
    Mismatch {
        /// What was read.
        what: String,
        /// How it differs.
        #[source]
        source: DigestMismatch,
    },
    /// A manifest that cannot be used.
    #[error("cannot use {what}")]
    Manifest {
        /// What was read.
        what: String,
        /// Why.
        #[source]
        source: ManifestError,
    },
    /// A configuration that cannot be used.
    #[error("cannot use the configuration of {what}")]
    Config {
        /// Which image.
        what: String,
        /// Why.
        #[source]
        source: ConfigError,
    },
    /// There is no image for the platform.
    #[error("{what} has no image for {wanted}; there are {offered}")]
    NoPlatform {
        /// The image.
        what: String,
        /// What was asked for.
        wanted: String,
        /// What there is.
        offered: String,
    },
    /// More manifests in one another, or in all, than any image has.
    #[error("{what} is no image: {limit}")]
    Bomb {
        /// The image.
        what: String,
        /// What it has too much of.
        limit: &'static str,
    },
    /// Credentials cannot be had.
    #[error(transparent)]
    Credentials(#[from] CredentialError),
    /// What is to be pushed cannot be read.
    #[error("cannot read {what}")]
    Source {
        /// What was read.
        what: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A folder or archive is not an image.
    #[error("`{path}` is not an image: {reason}")]
    NotAnImage {
        /// The folder or archive.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// What was pulled cannot be written.
    #[error("cannot write {what}")]
    Sink {
        /// What was pulled.
        what: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Somebody called [`crate::Client::cancel`].
    #[error("cancelled")]
    Cancelled,
}

impl RegistryClientError {
    /// Whether the same attempt may succeed later with nothing changed by anyone.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Broken { .. } | Self::TimedOut { .. } | Self::RateLimited { .. } => true,
            Self::Refused { status, .. } => matches!(status, 408 | 425 | 500 | 502 | 503 | 504),
            Self::Untrusted { .. }
            | Self::NotFound { .. }
            | Self::Unauthorized { .. }
            | Self::Denied { .. }
            | Self::Nonsense { .. }
            | Self::Mismatch { .. }
            | Self::Manifest { .. }
            | Self::Config { .. }
            | Self::NoPlatform { .. }
            | Self::Bomb { .. }
            | Self::Credentials(_)
            | Self::Source { .. }
            | Self::NotAnImage { .. }
            | Self::Sink { .. }
            | Self::Cancelled => false,
        }
    }

    /// When the registry said to come back.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } | Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether it is simply not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// Travels through readers, which know only errors of input and output.
    pub(crate) fn into_io(self) -> std::io::Error {
        std::io::Error::other(self)
    }

    /// The error of a reader: the one that travelled through it, or one of reading `what`.
    pub(crate) fn from_io(error: std::io::Error, what: &str) -> Self {
        error.downcast::<Self>().unwrap_or_else(|source| Self::Source { what: what.to_owned(), source })
    }
}

fn shown(errors: &RegistryErrors) -> String {
    let text: String = errors.to_string().chars().map(|c| if c.is_control() { ' ' } else { c }).take(400).collect();
    if text.is_empty() { text } else { format!(": {text}") }
}

fn until(retry_after: &Option<Duration>) -> String {
    retry_after.map_or_else(String::new, |after| format!("; try again in {} s", after.as_secs()))
}
