//! Manifests of a registry: to find, to pull, to push, to name anew, to delete. Lists of tags and repositories.

use std::collections::BTreeSet;

use lineclear_oci::{
    AnyManifest, Descriptor, Digest, DigestMismatch, ImageConfig, MAX_CONFIG_BYTES, MAX_INDEX_DEPTH,
    MAX_MANIFEST_BYTES, Manifest, MediaType, Platform, Reference, RegistryHost, RepositoryName, Tag,
};
use serde::Deserialize;

use crate::address::next_page;
use crate::authentication::Scope;
use crate::client::Call;
use crate::progress::ProgressEvent;
use crate::transport::Answer;
use crate::{Client, RegistryClientError};

/// Longest page of a list.
const MAX_PAGE_BYTES: usize = 8 << 20;
/// Most pages of a list: with a thousand entries each, a million.
const MAX_PAGES: usize = 1000;

/// An image of one platform, found below a name.
#[derive(Debug, Clone)]
pub struct FoundImage {
    /// What the name stands for: the image itself, or an index with it.
    pub root: AnyManifest,
    /// The image's manifest.
    pub manifest: Manifest,
    /// Its configuration.
    pub config: ImageConfig,
}

impl Client {
    /// What a name stands for: type, digest and size of its manifest, without pulling it where the registry can say so.
    ///
    /// # Errors
    /// [`RegistryClientError::NotFound`] when it is not there; others when the registry cannot say.
    pub fn resolve(&self, reference: &Reference) -> Result<Descriptor, RegistryClientError> {
        self.read_places(reference, |client, place| {
            let mut call = client.manifest_call("HEAD", place, "pull");
            call.headers.push(("accept", accept()));
            // Some registries do not know the method, or have no digest for it: then the manifest itself tells.
            call.accepted = &[405, 501];
            let answer = client.call(&call, &[])?;
            match described(&answer) {
                Some(found) if answer.status < 300 && place.digest().is_none_or(|digest| *digest == found.digest) => {
                    Ok(found)
                }
                _ => Ok(client.manifest_at(place)?.descriptor()),
            }
        })
    }

    /// The manifest or index that a name stands for. Its bytes are checked against the digest of the name, where it has one, and against
    /// the one that the registry says.
    ///
    /// # Errors
    /// [`RegistryClientError::NotFound`] when it is not there, [`RegistryClientError::Mismatch`] when the registry lies,
    /// [`RegistryClientError::Manifest`] for what is no manifest.
    pub fn manifest(&self, reference: &Reference) -> Result<AnyManifest, RegistryClientError> {
        self.read_places(reference, |client, place| client.manifest_at(place))
    }

    fn manifest_at(&self, place: &Reference) -> Result<AnyManifest, RegistryClientError> {
        let mut call = self.manifest_call("GET", place, "pull");
        call.headers.push(("accept", accept()));
        // A body that breaks is a failure of the call as a whole.
        let (announced, said, bytes) = self.patiently(|| {
            let answer = self.once(&call, crate::transport::Payload::None)?;
            let announced = answer.header("content-type").map(MediaType::parse);
            let said = answer.header("docker-content-digest").and_then(|digest| Digest::parse(digest).ok());
            let length = answer.length();
            let bytes = answer.bytes(MAX_MANIFEST_BYTES)?;
            match length {
                Some(length) if bytes.len() <= MAX_MANIFEST_BYTES && length != bytes.len() as u64 => {
                    Err(call.nonsense(format!("{} bytes after announcing {length}", bytes.len())))
                }
                _ => Ok((announced, said, bytes)),
            }
        })?;
        for expected in place.digest().into_iter().chain(&said) {
            if bytes.len() <= MAX_MANIFEST_BYTES && !expected.is_of(&bytes) {
                let found = expected.algorithm().digest(&bytes);
                let source = DigestMismatch::Digest { expected: expected.clone(), found };
                return Err(RegistryClientError::Mismatch { what: call.what, source });
            }
        }
        AnyManifest::read(bytes, announced.as_ref())
            .map_err(|source| RegistryClientError::Manifest { what: call.what, source })
    }

    /// The manifest that a descriptor of an index points at, checked against it.
    ///
    /// # Errors
    /// As [`Client::manifest`].
    pub fn child(&self, place: &Reference, child: &Descriptor) -> Result<AnyManifest, RegistryClientError> {
        let place = place.only_at(child.digest.clone());
        let manifest = self.manifest(&place)?;
        let found = manifest.raw().len() as u64;
        if found != child.size {
            let source = DigestMismatch::Length { expected: child.size, found };
            return Err(RegistryClientError::Mismatch { what: manifest_named(&place), source });
        }
        Ok(manifest)
    }

