//! Images in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::sync::Arc;

use lineclear_event::Timestamp;
use lineclear_oci::{Algorithm, Digest, RepositoryName, Tag};

use super::MemoryStore;
use super::archives::Bytes;
use crate::{
    ImageDamage, ImageError, ImageRules, ImageSweep, ImageUsage, Images, KeptManifest, ManifestFacts, NewManifest,
    OpenBlob, Sweep, TagRule, UploadId,
};

/// All images.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    contents: BTreeMap<Digest, Arc<[u8]>>,
    repositories: BTreeMap<RepositoryName, Repository>,
    protected: BTreeMap<Digest, String>,
}

#[derive(Clone, Debug, Default)]
struct Repository {
    /// With the time at which each was last asked for.
    blobs: BTreeMap<Digest, Timestamp>,
    manifests: BTreeMap<Digest, ManifestFacts>,
    tags: BTreeMap<Tag, Digest>,
    uploads: BTreeMap<UploadId, Vec<u8>>,
}

impl Repository {
    fn has_something(&self) -> bool {
        !self.manifests.is_empty() || !self.tags.is_empty()
    }

    fn refuse_taken(&self, tag: &Tag, digest: &Digest, rule: TagRule) -> Result<(), ImageError> {
        match self.tags.get(tag) {
            Some(holds) if rule == TagRule::Stays && holds != digest => {
                Err(ImageError::TagTaken { tag: tag.clone(), holds: holds.clone() })
            }
            _ => Ok(()),
        }
    }

    fn marked(&self, now: Timestamp, rules: &ImageRules, protected: &BTreeMap<Digest, String>) -> BTreeSet<Digest> {
        let mut kept: BTreeSet<Digest> = self.tags.values().chain(protected.keys()).cloned().collect();
        for (digest, facts) in &self.manifests {
            let young = |time: i64| facts.pushed.plus_millis(time) > now;
            if young(rules.grace_ms) || rules.untagged_ms.is_none_or(young) {
                kept.insert(digest.clone());
            }
        }
        // Until nothing more is found: what is kept keeps what it names, and what has it as its subject.
        loop {
            let mut more = kept.clone();
            for (digest, facts) in &self.manifests {
                if kept.contains(digest) {
                    more.extend(facts.manifests.iter().cloned());
                }
                if facts
                    .subject
                    .as_ref()
                    .is_some_and(|subject| kept.contains(subject) && self.manifests.contains_key(subject))
                {
                    more.insert(digest.clone());
                }
            }
            if more == kept {
                kept.retain(|digest| self.manifests.contains_key(digest));
                return kept;
            }
            kept = more;
        }
    }
}

fn sha256(digest: &Digest) -> Result<(), ImageError> {
    match digest.algorithm() {
        Algorithm::Sha256 => Ok(()),
        Algorithm::Sha512 => Err(ImageError::Algorithm { digest: digest.clone() }),
    }
}

impl Kept {
    fn upload(&mut self, repository: &RepositoryName, upload: &UploadId) -> Result<&mut Vec<u8>, ImageError> {
        let found = self.repositories.get_mut(repository).and_then(|known| known.uploads.get_mut(upload));
        found.ok_or(ImageError::UnknownUpload)
    }

    fn refuse_protected(&self, digest: &Digest) -> Result<(), ImageError> {
        match self.protected.get(digest) {
            Some(why) => Err(ImageError::InUse { digest: digest.clone(), why: format!("it is protected: {why}") }),
            None => Ok(()),
        }
    }

    fn sweep(&mut self, now: Timestamp, rules: &ImageRules) -> ImageSweep {
        let mut report = ImageSweep::default();
        let mut needed: BTreeSet<Digest> = self.protected.keys().cloned().collect();
        for (name, repository) in &mut self.repositories {
            let kept = repository.marked(now, rules, &self.protected);
            let gone = repository.manifests.keys().filter(|digest| !kept.contains(digest));
            report.manifests.extend(gone.map(|digest| (name.clone(), digest.clone())));
            repository.manifests.retain(|digest, _| kept.contains(digest));
            let named: BTreeSet<&Digest> = repository.manifests.values().flat_map(|facts| &facts.blobs).collect();
            repository.blobs.retain(|digest, last| {
                last.plus_millis(rules.grace_ms) > now || named.contains(digest) || self.protected.contains_key(digest)
            });
            let before = repository.uploads.len();
            repository.uploads.retain(|upload, bytes| {
                let stays = upload.begun().is_some_and(|begun| begun.plus_millis(rules.grace_ms) > now);
                report.freed += if stays { 0 } else { bytes.len() as u64 };
                stays
            });
            report.uploads += (before - repository.uploads.len()) as u64;
            needed.extend(repository.blobs.keys().chain(repository.manifests.keys()).cloned());
        }
        self.contents.retain(|digest, bytes| {
            let stays = needed.contains(digest);
            report.blobs += u64::from(!stays);
            report.freed += if stays { 0 } else { bytes.len() as u64 };
            stays
        });
        report
    }
}

