//! Where the bytes of an inventory come from: a registry, an archive, a layout, a folder. And where its document goes: beside the image.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use lineclear_oci::{
    AnyManifest, Descriptor, Digest, Manifest, ManifestParts, MediaType, Platform, Reference, Verifier,
};
use lineclear_registry::{Client, ImageSource, RegistryClientError, SavedImage, open_image};
use lineclear_sbom::{Described, DocumentFormat, Inventory, Limits, ReadError, Reader};

/// Folders of a folder that are no one's sources: the histories of version control.
const NOT_CONTENTS: [&str; 3] = [".git", ".hg", ".svn"];
/// Deeper folders are not looked into.
const MAX_DEPTH: usize = 128;
/// The annotation of a layer that says the name of its file.
const TITLE: &str = "org.opencontainers.image.title";
/// Indexes in indexes.
const MAX_INDEXES: usize = 8;

/// Why there is no inventory, or no document beside an image.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    #[error(transparent)]
    Registry(#[from] RegistryClientError),
    #[error("`{name}` cannot be read")]
    Read { name: String, source: ReadError },
    #[error("the folder `{}` cannot be read", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error("`{name}` is no image: it is an artifact of the type `{kind}`")]
    NotAnImage { name: String, kind: String },
    #[error("`{name}` has no image for {wanted}; it has {offered}; choose one with `--platform`")]
    NoPlatform { name: String, wanted: String, offered: String },
    #[error("`{name}` has an index in it ({inner}); name that one by its digest, or a platform with `--platform`")]
    Nested { name: String, inner: String },
}

/// The inventory of the image that a registry has for a platform. The layers stream through and are verified by their digests.
///
/// # Errors
/// What the registry refuses, a layer that is none.
pub fn of_registry(client: &Client, image: &Reference, platform: &Platform) -> Result<Inventory, InventoryError> {
    let found = client.image(image, platform)?;
    let name = image.familiar();
    let subject = Described {
        name: image.to_string(),
        digest: Some(found.manifest.digest().to_string()),
        platform: Some(found.config.platform().normalised().to_string()),
    };
    read_layers(&name, &found.manifest, subject, |layer| Ok(Box::new(client.blob_reader(image, layer, 0))))
}

/// The inventory of an image in the folder of an OCI layout, in an archive of one, or in one that `docker save` wrote. `known` is the
/// digest by which registries know what `docker save` wrote: such an archive does not say it.
///
/// # Errors
/// When it is no image, has several and `name` does not choose one, or has none for the platform.
pub fn of_archive(
    path: &Path,
    name: Option<&str>,
    platform: &Platform,
    known: Option<&Digest>,
) -> Result<Inventory, InventoryError> {
    let shown = name.map_or_else(|| path.display().to_string(), str::to_owned);
    if path.is_file()
        && let Some(saved) = SavedImage::open(path, name)?
    {
        let mut reader = Reader::of_image(Limits::default());
        for layer in saved.layers() {
            let (id, bytes) = layer?;
            let verified = Verified { inner: bytes, verifier: Some(Verifier::new(id.clone(), None)) };
            let read = reader.layer(&id.to_string(), verified);
            read.map_err(|source| InventoryError::Read { name: shown.clone(), source })?;
        }
        let platform = Some(saved.config().platform().normalised().to_string());
        return Ok(reader.finish(Described { name: shown, digest: known.map(ToString::to_string), platform }));
    }
    let image = open_image(path, name)?;
    let manifest = choose(&*image, platform, &shown)?;
    let config = image.blob(manifest.config(), 0).ok().and_then(|bytes| {
        let mut config = Vec::new();
        bytes.take(lineclear_oci::MAX_CONFIG_BYTES as u64).read_to_end(&mut config).ok()?;
        lineclear_oci::ImageConfig::read(&config).ok()
    });
    let subject = Described {
        name: shown.clone(),
        digest: Some(manifest.digest().to_string()),
        platform: config.map(|config| config.platform().normalised().to_string()),
    };
    read_layers(&shown, &manifest, subject, |layer| {
        let inner = image.blob(layer, 0)?;
        Ok(Box::new(Verified { inner, verifier: Some(Verifier::new(layer.digest.clone(), Some(layer.size))) }))
    })
}

