//! What is looked through: an image in a registry or the engine, an archive, a folder, a list of contents.

use std::path::Path;

use lineclear_deliver::inventory::{self, InventoryError};
use lineclear_event::with_causes;
use lineclear_oci::{Digest, Platform, Reference};
use lineclear_registry::Client;
use lineclear_runner::native::{Call, NativeError};
use lineclear_sbom::{Inventory, read_document};

use crate::images::client::{Place, watched};
use crate::images::{docker_config, sbom};

/// Packages, and whether they are known to be those of their digests.
#[derive(Debug)]
pub(super) struct Taken {
    /// One; of an index, one for each of its images.
    pub(super) inventories: Vec<Inventory>,
    /// The digest of the index around them.
    pub(super) index: Option<Digest>,
    /// Whether a registry gave them, so that every byte was held against the digest. An engine's word for a digest is not enough.
    pub(super) is_by_digest: bool,
    pub(super) is_image: bool,
}

impl Taken {
    fn one(inventory: Inventory, is_image: bool) -> Self {
        Self { inventories: vec![inventory], index: None, is_by_digest: false, is_image }
    }
}

fn said(error: &dyn std::error::Error) -> NativeError {
    NativeError(with_causes(error))
}

/// An image by its name. `login` is a user with a password.
pub(super) fn image(call: &mut Call<'_>, name: &str, login: Option<(&str, &str)>) -> Result<Taken, NativeError> {
    one_reference(name)?;
    let place = Place::of(call, name)?;
    let written = Reference::parse(name).map_err(|error| said(&error))?.or_latest();
    let platform = Platform::of_this_machine();
    // Who names a digest or gives a login means the registry; what only this machine has is in its engine.
    let is_of_registry = login.is_some() || place.is_routed || written.digest().is_some();
    if !is_of_registry && let Some(found) = sbom::of_engine(call, &written, &platform)? {
        return Ok(Taken::one(found, true));
    }
    let client = match login {
        Some((user, password)) => place.client_as(call, user, password)?,
        None => {
            let config = docker_config::file(call)?;
            place.client(call, &config)?
        }
    };
    match watched(call, &client, || of_registry(&client, &place.reference, &platform)) {
        Ok(mut taken) => {
            for found in &mut taken.inventories {
                found.subject.name = written.to_string();
            }
            Ok(taken)
        }
        // What was built for the run's registry and not pushed is in the engine alone. After any other answer, and where a digest or a login
        // means the registry, the engine's image of that name may be another: nothing is looked at instead of what was named.
        Err(InventoryError::Registry(error))
            if error.is_not_found() && login.is_none() && place.is_routed && written.digest().is_none() =>
        {
            let Some(found) = sbom::of_engine(call, &written, &platform)? else { return Err(said(&error)) };
            call.effects.log(&format!("Nobody pushed {written}: the engine's is looked at"));
            Ok(Taken::one(found, true))
        }
        Err(error) => Err(said(&error)),
    }
}

fn of_registry(client: &Client, image: &Reference, platform: &Platform) -> Result<Taken, InventoryError> {
    // Looked up once: whoever moves the tag meanwhile does not change what is looked at.
    let pinned = image.at(client.resolve(image)?.digest);
    let taken = |inventories, index| Taken { inventories, index, is_by_digest: true, is_image: true };
    let Some(images) = inventory::images_of(client, &pinned)? else {
        return Ok(taken(vec![inventory::of_registry(client, &pinned, platform)?], None));
    };
    let mut inventories = Vec::new();
    for one in images {
        let of = one.platform.unwrap_or_else(|| platform.clone());
        inventories.push(inventory::of_registry(client, &pinned.at(one.digest), &of)?);
    }
    Ok(taken(inventories, client.resolve(&pinned).map(|found| found.digest).ok()))
}

/// An archive of an image.
pub(super) fn archive(path: &Path) -> Result<Taken, NativeError> {
    let found = inventory::of_archive(path, None, &Platform::of_this_machine(), None).map_err(|error| said(&error))?;
    Ok(Taken::one(found, true))
}

/// A folder, called as the workflow has it: the machine's folders are no business of a report.
pub(super) fn folder(path: &Path, name: &str) -> Result<Taken, NativeError> {
    let mut found = inventory::of_folder(path).map_err(|error| said(&error))?;
    name.clone_into(&mut found.subject.name);
    Ok(Taken::one(found, false))
}

/// A list of contents.
pub(super) fn document(path: &Path, name: &str) -> Result<Taken, NativeError> {
    let bytes = std::fs::read(path).map_err(|error| NativeError(format!("`{name}` cannot be read: {error}")))?;
    let (_, mut found) =
        read_document(&bytes).map_err(|error| NativeError(format!("`{name}`: {}", with_causes(&error))))?;
    if found.subject.name.is_empty() {
        name.clone_into(&mut found.subject.name);
    }
    // What a document says of a digest is its own word.
    found.subject.digest = None;
    Ok(Taken::one(found, false))
}

/// S1-54: a list of tags, as other actions make them, is no image.
fn one_reference(name: &str) -> Result<(), NativeError> {
    let given: Vec<&str> = name.split([',', '\n', '\r', ' ', '\t']).filter(|part| !part.is_empty()).collect();
    match given.as_slice() {
        [] => Err(NativeError("no image is named".into())),
        [_] => Ok(()),
        [first, ..] => Err(NativeError(format!(
            "{} names are given ({first}, …), and one scan is of one image: give its digest, `name@sha256:…`. Tags of one build have the same \
             digest, so one of them is enough",
            given.len()
        ))),
    }
}
