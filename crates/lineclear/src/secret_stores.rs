//! The stores of secrets and variables that a command looks into: that of this machine, and one that was named.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lineclear_secrets::{
    Contents, Entry, KeySources, Kind, LastUses, PassphraseCost, Place, RepositoryName, SecretStore, SecretText,
    SecretsError,
};

use crate::local_event::Checkout;
use crate::prompt;
use crate::settings::now;

/// Below the home: the store of this machine, when its records were used, and, in a folder of its own, the key.
const STORE: &str = "secrets/store";
const USES: &str = "secrets/uses";
/// Keys that images are signed with. No job is given anything of it.
const SIGNING_KEYS: &str = "secrets/signing-keys";
/// Logins that images are released with. No job is given anything of it.
const RELEASE_LOGINS: &str = "secrets/release-logins";
const KEY: &str = "keys/secrets";

/// Names a further store, as `--secret-store` does.
pub(crate) const VARIABLE: &str = "LINECLEAR_SECRET_STORE";

/// Where secrets and variables are kept.
#[derive(Debug)]
pub(crate) struct SecretStores {
    home: PathBuf,
    /// A store that was named: it wins over that of the machine.
    named: Option<PathBuf>,
    keys: KeySources,
}

/// What the stores hold, in their order: the later wins within a scope.
#[derive(Debug, Default)]
pub(crate) struct Known {
    contents: Vec<Contents>,
}

/// A record that a job would see.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<'k> {
    pub(crate) entry: &'k Entry,
    /// More wins: scope before store.
    rank: (u8, usize),
}

/// The repository whose secrets count here: a payload cannot ask for those of another.
///
/// # Errors
/// A sentence, where the repository has a name that no store takes.
pub(crate) fn repository_of(checkout: &Checkout) -> Result<RepositoryName, String> {
    RepositoryName::new(&checkout.repository_name()).map_err(|error| error.to_string())
}

impl SecretStores {
    /// The stores below `home` and at `named`. Touches nothing.
    pub(crate) fn new(home: &Path, named: Option<&Path>) -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty()).map(SecretText::new);
        let keys = KeySources {
            key: variable("LINECLEAR_SECRETS_KEY"),
            passphrase: variable("LINECLEAR_SECRETS_PASSPHRASE"),
            key_file: home.join(KEY),
            cost: PassphraseCost::default(),
        };
        Self { home: home.to_owned(), named: named.map(Path::to_owned), keys }
    }

    /// The store that changes are made in: the named one, or that of the machine.
    pub(crate) fn to_change(&self) -> SecretStore {
        SecretStore::new(self.named.clone().unwrap_or_else(|| self.home.join(STORE)), self.keys.clone())
    }

    /// Reads all stores.
    ///
    /// # Errors
    /// One cannot be read, or the one that was named is not there.
    pub(crate) fn read(&mut self) -> Result<Known, String> {
        if let Some(named) = self.named.as_ref().filter(|named| !named.exists()) {
            return Err(format!(
                "there is no store of secrets `{}`; `lineclear secret set --secret-store {0} NAME` makes it",
                named.display()
            ));
        }
        let machine = SecretStore::new(self.home.join(STORE), self.keys.clone());
        let mut contents = vec![self.with_passphrase(|keys| SecretStore::new(machine.path(), keys).read())?];
        if let Some(named) = self.named.clone() {
            contents.push(self.with_passphrase(|keys| SecretStore::new(&named, keys).read())?);
        }
        Ok(Known { contents })
    }

    /// Does `work` with the store to change; where a passphrase is wanted and there is somebody to ask, it is asked for.
    pub(crate) fn with_store<T>(
        &mut self,
        work: impl Fn(&SecretStore) -> Result<T, SecretsError>,
    ) -> Result<T, String> {
        let path = self.to_change().path().to_owned();
        self.with_passphrase(|keys| work(&SecretStore::new(&path, keys)))
    }

    /// Does `work` with the store of keys that images are signed with.
    pub(crate) fn with_signing_keys<T>(
        &mut self,
        work: impl Fn(&SecretStore) -> Result<T, SecretsError>,
    ) -> Result<T, String> {
        let path = self.home.join(SIGNING_KEYS);
        self.with_passphrase(|keys| work(&SecretStore::new(&path, keys)))
    }

    /// Does `work` with the store of logins that images are released with.
    pub(crate) fn with_release_logins<T>(
        &mut self,
        work: impl Fn(&SecretStore) -> Result<T, SecretsError>,
    ) -> Result<T, String> {
        let path = self.home.join(RELEASE_LOGINS);
        self.with_passphrase(|keys| work(&SecretStore::new(&path, keys)))
    }

    fn with_passphrase<T>(&mut self, work: impl Fn(KeySources) -> Result<T, SecretsError>) -> Result<T, String> {
        match work(self.keys.clone()) {
            Err(SecretsError::NoPassphrase { path }) if prompt::is_possible() => {
                let question = format!("Passphrase of {}: ", path.display());
                self.keys.passphrase = Some(SecretText::new(prompt::hidden(&question)?));
                work(self.keys.clone())
            }
            other => other,
        }
        .map_err(|error| lineclear_event::with_causes(&error))
    }

    /// When records were used last.
    pub(crate) fn uses(&self) -> LastUses {
        LastUses::new(self.home.join(USES))
    }

    /// Remembers that a run was given these records. Nothing depends on it, so nothing stops where it cannot be kept.
    pub(crate) fn remember(&self, used: &[&Entry]) -> Result<(), String> {
        let uses = self.uses();
        uses.record(used.iter().map(|entry| entry.id()), now().0).map_err(|error| lineclear_event::with_causes(&error))
    }
}

impl Known {
    /// All records of the stores.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.contents.iter().flat_map(Contents::entries)
    }

    /// What a job of this environment sees, by name.
    pub(crate) fn seen_from(
        &self,
        kind: Kind,
        repository: &RepositoryName,
        environment: Option<&str>,
    ) -> BTreeMap<&str, Found<'_>> {
        let place = Place { repository, environment };
        let mut seen: BTreeMap<&str, Found<'_>> = BTreeMap::new();
        for (store, contents) in self.contents.iter().enumerate() {
            for (name, entry) in contents.seen_from(kind, place) {
                let Some(scope) = entry.scope().rank(place) else { continue };
                let found = Found { entry, rank: (scope, store) };
                if seen.get(name).is_none_or(|known| known.rank < found.rank) {
                    seen.insert(name, found);
                }
            }
        }
        seen
    }

    /// The environments of a repository that have records, as they are written, each once.
    pub(crate) fn environments(&self, repository: &RepositoryName) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for entry in self.entries().filter(|entry| entry.scope().repository() == Some(repository)) {
            if let Some(name) = entry.scope().environment_name()
                && !names.iter().any(|known| known.to_lowercase() == name.to_lowercase())
            {
                names.push(name);
            }
        }
        names
    }
}
