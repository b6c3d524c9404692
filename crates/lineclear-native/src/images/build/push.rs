//! A built image into its registries: by digest, under every name, or not at all.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use lineclear_event::with_causes;
use lineclear_oci::{AnyManifest, Descriptor, Digest};
use lineclear_registry::{ImageSource, RegistryClientError};
use lineclear_runner::native::{Call, NativeError};

use super::layout::Layout;
use crate::images::client::{self, Place};

impl ImageSource for Layout {
    fn root(&self) -> Result<Descriptor, RegistryClientError> {
        Layout::root(self).map(AnyManifest::descriptor).ok_or_else(|| missing("the image"))
    }

    fn manifest(&self, descriptor: &Descriptor) -> Result<AnyManifest, RegistryClientError> {
        let found = self.manifests.iter().find(|manifest| *manifest.digest() == descriptor.digest);
        found.cloned().ok_or_else(|| missing(descriptor.digest.short()))
    }

    fn blob<'a>(&'a self, blob: &Descriptor, offset: u64) -> Result<Box<dyn Read + 'a>, RegistryClientError> {
        let path = Layout::blob(self, &blob.digest);
        let open = || {
            let mut file = File::open(&path)?;
            file.seek(SeekFrom::Start(offset))?;
            Ok(file)
        };
        let file = open().map_err(|source| RegistryClientError::Source { what: path.display().to_string(), source })?;
        Ok(Box::new(file))
    }

    fn has_blob(&self, blob: &Descriptor) -> Result<bool, RegistryClientError> {
        Ok(Layout::blob(self, &blob.digest).is_file())
    }
}

fn missing(what: &str) -> RegistryClientError {
    RegistryClientError::NotAnImage { path: "the built image".to_owned(), reason: format!("{what} is not in it") }
}

/// Where the image goes, and whether it gets a tag there.
#[derive(Clone, Debug)]
pub(crate) struct Destination {
    pub(crate) place: Place,
    /// Without a tag: by its digest only.
    pub(crate) is_by_digest: bool,
}

/// Refuses before anything is built what the job has no right to push.
///
/// # Errors
/// With the permission that is missing.
pub(crate) fn may_push(call: &Call<'_>, destinations: &[Destination]) -> Result<(), NativeError> {
    let granted = call.caller.permissions.get("packages").map_or("none", String::as_str);
    match destinations.iter().find(|destination| destination.place.is_routed) {
        Some(destination) if granted != "write" => Err(NativeError(refusal(&destination.place.name, granted))),
        _ => Ok(()),
    }
}

fn refusal(name: &str, granted: &str) -> String {
    format!(
        "cannot push `{name}`: that needs `permissions: packages: write`, and this job has `packages: {granted}`. Grant it to the \
         job, or build with `push: false`; a pull request from a fork never gets it"
    )
}

/// Pushes the image everywhere. What is there already does not travel again.
///
/// # Errors
/// The first destination that does not take it: what was wrong and what to do.
pub(crate) fn push(
    call: &mut Call<'_>,
    layout: &Layout,
    destinations: &[Destination],
    config: &Path,
) -> Result<(), NativeError> {
    for destination in destinations {
        let place = &destination.place;
        let digest: Digest = match Layout::root(layout) {
            Some(root) => root.digest().clone(),
            None => return Err(NativeError("there is no image to push".to_owned())),
        };
        let to =
            if destination.is_by_digest { place.reference.only_at(digest.clone()) } else { place.reference.clone() };
        let client = place.client(call, config)?;
        let pushed = client::watched(call, &client, || client.push_image(layout, &to));
        let pushed = pushed.map_err(|error| explain(call, place, &error))?;
        let at = if place.is_routed { format!(" (kept at {})", to.familiar()) } else { String::new() };
        let there = pushed.existed + pushed.mounted;
        call.effects.log(&format!(
            "Pushed {}@{digest}{at}: {} blobs, {} bytes; {there} were there",
            place.name, pushed.transferred, pushed.bytes
        ));
    }
    Ok(())
}

fn explain(call: &Call<'_>, place: &Place, error: &RegistryClientError) -> NativeError {
    let name = &place.name;
    let told = with_causes(error);
    NativeError(match error {
        RegistryClientError::Denied { .. } | RegistryClientError::Unauthorized { .. } if place.is_routed => {
            match call.caller.permissions.get("packages").map_or("none", String::as_str) {
                // It has the right: what is in the way is what the registry says.
                "write" => format!("cannot push `{name}`: {told}"),
                granted => format!("{}: {told}", refusal(name, granted)),
            }
        }
        RegistryClientError::Denied { .. } | RegistryClientError::Unauthorized { .. } => format!(
            "cannot push `{name}`: {told}. Log in with docker/login-action before; a job's token needs `permissions: packages: write`"
        ),
        _ => format!("cannot push `{name}`: {told}"),
    })
}
