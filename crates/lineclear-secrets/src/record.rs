//! What a store holds, decrypted.

use std::collections::BTreeMap;

use crate::error::SecretsError;
use crate::name::{LARGEST_VALUE, Name};
use crate::scope::{Place, Scope};
use crate::seal;
use crate::text::SecretText;

/// Which context a record belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `secrets`: hidden in every output.
    Secret,
    /// `vars`: open to be shown.
    Variable,
}

impl Kind {
    /// `secret` or `variable`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Variable => "variable",
        }
    }
}

/// One secret or variable.
#[derive(Clone, Debug)]
pub struct Entry {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) scope: Scope,
    pub(crate) name: Name,
    pub(crate) revision: u64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) value: SecretText,
    /// As it stands in the file; `None` once it is to be written anew.
    pub(crate) sealed: Option<Sealed>,
}

/// A value under its data key, and that key under the master key.
#[derive(Clone, Debug)]
pub(crate) struct Sealed {
    pub(crate) key: Vec<u8>,
    pub(crate) value: Vec<u8>,
}

impl Entry {
    /// A name of 16 hexadecimal digits that stays when the value changes; a record that is removed and set again has a new one.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether it is a secret or a variable.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Where it counts.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// What it is called.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// How often it was set: 1 at first.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// When it was set first: milliseconds since 1970, UTC.
    pub fn created(&self) -> i64 {
        self.created
    }

    /// When its value was set last: milliseconds since 1970, UTC.
    pub fn updated(&self) -> i64 {
        self.updated
    }

    /// The value.
    pub fn value(&self) -> &SecretText {
        &self.value
    }
}

/// All records of a store, in the order in which they were first set.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    pub(crate) entries: Vec<Entry>,
}

impl Contents {
    /// All of them.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The record of exactly this scope.
    pub fn get(&self, kind: Kind, scope: &Scope, name: &Name) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.is(kind, scope, name))
    }

    /// Sets a value. `now` is in milliseconds since 1970, UTC. Answers whether the record is new.
    ///
    /// # Errors
    /// The value is empty or larger than [`LARGEST_VALUE`].
    pub fn set(
        &mut self,
        kind: Kind,
        scope: Scope,
        name: Name,
        value: SecretText,
        now: i64,
    ) -> Result<bool, SecretsError> {
        let size = value.expose().len();
        if size == 0 {
            return Err(SecretsError::EmptyValue);
        }
        if size > LARGEST_VALUE {
            return Err(SecretsError::TooLarge { size });
        }
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.is(kind, &scope, &name)) {
            entry.revision = entry.revision.saturating_add(1);
            entry.updated = now;
            entry.value = value;
            entry.sealed = None;
            return Ok(false);
        }
        let mut id = [0; 8];
        seal::fill(&mut id)?;
        let id = id.iter().map(|byte| format!("{byte:02x}")).collect();
        let sealed = None;
        self.entries.push(Entry { id, kind, scope, name, revision: 1, created: now, updated: now, value, sealed });
        Ok(true)
    }

    /// Removes a record. Answers whether there was one.
    pub fn remove(&mut self, kind: Kind, scope: &Scope, name: &Name) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| !entry.is(kind, scope, name));
        self.entries.len() < before
    }

    /// The records that a job at `place` sees, one for each name: its environment's before its repository's before the machine's.
    pub fn seen_from(&self, kind: Kind, place: Place<'_>) -> BTreeMap<&str, &Entry> {
        let mut seen: BTreeMap<&str, (u8, &Entry)> = BTreeMap::new();
        for entry in self.entries.iter().filter(|entry| entry.kind == kind) {
            let Some(rank) = entry.scope.rank(place) else { continue };
            let nearest = seen.entry(entry.name.as_str()).or_insert((rank, entry));
            if rank > nearest.0 {
                *nearest = (rank, entry);
            }
        }
        seen.into_iter().map(|(name, (_, entry))| (name, entry)).collect()
    }
}

impl Entry {
    fn is(&self, kind: Kind, scope: &Scope, name: &Name) -> bool {
        self.kind == kind && self.name == *name && self.scope == *scope
    }
}
