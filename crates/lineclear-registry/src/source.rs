//! Where images come from that are pushed.

use std::io::Read;
use std::path::Path;

use lineclear_oci::{AnyManifest, Descriptor, Digest, MAX_MANIFEST_BYTES, MediaType, Reference};

use crate::{DockerArchive, OciArchive, OciLayout, RegistryClientError};

/// An image, with everything that belongs to it, that can be pushed by [`crate::Client::push_image`].
///
/// Read from several threads at once. What is read is checked by whoever pushes it.
pub trait ImageSource: Sync {
    /// The manifest or index that stands for the whole.
    ///
    /// # Errors
    /// When it cannot be read.
    fn root(&self) -> Result<Descriptor, RegistryClientError>;

    /// A manifest or index that belongs to it, checked against its descriptor.
    ///
    /// # Errors
    /// When it cannot be read, or is not what the descriptor says.
    fn manifest(&self, descriptor: &Descriptor) -> Result<AnyManifest, RegistryClientError>;

    /// The bytes of a blob, from `offset` on. Asked again when a connection breaks.
    ///
    /// # Errors
    /// When it cannot be read.
    fn blob<'a>(&'a self, blob: &Descriptor, offset: u64) -> Result<Box<dyn Read + 'a>, RegistryClientError>;

    /// Whether it has a blob. Layers that may not be distributed are often left out, which is no fault.
    ///
    /// # Errors
    /// When it cannot be said.
    fn has_blob(&self, blob: &Descriptor) -> Result<bool, RegistryClientError>;

    /// What refers to a manifest of it.
    ///
    /// # Errors
    /// When it cannot be said.
    fn referrers(&self, _digest: &Digest) -> Result<Vec<Descriptor>, RegistryClientError> {
        Ok(Vec::new())
    }

    /// The repository that it is in, when that is one: blobs can be mounted from there.
    fn repository(&self) -> Option<&Reference> {
        None
    }
}

/// Opens an image that was built: the folder of an OCI layout, an archive of one, or what `docker save` wrote.
///
/// `name` chooses among several images of one layout: the tag, or the whole name, that they are kept under.
///
/// # Errors
/// When it is none of these, or has several images and `name` does not choose one.
pub fn open_image(path: &Path, name: Option<&str>) -> Result<Box<dyn ImageSource>, RegistryClientError> {
    if path.is_dir() {
        return Ok(Box::new(OciLayout::open(path, name)?));
    }
    match OciArchive::open(path, name)? {
        Some(archive) => Ok(Box::new(archive)),
        None => Ok(Box::new(DockerArchive::open(path, name)?)),
    }
}

/// Reads a manifest of so many bytes and checks it against its descriptor.
pub(crate) fn read_manifest(
    descriptor: &Descriptor,
    what: &str,
    reader: impl Read,
) -> Result<AnyManifest, RegistryClientError> {
    let mut bytes = Vec::new();
    let read = reader.take(MAX_MANIFEST_BYTES as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| RegistryClientError::from_io(error, what))?;
    let mut verifier = lineclear_oci::Verifier::new(descriptor.digest.clone(), Some(descriptor.size));
    let checked = verifier.update(&bytes).and_then(|()| verifier.finish());
    checked.map_err(|source| RegistryClientError::Mismatch { what: what.to_owned(), source })?;
    AnyManifest::read(bytes, Some(&descriptor.media_type))
        .map_err(|source| RegistryClientError::Manifest { what: what.to_owned(), source })
}

/// The image of a layout's `index.json` that `name` chooses.
pub(crate) fn choose(
    index: &lineclear_oci::Index,
    name: Option<&str>,
    path: &Path,
) -> Result<Descriptor, RegistryClientError> {
    use lineclear_oci::annotation::{CONTAINERD_NAME, REF_NAME};
    let not_one = |reason: String| RegistryClientError::NotAnImage { path: path.display().to_string(), reason };
    let names = |entry: &Descriptor| -> Vec<String> {
        [CONTAINERD_NAME, REF_NAME].iter().filter_map(|key| entry.annotations.get(*key).cloned()).collect()
    };
    let fits = |entry: &&Descriptor| name.is_none_or(|name| names(entry).iter().any(|known| known == name));
    let mut found: Vec<&Descriptor> = index.manifests().iter().filter(fits).collect();
    found.dedup_by(|one, other| one.digest == other.digest);
    match found.as_slice() {
        [one] => {
            let media_type = if one.media_type.is_manifest() { one.media_type.clone() } else { MediaType::OciManifest };
            Ok(Descriptor::new(media_type, one.digest.clone(), one.size))
        }
        [] => match name {
            Some(name) => Err(not_one(format!("it has none that is named `{name}`"))),
            None => Err(not_one("its index is empty".to_owned())),
        },
        several => {
            let known: Vec<String> = several.iter().flat_map(|entry| names(entry)).collect();
            Err(not_one(format!("it has {} of them; choose one by its name: {}", several.len(), known.join(", "))))
        }
    }
}
