//! Where an image's name leads: what runs pushed lies in the embedded registry, under the names of others; all else in its own.

use std::sync::Arc;

use lineclear_event::with_causes;
use lineclear_oci::{Reference, Tag};
use lineclear_registry::Client;
use lineclear_store_folder::FolderStore;

use super::Failure;
use super::connection::ConnectionArgs;
use crate::delivery::registries::{Place, Registries};
use crate::local_event::Checkout;
use crate::release_logins::ReleaseLogins;
use crate::session::prepare::Stopped;
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
        let (client, at, registries, lacks) = match embedded(name)? {
            Embedded::There(client, at, registries) => (*client, at, Some(*registries), None),
            Embedded::Lacks(sentence) => (connection.client()?, name.clone(), None, Some(sentence)),
            Embedded::Unknown => (connection.client()?, name.clone(), None, None),
        };
        let digest = match (client.resolve(&at), lacks) {
            (Ok(resolved), _) => resolved.digest,
            (Err(error), None) => return Err(error.into()),
            // Most likely it was meant there: what the other registry says comes second.
            (Err(error), Some(lacks)) => return Err(Failure::Refused(format!("{lacks}; {}", with_causes(&error)))),
        };
        Ok(Self { client, at: at.at(digest.clone()), name: name.at(digest), _registries: registries })
    }
}

/// What the embedded registry has of a name.
enum Embedded {
    There(Box<Client>, Reference, Box<Registries>),
    /// The repository, and not this tag or digest of it; a sentence.
    Lacks(String),
    Unknown,
}

fn embedded(name: &Reference) -> Result<Embedded, Failure> {
    // Outside of any repository no run has pushed anything.
    let Ok(here) = std::env::current_dir() else { return Ok(Embedded::Unknown) };
    let checkout = Checkout::find(&here);
    let policy = policy_file::read(&checkout.root).map_err(Failure::Input)?.policy.registry;
    let home = settings::home().map_err(Failure::Input)?;
    let store = FolderStore::open(home).map_err(|error| {
        Failure::Engine(Stopped::unusable_home(&error).message.unwrap_or_else(|| with_causes(&error)))
    })?;
    let store = Arc::new(store);
    let logins = ReleaseLogins::of(&checkout).map_err(Failure::Input)?;
    let registries = Registries::new(&RegistryArgs::default(), &policy, &store, None, logins)
        .map_err(|ended| Failure::Input(ended.message.unwrap_or_default()))?;
    let Some(repository) = registries.embedded(name) else { return Ok(Embedded::Unknown) };
    let is_there = match (name.digest(), name.tag()) {
        (Some(digest), _) => registries.keeps(&repository, digest),
        (None, Some(tag)) => registries.tag(&repository, tag).is_some(),
        (None, None) => false,
    };
    if !is_there {
        let tags = registries.tags(&repository);
        return Ok(match (tags.as_slice(), name.digest(), name.tag()) {
            ([], ..) | (_, None, None) => Embedded::Unknown,
            (_, Some(digest), _) => Embedded::Lacks(format!("`{repository}` of the embedded registry has no {digest}")),
            (tags, None, Some(tag)) => Embedded::Lacks(format!(
                "`{repository}` of the embedded registry has no tag `{tag}`; it has: {}",
                shown(tags)
            )),
        });
    }
    let said = |error: lineclear_deliver::ShelfError| Failure::Input(with_causes(&error));
    let place = registries.reach(&Place::Embedded(repository)).map_err(said)?;
    let place = match (name.digest(), name.tag()) {
        (Some(digest), _) => place.only_at(digest.clone()),
        (None, Some(tag)) => place.tagged(tag.clone()),
        (None, None) => place,
    };
    Ok(Embedded::There(Box::new(registries.client().map_err(said)?), place, Box::new(registries)))
}

/// The first of them.
fn shown(tags: &[Tag]) -> String {
    const MOST: usize = 10;
    let named: Vec<String> = tags.iter().take(MOST).map(ToString::to_string).collect();
    let more = if tags.len() > MOST { format!(" and {} more", tags.len() - MOST) } else { String::new() };
    format!("{}{more}", named.join(", "))
}