impl Images for MemoryStore {
    fn begin_push(&self, repository: &RepositoryName, now: Timestamp) -> Result<UploadId, ImageError> {
        let upload = UploadId::generate(now)?;
        let mut kept = self.kept();
        kept.images.repositories.entry(repository.clone()).or_default().uploads.insert(upload.clone(), Vec::new());
        Ok(upload)
    }

    fn pushed_bytes(&self, repository: &RepositoryName, upload: &UploadId) -> Result<u64, ImageError> {
        Ok(self.kept().images.upload(repository, upload)?.len() as u64)
    }

    fn push(
        &self,
        repository: &RepositoryName,
        upload: &UploadId,
        at: Option<u64>,
        content: &mut dyn Read,
        limit: u64,
    ) -> Result<u64, ImageError> {
        let mut came = self.kept().images.upload(repository, upload)?.clone();
        let expected = came.len() as u64;
        if at.is_some_and(|at| at != expected) {
            return Err(ImageError::OutOfOrder { expected, busy: false });
        }
        let room = usize::try_from(limit.saturating_sub(expected)).unwrap_or(usize::MAX);
        let mut buffer = [0; 4096];
        let taken = loop {
            match content.read(&mut buffer) {
                Ok(0) => break Ok(()),
                Ok(read) if came.len() - expected as usize + read > room => break Err(ImageError::TooLarge { limit }),
                Ok(read) => came.extend_from_slice(&buffer[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(ImageError::Sender(error)),
            }
        };
        let length = came.len() as u64;
        let mut kept = self.kept();
        let upload = kept.images.upload(repository, upload)?;
        if upload.len() as u64 != expected {
            return Err(ImageError::OutOfOrder { expected: upload.len() as u64, busy: true });
        }
        *upload = came;
        taken.map(|()| length)
    }

    fn finish_push(
        &self,
        repository: &RepositoryName,
        upload: &UploadId,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<u64, ImageError> {
        sha256(digest)?;
        let mut kept = self.kept();
        let bytes = std::mem::take(kept.images.upload(repository, upload)?);
        let known = kept.images.repositories.entry(repository.clone()).or_default();
        known.uploads.remove(upload);
        if !digest.is_of(&bytes) {
            return Err(ImageError::WrongDigest { said: digest.clone(), came: Digest::of(&bytes) });
        }
        known.blobs.insert(digest.clone(), now);
        let length = bytes.len() as u64;
        kept.images.contents.insert(digest.clone(), bytes.into());
        Ok(length)
    }

    fn cancel_push(&self, repository: &RepositoryName, upload: &UploadId) -> Result<(), ImageError> {
        let mut kept = self.kept();
        let known = kept.images.repositories.get_mut(repository).ok_or(ImageError::UnknownUpload)?;
        known.uploads.remove(upload).map(drop).ok_or(ImageError::UnknownUpload)
    }

    fn blob(&self, repository: &RepositoryName, digest: &Digest, now: Timestamp) -> Result<Option<u64>, ImageError> {
        sha256(digest)?;
        let mut kept = self.kept();
        let known = kept.images.repositories.get_mut(repository).and_then(|known| known.blobs.get_mut(digest));
        let Some(last) = known else { return Ok(None) };
        *last = now;
        Ok(kept.images.contents.get(digest).map(|bytes| bytes.len() as u64))
    }

    fn open_blob(&self, repository: &RepositoryName, digest: &Digest) -> Result<Option<OpenBlob>, ImageError> {
        sha256(digest)?;
        let kept = self.kept();
        if !kept.images.repositories.get(repository).is_some_and(|known| known.blobs.contains_key(digest)) {
            return Ok(None);
        }
        let open = |bytes: &Arc<[u8]>| OpenBlob { size: bytes.len() as u64, content: Box::new(Bytes(bytes.clone())) };
        Ok(kept.images.contents.get(digest).map(open))
    }

    fn mount_blob(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        may_pull: &dyn Fn(&RepositoryName) -> bool,
        now: Timestamp,
    ) -> Result<Option<u64>, ImageError> {
        sha256(digest)?;
        let mut kept = self.kept();
        let has = |(name, known): (&RepositoryName, &Repository)| may_pull(name) && known.blobs.contains_key(digest);
        if !kept.images.repositories.iter().any(has) {
            return Ok(None);
        }
        kept.images.repositories.entry(repository.clone()).or_default().blobs.insert(digest.clone(), now);
        Ok(kept.images.contents.get(digest).map(|bytes| bytes.len() as u64))
    }

    fn remove_blob(&self, repository: &RepositoryName, digest: &Digest) -> Result<bool, ImageError> {
        sha256(digest)?;
        let mut kept = self.kept();
        let Some(known) = kept.images.repositories.get(repository) else { return Ok(false) };
        if !known.blobs.contains_key(digest) {
            return Ok(false);
        }
        kept.images.refuse_protected(digest)?;
        if let Some((manifest, _)) = known.manifests.iter().find(|(_, facts)| facts.blobs.contains(digest)) {
            let why = format!("the manifest {manifest} of `{repository}` names it");
            return Err(ImageError::InUse { digest: digest.clone(), why });
        }
        Ok(kept.images.repositories.get_mut(repository).is_some_and(|known| known.blobs.remove(digest).is_some()))
    }

    fn put_manifest(&self, new: &NewManifest) -> Result<(), ImageError> {
        sha256(&new.digest)?;
        let mut kept = self.kept();
        let known = kept.images.repositories.entry(new.repository.clone()).or_default();
        let no_blob = new.facts.blobs.iter().filter(|blob| !known.blobs.contains_key(*blob));
        let no_manifest = new.facts.manifests.iter().filter(|child| !known.manifests.contains_key(*child));
        let missing: Vec<Digest> = no_blob.chain(no_manifest).cloned().collect();
        if !missing.is_empty() {
            return Err(ImageError::Missing { digests: missing });
        }
        new.tags.iter().try_for_each(|(tag, rule)| known.refuse_taken(tag, &new.digest, *rule))?;
        known.manifests.insert(new.digest.clone(), new.facts.clone());
        known.tags.extend(new.tags.iter().map(|(tag, _)| (tag.clone(), new.digest.clone())));
        kept.images.contents.insert(new.digest.clone(), new.bytes.clone().into());
        Ok(())
    }

    fn set_tag(
        &self,
        repository: &RepositoryName,
        tag: &Tag,
        digest: &Digest,
        rule: TagRule,
        now: Timestamp,
    ) -> Result<(), ImageError> {
        sha256(digest)?;
        let mut kept = self.kept();
        let missing = || ImageError::Missing { digests: vec![digest.clone()] };
        let known = kept.images.repositories.get_mut(repository).ok_or_else(missing)?;
        if !known.manifests.contains_key(digest) {
            return Err(missing());
        }
        known.refuse_taken(tag, digest, rule)?;
        known.tags.insert(tag.clone(), digest.clone());
        if let Some(facts) = known.manifests.get_mut(digest) {
            facts.pushed = now;
        }
        Ok(())
    }

    fn manifest(&self, repository: &RepositoryName, digest: &Digest) -> Result<Option<KeptManifest>, ImageError> {
        let Some(facts) = self.manifest_facts(repository, digest)? else { return Ok(None) };
        let bytes = self.kept().images.contents.get(digest).cloned();
        Ok(bytes.map(|bytes| KeptManifest { bytes: bytes.to_vec(), facts }))
    }

    fn manifest_facts(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Option<ManifestFacts>, ImageError> {
        sha256(digest)?;
        let kept = self.kept();
        Ok(kept.images.repositories.get(repository).and_then(|known| known.manifests.get(digest)).cloned())
    }

    fn manifests(&self, repository: &RepositoryName) -> Result<Vec<Digest>, ImageError> {
        let kept = self.kept();
        Ok(kept
            .images
            .repositories
            .get(repository)
            .map_or_else(Vec::new, |known| known.manifests.keys().cloned().collect()))
    }

    fn tag(&self, repository: &RepositoryName, tag: &Tag) -> Result<Option<Digest>, ImageError> {
        Ok(self.kept().images.repositories.get(repository).and_then(|known| known.tags.get(tag)).cloned())
    }

    fn remove_manifest(&self, repository: &RepositoryName, digest: &Digest) -> Result<bool, ImageError> {
        sha256(digest)?;
        let mut kept = self.kept();
        let Some(known) = kept.images.repositories.get(repository) else { return Ok(false) };
        if !known.manifests.contains_key(digest) {
            return Ok(false);
        }
        kept.images.refuse_protected(digest)?;
        let protected = |other: &Digest| kept.images.protected.contains_key(other);
        let whole = known.manifests.iter().find(|(other, facts)| facts.manifests.contains(digest) && protected(other));
        if let Some((other, _)) = whole {
            let why = format!("it is a part of {other}, which is protected");
            return Err(ImageError::InUse { digest: digest.clone(), why });
        }
        let Some(known) = kept.images.repositories.get_mut(repository) else { return Ok(false) };
        known.tags.retain(|_, holds| holds != digest);
        Ok(known.manifests.remove(digest).is_some())
    }

    fn remove_tag(&self, repository: &RepositoryName, tag: &Tag) -> Result<bool, ImageError> {
        let mut kept = self.kept();
        Ok(kept.images.repositories.get_mut(repository).is_some_and(|known| known.tags.remove(tag).is_some()))
    }

    fn tags(&self, repository: &RepositoryName) -> Result<Option<Vec<Tag>>, ImageError> {
        let kept = self.kept();
        let known = kept.images.repositories.get(repository).filter(|known| known.has_something());
        Ok(known.map(|known| known.tags.keys().cloned().collect()))
    }

    fn repositories(&self) -> Result<Vec<RepositoryName>, ImageError> {
        let kept = self.kept();
        let named = kept.images.repositories.iter().filter(|(_, known)| !known.manifests.is_empty());
        Ok(named.map(|(name, _)| name.clone()).collect())
    }

    fn referrers(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
    ) -> Result<Vec<(Digest, ManifestFacts)>, ImageError> {
        sha256(subject)?;
        let kept = self.kept();
        let Some(known) = kept.images.repositories.get(repository) else { return Ok(Vec::new()) };
        let found = known.manifests.iter().filter(|(_, facts)| facts.subject.as_ref() == Some(subject));
        Ok(found.map(|(digest, facts)| (digest.clone(), facts.clone())).collect())
    }

    fn protect(&self, digest: &Digest, why: &str) -> Result<(), ImageError> {
        sha256(digest)?;
        self.kept().images.protected.insert(digest.clone(), why.to_owned());
        Ok(())
    }

    fn unprotect(&self, digest: &Digest) -> Result<(), ImageError> {
        self.kept().images.protected.remove(digest);
        Ok(())
    }

    fn protected(&self) -> Result<BTreeMap<Digest, String>, ImageError> {
        Ok(self.kept().images.protected.clone())
    }

    fn sweep_images(&self, now: Timestamp, rules: &ImageRules, deed: Sweep) -> Result<ImageSweep, ImageError> {
        let mut kept = self.kept();
        Ok(match deed {
            Sweep::Now => kept.images.sweep(now, rules),
            Sweep::Foresee => kept.images.clone().sweep(now, rules),
        })
    }

    fn image_usage(&self) -> Result<ImageUsage, ImageError> {
        let kept = self.kept();
        let all = kept.images.repositories.values();
        let count = |of: fn(&Repository) -> usize| all.clone().map(|known| of(known) as u64).sum();
        Ok(ImageUsage {
            repositories: all.clone().filter(|known| !known.manifests.is_empty()).count() as u64,
            tags: count(|known| known.tags.len()),
            manifests: count(|known| known.manifests.len()),
            blobs: kept.images.contents.len() as u64,
            bytes: kept.images.contents.values().map(|bytes| bytes.len() as u64).sum(),
            uploads: count(|known| known.uploads.len()),
            upload_bytes: count(|known| known.uploads.values().map(Vec::len).sum()),
        })
    }

    fn verify_images(&self, seen: &mut dyn FnMut(u64)) -> Result<Vec<ImageDamage>, ImageError> {
        // Memory does not rot.
        self.kept().images.contents.values().for_each(|bytes| seen(bytes.len() as u64));
        Ok(Vec::new())
    }
}
