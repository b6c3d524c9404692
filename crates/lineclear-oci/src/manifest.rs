//! Manifests as registries keep them: typed, with the raw bytes they were read from.

use serde::{Deserialize, Serialize};

use crate::descriptor::null_is_empty;
use crate::{Annotations, Descriptor, Digest, Index, MediaType};

/// Largest manifest or index that is read: what registries have to take at least, and what they usually take at most.
pub const MAX_MANIFEST_BYTES: usize = 4 << 20;
/// Most layers of a manifest, or entries of an index.
pub const MAX_ENTRIES: usize = 4096;
/// How many indexes may stand in one another; real images have one, with attestations two.
pub const MAX_INDEX_DEPTH: usize = 8;

/// Bytes are not a manifest that can be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// More bytes than anybody needs.
    #[error("the manifest has {length} bytes; at most {MAX_MANIFEST_BYTES} are read")]
    TooLarge {
        /// Its length.
        length: usize,
    },
    /// Not JSON, or not of the form that the type has.
    #[error("the manifest is not well formed")]
    Malformed {
        /// What the JSON parser says.
        #[source]
        source: serde_json::Error,
    },
    /// Docker's first form of manifests, which nothing reads any more.
    #[error(
        "the image has a manifest of Docker's schema 1, which is no longer read; push the image again with a current tool"
    )]
    Schema1,
    /// `schemaVersion` is not 2.
    #[error("the manifest has schemaVersion {found}; expected 2")]
    SchemaVersion {
        /// What it says.
        found: u64,
    },
    /// A type that is neither manifest nor index.
    #[error("`{found}` is not the type of an image manifest or an index")]
    NotAManifest {
        /// The type.
        found: MediaType,
    },
    /// The type that was announced is not the one that the document says.
    #[error("the manifest says that it is `{said}`, but was announced as `{announced}`")]
    Confused {
        /// The type within the document.
        said: MediaType,
        /// The type that the registry or a descriptor announced.
        announced: MediaType,
    },
    /// It has the fields of an image and those of an index, so that two readers could see two different images.
    #[error("the manifest has both the fields of an image and those of an index")]
    Ambiguous,
    /// A field that has to be there is not.
    #[error("the manifest has no `{field}`")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// More layers or entries than anybody needs.
    #[error("the manifest has {found} entries; at most {MAX_ENTRIES} are read")]
    TooManyEntries {
        /// How many.
        found: usize,
    },
}

/// All fields that a manifest of either kind has, to be told apart after reading.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    schema_version: Option<u64>,
    media_type: Option<MediaType>,
    artifact_type: Option<MediaType>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
    subject: Option<Descriptor>,
    #[serde(default, deserialize_with = "null_is_empty")]
    annotations: Annotations,
    fs_layers: Option<serde::de::IgnoredAny>,
}

/// A manifest or an index: what a registry answers below `manifests/`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there are a few of them at a time, and none lives in a list")]
pub enum AnyManifest {
    /// One image or artifact.
    Image(Manifest),
    /// A list of manifests.
    Index(Index),
}

impl AnyManifest {
    /// Reads a manifest of either kind.
    ///
    /// `announced` is the type that a registry's header or a descriptor says. It has to agree with the document; where the document says
    /// none, it decides, and where nobody says one, the fields do.
    ///
    /// # Errors
    /// For documents that are too large, malformed, ambiguous, of schema 1, or of another type. Limits hold before anything is kept.
    pub fn read(bytes: Vec<u8>, announced: Option<&MediaType>) -> Result<Self, ManifestError> {
        if bytes.len() > MAX_MANIFEST_BYTES {
            return Err(ManifestError::TooLarge { length: bytes.len() });
        }
        if announced.is_some_and(MediaType::is_schema1) {
            return Err(ManifestError::Schema1);
        }
        let wire: Wire = serde_json::from_slice(&bytes).map_err(|source| ManifestError::Malformed { source })?;
        let media_type = media_type(&wire, announced)?;
        let entries = wire.layers.as_ref().map_or(0, Vec::len).max(wire.manifests.as_ref().map_or(0, Vec::len));
        if entries > MAX_ENTRIES {
            return Err(ManifestError::TooManyEntries { found: entries });
        }
        if media_type.is_index() {
            let parts = crate::IndexParts {
                media_type,
                artifact_type: wire.artifact_type,
                manifests: wire.manifests.unwrap_or_default(),
                subject: wire.subject,
                annotations: wire.annotations,
            };
            return Ok(Self::Index(Index::from_parts(parts, bytes)));
        }
        let parts = ManifestParts {
            media_type,
            artifact_type: wire.artifact_type,
            config: wire.config.ok_or(ManifestError::Missing { field: "config" })?,
            layers: wire.layers.unwrap_or_default(),
            subject: wire.subject,
            annotations: wire.annotations,
        };
        Ok(Self::Image(Manifest { digest: Digest::of(&bytes), parts, raw: bytes }))
    }

