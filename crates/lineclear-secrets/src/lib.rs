//! Secrets and configuration variables by scope, encrypted at rest.
//!
//! A [`SecretStore`] is one file. It is read whole and replaced whole, under a lock and in one step, so two processes cannot
//! lose each other's changes and a crash leaves the file as it was or as it should be. Start reading at [`SecretStore`];
//! `document` has the file's format, `seal` the cryptography, `key` where the master key comes from.
//!
//! Every record has a data key of its own, which the master key wraps. What a record is about (kind, scope, name, revision,
//! times) is authenticated with its value, and a seal over the whole file notices records that were removed or brought back
//! one by one. What this protects from, and what it does not, is said in `docs/secrets.md`.
//!
//! This crate knows no workflow and no run: it keeps values, and says which of them count in a [`Place`].
#![warn(missing_docs)]

mod document;
mod error;
mod file;
mod key;
mod name;
mod record;
mod scope;
mod seal;
mod store;
mod text;
mod uses;

pub use error::SecretsError;
pub use key::{KeyKind, KeySources, NewKey, PassphraseCost};
pub use name::{LARGEST_VALUE, LONGEST_NAME, Name, NameError};
pub use record::{Contents, Entry, Kind};
pub use scope::{Place, RepositoryName, Scope, ScopeError};
pub use store::SecretStore;
pub use text::SecretText;
pub use uses::LastUses;
