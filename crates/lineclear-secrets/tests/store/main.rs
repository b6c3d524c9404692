//! Stores as files: what they keep, what they notice, and what they survive.

mod damage;
mod keep;
mod keys;

use std::path::PathBuf;

use lineclear_secrets::{
    Contents, KeySources, Kind, Name, PassphraseCost, RepositoryName, Scope, SecretStore, SecretText, SecretsError,
};

/// A folder for one test, and stores in it.
pub(crate) struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Sources with only the key file.
    pub(crate) fn sources(&self) -> KeySources {
        KeySources {
            key: None,
            passphrase: None,
            key_file: self.path("keys/key"),
            cost: PassphraseCost { memory_kib: 64, passes: 1, lanes: 1 },
        }
    }

    pub(crate) fn store(&self) -> SecretStore {
        SecretStore::new(self.path("secrets/store"), self.sources())
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        std::fs::read(self.path("secrets/store")).expect("the store is there")
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.bytes()).expect("a store is text")
    }

    pub(crate) fn put(&self, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path("secrets/store"), bytes).expect("written");
    }
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

pub(crate) fn repository(text: &str) -> RepositoryName {
    RepositoryName::new(text).expect("a repository")
}

pub(crate) fn environment(name: &str) -> Scope {
    Scope::environment(repository("octo/app"), name).expect("an environment")
}

pub(crate) fn set(
    store: &SecretStore,
    scope: Scope,
    called: &str,
    value: &str,
    now: i64,
) -> Result<bool, SecretsError> {
    store.change(|contents| contents.set(Kind::Secret, scope, name(called), SecretText::new(value.to_owned()), now))
}

/// `NAME=VALUE` of all records, in order.
pub(crate) fn shown(contents: &Contents) -> Vec<String> {
    let show = |entry: &lineclear_secrets::Entry| format!("{}={}", entry.name(), entry.value().expose());
    contents.entries().iter().map(show).collect()
}
