//! Built images on disk, as registries want them: blobs by their digests, and the manifests that name them.
//!
//! Builders hand images over in two forms: an archive as `docker save` writes it, whose layers are plain, and a folder of the image
//! specification. Both become a [`Layout`], which is what is pushed, exported and looked at. Digests are always computed here, from the
//! bytes themselves.
//!
//! # Source
//! The image specification 1.1 (`image-layout.md`, `manifest.md`), and Docker's image specification for archives.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use flate2::Compression;
use flate2::write::GzEncoder;
use lineclear_oci::{
    AnyManifest, Descriptor, Digest, Hasher, ImageConfig, Index, IndexParts, Manifest, ManifestParts, MediaType,
    Platform,
};
use serde_json::{Value, json};

/// Why an image could not be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LayoutError {
    #[error("`{path}` cannot be read or written")]
    Io { path: PathBuf, source: io::Error },
    #[error("`{path}` is no image that a builder wrote: {problem}")]
    Malformed { path: PathBuf, problem: String },
}

impl LayoutError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }

    fn malformed(path: &Path, problem: impl std::fmt::Display) -> Self {
        Self::Malformed { path: path.to_owned(), problem: problem.to_string() }
    }
}

/// One image of a layout.
#[derive(Clone, Debug)]
pub(crate) struct BuiltImage {
    pub(crate) platform: Platform,
    pub(crate) manifest: Manifest,
    pub(crate) config: ImageConfig,
    /// Bytes of the layers as they are unpacked, where that is known; otherwise as they travel.
    pub(crate) size: u64,
}

/// Images with all their blobs.
#[derive(Debug)]
pub(crate) struct Layout {
    /// Holds `blobs/sha256/…`.
    folder: PathBuf,
    /// Images, in the order of the platforms; attestations are not among them.
    pub(crate) images: Vec<BuiltImage>,
    /// All manifests, each after those it names; the last is what the names point to.
    pub(crate) manifests: Vec<AnyManifest>,
}

/// What is attached when images are put together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attached {
    pub(crate) manifest: BTreeMap<String, String>,
    pub(crate) index: BTreeMap<String, String>,
    pub(crate) descriptor: BTreeMap<String, String>,
    /// Whether the types are those of the image specification, though nothing needs them.
    pub(crate) is_oci: bool,
}

/// The types of what an image is made of.
///
/// Without annotations and statements, images have Docker's: some engines read a `HEALTHCHECK` from those only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Types {
    Oci,
    Docker,
}

impl Types {
    fn config(self) -> MediaType {
        if self == Self::Oci { MediaType::OciConfig } else { MediaType::DockerConfig }
    }

    fn gzip(self) -> MediaType {
        if self == Self::Oci { MediaType::OciLayerGzip } else { MediaType::DockerLayer }
    }

    fn manifest(self) -> MediaType {
        if self == Self::Oci { MediaType::OciManifest } else { MediaType::DockerManifest }
    }

    fn index(self) -> MediaType {
        if self == Self::Oci { MediaType::OciIndex } else { MediaType::DockerManifestList }
    }
}

/// Makes the statements about an image.
pub(crate) type Says<'s> = dyn Fn(&BuiltImage) -> Vec<Statement> + 's;

/// A layer with its plain size, by its place in the image.
type Taken = BTreeMap<usize, Result<(Descriptor, u64), LayoutError>>;

/// Something said about an image, to be kept beside it: its predicate type and the statement's predicate.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) predicate_type: &'static str,
    pub(crate) predicate: Value,
}

