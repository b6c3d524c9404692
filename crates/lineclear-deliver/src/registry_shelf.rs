//! A release repository in a registry.

use std::collections::BTreeSet;

use lineclear_oci::{AnyManifest, Digest, MAX_INDEX_DEPTH, Reference, Tag};
use lineclear_registry::{Client, CopyOptions, RegistryClientError};

use crate::{Carried, Proofs, Shelf, ShelfError};

/// A repository of a registry, and the place that one image comes from.
///
/// Two clients: that which carries may be cancelled at any time, that which moves tags is not.
#[derive(Debug, Clone)]
pub struct RegistryShelf {
    /// Reads from both places and writes contents.
    pub carrier: Client,
    /// Asks for tags and sets them.
    pub tagger: Client,
    /// The release repository, where it is reached.
    pub to: Reference,
    /// Where the image is, as it is reached: a repository; the digest is given with each call. `None` where nothing is to be brought.
    pub from: Option<Reference>,
    /// What is verified once more where the image arrived, before a tag moves.
    pub proofs: Proofs,
}

impl Shelf for RegistryShelf {
    fn log_in(&self) -> Result<(), ShelfError> {
        // By the one that may be cancelled: a registry that does not answer is found out here. The other logs in when it is needed.
        Ok(self.carrier.ping(self.to.registry())?)
    }

    fn tag(&self, tag: &Tag) -> Result<Option<Digest>, ShelfError> {
        // The manifest itself and not what the registry says of it: its digest is computed here.
        match self.tagger.manifest(&self.to.tagged(tag.clone())) {
            Ok(manifest) => Ok(Some(Digest::of(manifest.raw()))),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn copy(&self, digest: &Digest) -> Result<Carried, ShelfError> {
        let Some(from) = &self.from else {
            return Err(ShelfError::Other("it is not said where the image comes from".to_owned()));
        };
        let options = CopyOptions::default();
        let copied = self.carrier.copy(&from.only_at(digest.clone()), &self.to.only_at(digest.clone()), &options)?;
        if copied.root.digest != *digest {
            return Err(ShelfError::Other(format!("{} was copied in place of {digest}", copied.root.digest)));
        }
        self.check_referrers(from, digest)?;
        Ok(Carried { manifests: copied.manifests, referrers: copied.referrers, bytes: copied.bytes })
    }

    fn check(&self, digest: &Digest) -> Result<(), ShelfError> {
        let place = self.to.only_at(digest.clone());
        let root = match self.carrier.manifest(&place) {
            Ok(root) => root,
            Err(error) if error.is_not_found() => return Err(self.incomplete(format!("{digest} is not there"))),
            Err(error) => return Err(error.into()),
        };
        self.check_below(&root, 0, &mut BTreeSet::new())?;
        self.proofs.check(&self.carrier, &place)
    }

    fn parts(&self, digest: &Digest) -> Result<Vec<Digest>, ShelfError> {
        let root = self.carrier.manifest(&self.to.only_at(digest.clone()))?;
        let mut parts = Vec::new();
        self.add_parts(&root, 0, &mut parts)?;
        Ok(parts)
    }

    fn set_tag(&self, tag: &Tag, digest: &Digest) -> Result<(), ShelfError> {
        self.tagger.retag(&self.to.only_at(digest.clone()), tag)?;
        Ok(())
    }

    fn remove_tag(&self, tag: &Tag) -> Result<(), ShelfError> {
        // Never by digest: that would take the other tags of the image with it.
        Ok(self.tagger.delete(&self.to.tagged(tag.clone()))?)
    }
}

impl RegistryShelf {
    /// Everything that a manifest names; manifests are read and compared with their digests, and so is the configuration.
    /// What was `seen` as a manifest, or as none, is there: several indexes may name the same.
    fn check_below(
        &self,
        manifest: &AnyManifest,
        depth: usize,
        seen: &mut BTreeSet<(Digest, bool)>,
    ) -> Result<(), ShelfError> {
        if depth > MAX_INDEX_DEPTH {
            return Err(self.incomplete("too many indexes in one another".to_owned()));
        }
        for child in manifest.children() {
            let is_manifest = child.media_type.is_manifest();
            if !seen.insert((child.digest.clone(), is_manifest)) {
                continue;
            }
            if is_manifest {
                let found = self.carrier.child(&self.to, child).map_err(|error| self.missing(error, &child.digest))?;
                self.check_below(&found, depth + 1, seen)?;
            } else {
                self.check_blob(child)?;
            }
        }
        for blob in manifest.blobs().filter(|blob| blob.urls.is_empty() && !blob.media_type.is_foreign_layer()) {
            if seen.insert((blob.digest.clone(), false)) {
                self.check_blob(blob)?;
            }
        }
        if let AnyManifest::Image(image) = manifest {
            self.carrier.config(&self.to, image).map_err(|error| self.missing(error, &image.config().digest))?;
        }
        Ok(())
    }

    fn add_parts(&self, manifest: &AnyManifest, depth: usize, parts: &mut Vec<Digest>) -> Result<(), ShelfError> {
        if depth > MAX_INDEX_DEPTH {
            return Err(self.incomplete("too many indexes in one another".to_owned()));
        }
        for child in manifest.children().iter().filter(|child| child.media_type.is_manifest()) {
            // What several indexes name is looked into once.
            if parts.contains(&child.digest) {
                continue;
            }
            parts.push(child.digest.clone());
            let found = self.carrier.child(&self.to, child).map_err(|error| self.missing(error, &child.digest))?;
            self.add_parts(&found, depth + 1, parts)?;
        }
        Ok(())
    }

    fn check_blob(&self, blob: &lineclear_oci::Descriptor) -> Result<(), ShelfError> {
        match self.carrier.has_blob(&self.to, &blob.digest)? {
            true => Ok(()),
            false => Err(self.incomplete(format!("the blob {} is not there", blob.digest))),
        }
    }

    /// Signatures, lists of contents and attestations have to come along.
    fn check_referrers(&self, from: &Reference, digest: &Digest) -> Result<(), ShelfError> {
        let wanted = self.carrier.referrers(from, digest, None)?;
        if wanted.is_empty() || from.name() == self.to.name() {
            return Ok(());
        }
        let there = self.carrier.referrers(&self.to, digest, None)?;
        match wanted.iter().find(|wanted| !there.iter().any(|found| found.digest == wanted.digest)) {
            None => Ok(()),
            Some(lost) => Err(self.incomplete(format!("{}, which refers to it, did not come along", lost.digest))),
        }
    }

    fn missing(&self, error: RegistryClientError, digest: &Digest) -> ShelfError {
        if error.is_not_found() { self.incomplete(format!("{digest} is not there")) } else { error.into() }
    }

    fn incomplete(&self, what: String) -> ShelfError {
        ShelfError::Incomplete { repository: self.to.bare().familiar(), what }
    }
}
