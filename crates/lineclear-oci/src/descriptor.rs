//! What points at content: its type, digest and size.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Digest, MediaType, Platform};

/// Annotations of a descriptor, a manifest or an index, sorted by key.
pub type Annotations = BTreeMap<String, String>;

/// Keys of annotations that are used here.
///
/// # Source
/// The image specification, `annotations.md`.
pub mod annotation {
    /// The name under which an image layout keeps a manifest.
    pub const REF_NAME: &str = "org.opencontainers.image.ref.name";
    /// When it was made (RFC 3339).
    pub const CREATED: &str = "org.opencontainers.image.created";
    /// The digest of the image that it was built on.
    pub const BASE_DIGEST: &str = "org.opencontainers.image.base.digest";
    /// The name of the image that it was built on.
    pub const BASE_NAME: &str = "org.opencontainers.image.base.name";
    /// The whole name under which containerd knows a manifest of a layout; written by BuildKit.
    pub const CONTAINERD_NAME: &str = "io.containerd.image.name";
    /// `attestation-manifest` marks BuildKit's provenance and SBOM in an index.
    pub const BUILDKIT_TYPE: &str = "vnd.docker.reference.type";
    /// The digest of the manifest that BuildKit's attestation is about.
    pub const BUILDKIT_DIGEST: &str = "vnd.docker.reference.digest";
}

/// Points at content, wherever it is kept.
///
/// # Source
/// The image specification, `descriptor.md`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// The type of the content.
    #[serde(default = "unknown")]
    pub media_type: MediaType,
    /// The digest of its raw bytes.
    pub digest: Digest,
    /// How many bytes.
    pub size: u64,
    /// Where else it may be fetched from.
    #[serde(default, deserialize_with = "null_is_empty", skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// Facts that somebody attached.
    #[serde(default, deserialize_with = "null_is_empty", skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: Annotations,
    /// The content itself in base64, when it is small.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// What the image runs on, in an index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// The type of the artifact, when the content is a manifest of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<MediaType>,
}

fn unknown() -> MediaType {
    MediaType::Other("application/octet-stream".to_owned())
}

/// Writers in Go say `null` where they have an empty list.
pub(crate) fn null_is_empty<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl Descriptor {
    /// A descriptor with nothing but what it has to have.
    pub fn new(media_type: MediaType, digest: Digest, size: u64) -> Self {
        Self {
            media_type,
            digest,
            size,
            urls: Vec::new(),
            annotations: Annotations::new(),
            data: None,
            platform: None,
            artifact_type: None,
        }
    }

    /// A descriptor of bytes that are at hand.
    pub fn of(media_type: MediaType, bytes: &[u8]) -> Self {
        Self::new(media_type, Digest::of(bytes), bytes.len() as u64)
    }

    /// The two bytes `{}`, for artifacts without a configuration; push [`Self::EMPTY_BYTES`].
    pub fn empty() -> Self {
        Self { data: Some("e30=".to_owned()), ..Self::of(MediaType::OciEmpty, Self::EMPTY_BYTES) }
    }

    /// What [`Self::empty`] describes.
    pub const EMPTY_BYTES: &'static [u8] = b"{}";

    /// The same for a platform.
    pub fn on(self, platform: Platform) -> Self {
        Self { platform: Some(platform), ..self }
    }

    /// Whether it is provenance or an SBOM that BuildKit put beside the images of an index, and nothing to run.
    pub fn is_buildkit_attestation(&self) -> bool {
        self.annotations.get(annotation::BUILDKIT_TYPE).is_some_and(|kind| kind == "attestation-manifest")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_is_written_with_only_what_it_has() {
        let descriptor = Descriptor::of(MediaType::OciConfig, b"{}");
        let text = serde_json::to_string(&descriptor).expect("it is JSON");
        assert_eq!(
            text,
            "{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\",\"size\":2}"
        );
        assert_eq!(serde_json::from_str::<Descriptor>(&text).expect("it is one"), descriptor);
    }

    #[test]
    fn what_go_writes_as_null_is_empty() {
        let text = format!(
            "{{\"mediaType\":\"a/b\",\"digest\":\"{}\",\"size\":1,\"urls\":null,\"annotations\":null}}",
            Digest::of(b"")
        );
        let descriptor: Descriptor = serde_json::from_str(&text).expect("it is one");
        assert!(descriptor.urls.is_empty() && descriptor.annotations.is_empty());
    }

    #[test]
    fn a_negative_size_is_refused() {
        let text = format!("{{\"mediaType\":\"a/b\",\"digest\":\"{}\",\"size\":-1}}", Digest::of(b""));
        assert!(serde_json::from_str::<Descriptor>(&text).is_err());
    }
}