impl Layout {
    /// Puts archives of `docker save`, one a platform, together. One without statements is an image, anything else an index.
    ///
    /// Each image has its own statements, which `statements` makes; `None`: there are to be none.
    ///
    /// # Errors
    /// If an archive is none, or the disk does not take it.
    pub(crate) fn of_archives(
        folder: &Path,
        archives: &[(Platform, PathBuf)],
        attached: &Attached,
        statements: Option<&Says<'_>>,
    ) -> Result<Self, LayoutError> {
        let is_annotated =
            [&attached.manifest, &attached.index, &attached.descriptor].iter().any(|map| !map.is_empty());
        let types = if attached.is_oci || is_annotated || statements.is_some() { Types::Oci } else { Types::Docker };
        let blobs = folder.join("blobs/sha256");
        fs::create_dir_all(&blobs).map_err(LayoutError::io(&blobs))?;
        let mut layout = Self { folder: folder.to_owned(), images: Vec::new(), manifests: Vec::new() };
        for (platform, archive) in archives {
            let image = layout.take_archive(platform, archive, attached, types)?;
            layout.manifests.push(AnyManifest::Image(image.manifest.clone()));
            layout.images.push(image);
        }
        let mut descriptors = Vec::new();
        for image in &layout.images {
            let mut descriptor = Descriptor::of(image.manifest.parts().media_type.clone(), image.manifest.raw())
                .on(image.platform.clone());
            descriptor.annotations.extend(attached.descriptor.clone());
            descriptors.push(descriptor);
        }
        let mut attestations = Vec::new();
        for image in layout.images.clone() {
            let statements = statements.map_or_else(Vec::new, |statements| statements(&image));
            if !statements.is_empty() {
                let manifest = layout.attest(&image, &statements)?;
                let mut descriptor = Descriptor::of(manifest.parts().media_type.clone(), manifest.raw());
                descriptor.platform = Some(Platform::new("unknown", "unknown"));
                let annotation = |name: &str, value: &str| (name.to_owned(), value.to_owned());
                descriptor.annotations.extend([
                    annotation("vnd.docker.reference.digest", image.manifest.digest().as_str()),
                    annotation("vnd.docker.reference.type", "attestation-manifest"),
                ]);
                attestations.push(descriptor);
                layout.manifests.push(AnyManifest::Image(manifest));
            }
        }
        if layout.images.len() != 1 || !attestations.is_empty() || !attached.index.is_empty() {
            descriptors.extend(attestations);
            let mut parts = IndexParts::new(descriptors);
            parts.media_type = types.index();
            parts.annotations.extend(attached.index.clone());
            layout.manifests.push(AnyManifest::Index(parts.write()));
        }
        Ok(layout)
    }

    /// Reads a folder that a builder wrote in the form of the image specification.
    ///
    /// # Errors
    /// If it is none, or names blobs that are not there.
    pub(crate) fn of_folder(folder: &Path) -> Result<Self, LayoutError> {
        let index = folder.join("index.json");
        let text = fs::read(&index).map_err(LayoutError::io(&index))?;
        let top = Index::read(text, None).map_err(|error| LayoutError::malformed(&index, error))?;
        let mut layout = Self { folder: folder.to_owned(), images: Vec::new(), manifests: Vec::new() };
        // A builder names the same image once for each of its names.
        let mut roots: Vec<&Descriptor> = Vec::new();
        for descriptor in top.manifests() {
            if !roots.iter().any(|root| root.digest == descriptor.digest) {
                roots.push(descriptor);
            }
        }
        let [root] = roots.as_slice() else {
            return Err(LayoutError::malformed(&index, format!("it names {} images, not one", roots.len())));
        };
        layout.take_manifest(root, 0)?;
        Ok(layout)
    }

    fn take_manifest(&mut self, descriptor: &Descriptor, depth: usize) -> Result<(), LayoutError> {
        let path = self.blob(&descriptor.digest);
        if depth > 4 {
            return Err(LayoutError::malformed(&path, "indexes are nested too deeply"));
        }
        let bytes = fs::read(&path).map_err(LayoutError::io(&path))?;
        if !descriptor.digest.is_of(&bytes) {
            return Err(LayoutError::malformed(&path, "its bytes are not those of its digest"));
        }
        let read = AnyManifest::read(bytes, Some(&descriptor.media_type))
            .map_err(|error| LayoutError::malformed(&path, error))?;
        if let AnyManifest::Image(manifest) = &read
            && !descriptor.is_buildkit_attestation()
        {
            let config = self.blob(&manifest.config().digest);
            let text = fs::read(&config).map_err(LayoutError::io(&config))?;
            let config = ImageConfig::read(&text).map_err(|error| LayoutError::malformed(&config, error))?;
            let platform = descriptor.platform.clone().unwrap_or_else(|| config.platform());
            let size = manifest.layers().iter().map(|layer| layer.size).sum();
            self.images.push(BuiltImage { platform, manifest: manifest.clone(), config, size });
        }
        for child in read.children().to_vec() {
            self.take_manifest(&child, depth + 1)?;
        }
        self.manifests.push(read);
        Ok(())
    }

