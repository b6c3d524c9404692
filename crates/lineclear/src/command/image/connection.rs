//! How registries are reached: arguments that all commands about images share.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use lineclear_oci::RegistryHost;
use lineclear_registry::credentials::DockerConfig;
use lineclear_registry::{Client, ClientSettings, Progress, Protocol};

use super::Failure;

/// How registries are reached.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionArgs {
    /// Talk to this registry without encryption (registries of this machine are, by default).
    #[arg(long, value_name = "HOST")]
    plain_http: Vec<RegistryHost>,

    /// Talk to this registry with encryption, although it is of this machine.
    #[arg(long, value_name = "HOST")]
    tls: Vec<RegistryHost>,

    /// Take any certificate of this registry: whoever sits on the line can read credentials and change tags.
    #[arg(long, value_name = "HOST")]
    no_verify: Vec<RegistryHost>,

    /// Also trust the authorities in this file (PEM).
    #[arg(long, value_name = "FILE")]
    ca: Vec<PathBuf>,

    /// Take credentials from this file, of the form of Docker's `config.json`, instead of those of the user.
    #[arg(long, value_name = "FILE")]
    authfile: Option<PathBuf>,
}

impl ConnectionArgs {
    /// A client that tells nobody what it does.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        self.client_telling(None)
    }

    pub(super) fn client_telling(&self, progress: Option<Arc<dyn Progress>>) -> Result<Client, Failure> {
        let credentials: Arc<dyn lineclear_registry::credentials::CredentialSource> = match &self.authfile {
            Some(file) if !file.is_file() => {
                return Err(Failure::Input(format!("there is no file `{}`", file.display())));
            }
            Some(file) => Arc::new(DockerConfig::at(file)),
            None => Arc::new(DockerConfig::of_user(|name| std::env::var(name).ok())),
        };
        let each = |hosts: &[RegistryHost], protocol| -> Vec<(RegistryHost, Protocol)> {
            hosts.iter().map(|host| (host.clone(), protocol)).collect()
        };
        let protocols = [
            each(&self.plain_http, Protocol::Http),
            each(&self.tls, Protocol::Https),
            each(&self.no_verify, Protocol::HttpsUnverified),
        ];
        let settings = ClientSettings {
            credentials,
            protocols: protocols.concat().into_iter().collect(),
            authorities: self.ca.clone(),
            progress,
            ..ClientSettings::default()
        };
        Client::new(settings).map_err(|error| Failure::Input(lineclear_event::with_causes(&error)))
    }
}
