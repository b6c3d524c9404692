//! How registries keep signatures: bundles as referrers of the image, cosign's older signatures under a tag that is made of the digest.
//!
//! # Source
//! cosign's `BUNDLE_SPEC.md` and `SIGNATURE_SPEC.md`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lineclear_oci::{Annotations, AnyManifest, Descriptor, Digest, ManifestParts, MediaType, Tag, annotation};

use crate::SimpleSigning;

/// The type of a bundle of the version that is written.
pub(crate) const BUNDLE_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// The type of the text of an older signature.
pub const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// The type of an older attestation.
const ENVELOPE_TYPE: &str = "application/vnd.dsse.envelope.v1+json";
/// Which kind of content a bundle has.
pub const ANNOTATION_CONTENT: &str = "dev.sigstore.bundle.content";
/// The type of what a bundle says.
pub const ANNOTATION_PREDICATE: &str = "dev.sigstore.bundle.predicateType";
/// The signature over the text of a layer, in base64.
pub const ANNOTATION_SIGNATURE: &str = "dev.cosignproject.cosign/signature";

/// A manifest, and the blobs that have to be there before it.
#[derive(Clone, Debug)]
pub struct Artifact {
    /// What is pushed last.
    pub manifest: AnyManifest,
    /// What it consists of.
    pub blobs: Vec<(Descriptor, Vec<u8>)>,
}

/// One older signature, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureLayer {
    /// Where its text is.
    pub layer: Descriptor,
    /// The signature over the text.
    pub signature: Vec<u8>,
}

/// The type of a bundle, as `artifactType` and as the type of its blob.
pub fn bundle_type() -> MediaType {
    MediaType::Other(BUNDLE_TYPE.to_owned())
}

/// The type of an older attestation.
pub fn envelope_type() -> MediaType {
    MediaType::Other(ENVELOPE_TYPE.to_owned())
}

/// Whether an artifact of this type may be a bundle: also of older versions, and of later ones, which are refused once they are read.
pub fn is_bundle_type(media_type: &MediaType) -> bool {
    media_type.as_str().starts_with("application/vnd.dev.sigstore.bundle")
}

/// A bundle as a referrer of the image. `created` is RFC 3339 in UTC.
pub fn referrer(subject: &Descriptor, bundle: Vec<u8>, predicate_type: &str, created: &str) -> Artifact {
    let blob = Descriptor::of(bundle_type(), &bundle);
    let annotations =
        [(annotation::CREATED, created), (ANNOTATION_CONTENT, "dsse-envelope"), (ANNOTATION_PREDICATE, predicate_type)];
    let config = Descriptor { data: None, ..Descriptor::empty() };
    let parts = ManifestParts {
        media_type: MediaType::OciManifest,
        artifact_type: Some(bundle_type()),
        config: config.clone(),
        layers: vec![blob.clone()],
        subject: Some(Descriptor::new(subject.media_type.clone(), subject.digest.clone(), subject.size)),
        annotations: annotations.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
    };
    Artifact {
        manifest: AnyManifest::Image(parts.write()),
        blobs: vec![(config, Descriptor::EMPTY_BYTES.to_vec()), (blob, bundle)],
    }
}

/// The tag under which older signatures of the digest are.
pub fn signature_tag(digest: &Digest) -> Tag {
    tag(digest, ".sig")
}

/// The tag under which older attestations of the digest are.
pub fn attestation_tag(digest: &Digest) -> Tag {
    tag(digest, ".att")
}

fn tag(digest: &Digest, ending: &str) -> Tag {
    let text = format!("{}-{}{ending}", digest.algorithm().as_str(), digest.hex());
    Tag::parse(&text).expect("digits and a short ending are a tag")
}

/// The older signatures that a manifest lists.
pub fn signature_layers(manifest: &AnyManifest) -> Vec<SignatureLayer> {
    let AnyManifest::Image(manifest) = manifest else { return Vec::new() };
    let is_text = |layer: &&Descriptor| layer.media_type.as_str() == SIMPLE_SIGNING;
    let read = |layer: &Descriptor| {
        let signature = STANDARD.decode(layer.annotations.get(ANNOTATION_SIGNATURE)?).ok()?;
        Some(SignatureLayer { layer: layer.clone(), signature })
    };
    manifest.parts().layers.iter().filter(is_text).filter_map(read).collect()
}

/// The manifest of older signatures with one more; `before` is the one that is there.
pub fn signature_manifest(before: Option<&AnyManifest>, payload: &SimpleSigning, signature: &[u8]) -> Artifact {
    let text = payload.write();
    let mut layer = Descriptor::of(MediaType::Other(SIMPLE_SIGNING.to_owned()), &text);
    layer.annotations = Annotations::from([(ANNOTATION_SIGNATURE.to_owned(), STANDARD.encode(signature))]);
    let mut layers = match before {
        Some(AnyManifest::Image(manifest)) => manifest.parts().layers.clone(),
        Some(AnyManifest::Index(_)) | None => Vec::new(),
    };
    layers.push(layer.clone());
    let digests: Vec<String> = layers.iter().map(|layer| layer.digest.to_string()).collect();
    let config = serde_json::json!({
        "architecture": "", "os": "", "config": {},
        "created": "0001-01-01T00:00:00Z",
        "rootfs": {"type": "layers", "diff_ids": digests},
    });
    let config = config.to_string().into_bytes();
    let described = Descriptor::of(MediaType::OciConfig, &config);
    let parts = ManifestParts {
        media_type: MediaType::OciManifest,
        artifact_type: None,
        config: described.clone(),
        layers,
        subject: None,
        annotations: Annotations::new(),
    };
    Artifact { manifest: AnyManifest::Image(parts.write()), blobs: vec![(described, config), (layer, text)] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SIGNATURE;

    #[test]
    fn a_signature_is_added_to_those_that_are_there() {
        let digest = Digest::of(b"image");
        let place = "registry.example/app".parse().expect("a name");
        let payload = SimpleSigning::new(&place, &digest);
        let one = signature_manifest(None, &payload, b"first");
        let two = signature_manifest(Some(&one.manifest), &payload, b"second");
        let signatures: Vec<Vec<u8>> =
            signature_layers(&two.manifest).into_iter().map(|layer| layer.signature).collect();
        assert_eq!(signatures, [b"first".to_vec(), b"second".to_vec()]);
        assert_eq!(signature_tag(&digest).as_str(), format!("sha256-{}.sig", digest.hex()));
    }

    #[test]
    fn a_bundle_refers_to_the_image_by_digest_and_says_what_it_is() {
        let subject = Descriptor::of(MediaType::OciManifest, b"image");
        let artifact = referrer(&subject, b"{}".to_vec(), SIGNATURE, "2026-01-01T00:00:00Z");
        assert_eq!(artifact.manifest.subject(), Some(&subject));
        assert_eq!(artifact.manifest.artifact_type(), Some(&bundle_type()));
        assert_eq!(artifact.manifest.annotations().get(ANNOTATION_PREDICATE).map(String::as_str), Some(SIGNATURE));
        assert!(
            artifact.manifest.blobs().all(|blob| artifact.blobs.iter().any(|(known, _)| known.digest == blob.digest))
        );
    }
}
