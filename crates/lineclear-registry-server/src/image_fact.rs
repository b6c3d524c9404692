//! What a pushed manifest says of its image, for the record of a run.

use lineclear_event::{ImageConfigFact, ImageDeed, ImageFact};
use lineclear_oci::{
    AnyManifest, Descriptor, ImageConfig, MAX_CONFIG_BYTES, Manifest, MediaType, RepositoryName, Tag, annotation,
};
use lineclear_store::Images;

/// The fact of a push; `None` for what is no image but says something about one: a signature, an attestation, a list of contents, a list of those.
///
/// What cannot be read of the configuration is left out: the push is done.
pub(crate) fn of(
    images: &dyn Images,
    name: &RepositoryName,
    tag: Option<&Tag>,
    manifest: &AnyManifest,
) -> Option<ImageFact> {
    let claims_to_be_about = manifest.subject().is_some() || tag.is_some_and(|tag| is_about_a_digest(tag.as_str()));
    if claims_to_be_about && !is_image(images, name, manifest) {
        return None;
    }
    let reference = match tag {
        Some(tag) => format!("{name}:{tag}"),
        None => format!("{name}@{}", manifest.digest()),
    };
    let mut fact = ImageFact {
        deed: ImageDeed::Pushed,
        names: vec![reference],
        digest: manifest.digest().to_string(),
        platforms: Vec::new(),
        children: Vec::new(),
        config: None,
    };
    match manifest {
        AnyManifest::Index(index) => {
            fact.children = index.parts().manifests.iter().map(|child| child.digest.to_string()).collect();
            let platforms = index.parts().manifests.iter().filter_map(|child| child.platform.as_ref());
            fact.platforms = platforms.filter(|platform| !platform.is_unknown()).map(ToString::to_string).collect();
        }
        AnyManifest::Image(manifest) if manifest.is_image() => {
            if let Some(config) = config(images, name, manifest) {
                fact.platforms = vec![config.platform().to_string()];
                fact.config = Some(facts_of(&config, manifest));
            }
        }
        AnyManifest::Image(_) => {}
    }
    Some(fact)
}

/// Whether it is an image, whatever it is called and whatever it says that it refers to: otherwise evidence could be escaped by a name.
fn is_image(images: &dyn Images, name: &RepositoryName, manifest: &AnyManifest) -> bool {
    match manifest {
        AnyManifest::Image(manifest) => is_runnable(manifest),
        // A list of referrers names what is none. All that an index names was there when it was taken; who knows what it is that is gone since.
        AnyManifest::Index(index) => index.parts().manifests.iter().any(|child| {
            let kept = images.manifest(name, &child.digest).ok().flatten();
            let read = kept
                .and_then(|kept| AnyManifest::read(kept.bytes, Some(&MediaType::parse(&kept.facts.media_type))).ok());
            match read {
                Some(AnyManifest::Image(manifest)) => is_runnable(&manifest),
                Some(AnyManifest::Index(_)) | None => true,
            }
        }),
    }
}

/// Whether it has the configuration of an image and not only documents for layers: signatures and attestations that cosign makes have the one and
/// the others.
fn is_runnable(manifest: &Manifest) -> bool {
    let is_document = |layer: &Descriptor| {
        let kind = layer.media_type.as_str();
        kind.starts_with("text/") || ["json", "xml"].iter().any(|form| kind.ends_with(form))
    };
    manifest.is_image() && (manifest.layers().is_empty() || !manifest.layers().iter().all(is_document))
}

/// Tags under which clients keep what is about a digest where a registry does not list referrers: `sha256-<digits>`, `.sig`, `.att`, `.sbom`.
///
/// # Source
/// The distribution specification, "Referrers Tag Schema"; cosign's signature specification.
fn is_about_a_digest(tag: &str) -> bool {
    let Some(rest) = tag.strip_prefix("sha256-") else { return false };
    let (digits, ending) = rest.split_at(rest.find('.').unwrap_or(rest.len()));
    digits.len() == 64
        && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        && matches!(ending, "" | ".sig" | ".att" | ".sbom")
}

fn config(images: &dyn Images, name: &RepositoryName, manifest: &Manifest) -> Option<ImageConfig> {
    let mut open = images.open_blob(name, &manifest.config().digest).ok()??;
    let size = usize::try_from(open.size).ok().filter(|size| *size <= MAX_CONFIG_BYTES)?;
    let mut bytes = vec![0; size];
    let read = open.content.read_at(0, &mut bytes).ok()?;
    ImageConfig::read(bytes.get(..read)?).ok()
}

