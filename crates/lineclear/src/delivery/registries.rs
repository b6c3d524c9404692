//! Reaching the registries that images come from and go to, with rights that no job has.
//!
//! The embedded registry is served inside of this process, on a port of its own, to whoever knows a password that is made anew each time
//! and never leaves the process. Other registries are talked to with the release logins that are kept for the repository, and else with those of
//! whoever runs Lineclear: jobs have a configuration of their own, and see neither.

use std::fmt;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use lineclear_deliver::{Proofs, RegistryShelf, ShelfError};
use lineclear_oci::{Digest, Reference, RegistryHost, RepositoryName, Tag};
use lineclear_policy::RegistryPolicy;
use lineclear_registry::credentials::{CredentialSource, DockerConfig};
use lineclear_registry::{Client, ClientSettings, Credentials};
use lineclear_registry_server::{Deed, Denial, Registry, Settings};
use lineclear_services::{Doorkeeper, Limits, RegistryServer, RegistryServerConfig, Visitor};
use lineclear_store::Images;
use lineclear_store_folder::FolderStore;

use super::Ended;
use crate::output;
use crate::release_logins::ReleaseLogins;
use crate::session::forge_choice::ForgeAsked;
use crate::session::registry::{RegistryArgs, RunRegistry};
use crate::settings;

/// The engine's name at its own door.
const ENGINE: &str = "lineclear";

/// All registries, none of which is called before it is needed.
pub(crate) struct Registries {
    store: Arc<FolderStore>,
    names: RunRegistry,
    authfile: Option<PathBuf>,
    logins: Mutex<ReleaseLogins>,
    own: OnceLock<Own>,
}

/// The embedded registry, served to this process.
struct Own {
    host: RegistryHost,
    password: String,
    _server: RegistryServer,
}

impl fmt::Debug for Registries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registries").field("names", &self.names).finish_non_exhaustive()
    }
}

impl Registries {
    pub(crate) fn new(
        args: &RegistryArgs,
        policy: &RegistryPolicy,
        store: &Arc<FolderStore>,
        authfile: Option<&Path>,
        logins: ReleaseLogins,
    ) -> Result<Self, Ended> {
        if let Some(file) = authfile.filter(|file| !file.is_file()) {
            return Err(Ended::input(format!("there is no file `{}`", file.display())));
        }
        let names = RunRegistry::of(args, policy, &ForgeAsked::Local, store)?;
        Ok(Self {
            store: store.clone(),
            names,
            authfile: authfile.map(Path::to_owned),
            logins: Mutex::new(logins),
            own: OnceLock::new(),
        })
    }

    /// The repository of the embedded registry that `name` leads to; `None` when it is one of another registry.
    pub(crate) fn embedded(&self, name: &Reference) -> Option<RepositoryName> {
        // The address does not matter: only where the name leads to is looked at.
        Some(self.names.routes("127.0.0.1:1").apply(name)?.repository().clone())
    }

    /// What a tag of the embedded registry stands for.
    pub(crate) fn tag(&self, repository: &RepositoryName, tag: &Tag) -> Option<Digest> {
        self.store.tag(repository, tag).ok().flatten()
    }

    /// The tags of a repository of the embedded registry.
    pub(crate) fn tags(&self, repository: &RepositoryName) -> Vec<Tag> {
        self.store.tags(repository).ok().flatten().unwrap_or_default()
    }

    /// Whether a digest is in a repository of the embedded registry.
    pub(crate) fn keeps(&self, repository: &RepositoryName, digest: &Digest) -> bool {
        matches!(self.store.manifest_facts(repository, digest), Ok(Some(_)))
    }

    /// Where `digest` is, that was pushed under these names: the embedded registry first.
    pub(crate) fn find(&self, names: &[String], digest: &Digest) -> Option<Place> {
        let bare = |name: &str| {
            let name = name.split('@').next().unwrap_or(name);
            match name.rsplit_once(':') {
                Some((before, tag)) if !tag.contains('/') => before.to_owned(),
                _ => name.to_owned(),
            }
        };
        let mut elsewhere = None;
        for name in names.iter().map(|name| bare(name)) {
            let reference = Reference::parse(&name).ok();
            // As it is called there, as it leads there, and as runs call it by an address that ends with them.
            let here = [
                RepositoryName::parse(&name).ok(),
                reference.as_ref().and_then(|name| self.embedded(name)),
                reference.as_ref().filter(|name| name.registry().is_loopback()).map(|name| name.repository().clone()),
            ];
            if let Some(repository) = here.into_iter().flatten().find(|repository| self.keeps(repository, digest)) {
                return Some(Place::Embedded(repository));
            }
            elsewhere = elsewhere.or(reference);
        }
        elsewhere.map(Place::Elsewhere)
    }

