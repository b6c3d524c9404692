//! Media types of what a registry keeps.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The media type of a manifest, a configuration, a layer or anything else.
///
/// Parameters (`; charset=…`) are dropped when it is read from a header.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum MediaType {
    /// An OCI image manifest.
    OciManifest,
    /// An OCI image index.
    OciIndex,
    /// An OCI image configuration.
    OciConfig,
    /// An OCI layer: a tar archive.
    OciLayer,
    /// An OCI layer, gzip.
    OciLayerGzip,
    /// An OCI layer, zstd.
    OciLayerZstd,
    /// An OCI layer that may not be distributed.
    OciForeignLayer,
    /// An OCI layer that may not be distributed, gzip.
    OciForeignLayerGzip,
    /// An OCI layer that may not be distributed, zstd.
    OciForeignLayerZstd,
    /// The two bytes `{}`, for artifacts without a configuration.
    OciEmpty,
    /// Docker's image manifest, schema 2.
    DockerManifest,
    /// Docker's manifest list.
    DockerManifestList,
    /// Docker's image configuration.
    DockerConfig,
    /// Docker's layer: tar and gzip.
    DockerLayer,
    /// Docker's layer that is fetched from elsewhere.
    DockerLayerForeign,
    /// Docker's first manifests, without signature. No longer read by anything.
    DockerSchema1,
    /// Docker's first manifests, with signature. No longer read by anything.
    DockerSchema1Signed,
    /// Any other.
    Other(String),
}

impl MediaType {
    /// What is asked for when a manifest is fetched, the preferred ones first.
    ///
    /// Schema 1 is not among them: a registry that has nothing else says so.
    pub const MANIFESTS: [Self; 4] =
        [Self::OciIndex, Self::OciManifest, Self::DockerManifestList, Self::DockerManifest];

    /// Reads a media type as it stands in JSON or in a header.
    pub fn parse(text: &str) -> Self {
        let essence = text.split(';').next().unwrap_or_default().trim();
        match essence {
            "application/vnd.oci.image.manifest.v1+json" => Self::OciManifest,
            "application/vnd.oci.image.index.v1+json" => Self::OciIndex,
            "application/vnd.oci.image.config.v1+json" => Self::OciConfig,
            "application/vnd.oci.image.layer.v1.tar" => Self::OciLayer,
            "application/vnd.oci.image.layer.v1.tar+gzip" => Self::OciLayerGzip,
            "application/vnd.oci.image.layer.v1.tar+zstd" => Self::OciLayerZstd,
            "application/vnd.oci.image.layer.nondistributable.v1.tar" => Self::OciForeignLayer,
            "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip" => Self::OciForeignLayerGzip,
            "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd" => Self::OciForeignLayerZstd,
            "application/vnd.oci.empty.v1+json" => Self::OciEmpty,
            "application/vnd.docker.distribution.manifest.v2+json" => Self::DockerManifest,
            "application/vnd.docker.distribution.manifest.list.v2+json" => Self::DockerManifestList,
            "application/vnd.docker.container.image.v1+json" => Self::DockerConfig,
            "application/vnd.docker.image.rootfs.diff.tar.gzip" => Self::DockerLayer,
            "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" => Self::DockerLayerForeign,
            "application/vnd.docker.distribution.manifest.v1+json" => Self::DockerSchema1,
            "application/vnd.docker.distribution.manifest.v1+prettyjws" => Self::DockerSchema1Signed,
            other => Self::Other(other.to_owned()),
        }
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        match self {
            Self::OciManifest => "application/vnd.oci.image.manifest.v1+json",
            Self::OciIndex => "application/vnd.oci.image.index.v1+json",
            Self::OciConfig => "application/vnd.oci.image.config.v1+json",
            Self::OciLayer => "application/vnd.oci.image.layer.v1.tar",
            Self::OciLayerGzip => "application/vnd.oci.image.layer.v1.tar+gzip",
            Self::OciLayerZstd => "application/vnd.oci.image.layer.v1.tar+zstd",
            Self::OciForeignLayerGzip => "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
            Self::OciForeignLayerZstd => "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
            Self::OciForeignLayer => "application/vnd.oci.image.layer.nondistributable.v1.tar",
            Self::OciEmpty => "application/vnd.oci.empty.v1+json",
            Self::DockerManifest => "application/vnd.docker.distribution.manifest.v2+json",
            Self::DockerManifestList => "application/vnd.docker.distribution.manifest.list.v2+json",
            Self::DockerConfig => "application/vnd.docker.container.image.v1+json",
            Self::DockerLayer => "application/vnd.docker.image.rootfs.diff.tar.gzip",
            Self::DockerLayerForeign => "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
            Self::DockerSchema1 => "application/vnd.docker.distribution.manifest.v1+json",
            Self::DockerSchema1Signed => "application/vnd.docker.distribution.manifest.v1+prettyjws",
            Self::Other(text) => text,
        }
    }

    /// A manifest of one image or artifact.
    pub fn is_image_manifest(&self) -> bool {
        matches!(self, Self::OciManifest | Self::DockerManifest)
    }

    /// A list of manifests.
    pub fn is_index(&self) -> bool {
        matches!(self, Self::OciIndex | Self::DockerManifestList)
    }

    /// Either: what lives below `manifests/` in a registry, rather than below `blobs/`.
    pub fn is_manifest(&self) -> bool {
        self.is_image_manifest() || self.is_index() || self.is_schema1()
    }

    /// Docker's first manifests, which are refused.
    pub fn is_schema1(&self) -> bool {
        matches!(self, Self::DockerSchema1 | Self::DockerSchema1Signed)
    }

    /// The configuration of an image, rather than of an artifact.
    pub fn is_image_config(&self) -> bool {
        matches!(self, Self::OciConfig | Self::DockerConfig)
    }

    /// A layer that registries do not have to keep: it is fetched from the addresses of its descriptor.
    pub fn is_foreign_layer(&self) -> bool {
        matches!(
            self,
            Self::OciForeignLayer | Self::OciForeignLayerGzip | Self::OciForeignLayerZstd | Self::DockerLayerForeign
        )
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<String> for MediaType {
    fn from(text: String) -> Self {
        Self::parse(&text)
    }
}

impl From<&str> for MediaType {
    fn from(text: &str) -> Self {
        Self::parse(text)
    }
}

impl From<MediaType> for String {
    fn from(media_type: MediaType) -> Self {
        media_type.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_type_is_read_as_it_is_written() {
        let known = [
            MediaType::OciManifest,
            MediaType::OciIndex,
            MediaType::OciConfig,
            MediaType::OciLayer,
            MediaType::OciLayerGzip,
            MediaType::OciLayerZstd,
            MediaType::OciForeignLayer,
            MediaType::OciForeignLayerGzip,
            MediaType::OciForeignLayerZstd,
            MediaType::OciEmpty,
            MediaType::DockerManifest,
            MediaType::DockerManifestList,
            MediaType::DockerConfig,
            MediaType::DockerLayer,
            MediaType::DockerLayerForeign,
            MediaType::DockerSchema1,
            MediaType::DockerSchema1Signed,
        ];
        for media_type in known {
            assert_eq!(MediaType::parse(media_type.as_str()), media_type);
        }
        let other = MediaType::parse("application/vnd.example+json");
        assert_eq!(other, MediaType::Other("application/vnd.example+json".to_owned()));
    }

    #[test]
    fn parameters_of_a_header_are_dropped() {
        let header = "application/vnd.oci.image.index.v1+json; charset=utf-8";
        assert_eq!(MediaType::parse(header), MediaType::OciIndex);
    }
}
