//! What a pushed manifest says of its image, for the record of a run.

use lineclear_event::{ImageConfigFact, ImageDeed, ImageFact};
use lineclear_oci::{AnyManifest, ImageConfig, MAX_CONFIG_BYTES, Manifest, RepositoryName, Tag, annotation};
use lineclear_store::Images;

/// The fact of a push; `None` for what is no image but says something about one: a signature, an attestation, a list of contents.
///
/// What cannot be read of the configuration is left out: the push is done.
pub(crate) fn of(
    images: &dyn Images,
    name: &RepositoryName,
    tag: Option<&Tag>,
    manifest: &AnyManifest,
) -> Option<ImageFact> {
    if manifest.subject().is_some() || tag.is_some_and(|tag| is_about_a_digest(&tag.to_string())) {
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
}