/// The inventory of a folder: what lock files ask for, and what is installed in it. Links are not followed; what may not be read is said.
///
/// # Errors
/// When the folder itself cannot be read, or has more in it than any should.
pub fn of_folder(folder: &Path) -> Result<Inventory, InventoryError> {
    let mut reader = Reader::of_folder(Limits::default());
    let mut unread = Vec::new();
    let fail = |source| InventoryError::Folder { path: folder.to_owned(), source };
    let mut left = vec![(folder.to_owned(), String::new(), 0)];
    while let Some((path, inside, depth)) = left.pop() {
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(source) if inside.is_empty() => return Err(fail(source)),
            Err(error) => {
                unread.push((inside, format!("it cannot be opened: {error}")));
                continue;
            }
        };
        for entry in entries {
            let entry = entry.map_err(fail)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let inside = if inside.is_empty() { name.clone() } else { format!("{inside}/{name}") };
            let kind = match entry.file_type() {
                Ok(kind) => kind,
                Err(error) => {
                    unread.push((inside, format!("it cannot be opened: {error}")));
                    continue;
                }
            };
            if kind.is_dir() {
                match depth < MAX_DEPTH {
                    _ if NOT_CONTENTS.contains(&name.as_str()) => {}
                    true => left.push((entry.path(), inside, depth + 1)),
                    false => unread.push((inside, format!("folders below the {MAX_DEPTH}th are not looked into"))),
                }
            } else if kind.is_file() {
                match File::open(entry.path()) {
                    Ok(file) => reader
                        .file(&inside, file)
                        .map_err(|source| InventoryError::Read { name: folder.display().to_string(), source })?,
                    Err(error) => unread.push((inside, format!("it cannot be opened: {error}"))),
                }
            }
        }
    }
    let subject = Described { name: folder.display().to_string(), ..Described::default() };
    let mut inventory = reader.finish(subject);
    let each = unread.into_iter();
    inventory.unread.extend(each.map(|(path, why)| lineclear_sbom::Unread { path, layer: None, why }));
    inventory.settle();
    Ok(inventory)
}

/// The images that an index has, in its order and without attestations; `None` when the name stands for one image.
///
/// # Errors
/// What the registry refuses, and an index in the index: which platforms it is for is said nowhere.
pub fn images_of(client: &Client, image: &Reference) -> Result<Option<Vec<Descriptor>>, InventoryError> {
    let AnyManifest::Index(index) = client.manifest(image)? else { return Ok(None) };
    let images = index
        .manifests()
        .iter()
        .filter(|entry| !entry.is_buildkit_attestation() && !entry.platform.as_ref().is_some_and(Platform::is_unknown));
    images
        .map(|entry| match client.child(image, entry)? {
            AnyManifest::Image(_) => Ok(entry.clone()),
            AnyManifest::Index(_) => {
                Err(InventoryError::Nested { name: image.familiar(), inner: entry.digest.to_string() })
            }
        })
        .collect::<Result<Vec<Descriptor>, InventoryError>>()
        .map(Some)
}

/// A document to put beside an image.
#[derive(Clone, Debug)]
pub struct Document<'a> {
    /// The name of the file that it is pulled as; of one of several.
    pub file: Option<String>,
    pub bytes: &'a [u8],
}

