//! Logins at the registries that images are released to: only the engine has them.
//!
//! They lie in a store of their own beside that of the secrets, encrypted as that one is and under the same master key. No job is ever given
//! anything of it: there is no name by which a workflow could ask, and what a job is given is read from other files.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use lineclear_oci::RegistryHost;
use lineclear_registry::Credentials;
use lineclear_secrets::{Entry, Kind, Name, RepositoryName, Scope, SecretStore, SecretText};

use crate::local_event::Checkout;
use crate::secret_stores::{self, SecretStores};
use crate::settings::{self, now};

/// Names of records have letters, digits and `_` only: those of registries are written in hexadecimal digits behind this.
const PREFIX: &str = "REGISTRY_";

/// The logins that are kept for a repository and for this machine.
#[derive(Debug)]
pub(crate) struct ReleaseLogins {
    stores: SecretStores,
    repository: RepositoryName,
}

/// A login, without its password.
#[derive(Debug)]
pub(crate) struct KeptLogin {
    pub(crate) registry: RegistryHost,
    pub(crate) scope: Scope,
    pub(crate) user: String,
    /// Milliseconds since 1970, UTC.
    pub(crate) updated: i64,
}

impl ReleaseLogins {
    /// Those of a repository, below `LINECLEAR_HOME`. Touches nothing.
    pub(crate) fn of(checkout: &Checkout) -> Result<Self, String> {
        Self::for_repository(secret_stores::repository_of(checkout)?)
    }

    /// Those of the repository of this name.
    pub(crate) fn for_repository(repository: RepositoryName) -> Result<Self, String> {
        Ok(Self { stores: SecretStores::new(&settings::home()?, None), repository })
    }

    /// Keeps `login`, which is `USER:PASSWORD`; whether it is a new one.
    pub(crate) fn keep(&mut self, registry: &RegistryHost, scope: &Scope, login: &SecretText) -> Result<bool, String> {
        if parts(login.expose()).is_none() {
            return Err(format!("a login is USER:PASSWORD, and what was given for {registry} is not of that form"));
        }
        let name = name_of(registry)?;
        self.stores.with_release_logins(|store| {
            store.change(|contents| contents.set(Kind::Secret, scope.clone(), name.clone(), login.clone(), now().0))
        })
    }

    /// Removes a login; whether there was one.
    pub(crate) fn remove(&mut self, registry: &RegistryHost, scope: &Scope) -> Result<bool, String> {
        let name = name_of(registry)?;
        self.stores
            .with_release_logins(|store| store.change(|contents| Ok(contents.remove(Kind::Secret, scope, &name))))
    }

    /// All that this repository may release with, by registry.
    pub(crate) fn all(&mut self) -> Result<Vec<KeptLogin>, String> {
        let contents = self.stores.with_release_logins(SecretStore::read)?;
        let kept = |entry: &Entry| {
            let (user, _) = parts(entry.value().expose())?;
            Some(KeptLogin {
                registry: registry_of(entry.name())?,
                scope: entry.scope().clone(),
                user: user.to_owned(),
                updated: entry.updated(),
            })
        };
        let mut all: Vec<KeptLogin> =
            contents.entries().iter().filter(|entry| self.is_ours(entry)).filter_map(kept).collect();
        all.sort_by_key(|login| login.registry.to_string());
        Ok(all)
    }

    /// The credentials for each registry; the repository's own win over those of the machine.
    pub(crate) fn credentials(&mut self) -> Result<BTreeMap<RegistryHost, Credentials>, String> {
        let contents = self.stores.with_release_logins(SecretStore::read)?;
        let mut ours: Vec<&Entry> = contents.entries().iter().filter(|entry| self.is_ours(entry)).collect();
        ours.sort_by_key(|entry| entry.scope().repository().is_some());
        let credentials = ours.into_iter().filter_map(|entry| {
            let (user, password) = parts(entry.value().expose())?;
            Some((registry_of(entry.name())?, Credentials::basic(user, password)))
        });
        Ok(credentials.collect())
    }

    fn is_ours(&self, entry: &Entry) -> bool {
        entry.scope().repository().is_none_or(|of| *of == self.repository)
    }
}

fn parts(login: &str) -> Option<(&str, &str)> {
    login.split_once(':').filter(|(user, password)| !user.is_empty() && !password.is_empty())
}

fn name_of(registry: &RegistryHost) -> Result<Name, String> {
    let mut name = PREFIX.to_owned();
    for byte in registry.to_string().bytes() {
        // Writing to a string cannot fail.
        let _ = write!(name, "{byte:02X}");
    }
    Name::new(&name).map_err(|error| error.to_string())
}

fn registry_of(name: &Name) -> Option<RegistryHost> {
    let digits = name.as_str().strip_prefix(PREFIX)?;
    let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..digits.len()).step_by(2).map(byte).collect();
    RegistryHost::parse(&String::from_utf8(bytes?).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_has_a_name_that_leads_back_to_it() {
        for text in ["ghcr.io", "127.0.0.1:5000", "registry.example.org:443"] {
            let registry = RegistryHost::parse(text).expect("a registry");
            assert_eq!(registry_of(&name_of(&registry).expect("a name")), Some(registry));
        }
        assert_eq!(parts("ann:a:b"), Some(("ann", "a:b")));
        assert!([":x", "ann:", "ann"].iter().all(|text| parts(text).is_none()));
    }
}
