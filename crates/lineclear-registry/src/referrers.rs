//! What refers to an image: signatures, SBOMs, attestations.
//!
//! # Source
//! The distribution specification 1.1, "Listing Referrers", "Referrers Tag Schema".

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use lineclear_oci::{
    AnyManifest, Descriptor, Digest, Index, IndexParts, MAX_MANIFEST_BYTES, MediaType, Reference, RegistryHost,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::address::next_page;
use crate::transport::Payload;
use crate::{Client, RegistryClientError};

/// Most pages of a list of referrers.
const MAX_PAGES: usize = 200;
/// How often a list that others write at the same time is written anew.
const MAX_WRITES: usize = 5;

/// Which registries have the API; those without keep lists under tags.
#[derive(Debug, Default)]
pub(crate) struct Support {
    known: Mutex<HashMap<RegistryHost, bool>>,
    /// Held while such a list is changed: threads of this client do not lose each other's entries.
    writing: Mutex<()>,
}

impl Client {
    /// The manifests whose `subject` has the digest, those of `artifact_type` alone where one is given.
    ///
    /// In a registry without the API for it, the list under the digest's tag is read instead. No list is an empty one.
    ///
    /// # Errors
    /// When the registry cannot say, or lists what makes no sense.
    pub fn referrers(
        &self,
        repository: &Reference,
        digest: &Digest,
        artifact_type: Option<&MediaType>,
    ) -> Result<Vec<Descriptor>, RegistryClientError> {
        let found = match self.listed_referrers(repository, digest, artifact_type)? {
            Some(found) => found,
            None => self.tagged_referrers(repository, digest)?,
        };
        // Registries may filter, or not.
        let wanted =
            |entry: &Descriptor| artifact_type.is_none_or(|wanted| entry.artifact_type.as_ref() == Some(wanted));
        Ok(found.into_iter().filter(wanted).collect())
    }

    /// What the API lists; `None` when the registry has none.
    fn listed_referrers(
        &self,
        repository: &Reference,
        digest: &Digest,
        artifact_type: Option<&MediaType>,
    ) -> Result<Option<Vec<Descriptor>>, RegistryClientError> {
        let support = &self.inner.referrers.known;
        let known = support.lock().unwrap_or_else(PoisonError::into_inner).get(repository.registry()).copied();
        if known == Some(false) {
            return Ok(None);
        }
        let filter = artifact_type.map_or_else(String::new, |wanted| {
            format!("?artifactType={}", utf8_percent_encode(wanted.as_str(), NON_ALPHANUMERIC))
        });
        let what = format!("the referrers of {} in `{}`", digest.short(), repository.bare().familiar());
        let mut call =
            self.repository_call("GET", repository, &format!("/referrers/{digest}{filter}"), "pull", what.clone());
        call.headers.push(("accept", MediaType::OciIndex.to_string()));
        call.accepted = &[400, 404, 405];
        let mut all: Vec<Descriptor> = Vec::new();
        let mut seen = BTreeSet::new();
        for page in 0..MAX_PAGES {
            let (status, next, media_type, bytes) = self.patiently(|| {
                let answer = self.once(&call, Payload::None)?;
                let next = next_page(&answer.list("link")).map(str::to_owned);
                let media_type = answer.header("content-type").map(MediaType::parse);
                Ok((answer.status, next, media_type, answer.bytes(MAX_MANIFEST_BYTES)?))
            })?;
            // A registry with the API answers with an index, an empty one if need be; pages of errors come with 200 from some.
            let has_api = status < 300 && media_type == Some(MediaType::OciIndex);
            if page == 0 {
                let mut known = support.lock().unwrap_or_else(PoisonError::into_inner);
                known.insert(repository.registry().clone(), has_api);
            }
            if !has_api {
                return if page == 0 { Ok(None) } else { Err(call.nonsense("a page that is no list")) };
            }
            let index = Index::read(bytes, Some(&MediaType::OciIndex))
                .map_err(|source| RegistryClientError::Manifest { what: what.clone(), source })?;
            let before = all.len();
            all.extend(index.manifests().iter().filter(|entry| seen.insert(entry.digest.clone())).cloned());
            let Some(next) = next else { return Ok(Some(all)) };
            if all.len() == before {
                return Err(call.nonsense("pages without end: one brought nothing new, and named another"));
            }
            let next = call.address.join(&next).filter(|next| next.is_same_server(&call.address));
            call.address = next.ok_or_else(|| call.nonsense("a next page at another server"))?;
        }
        Err(call.nonsense("pages without end"))
    }

    /// The list under the digest's tag.
    fn tagged_referrers(
        &self,
        repository: &Reference,
        digest: &Digest,
    ) -> Result<Vec<Descriptor>, RegistryClientError> {
        let place = repository.tagged(digest.referrers_tag());
        match self.manifest(&place) {
            Ok(AnyManifest::Index(index)) => Ok(index.manifests().to_vec()),
            // Something else has that name.
            Ok(AnyManifest::Image(_)) => Ok(Vec::new()),
            Err(error) if error.is_not_found() => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Sees to it that a manifest that was pushed is found among the referrers of its subject. `processed`: the registry said that it did.
    pub(crate) fn index_referrer(
        &self,
        to: &Reference,
        subject: &Digest,
        manifest: &AnyManifest,
        processed: bool,
    ) -> Result<(), RegistryClientError> {
        if processed || self.listed_referrers(to, subject, None)?.is_some() {
            return Ok(());
        }
        let entry = manifest.referrer_descriptor();
        self.change_list(to, subject, |list| {
            let there = list.iter().any(|known| known.digest == entry.digest);
            if !there {
                list.push(entry.clone());
            }
            !there
        })
    }

    /// Takes a manifest that was deleted off the list of a registry without the API.
    pub(crate) fn forget_referrer(
        &self,
        place: &Reference,
        subject: &Digest,
        deleted: &Digest,
    ) -> Result<(), RegistryClientError> {
        if self.listed_referrers(place, subject, None)?.is_some() {
            return Ok(());
        }
        self.change_list(place, subject, |list| {
            let before = list.len();
            list.retain(|entry| entry.digest != *deleted);
            list.len() != before
        })
    }

    /// Changes the list under a digest's tag until the registry has it so: others may write it at the same time.
    fn change_list(
        &self,
        place: &Reference,
        subject: &Digest,
        change: impl Fn(&mut Vec<Descriptor>) -> bool,
    ) -> Result<(), RegistryClientError> {
        let _writing = self.inner.referrers.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let tagged = place.tagged(subject.referrers_tag());
        for _ in 0..MAX_WRITES {
            let mut list = self.tagged_referrers(place, subject)?;
            if !change(&mut list) {
                return Ok(());
            }
            self.push_manifest(&tagged, &IndexParts::new(list).write().into())?;
        }
        Ok(())
    }
}