/// Puts documents beside the image or the index of a digest, all in one referrer of the format's type; answers that one's digest. Putting
/// the same there again changes nothing.
///
/// # Errors
/// What the registry refuses.
///
/// # Source
/// The image specification, `annotations.md`: the title of a layer is the name of its file.
pub fn attach(
    client: &Client,
    image: &Reference,
    subject: &Descriptor,
    format: DocumentFormat,
    documents: &[Document<'_>],
) -> Result<Digest, InventoryError> {
    let media_type = MediaType::parse(format.media_type());
    client.push_bytes(image, &Descriptor::empty(), Descriptor::EMPTY_BYTES)?;
    let mut layers = Vec::with_capacity(documents.len());
    for Document { file, bytes } in documents {
        let mut layer = Descriptor::of(media_type.clone(), bytes);
        client.push_bytes(image, &layer, bytes)?;
        layer.annotations.extend(file.iter().map(|file| (TITLE.to_owned(), file.clone())));
        layers.push(layer);
    }
    let manifest = ManifestParts::artifact(media_type, layers, Some(subject.clone())).write();
    let referrer = manifest.digest().clone();
    client.push_manifest(&image.only_at(referrer.clone()), &AnyManifest::Image(manifest))?;
    Ok(referrer)
}

fn read_layers<'a>(
    name: &str,
    manifest: &Manifest,
    subject: Described,
    open: impl Fn(&Descriptor) -> Result<Box<dyn Read + 'a>, RegistryClientError>,
) -> Result<Inventory, InventoryError> {
    if !manifest.is_image() {
        let kind = manifest.parts().artifact_type.clone().unwrap_or_else(|| manifest.config().media_type.clone());
        return Err(InventoryError::NotAnImage { name: name.to_owned(), kind: kind.to_string() });
    }
    let mut reader = Reader::of_image(Limits::default());
    let mut foreign = Vec::new();
    for layer in manifest.layers() {
        if layer.media_type.is_foreign_layer() {
            foreign.push(layer.digest.to_string());
            continue;
        }
        let read = reader.layer(&layer.digest.to_string(), open(layer)?);
        read.map_err(|source| InventoryError::Read { name: name.to_owned(), source })?;
    }
    let mut inventory = reader.finish(subject);
    inventory.unread.extend(foreign.into_iter().map(|layer| lineclear_sbom::Unread {
        path: String::new(),
        layer: Some(layer),
        why: "a layer that may not be distributed is not in the registry".to_owned(),
    }));
    inventory.settle();
    Ok(inventory)
}

fn choose(image: &dyn ImageSource, platform: &Platform, name: &str) -> Result<Manifest, InventoryError> {
    let mut current = image.manifest(&image.root()?)?;
    for _ in 0..MAX_INDEXES {
        let index = match current {
            AnyManifest::Image(manifest) => return Ok(manifest),
            AnyManifest::Index(index) => index,
        };
        let Some(chosen) = index.choose(platform) else {
            let offered: Vec<String> = index.platforms().map(ToString::to_string).collect();
            let offered = if offered.is_empty() { "none".to_owned() } else { offered.join(", ") };
            return Err(InventoryError::NoPlatform { name: name.to_owned(), wanted: platform.to_string(), offered });
        };
        current = image.manifest(chosen)?;
    }
    Err(RegistryClientError::Bomb { what: format!("`{name}`"), limit: "too many indexes in one another" }.into())
}

/// Bytes that are checked as they pass; the last read fails if they are others.
struct Verified<R> {
    inner: R,
    verifier: Option<Verifier>,
}

impl<R: Read> Read for Verified<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(into)?;
        let checked = match (length, self.verifier.take()) {
            (0, Some(verifier)) if !into.is_empty() => verifier.finish(),
            (_, Some(mut verifier)) => {
                let updated = verifier.update(&into[..length]);
                self.verifier = Some(verifier);
                updated
            }
            (_, None) => Ok(()),
        };
        checked.map_err(|mismatch| io::Error::new(io::ErrorKind::InvalidData, mismatch))?;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_that_are_too_deep_are_said_to_be_unread() {
        let folder = tempfile::tempdir().expect("a folder");
        let deep: PathBuf = std::iter::repeat_n("d", MAX_DEPTH + 1).collect();
        fs::create_dir_all(folder.path().join(&deep)).expect("made");
        let inventory = of_folder(folder.path()).expect("read");
        let unread: Vec<&str> = inventory.unread.iter().map(|one| one.path.as_str()).collect();
        assert_eq!(unread, [deep.to_str().expect("a name")]);
    }
}