    /// What the names point to.
    pub(crate) fn root(&self) -> Option<&AnyManifest> {
        self.manifests.last()
    }

    /// The file of a blob.
    pub(crate) fn blob(&self, digest: &Digest) -> PathBuf {
        self.folder.join("blobs").join(digest.algorithm().as_str()).join(digest.hex())
    }

    /// Writes bytes as a blob.
    fn write_blob(&self, media_type: MediaType, bytes: &[u8]) -> Result<Descriptor, LayoutError> {
        let descriptor = Descriptor::of(media_type, bytes);
        let path = self.blob(&descriptor.digest);
        fs::write(&path, bytes).map_err(LayoutError::io(&path))?;
        Ok(descriptor)
    }

    fn take_archive(
        &self,
        platform: &Platform,
        archive: &Path,
        attached: &Attached,
        types: Types,
    ) -> Result<BuiltImage, LayoutError> {
        let contents = Archive::open(archive)?;
        let listed: Value = serde_json::from_slice(&contents.read("manifest.json")?)
            .map_err(|error| LayoutError::malformed(archive, error))?;
        let image = &listed[0];
        let config_name = image["Config"].as_str().unwrap_or_default();
        let config_bytes = contents.read(config_name)?;
        let config = ImageConfig::read(&config_bytes).map_err(|error| LayoutError::malformed(archive, error))?;
        let config_descriptor = self.write_blob(types.config(), &config_bytes)?;
        let names: Vec<&str> = image["Layers"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if names.len() != config.rootfs.diff_ids.len() {
            let (layers, ids) = (names.len(), config.rootfs.diff_ids.len());
            return Err(LayoutError::malformed(
                archive,
                format!("it has {layers} layers, and its configuration {ids}"),
            ));
        }
        let layers = self.take_layers(&contents, &names, types)?;
        let size = layers.iter().map(|(_, plain)| plain).sum();
        let layers = layers.into_iter().map(|(descriptor, _)| descriptor).collect();
        let mut parts = ManifestParts::new(config_descriptor, layers);
        parts.media_type = types.manifest();
        parts.annotations.extend(attached.manifest.clone());
        Ok(BuiltImage { platform: platform.clone(), manifest: parts.write(), config, size })
    }

    /// Packs the layers, several at once, each with its plain size.
    fn take_layers(
        &self,
        contents: &Archive,
        names: &[&str],
        types: Types,
    ) -> Result<Vec<(Descriptor, u64)>, LayoutError> {
        let next = AtomicUsize::new(0);
        let done = Mutex::new(Taken::new());
        let workers = std::thread::available_parallelism().map_or(1, usize::from).min(names.len()).min(4);
        std::thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let Some(name) = names.get(at) else { return };
                        let taken = self.take_layer(contents, name, types);
                        done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(at, taken);
                    }
                });
            }
        });
        done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).into_values().collect()
    }

    fn take_layer(&self, contents: &Archive, name: &str, types: Types) -> Result<(Descriptor, u64), LayoutError> {
        let (mut source, size) = contents.entry(name)?;
        let blobs = self.folder.join("blobs/sha256");
        let mut made = tempfile::NamedTempFile::new_in(&blobs).map_err(LayoutError::io(&blobs))?;
        let mut first = [0_u8; 4];
        let read = read_up_to(&mut source, &mut first).map_err(LayoutError::io(&contents.path))?;
        let first = &first[..read];
        let is_gzip = first.starts_with(&[0x1f, 0x8b]);
        let is_zstd = first.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]);
        let mut source = first.chain(source);
        let mut writer = HashingWriter::new(BufWriter::new(made.as_file_mut()));
        let media_type = if is_gzip || is_zstd {
            io::copy(&mut source, &mut writer).map_err(LayoutError::io(&blobs))?;
            if is_gzip { types.gzip() } else { MediaType::OciLayerZstd }
        } else {
            // The same layer has the same bytes always: no name and no time in the header.
            let mut packed = GzEncoder::new(&mut writer, Compression::default());
            io::copy(&mut source, &mut packed).map_err(LayoutError::io(&blobs))?;
            packed.finish().map_err(LayoutError::io(&blobs))?;
            types.gzip()
        };
        let (digest, length) = writer.finish().map_err(LayoutError::io(&blobs))?;
        let path = self.blob(&digest);
        made.persist(&path).map_err(|error| LayoutError::Io { path: path.clone(), source: error.error })?;
        Ok((Descriptor::new(media_type, digest, length), size))
    }

    /// Makes the manifest that keeps statements beside an image, as BuildKit does.
    fn attest(&self, image: &BuiltImage, statements: &[Statement]) -> Result<Manifest, LayoutError> {
        let mut layers = Vec::new();
        for statement in statements {
            let document = json!({
                "_type": "https://in-toto.io/Statement/v0.1",
                "predicateType": statement.predicate_type,
                "subject": [{
                    "name": "_",
                    "digest": { image.manifest.digest().algorithm().as_str(): image.manifest.digest().hex() },
                }],
                "predicate": statement.predicate,
            });
            let media_type = MediaType::parse("application/vnd.in-toto+json");
            let mut layer = self.write_blob(media_type, document.to_string().as_bytes())?;
            layer.annotations.insert("in-toto.io/predicate-type".to_owned(), statement.predicate_type.to_owned());
            layers.push(layer);
        }
        let config = json!({
            "architecture": "unknown",
            "os": "unknown",
            "config": {},
            "rootfs": { "type": "layers", "diff_ids": layers.iter().map(|layer| layer.digest.as_str()).collect::<Vec<_>>() },
        });
        let config = self.write_blob(MediaType::OciConfig, config.to_string().as_bytes())?;
        Ok(ManifestParts::new(config, layers).write())
    }

    /// Writes all as an archive in the form of the image specification, or, with names, as one that an engine loads too.
    ///
    /// # Errors
    /// If the disk does not take it.
    pub(crate) fn write_archive(&self, path: &Path, names: &[String]) -> Result<(), LayoutError> {
        self.write_index(names)?;
        let file = File::create(path).map_err(LayoutError::io(path))?;
        let mut archive = tar::Builder::new(BufWriter::new(file));
        archive.mode(tar::HeaderMode::Deterministic);
        let write = |archive: &mut tar::Builder<BufWriter<File>>| -> io::Result<()> {
            archive.append_path_with_name(self.folder.join("oci-layout"), "oci-layout")?;
            archive.append_path_with_name(self.folder.join("index.json"), "index.json")?;
            if let [image] = self.images.as_slice() {
                let name = |digest: &Digest| format!("blobs/{}/{}", digest.algorithm().as_str(), digest.hex());
                let listed = json!([{
                    "Config": name(&image.manifest.config().digest),
                    "RepoTags": names,
                    "Layers": image.manifest.layers().iter().map(|layer| name(&layer.digest)).collect::<Vec<_>>(),
                }]);
                let text = listed.to_string();
                let mut header = tar::Header::new_gnu();
                header.set_size(text.len() as u64);
                header.set_mode(0o644);
                archive.append_data(&mut header, "manifest.json", text.as_bytes())?;
            }
            for digest in self.digests() {
                let inside = format!("blobs/{}/{}", digest.algorithm().as_str(), digest.hex());
                archive.append_path_with_name(self.blob(&digest), inside)?;
            }
            Ok(())
        };
        write(&mut archive)
            .and_then(|()| archive.into_inner()?.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all())
            .map_err(LayoutError::io(path))
    }

    /// Writes the manifests as blobs, and the index that makes the folder complete.
    fn write_index(&self, names: &[String]) -> Result<(), LayoutError> {
        for manifest in &self.manifests {
            self.write_blob(manifest.media_type().clone(), manifest.raw())?;
        }
        let marker = self.folder.join("oci-layout");
        fs::write(&marker, "{\"imageLayoutVersion\":\"1.0.0\"}").map_err(LayoutError::io(&marker))?;
        let Some(root) = self.root() else { return Ok(()) };
        let named = |name: &String| {
            let mut descriptor = root.descriptor();
            let tag = name.rsplit_once(':').map_or(name.as_str(), |(_, tag)| tag);
            descriptor.annotations.insert("org.opencontainers.image.ref.name".to_owned(), tag.to_owned());
            descriptor.annotations.insert("io.containerd.image.name".to_owned(), name.clone());
            descriptor
        };
        let descriptors =
            if names.is_empty() { vec![root.descriptor()] } else { names.iter().map(named).collect::<Vec<_>>() };
        let index = self.folder.join("index.json");
        fs::write(&index, IndexParts::new(descriptors).write().raw()).map_err(LayoutError::io(&index))
    }

    /// The digests of all blobs and manifests, each once.
    fn digests(&self) -> Vec<Digest> {
        let mut digests: Vec<Digest> = Vec::new();
        for manifest in &self.manifests {
            let blobs = manifest.blobs().map(|blob| blob.digest.clone());
            for digest in blobs.chain([manifest.digest().clone()]) {
                if !digests.contains(&digest) {
                    digests.push(digest);
                }
            }
        }
        digests
    }
}