fn facts_of(config: &ImageConfig, manifest: &Manifest) -> ImageConfigFact {
    let check = config.config.healthcheck.as_ref().filter(|check| !check.is_none() && !check.test.is_empty());
    ImageConfigFact {
        user: config.config.user.clone(),
        health_check: check.map(|check| check.command()),
        ports: config.config.exposed_ports.keys().cloned().collect(),
        labels: config.config.labels.clone(),
        size: manifest.layers().iter().fold(0, |sum: u64, layer| sum.saturating_add(layer.size)),
        layers: u32::try_from(manifest.layers().len()).unwrap_or(u32::MAX),
        base: manifest.parts().annotations.get(annotation::BASE_NAME).cloned(),
    }
}

#[cfg(test)]
mod tests {
    use lineclear_event::Timestamp;
    use lineclear_oci::{Index, ManifestParts, Platform};
    use lineclear_store::{ManifestFacts, MemoryStore, NewManifest};

    use super::*;

    #[test]
    fn a_signature_is_no_image_of_its_own() {
        let digits = "5ae6".repeat(16);
        for about in [format!("sha256-{digits}"), format!("sha256-{digits}.sig"), format!("sha256-{digits}.att")] {
            assert!(is_about_a_digest(&about), "{about}");
        }
        for image in ["latest".to_owned(), format!("sha256-{digits}.exe"), "sha256-5ae6.sig".into(), "sha-5ae6".into()]
        {
            assert!(!is_about_a_digest(&image), "{image}");
        }
    }

    const NAME: &str = "ci/app";

    fn name() -> RepositoryName {
        RepositoryName::parse(NAME).expect("a name")
    }

    /// A manifest as it is kept.
    fn kept(store: &MemoryStore, manifest: AnyManifest) -> AnyManifest {
        let new = NewManifest {
            repository: name(),
            digest: manifest.digest().clone(),
            bytes: manifest.raw().to_vec(),
            facts: ManifestFacts::of(&manifest, Timestamp(1)),
            tags: Vec::new(),
            now: Timestamp(1),
        };
        store.put_manifest(&new).expect("all that it names is there");
        manifest
    }

    fn of_layer(store: &MemoryStore, config: MediaType, layer: &str, subject: Option<Descriptor>) -> AnyManifest {
        let blob = |media_type, bytes: &[u8]| {
            let blob = Descriptor::of(media_type, bytes);
            let upload = store.begin_push(&name(), Timestamp(1)).expect("begun");
            store.push(&name(), &upload, None, &mut &*bytes, 1 << 20).expect("pushed");
            store.finish_push(&name(), &upload, &blob.digest, Timestamp(1)).expect("whole");
            blob
        };
        let (config, layers) = (blob(config, b"{}"), vec![blob(MediaType::parse(layer), b"layer")]);
        let parts = ManifestParts { subject, ..ManifestParts::new(config, layers) };
        kept(store, parts.write().into())
    }

    #[test]
    fn an_image_has_its_fact_whatever_it_is_called_and_refers_to_and_what_is_about_one_has_none() {
        let store = MemoryStore::new();
        let layer = MediaType::OciLayerGzip;
        let image = |subject| of_layer(&store, MediaType::OciConfig, layer.as_str(), subject);
        let signature = |kind: &str, subject| of_layer(&store, MediaType::OciConfig, kind, subject);
        let plain = image(None);
        let subject = || Some(plain.descriptor());
        let digits = plain.digest().to_string().replace(':', "-");
        let tag = |ending: &str| Tag::parse(&format!("{digits}{ending}")).expect("a tag");
        let list =
            |of: &AnyManifest| kept(&store, Index::of(&[(of.descriptor(), Platform::new("linux", "amd64"))]).into());
        let simple = "application/vnd.dev.cosign.simplesigning.v1+json";
        let has_fact = |tag: Option<Tag>, manifest: &AnyManifest| of(&store, &name(), tag.as_ref(), manifest).is_some();

        assert!(has_fact(None, &plain));
        for ending in ["", ".sig", ".att", ".sbom"] {
            assert!(has_fact(Some(tag(ending)), &plain), "{ending}");
            assert!(has_fact(Some(tag(ending)), &list(&plain)), "{ending}");
            assert!(has_fact(Some(tag(ending)), &list(&list(&plain))), "{ending}");
        }
        assert!(has_fact(None, &image(subject())));

        assert!(!has_fact(Some(tag(".sig")), &signature(simple, None)));
        assert!(!has_fact(Some(tag(".sbom")), &signature("text/spdx", None)));
        assert!(!has_fact(Some(tag("")), &list(&signature(simple, subject()))));
        assert!(!has_fact(None, &signature(simple, subject())));
        assert!(!has_fact(None, &of_layer(&store, MediaType::OciEmpty, layer.as_str(), subject())));
        // What says nothing of being about another has its fact as ever.
        assert!(has_fact(None, &signature(simple, None)));
    }
}