    /// The image below a name that a machine of `platform` runs best, with its configuration.
    ///
    /// # Errors
    /// As [`Client::manifest`]; [`RegistryClientError::NoPlatform`] when there is none for it.
    pub fn image(&self, reference: &Reference, platform: &Platform) -> Result<FoundImage, RegistryClientError> {
        let root = self.manifest(reference)?;
        let mut current = root.clone();
        for _ in 0..MAX_INDEX_DEPTH {
            let index = match current {
                AnyManifest::Image(manifest) => {
                    let config = self.config(reference, &manifest)?;
                    return Ok(FoundImage { root, manifest, config });
                }
                AnyManifest::Index(index) => index,
            };
            let Some(chosen) = index.choose(platform) else {
                let mut offered: Vec<String> = index.platforms().map(ToString::to_string).collect();
                offered.dedup();
                return Err(RegistryClientError::NoPlatform {
                    what: format!("`{}`", reference.familiar()),
                    wanted: platform.to_string(),
                    offered: if offered.is_empty() { "none".to_owned() } else { offered.join(", ") },
                });
            };
            current = self.child(reference, chosen)?;
        }
        Err(RegistryClientError::Bomb { what: manifest_named(reference), limit: "too many indexes in one another" })
    }

    /// The configuration of an image; empty for an artifact.
    ///
    /// # Errors
    /// When it cannot be pulled or is not one.
    pub fn config(&self, place: &Reference, manifest: &Manifest) -> Result<ImageConfig, RegistryClientError> {
        if !manifest.is_image() {
            return Ok(ImageConfig::default());
        }
        let bytes = self.blob_bytes(place, manifest.config(), MAX_CONFIG_BYTES as u64)?;
        let what = format!("`{}`", place.familiar());
        ImageConfig::read(&bytes).map_err(|source| RegistryClientError::Config { what, source })
    }

    /// Puts a manifest under the name's tag, or its digest when it has no tag. What it refers to has to be there.
    ///
    /// A manifest with a `subject` is found among the referrers of that afterwards, also in a registry that knows nothing of them.
    ///
    /// # Errors
    /// When the registry refuses it, or says that it has another digest.
    pub fn push_manifest(&self, to: &Reference, manifest: &AnyManifest) -> Result<Descriptor, RegistryClientError> {
        let descriptor = manifest.descriptor();
        let place = match to.tag() {
            Some(tag) => to.tagged(tag.clone()),
            None => {
                // Content named by SHA-512 is put under that name.
                let digest = to.digest().filter(|digest| digest.is_of(manifest.raw())).unwrap_or(&descriptor.digest);
                to.only_at(digest.clone())
            }
        };
        let mut call = self.manifest_call("PUT", &place, "pull,push");
        call.headers.push(("content-type", descriptor.media_type.to_string()));
        let answer = self.call(&call, manifest.raw())?;
        if let Some(said) = answer.header("docker-content-digest").and_then(|text| Digest::parse(text).ok())
            && !said.is_of(manifest.raw())
        {
            let source = DigestMismatch::Digest { expected: descriptor.digest, found: said };
            return Err(RegistryClientError::Mismatch { what: call.what, source });
        }
        if let Some(subject) = manifest.subject() {
            let processed = answer.header("oci-subject").is_some();
            self.index_referrer(to, &subject.digest, manifest, processed)?;
        }
        self.tell(ProgressEvent::Manifest { manifest: &descriptor });
        Ok(descriptor)
    }

    /// Gives what a name stands for another tag in the same repository. No blob moves, and the digest stays.
    ///
    /// # Errors
    /// As [`Client::manifest`] and [`Client::push_manifest`].
    pub fn retag(&self, from: &Reference, tag: &Tag) -> Result<Descriptor, RegistryClientError> {
        // Read from the registry itself: a mirror may have what it no longer has.
        let manifest = self.manifest_at(from)?;
        self.push_manifest(&from.tagged(tag.clone()), &manifest)
    }

    /// Whether a manifest is there.
    ///
    /// # Errors
    /// When the registry cannot say.
    pub fn has_manifest(&self, place: &Reference) -> Result<bool, RegistryClientError> {
        let mut call = self.manifest_call("HEAD", place, "pull");
        call.headers.push(("accept", accept()));
        call.accepted = &[404];
        Ok(self.call(&call, &[])?.status < 300)
    }