/// An archive whose entries are found by name.
struct Archive {
    path: PathBuf,
    /// Where the bytes of each file begin, and how many there are.
    files: BTreeMap<PathBuf, (u64, u64)>,
    links: BTreeMap<PathBuf, PathBuf>,
}

impl Archive {
    fn open(path: &Path) -> Result<Self, LayoutError> {
        let file = File::open(path).map_err(LayoutError::io(path))?;
        let mut archive = tar::Archive::new(BufReader::new(file));
        let (mut files, mut links) = (BTreeMap::new(), BTreeMap::new());
        for entry in archive.entries_with_seek().map_err(LayoutError::io(path))? {
            let entry = entry.map_err(LayoutError::io(path))?;
            let name = clean(&entry.path().map_err(LayoutError::io(path))?);
            match entry.header().entry_type() {
                tar::EntryType::Symlink | tar::EntryType::Link => {
                    let target = entry.link_name().map_err(LayoutError::io(path))?.unwrap_or_default().into_owned();
                    let is_symbolic = entry.header().entry_type() == tar::EntryType::Symlink;
                    let base = name.parent().filter(|_| is_symbolic).map_or_else(PathBuf::new, Path::to_path_buf);
                    links.insert(name, clean(&base.join(target)));
                }
                _ => drop(files.insert(name, (entry.raw_file_position(), entry.size()))),
            }
        }
        Ok(Self { path: path.to_owned(), files, links })
    }

