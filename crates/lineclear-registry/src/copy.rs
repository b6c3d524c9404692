//! Images from one repository to another.

use std::io::Read;

use lineclear_oci::{AnyManifest, Descriptor, Digest, Platform, Reference, Tag};

use crate::push_image::Pushed;
use crate::source::ImageSource;
use crate::{Client, RegistryClientError};

/// What is copied.
#[derive(Debug, Clone)]
pub struct CopyOptions {
    /// The image of one platform alone; otherwise the whole, with the same digest.
    pub platform: Option<Platform>,
    /// Also what refers to it: signatures, SBOMs, attestations, and those that cosign keeps under tags.
    pub referrers: bool,
}

impl Default for CopyOptions {
    /// The whole, with what refers to it.
    fn default() -> Self {
        Self { platform: None, referrers: true }
    }
}

/// The endings of the tags under which cosign keeps what belongs to a digest.
const COSIGN: [&str; 3] = ["sig", "att", "sbom"];

impl Client {
    /// Copies an image: within a repository, between repositories of a registry without moving data where it allows that, and between
    /// registries. Its digest stays, unless one platform is chosen out of several. The tag of `to` is moved last.
    ///
    /// # Errors
    /// The first thing that went wrong. What was copied until then stays, without a name, and the next try finds it there.
    pub fn copy(&self, from: &Reference, to: &Reference, options: &CopyOptions) -> Result<Pushed, RegistryClientError> {
        let root = match &options.platform {
            None => self.resolve(from)?,
            Some(platform) => AnyManifest::Image(self.image(from, platform)?.manifest).descriptor(),
        };
        // From here on by digest: a tag that moves meanwhile changes nothing.
        let image =
            Remote { client: self, from: from.only_at(root.digest.clone()), root, referrers: options.referrers };
        let to = if to.tag().is_none() && to.digest().is_none() {
            to.tagged(from.tag().cloned().unwrap_or_else(Tag::latest))
        } else {
            to.clone()
        };
        let mut pushed = self.push_image(&image, &to)?;
        if options.referrers && (from.name() != to.name()) {
            pushed.referrers += self.copy_cosign(from, &to, &pushed.root.digest)?;
        }
        Ok(pushed)
    }

    /// Copies what cosign keeps for a digest under tags that are made of it.
    fn copy_cosign(&self, from: &Reference, to: &Reference, digest: &Digest) -> Result<usize, RegistryClientError> {
        let mut copied = 0;
        for ending in COSIGN {
            // A digest's tag and four letters are a tag: the grammar allows 128.
            let Ok(tag) = Tag::parse(&format!("{}.{ending}", digest.referrers_tag())) else { continue };
            let from = from.tagged(tag.clone());
            if self.has_manifest(&from)? {
                let root = self.resolve(&from)?;
                let image = Remote { client: self, from: from.only_at(root.digest.clone()), root, referrers: false };
                self.push_image(&image, &to.tagged(tag))?;
                copied += 1;
            }
        }
        Ok(copied)
    }
}

/// An image that is in a registry.
struct Remote<'a> {
    client: &'a Client,
    from: Reference,
    root: Descriptor,
    referrers: bool,
}

impl ImageSource for Remote<'_> {
    fn root(&self) -> Result<Descriptor, RegistryClientError> {
        Ok(self.root.clone())
    }

    fn manifest(&self, descriptor: &Descriptor) -> Result<AnyManifest, RegistryClientError> {
        self.client.child(&self.from, descriptor)
    }

    fn blob<'a>(&'a self, blob: &Descriptor, offset: u64) -> Result<Box<dyn Read + 'a>, RegistryClientError> {
        Ok(Box::new(self.client.blob_reader(&self.from, blob, offset)))
    }

    fn has_blob(&self, blob: &Descriptor) -> Result<bool, RegistryClientError> {
        self.client.has_blob(&self.from, &blob.digest)
    }

    fn referrers(&self, digest: &Digest) -> Result<Vec<Descriptor>, RegistryClientError> {
        if self.referrers { self.client.referrers(&self.from, digest, None) } else { Ok(Vec::new()) }
    }

    fn repository(&self) -> Option<&Reference> {
        Some(&self.from)
    }
}