    /// The bytes that it was read from.
    pub fn raw(&self) -> &[u8] {
        match self {
            Self::Image(manifest) => manifest.raw(),
            Self::Index(index) => index.raw(),
        }
    }

    /// The SHA-256 of [`Self::raw`].
    pub fn digest(&self) -> &Digest {
        match self {
            Self::Image(manifest) => manifest.digest(),
            Self::Index(index) => index.digest(),
        }
    }

    /// Its type.
    pub fn media_type(&self) -> &MediaType {
        match self {
            Self::Image(manifest) => &manifest.parts().media_type,
            Self::Index(index) => &index.parts().media_type,
        }
    }

    /// What it refers to: a signature or an SBOM has the image here.
    pub fn subject(&self) -> Option<&Descriptor> {
        match self {
            Self::Image(manifest) => manifest.parts().subject.as_ref(),
            Self::Index(index) => index.parts().subject.as_ref(),
        }
    }

    /// The manifests that an index lists; none for an image.
    pub fn children(&self) -> &[Descriptor] {
        match self {
            Self::Image(_) => &[],
            Self::Index(index) => &index.parts().manifests,
        }
    }

    /// The blobs that a manifest needs: configuration first, then the layers; none for an index.
    pub fn blobs(&self) -> impl Iterator<Item = &Descriptor> {
        let manifest = match self {
            Self::Image(manifest) => Some(manifest),
            Self::Index(_) => None,
        };
        manifest.into_iter().flat_map(Manifest::blobs)
    }

    /// Its annotations.
    pub fn annotations(&self) -> &Annotations {
        match self {
            Self::Image(manifest) => &manifest.parts().annotations,
            Self::Index(index) => &index.parts().annotations,
        }
    }

    /// The type that a list of referrers shows: `artifactType`, or for a manifest without one the type of its configuration.
    ///
    /// # Source
    /// The distribution specification, "Listing Referrers".
    pub fn artifact_type(&self) -> Option<&MediaType> {
        match self {
            Self::Image(manifest) => {
                Some(manifest.parts().artifact_type.as_ref().unwrap_or(&manifest.parts().config.media_type))
            }
            Self::Index(index) => index.parts().artifact_type.as_ref(),
        }
    }

    /// A descriptor of it.
    pub fn descriptor(&self) -> Descriptor {
        Descriptor::new(self.media_type().clone(), self.digest().clone(), self.raw().len() as u64)
    }

    /// A descriptor of it as a list of referrers has it: with its artifact type and annotations.
    pub fn referrer_descriptor(&self) -> Descriptor {
        Descriptor {
            artifact_type: self.artifact_type().cloned(),
            annotations: self.annotations().clone(),
            ..self.descriptor()
        }
    }
}