    /// Deletes what a name stands for: the manifest for a digest, the tag alone for a tag, where the registry can do that.
    ///
    /// # Errors
    /// [`RegistryClientError::Refused`] with 405 when the registry does not delete (that is a setting of many).
    pub fn delete(&self, reference: &Reference) -> Result<(), RegistryClientError> {
        let subject = match reference.digest() {
            Some(_) => self.manifest_at(reference).ok().and_then(|manifest| Some(manifest.subject()?.digest.clone())),
            None => None,
        };
        let call = self.manifest_call("DELETE", reference, "delete,pull,push");
        self.call(&call, &[])?;
        if let (Some(subject), Some(digest)) = (subject, reference.digest()) {
            self.forget_referrer(reference, &subject, digest)?;
        }
        Ok(())
    }

    /// All tags of a repository, sorted: registries order them differently.
    ///
    /// # Errors
    /// [`RegistryClientError::NotFound`] for a repository that is not there.
    pub fn tags(&self, repository: &Reference) -> Result<Vec<Tag>, RegistryClientError> {
        #[derive(Deserialize)]
        struct Page {
            tags: Option<Vec<Tag>>,
        }
        let what = format!("the tags of `{}`", repository.bare().familiar());
        let call = self.repository_call("GET", repository, "/tags/list?n=1000", "pull", what);
        let mut tags = self.pages(call, |page: Page| page.tags.unwrap_or_default())?;
        tags.sort();
        Ok(tags)
    }

    /// All repositories of a registry that one may know of. Many registries do not say.
    ///
    /// # Errors
    /// [`RegistryClientError::NotFound`], [`RegistryClientError::Denied`] and the like for those.
    pub fn catalog(&self, registry: &RegistryHost) -> Result<Vec<RepositoryName>, RegistryClientError> {
        #[derive(Deserialize)]
        struct Page {
            repositories: Option<Vec<RepositoryName>>,
        }
        let call = Call {
            method: "GET",
            host: registry,
            address: self.address(registry, "/v2/_catalog?n=1000"),
            headers: Vec::new(),
            scopes: vec![Scope::catalog()],
            repository: None,
            accepted: &[],
            what: format!("the repositories of `{registry}`"),
        };
        self.pages(call, |page: Page| page.repositories.unwrap_or_default())
    }

    /// All entries of a list that comes in pages. One that never ends is noticed.
    fn pages<P: serde::de::DeserializeOwned, T: Ord + Clone>(
        &self,
        mut call: Call<'_>,
        entries: impl Fn(P) -> Vec<T>,
    ) -> Result<Vec<T>, RegistryClientError> {
        let mut all = Vec::new();
        let mut seen = BTreeSet::new();
        for _ in 0..MAX_PAGES {
            let (next, bytes) = self.patiently(|| {
                let answer = self.once(&call, crate::transport::Payload::None)?;
                let next = next_page(&answer.list("link")).map(str::to_owned);
                Ok((next, answer.bytes(MAX_PAGE_BYTES)?))
            })?;
            let page: P = serde_json::from_slice(&bytes).map_err(|error| call.nonsense(format!("no list: {error}")))?;
            let before = all.len();
            all.extend(entries(page).into_iter().filter(|entry| seen.insert(entry.clone())));
            let Some(next) = next else { return Ok(all) };
            if all.len() == before {
                return Err(call.nonsense("pages without end: one brought nothing new, and named another"));
            }
            let next = call.address.join(&next).filter(|next| next.is_same_server(&call.address));
            call.address = next.ok_or_else(|| call.nonsense("a next page at another server"))?;
        }
        Err(call.nonsense("pages without end"))
    }

    pub(crate) fn manifest_call<'a>(
        &self,
        method: &'static str,
        place: &'a Reference,
        actions: &'static str,
    ) -> Call<'a> {
        let path = format!("/manifests/{}", place.manifest_key());
        self.repository_call(method, place, &path, actions, manifest_named(place))
    }
}

/// What errors call a manifest.
pub(crate) fn manifest_named(place: &Reference) -> String {
    format!("`{}`", place.or_latest().familiar())
}

/// The types of manifests that are understood, as a header.
pub(crate) fn accept() -> String {
    MediaType::MANIFESTS.each_ref().map(MediaType::as_str).join(", ")
}

/// The descriptor that the headers of a manifest's answer make.
fn described(answer: &Answer) -> Option<Descriptor> {
    let media_type = MediaType::parse(answer.header("content-type")?);
    if !media_type.is_index() && !media_type.is_image_manifest() {
        return None;
    }
    let digest = Digest::parse(answer.header("docker-content-digest")?).ok()?;
    Some(Descriptor::new(media_type, digest, answer.length()?))
}
