//! Lists of manifests: one image for several platforms, or what refers to an image.

use serde::Serialize;

use crate::manifest::to_json;
use crate::{Annotations, AnyManifest, Descriptor, Digest, ManifestError, MediaType, Platform};

/// What an index says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IndexParts {
    /// [`MediaType::OciIndex`] or [`MediaType::DockerManifestList`].
    pub media_type: MediaType,
    /// What kind of artifact it is, when it is not an image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<MediaType>,
    /// The manifests, in order.
    pub manifests: Vec<Descriptor>,
    /// What it refers to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Facts that somebody attached.
    #[serde(skip_serializing_if = "Annotations::is_empty")]
    pub annotations: Annotations,
}

impl IndexParts {
    /// An OCI index of manifests.
    pub fn new(manifests: Vec<Descriptor>) -> Self {
        Self {
            media_type: MediaType::OciIndex,
            artifact_type: None,
            manifests,
            subject: None,
            annotations: Annotations::new(),
        }
    }

    /// The document, whose bytes are the same for the same parts.
    pub fn write(self) -> Index {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Document<'a> {
            schema_version: u8,
            #[serde(flatten)]
            parts: &'a IndexParts,
        }
        let raw = to_json(&Document { schema_version: 2, parts: &self });
        Index::from_parts(self, raw)
    }
}

/// A list of manifests, with the bytes it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    parts: IndexParts,
    raw: Vec<u8>,
    digest: Digest,
}

impl Index {
    pub(crate) fn from_parts(parts: IndexParts, raw: Vec<u8>) -> Self {
        Self { digest: Digest::of(&raw), parts, raw }
    }

    /// One index of images that were made for one platform each, in the order given.
    ///
    /// Docker's manifests in an OCI index are fine for every reader; [`IndexParts`] has annotations and more.
    pub fn of(images: &[(Descriptor, Platform)]) -> Self {
        let entry = |(image, platform): &(Descriptor, Platform)| image.clone().on(platform.clone());
        IndexParts::new(images.iter().map(entry).collect()).write()
    }

    /// Reads an index, such as `index.json` of an image layout or a list of referrers.
    ///
    /// # Errors
    /// As [`AnyManifest::read`]; also when it is the manifest of an image.
    pub fn read(bytes: Vec<u8>, announced: Option<&MediaType>) -> Result<Self, ManifestError> {
        match AnyManifest::read(bytes, announced)? {
            AnyManifest::Index(index) => Ok(index),
            AnyManifest::Image(manifest) => {
                Err(ManifestError::NotAManifest { found: manifest.parts().media_type.clone() })
            }
        }
    }

    /// What it says.
    pub fn parts(&self) -> &IndexParts {
        &self.parts
    }

    /// The manifests, in order.
    pub fn manifests(&self) -> &[Descriptor] {
        &self.parts.manifests
    }

    /// The bytes that it was read from or written as.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The SHA-256 of [`Self::raw`].
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The manifest that a machine of `platform` runs best; of equals the first.
    pub fn choose(&self, platform: &Platform) -> Option<&Descriptor> {
        let rank = |entry: &&Descriptor| entry.platform.as_ref().and_then(|offered| platform.runs(offered));
        self.manifests().iter().filter(|entry| rank(entry).is_some()).min_by_key(rank)
    }

    /// The platforms that there are images for, without attestations.
    pub fn platforms(&self) -> impl Iterator<Item = &Platform> {
        self.manifests().iter().filter_map(|entry| entry.platform.as_ref()).filter(|platform| !platform.is_unknown())
    }
}

impl From<Index> for AnyManifest {
    fn from(index: Index) -> Self {
        Self::Index(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(text: &str) -> Descriptor {
        Descriptor::of(MediaType::OciManifest, text.as_bytes())
    }

    fn platform(text: &str) -> Platform {
        text.parse().expect(text)
    }

    #[test]
    fn images_of_single_platforms_become_one_index() {
        let images = [(image("a"), platform("linux/amd64")), (image("b"), platform("linux/arm64"))];
        let index = Index::of(&images);
        assert_eq!(index, Index::of(&images), "the same images make the same bytes");
        let again = Index::read(index.raw().to_vec(), Some(&MediaType::OciIndex)).expect("it is one");
        assert_eq!(again, index);
        assert_eq!(again.platforms().map(ToString::to_string).collect::<Vec<_>>(), ["linux/amd64", "linux/arm64"]);
        assert_eq!(again.choose(&platform("linux/arm64/v8")).map(|entry| &entry.digest), Some(&image("b").digest));
        assert_eq!(again.choose(&platform("linux/s390x")), None);
    }

    #[test]
    fn the_best_variant_is_chosen() {
        let index = Index::of(&[
            (image("5"), platform("linux/arm/v5")),
            (image("7"), platform("linux/arm/v7")),
            (image("6"), platform("linux/arm/v6")),
        ]);
        let chosen = |on: &str| index.choose(&platform(on)).map(|entry| entry.digest.clone());
        assert_eq!(chosen("linux/arm/v7"), Some(image("7").digest));
        assert_eq!(chosen("linux/arm/v6"), Some(image("6").digest));
        assert_eq!(chosen("linux/arm/v8"), Some(image("7").digest));
    }
}
