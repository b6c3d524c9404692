//! Images as `docker save` wrote them before version 25: a tar archive with `manifest.json` and layers that are not compressed.
//!
//! # Source
//! Docker's image specification 1.2, "Combined Image JSON + Filesystem Changeset Format".

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use flate2::{Compression, GzBuilder};
use lineclear_oci::{
    Algorithm, AnyManifest, Descriptor, Digest, Hasher, ImageConfig, Manifest, ManifestParts, MediaType, Reference,
};
use serde::Deserialize;

use crate::RegistryClientError;
use crate::archive::Tar;
use crate::source::ImageSource;

/// An image as `docker save` wrote it. Its layers are compressed when it is opened, always to the same bytes, into a folder that
/// goes with this value.
#[derive(Debug)]
pub struct DockerArchive {
    manifest: Manifest,
    config: Vec<u8>,
    layers: HashMap<Digest, File>,
    folder: tempfile::TempDir,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

/// What `manifest.json` and the configuration say of one image in an archive.
struct Chosen {
    config: Vec<u8>,
    known: ImageConfig,
    /// Names of the layers' files, the lowest first, as many as the configuration has.
    layers: Vec<String>,
}

impl Chosen {
    /// The image of an archive; `name` chooses among several.
    fn of(tar: &Tar, name: Option<&str>) -> Result<Self, RegistryClientError> {
        let path = &tar.path;
        let not_one = |reason: String| RegistryClientError::NotAnImage { path: path.display().to_string(), reason };
        let Some(bytes) = tar.small("manifest.json")? else {
            return Err(not_one("it has neither `index.json` (OCI) nor `manifest.json` (docker save)".to_owned()));
        };
        let entries: Vec<Entry> = serde_json::from_slice(&bytes)
            .map_err(|error| not_one(format!("`manifest.json` is malformed: {error}")))?;
        let wanted = name
            .map(|name| Reference::parse(name).map_or_else(|_| name.to_owned(), |name| name.or_latest().familiar()));
        let fits = |entry: &&Entry| {
            let tags = entry.repo_tags.as_deref().unwrap_or_default();
            wanted.as_ref().is_none_or(|wanted| tags.contains(wanted))
        };
        let found: Vec<&Entry> = entries.iter().filter(fits).collect();
        let entry = match found.as_slice() {
            [entry] => *entry,
            [] => return Err(not_one("it has no image of that name".to_owned())),
            several => {
                let names: Vec<&str> = several
                    .iter()
                    .filter_map(|entry| entry.repo_tags.as_deref())
                    .flatten()
                    .map(String::as_str)
                    .collect();
                return Err(not_one(format!(
                    "it has {} images; choose one by its name: {}",
                    several.len(),
                    names.join(", ")
                )));
            }
        };
        let config = tar.small(&entry.config)?.ok_or_else(|| tar.missing(&entry.config))?;
        let known = ImageConfig::read(&config)
            .map_err(|source| RegistryClientError::Config { what: format!("`{}`", path.display()), source })?;
        if known.rootfs.diff_ids.len() != entry.layers.len() {
            return Err(not_one("it has another number of layers than its configuration".to_owned()));
        }
        Ok(Self { config, known, layers: entry.layers.clone() })
    }
}

impl DockerArchive {
    /// The image of an archive; `name` chooses among several.
    ///
    /// # Errors
    /// When it was not written by `docker save`, or has several images and none is chosen.
    pub fn open(path: &Path, name: Option<&str>) -> Result<Self, RegistryClientError> {
        let tar = Tar::open(path)?;
        let chosen = Chosen::of(&tar, name)?;
        let sink = |source| RegistryClientError::Sink { what: "a temporary file".to_owned(), source };
        let folder = tempfile::tempdir().map_err(sink)?;
        let mut layers = HashMap::new();
        let mut descriptors = Vec::new();
        for (layer, expected) in chosen.layers.iter().zip(&chosen.known.rootfs.diff_ids) {
            let (reader, _) = tar.read(layer, 0)?.ok_or_else(|| tar.missing(layer))?;
            let packed = pack(reader, &tar.named(layer), expected, folder.path())?;
            descriptors.push(Descriptor::new(MediaType::DockerLayer, packed.digest.clone(), packed.size));
            layers.insert(packed.digest, packed.file);
        }
        let parts = ManifestParts::new(Descriptor::of(MediaType::DockerConfig, &chosen.config), descriptors);
        let manifest = ManifestParts { media_type: MediaType::DockerManifest, ..parts }.write();
        Ok(Self { manifest, config: chosen.config, layers, folder })
    }
}

/// An image as `docker save` wrote it, for who wants to look into its layers and not to push it: nothing is compressed and nothing copied.
#[derive(Debug)]
pub struct SavedImage {
    tar: Tar,
    config: ImageConfig,
    layers: Vec<String>,
}

impl SavedImage {
    /// The image of an archive; `name` chooses among several. `None` when the archive has an OCI layout: [`OciArchive`] reads that.
    ///
    /// [`OciArchive`]: crate::OciArchive
    ///
    /// # Errors
    /// As [`DockerArchive::open`].
    pub fn open(path: &Path, name: Option<&str>) -> Result<Option<Self>, RegistryClientError> {
        let tar = Tar::open(path)?;
        if tar.has("index.json") {
            return Ok(None);
        }
        let Chosen { known, layers, .. } = Chosen::of(&tar, name)?;
        Ok(Some(Self { tar, config: known, layers }))
    }