/// The type of a document, checked against what was announced and what it has.
fn media_type(wire: &Wire, announced: Option<&MediaType>) -> Result<MediaType, ManifestError> {
    if wire.fs_layers.is_some()
        || wire.schema_version == Some(1)
        || wire.media_type.as_ref().is_some_and(MediaType::is_schema1)
    {
        return Err(ManifestError::Schema1);
    }
    match wire.schema_version {
        Some(2) => {}
        Some(found) => return Err(ManifestError::SchemaVersion { found }),
        None => return Err(ManifestError::Missing { field: "schemaVersion" }),
    }
    let of_image = wire.config.is_some() || wire.layers.is_some();
    if of_image && wire.manifests.is_some() {
        return Err(ManifestError::Ambiguous);
    }
    // Registries and proxies that know no better announce JSON or bytes: that says nothing.
    let announced = announced.filter(|announced| announced.is_manifest());
    let media_type = match (&wire.media_type, announced) {
        (Some(said), Some(announced)) if said != announced => {
            return Err(ManifestError::Confused { said: said.clone(), announced: announced.clone() });
        }
        (Some(said), _) => said.clone(),
        (None, Some(announced)) => announced.clone(),
        (None, None) if wire.manifests.is_some() => MediaType::OciIndex,
        (None, None) => MediaType::OciManifest,
    };
    if media_type.is_index() {
        return match wire.manifests {
            Some(_) => Ok(media_type),
            None => Err(ManifestError::Missing { field: "manifests" }),
        };
    }
    if !media_type.is_image_manifest() {
        return Err(ManifestError::NotAManifest { found: media_type });
    }
    match wire.manifests {
        Some(_) => Err(ManifestError::Ambiguous),
        None => Ok(media_type),
    }
}

/// What a manifest says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ManifestParts {
    /// [`MediaType::OciManifest`] or [`MediaType::DockerManifest`].
    pub media_type: MediaType,
    /// What kind of artifact it is, when it is not an image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<MediaType>,
    /// The configuration.
    pub config: Descriptor,
    /// The layers, the lowest first.
    pub layers: Vec<Descriptor>,
    /// What it refers to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Facts that somebody attached.
    #[serde(skip_serializing_if = "Annotations::is_empty")]
    pub annotations: Annotations,
}

impl ManifestParts {
    /// An OCI manifest of a configuration and layers.
    pub fn new(config: Descriptor, layers: Vec<Descriptor>) -> Self {
        Self {
            media_type: MediaType::OciManifest,
            artifact_type: None,
            config,
            layers,
            subject: None,
            annotations: Annotations::new(),
        }
    }

    /// An artifact that says something about `subject`: a signature, an SBOM, an attestation.
    pub fn artifact(artifact_type: MediaType, layers: Vec<Descriptor>, subject: Option<Descriptor>) -> Self {
        Self { artifact_type: Some(artifact_type), subject, ..Self::new(Descriptor::empty(), layers) }
    }

    /// The document, whose bytes are the same for the same parts.
    pub fn write(self) -> Manifest {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Document<'a> {
            schema_version: u8,
            #[serde(flatten)]
            parts: &'a ManifestParts,
        }
        let raw = to_json(&Document { schema_version: 2, parts: &self });
        Manifest { digest: Digest::of(&raw), parts: self, raw }
    }
}

/// JSON of values whose keys are all texts, which cannot fail.
pub(crate) fn to_json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("keys are texts and nothing in it refuses to be written")
}

/// The manifest of one image or artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    parts: ManifestParts,
    raw: Vec<u8>,
    digest: Digest,
}

impl Manifest {
    /// What it says.
    pub fn parts(&self) -> &ManifestParts {
        &self.parts
    }

    /// The configuration.
    pub fn config(&self) -> &Descriptor {
        &self.parts.config
    }

    /// The layers, the lowest first.
    pub fn layers(&self) -> &[Descriptor] {
        &self.parts.layers
    }

    /// The configuration, then the layers.
    pub fn blobs(&self) -> impl Iterator<Item = &Descriptor> {
        std::iter::once(&self.parts.config).chain(&self.parts.layers)
    }

    /// The bytes that it was read from or written as.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The SHA-256 of [`Self::raw`].
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Bytes of configuration and layers, as they are kept; a layer that stands twice counts twice.
    pub fn size(&self) -> u64 {
        self.blobs().fold(0, |sum, blob| sum.saturating_add(blob.size))
    }

    /// Whether it is an image that can be run, rather than an artifact.
    pub fn is_image(&self) -> bool {
        self.parts.config.media_type.is_image_config()
    }
}