    /// The place that a name leads to.
    pub(crate) fn place(&self, name: &Reference) -> Place {
        match self.embedded(name) {
            Some(repository) => Place::Embedded(repository),
            None => Place::Elsewhere(name.bare()),
        }
    }

    /// The release repository, for an image that is at `from` and is to have these proofs. Nobody is called yet.
    pub(crate) fn shelf(&self, to: &Place, from: Option<&Place>, proofs: Proofs) -> Result<RegistryShelf, ShelfError> {
        // Reached first: with that comes the password for the embedded one.
        let (to, from) = (self.reach(to)?, from.map(|from| self.reach(from)).transpose()?);
        Ok(RegistryShelf { carrier: self.client()?, tagger: self.client()?, to, from, proofs })
    }

    /// A client with all rights that there are.
    pub(crate) fn client(&self) -> Result<Client, ShelfError> {
        let mut sources: Vec<Box<dyn CredentialSource>> = Vec::new();
        if let Some(own) = self.own.get() {
            let credentials = Credentials::basic(ENGINE, own.password.clone());
            sources.push(Box::new(std::collections::BTreeMap::from([(own.host.clone(), credentials)])));
        }
        match &self.authfile {
            Some(file) => sources.push(Box::new(DockerConfig::at(file))),
            None => {
                let kept = self.logins.lock().unwrap_or_else(PoisonError::into_inner).credentials();
                sources.push(Box::new(kept.map_err(ShelfError::Other)?));
                sources.push(Box::new(DockerConfig::of_user(|name| std::env::var(name).ok())));
            }
        }
        let settings = ClientSettings { credentials: Arc::new(sources), ..ClientSettings::default() };
        Client::new(settings).map_err(|error| ShelfError::Other(lineclear_event::with_causes(&error)))
    }

    /// The name under which a place is reached.
    pub(crate) fn reach(&self, place: &Place) -> Result<Reference, ShelfError> {
        match place {
            Place::Elsewhere(name) => Ok(name.bare()),
            Place::Embedded(repository) => Ok(Reference::new(self.own()?.host.clone(), repository.clone())),
        }
    }

    fn own(&self) -> Result<&Own, ShelfError> {
        if let Some(own) = self.own.get() {
            return Ok(own);
        }
        let cannot = |why: String| ShelfError::Other(format!("cannot serve the embedded registry: {why}"));
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| cannot(error.to_string()))?;
        let mut random = [0; 32];
        getrandom::fill(&mut random).map_err(|error| cannot(error.to_string()))?;
        let password = Digest::of(&random).hex().to_owned();
        let config = RegistryServerConfig {
            registry: Registry::new(self.store.clone(), Settings::default()),
            door: Arc::new(EngineDoor { password: password.clone() }),
            clock: Arc::new(settings::now),
            limits: Limits::default(),
            warn: Arc::new(|message: &str| output::complain(&format!("warning: {message}"))),
        };
        let server =
            RegistryServer::start(listener, config).map_err(|error| cannot(lineclear_event::with_causes(&error)))?;
        let host = RegistryHost::parse(&server.address().to_string()).map_err(|error| cannot(error.to_string()))?;
        Ok(self.own.get_or_init(|| Own { host, password, _server: server }))
    }
}

/// Where an image is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a repository of the embedded registry.
    Embedded(RepositoryName),
    Elsewhere(Reference),
}

impl Place {
    /// As people call it, with the digest.
    pub(crate) fn with(&self, digest: &Digest) -> String {
        match self {
            Self::Embedded(repository) => format!("{repository}@{digest}"),
            Self::Elsewhere(name) => name.only_at(digest.clone()).to_string(),
        }
    }
}

/// Lets in the process itself, and nobody else.
struct EngineDoor {
    password: String,
}

impl fmt::Debug for EngineDoor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EngineDoor")
    }
}

impl Doorkeeper for EngineDoor {
    fn knows(&self, user: &str, password: &str) -> bool {
        // Hashes are compared, so the time that it takes says nothing of the password.
        user == ENGINE && Digest::of(password.as_bytes()) == Digest::of(self.password.as_bytes())
    }

    fn may(&self, visitor: &Visitor, _: Deed, _: &RepositoryName) -> Result<(), Denial> {
        match visitor {
            Visitor::User(_) => Ok(()),
            Visitor::Anonymous => Err(Denial::WhoAsks),
        }
    }

    fn is_open(&self) -> bool {
        false
    }

    fn lets_anonymous_in(&self) -> bool {
        false
    }
}