    fn entry(&self, name: &str) -> Result<(impl Read + use<>, u64), LayoutError> {
        let name = clean(Path::new(name));
        // Layers that are there already are links to where they are.
        let name = self.links.get(&name).unwrap_or(&name);
        let Some((start, size)) = self.files.get(name) else {
            return Err(LayoutError::malformed(&self.path, format!("`{}` is not in it", name.display())));
        };
        let mut file = File::open(&self.path).map_err(LayoutError::io(&self.path))?;
        file.seek(SeekFrom::Start(*start)).map_err(LayoutError::io(&self.path))?;
        Ok((BufReader::with_capacity(1 << 17, file).take(*size), *size))
    }

    /// A small file, whole.
    fn read(&self, name: &str) -> Result<Vec<u8>, LayoutError> {
        let (mut entry, size) = self.entry(name)?;
        if size > lineclear_oci::MAX_CONFIG_BYTES as u64 {
            return Err(LayoutError::malformed(&self.path, format!("`{name}` has {size} bytes")));
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(LayoutError::io(&self.path))?;
        Ok(bytes)
    }
}

/// A path inside of an archive, without `.` and `..`.
fn clean(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => cleaned.push(name),
            Component::ParentDir => drop(cleaned.pop()),
            _ => {}
        }
    }
    cleaned
}