    /// What the image says of itself.
    pub fn config(&self) -> &ImageConfig {
        &self.config
    }

    /// Each layer by the digest of its uncompressed bytes, the lowest first. The bytes are not checked against it.
    ///
    /// # Errors
    /// When the archive does not have one.
    pub fn layers(&self) -> impl Iterator<Item = Result<(&Digest, Box<dyn Read>), RegistryClientError>> {
        self.config.rootfs.diff_ids.iter().zip(&self.layers).map(|(id, name)| {
            let (reader, _) = self.tar.read(name, 0)?.ok_or_else(|| self.tar.missing(name))?;
            Ok((id, Box::new(reader) as Box<dyn Read>))
        })
    }
}

struct Packed {
    file: File,
    digest: Digest,
    size: u64,
}

/// Compresses a layer into a file of `folder`, checking that it is the one that the configuration names.
fn pack(mut reader: impl Read, what: &str, expected: &Digest, folder: &Path) -> Result<Packed, RegistryClientError> {
    let sink = |source| RegistryClientError::Sink { what: "a temporary file".to_owned(), source };
    let file = tempfile::tempfile_in(folder).map_err(sink)?;
    // Without a time and a name in its header, the same layer makes the same bytes.
    let hashing = Hashing { file, hasher: Hasher::new(Algorithm::Sha256), size: 0 };
    let mut packer = GzBuilder::new().mtime(0).write(hashing, Compression::default());
    let mut plain = Hasher::new(expected.algorithm());
    let mut piece = vec![0; 128 << 10];
    loop {
        let length =
            reader.read(&mut piece).map_err(|source| RegistryClientError::Source { what: what.to_owned(), source })?;
        if length == 0 {
            break;
        }
        plain.update(&piece[..length]);
        packer.write_all(&piece[..length]).map_err(sink)?;
    }
    let found = plain.finish();
    if found != *expected {
        let source = lineclear_oci::DigestMismatch::Digest { expected: expected.clone(), found };
        return Err(RegistryClientError::Mismatch { what: what.to_owned(), source });
    }
    let done = packer.finish().map_err(sink)?;
    Ok(Packed { file: done.file, digest: done.hasher.finish(), size: done.size })
}

struct Hashing {
    file: File,
    hasher: Hasher,
    size: u64,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

/// A part of a file that others read at the same time.
struct At<'a> {
    file: &'a File,
    position: u64,
}

impl Read for At<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let length = std::os::unix::fs::FileExt::read_at(self.file, into, self.position)?;
        self.position += length as u64;
        Ok(length)
    }
}

impl ImageSource for DockerArchive {
    fn root(&self) -> Result<Descriptor, RegistryClientError> {
        Ok(AnyManifest::Image(self.manifest.clone()).descriptor())
    }

    fn manifest(&self, descriptor: &Descriptor) -> Result<AnyManifest, RegistryClientError> {
        let what = format!("the manifest {}", descriptor.digest.short());
        crate::source::read_manifest(descriptor, &what, self.manifest.raw())
    }

    fn blob<'a>(&'a self, blob: &Descriptor, offset: u64) -> Result<Box<dyn Read + 'a>, RegistryClientError> {
        if let Some(file) = self.layers.get(&blob.digest) {
            return Ok(Box::new(At { file, position: offset }));
        }
        let mut config = std::io::Cursor::new(self.config.as_slice());
        let sought = config.seek(SeekFrom::Start(offset));
        let what = || format!("a blob in `{}`", self.folder.path().display());
        sought.map_err(|source| RegistryClientError::Source { what: what(), source })?;
        Ok(Box::new(config))
    }

    fn has_blob(&self, blob: &Descriptor) -> Result<bool, RegistryClientError> {
        Ok(self.layers.contains_key(&blob.digest) || self.manifest.config().digest == blob.digest)
    }
}