impl From<Manifest> for AnyManifest {
    fn from(manifest: Manifest) -> Self {
        Self::Image(manifest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str, announced: Option<&MediaType>) -> Result<AnyManifest, ManifestError> {
        AnyManifest::read(text.as_bytes().to_vec(), announced)
    }

    fn descriptor(media_type: &str) -> String {
        format!("{{\"mediaType\":\"{media_type}\",\"size\":2,\"digest\":\"{}\"}}", Digest::of(b"{}"))
    }

    #[test]
    fn a_manifest_keeps_its_bytes() {
        let text = format!("{{ \"schemaVersion\": 2,\n \"config\": {}, \"layers\": [] }}\n", descriptor("a/b"));
        let manifest = read(&text, None).expect("it is one");
        assert_eq!(manifest.raw(), text.as_bytes());
        assert_eq!(manifest.digest(), &Digest::of(text.as_bytes()));
        assert_eq!(manifest.media_type(), &MediaType::OciManifest);
        assert_eq!(manifest.artifact_type(), Some(&MediaType::from("a/b")));
        assert_eq!(manifest.blobs().count(), 1);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let subject = Descriptor::of(MediaType::OciManifest, b"subject");
        let layer = Descriptor::of(MediaType::from("application/spdx+json"), b"layer");
        let parts = ManifestParts::artifact(MediaType::from("application/spdx+json"), vec![layer], Some(subject));
        let written = parts.write();
        let again = AnyManifest::read(written.raw().to_vec(), Some(&MediaType::OciManifest)).expect("it is one");
        assert_eq!(again, AnyManifest::Image(written));
    }

    #[test]
    fn schema_1_is_refused_with_a_word() {
        for text in ["{\"schemaVersion\":1}", "{\"schemaVersion\":2,\"fsLayers\":[]}"] {
            let error = read(text, None).expect_err(text);
            assert!(error.to_string().contains("push the image again"), "{error}");
        }
        assert!(matches!(read("{}", Some(&MediaType::DockerSchema1Signed)), Err(ManifestError::Schema1)));
    }

    #[test]
    fn what_two_readers_could_see_differently_is_refused() {
        let both = format!("{{\"schemaVersion\":2,\"config\":{},\"layers\":[],\"manifests\":[]}}", descriptor("a/b"));
        assert!(matches!(read(&both, None), Err(ManifestError::Ambiguous)));
        let image = format!("{{\"schemaVersion\":2,\"config\":{},\"layers\":[]}}", descriptor("a/b"));
        assert!(matches!(read(&image, Some(&MediaType::OciIndex)), Err(ManifestError::Missing { field: "manifests" })));
        let said = format!(
            "{{\"schemaVersion\":2,\"mediaType\":\"{}\",\"config\":{},\"layers\":[]}}",
            MediaType::DockerManifest,
            descriptor("a/b")
        );
        assert!(matches!(read(&said, Some(&MediaType::OciManifest)), Err(ManifestError::Confused { .. })));
        assert!(read(&said, Some(&MediaType::from("application/json"))).is_ok());
        let twice = format!("{{\"schemaVersion\":2,\"config\":{0},\"config\":{0}}}", descriptor("a/b"));
        assert!(matches!(read(&twice, None), Err(ManifestError::Malformed { .. })));
    }

    #[test]
    fn bombs_are_refused() {
        let large = format!("{{\"schemaVersion\":2,\"x\":\"{}\"}}", "a".repeat(MAX_MANIFEST_BYTES));
        assert!(matches!(read(&large, None), Err(ManifestError::TooLarge { .. })));
        let entry = descriptor("a/b");
        let entries = vec![entry.as_str(); MAX_ENTRIES + 1].join(",");
        let many = format!("{{\"schemaVersion\":2,\"manifests\":[{entries}]}}");
        assert!(matches!(read(&many, None), Err(ManifestError::TooManyEntries { .. })));
        let deep = format!("{{\"schemaVersion\":2,\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(
            matches!(read(&deep, None), Err(ManifestError::Missing { .. })),
            "what nobody reads is skipped, without recursion"
        );
        let deep =
            format!("{{\"schemaVersion\":2,\"annotations\":{}{}}}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
        assert!(matches!(read(&deep, None), Err(ManifestError::Malformed { .. })));
    }

    #[test]
    fn two_hundred_layers_are_fine() {
        let layers = vec![descriptor("a/b"); 200].join(",");
        let text = format!("{{\"schemaVersion\":2,\"config\":{},\"layers\":[{layers}]}}", descriptor("a/b"));
        assert_eq!(read(&text, None).expect("it is one").blobs().count(), 201);
    }

    proptest! {
        #[test]
        fn no_bytes_make_reading_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = AnyManifest::read(bytes, None);
        }
    }
}