fn read_up_to(source: &mut impl Read, into: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < into.len() {
        match source.read(&mut into[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

/// Writes on, and knows the digest of what went through.
struct HashingWriter<W> {
    inner: W,
    hasher: Hasher,
    length: u64,
}

impl<W: Write> HashingWriter<W> {
    fn new(inner: W) -> Self {
        Self { inner, hasher: Hasher::new(lineclear_oci::Algorithm::Sha256), length: 0 }
    }

    fn finish(mut self) -> io::Result<(Digest, u64)> {
        self.inner.flush()?;
        Ok((self.hasher.finish(), self.length))
    }
}

impl<W: Write> Write for HashingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An archive as `docker save` writes it, with one layer of these bytes, twice.
    fn archive(folder: &Path, name: &str, layer: &[u8]) -> PathBuf {
        let path = folder.join(name);
        let mut builder = tar::Builder::new(File::create(&path).expect("a file"));
        let mut add = |name: &str, bytes: &[u8]| {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, bytes).expect("it takes it");
        };
        let diff = Digest::of(layer);
        let config = json!({
            "architecture": "amd64", "os": "linux", "config": { "User": "app" },
            "rootfs": { "type": "layers", "diff_ids": [diff.as_str(), diff.as_str()] },
        });
        add("a/layer.tar", layer);
        add("c.json", config.to_string().as_bytes());
        add("manifest.json", br#"[{"Config":"c.json","RepoTags":null,"Layers":["a/layer.tar","b/layer.tar"]}]"#);
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        builder.append_link(&mut header, "b/layer.tar", "../a/layer.tar").expect("it takes it");
        builder.finish().expect("an archive");
        path
    }

    #[test]
    fn an_archive_becomes_an_image_with_the_same_digest_always() {
        let folder = tempfile::tempdir().expect("a folder");
        let saved = archive(folder.path(), "one.tar", &[7; 5000]);
        let amd64 = Platform::new("linux", "amd64");
        let make = |to: &str| {
            let archives = [(amd64.clone(), saved.clone())];
            Layout::of_archives(&folder.path().join(to), &archives, &Attached::default(), None).expect("a layout")
        };
        let (one, two) = (make("1"), make("2"));
        let root = one.root().expect("a manifest");
        assert_eq!(root.digest(), two.root().expect("a manifest").digest());
        assert!(matches!(root, AnyManifest::Image(_)));
        assert_eq!(one.images[0].config.config.user, "app");
        assert_eq!((one.images[0].manifest.layers().len(), one.images[0].size), (2, 10_000));
        // Every blob is there, under the digest of its bytes.
        for blob in root.blobs() {
            assert!(blob.digest.is_of(&fs::read(one.blob(&blob.digest)).expect("a blob")));
        }
        // And what is written out can be read back.
        let out = folder.path().join("out.tar");
        one.write_archive(&out, &["app:1".to_owned()]).expect("an archive");
        let back = folder.path().join("back");
        tar::Archive::new(File::open(&out).expect("it")).unpack(&back).expect("files");
        assert_eq!(Layout::of_folder(&back).expect("a layout").root().map(AnyManifest::digest), Some(root.digest()));
    }

    #[test]
    fn several_platforms_and_statements_make_an_index() {
        let folder = tempfile::tempdir().expect("a folder");
        let archives = [
            (Platform::new("linux", "amd64"), archive(folder.path(), "a.tar", b"one")),
            (Platform::new("linux", "arm64"), archive(folder.path(), "b.tar", b"two")),
        ];
        let annotation = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
        let attached = Attached { manifest: annotation.clone(), index: annotation.clone(), ..Attached::default() };
        let say = |_: &BuiltImage| {
            vec![Statement { predicate_type: "https://slsa.dev/provenance/v0.2", predicate: json!({}) }]
        };
        let layout = Layout::of_archives(&folder.path().join("l"), &archives, &attached, Some(&say)).expect("a layout");
        let Some(AnyManifest::Index(index)) = layout.root() else { panic!("no index") };
        let shown: Vec<(String, bool)> = index
            .manifests()
            .iter()
            .map(|one| (one.platform.as_ref().expect("a platform").to_string(), one.is_buildkit_attestation()))
            .collect();
        let expected =
            [("linux/amd64", false), ("linux/arm64", false), ("unknown/unknown", true), ("unknown/unknown", true)];
        assert_eq!(shown, expected.map(|(platform, is)| (platform.to_owned(), is)));
        assert_eq!(index.parts().annotations, annotation);
        assert_eq!(layout.images[0].manifest.parts().annotations, annotation);
        assert_eq!(layout.manifests.len(), 5);
    }

    #[test]
    fn what_is_no_image_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.tar");
        fs::write(&path, [0; 1024]).expect("a file");
        let archives = [(Platform::new("linux", "amd64"), path)];
        let error =
            Layout::of_archives(&folder.path().join("l"), &archives, &Attached::default(), None).expect_err("no image");
        assert!(error.to_string().contains("manifest.json"), "{error}");
    }
}
