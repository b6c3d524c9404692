//! Where an image's name leads: what runs pushed lies in the embedded registry, under the names of others; all else in its own.

use std::sync::Arc;

use lineclear_event::with_causes;
use lineclear_oci::Reference;
use lineclear_registry::Client;
use lineclear_store_folder::FolderStore;

use super::Failure;
use super::connection::ConnectionArgs;
use crate::delivery::registries::{Place, Registries};
use crate::local_event::Checkout;
use crate::release_logins::ReleaseLogins;
use crate::session::registry::RegistryArgs;
use crate::{policy_file, settings};

/// An image, and who is asked for it.
#[derive(Debug)]
pub(in crate::command) struct Reached {
    pub(super) client: Client,
    /// Where it is, with its digest: whoever moves the tag meanwhile does not move what is read.
    pub(super) at: Reference,
    /// As people call it, with its digest.
    pub(in crate::command) name: Reference,
    /// The embedded registry is served as long as this is there.
    _registries: Option<Registries>,
}

impl Reached {
    /// Looks `name` up once: in the embedded registry, if it has it under this name, else where the name says.
    pub(in crate::command) fn of(name: &Reference, connection: &ConnectionArgs) -> Result<Self, Failure> {
        let (client, at, registries) = match embedded(name)? {
            Some((client, at, registries)) => (client, at, Some(registries)),
            None => (connection.client()?, name.clone(), None),
        };
        let digest = client.resolve(&at)?.digest;
        Ok(Self { client, at: at.at(digest.clone()), name: name.at(digest), _registries: registries })
    }
}

fn embedded(name: &Reference) -> Result<Option<(Client, Reference, Registries)>, Failure> {
    // Outside of any repository no run has pushed anything.
    let Ok(here) = std::env::current_dir() else { return Ok(None) };
    let checkout = Checkout::find(&here);
    let policy = policy_file::read(&checkout.root).map_err(Failure::Input)?.policy.registry;
    let home = settings::home().map_err(Failure::Input)?;
    let store = Arc::new(FolderStore::open(home).map_err(|error| Failure::Input(with_causes(&error)))?);
    let logins = ReleaseLogins::of(&checkout).map_err(Failure::Input)?;
    let registries = Registries::new(&RegistryArgs::default(), &policy, &store, None, logins)
        .map_err(|ended| Failure::Input(ended.message.unwrap_or_default()))?;
    let Some(repository) = registries.embedded(name) else { return Ok(None) };
    let is_there = match (name.digest(), name.tag()) {
        (Some(digest), _) => registries.keeps(&repository, digest),
        (None, Some(tag)) => registries.tag(&repository, tag).is_some(),
        (None, None) => false,
    };
    if !is_there {
        return Ok(None);
    }
    let said = |error: lineclear_deliver::ShelfError| Failure::Input(with_causes(&error));
    let place = registries.reach(&Place::Embedded(repository)).map_err(said)?;
    let place = match (name.digest(), name.tag()) {
        (Some(digest), _) => place.only_at(digest.clone()),
        (None, Some(tag)) => place.tagged(tag.clone()),
        (None, None) => place,
    };
    Ok(Some((registries.client().map_err(said)?, place, registries)))
}
