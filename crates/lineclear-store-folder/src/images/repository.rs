//! One repository: what is visible in it.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use lineclear_event::Timestamp;
use lineclear_oci::{Digest, RepositoryName, Tag};
use lineclear_store::{ImageError, KeptManifest, ManifestFacts, NewManifest, OpenBlob, StoreError, TagRule};

use super::IMAGES;
use super::contents::sha256_hex;
use crate::caches::mark_used;
use crate::entry::folders;
use crate::fault;
use crate::store::{Place, make_folder};

/// A blob that was asked for within this time, in milliseconds, is not marked again.
const MARKED_MS: i64 = 60_000;

#[derive(Debug)]
pub(super) struct Repository<'p> {
    pub(super) place: &'p Place,
    pub(super) name: RepositoryName,
    pub(super) folder: PathBuf,
}

impl Place {
    fn repositories_folder(&self) -> PathBuf {
        self.root.join(IMAGES).join("repositories")
    }

    /// Every repository that has a folder, in the order of their names.
    pub(super) fn each_repository(&self) -> Result<Vec<Repository<'_>>, StoreError> {
        let mut found: Vec<_> = folders(&self.repositories_folder())?
            .into_iter()
            .filter_map(|folder| {
                let name = RepositoryName::parse(&folder.file_name()?.to_str()?.replace('+', "/")).ok()?;
                Some(Repository { place: self, name, folder })
            })
            .collect();
        found.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(found)
    }

    pub(super) fn image_repositories(&self) -> Result<Vec<RepositoryName>, ImageError> {
        let mut names = Vec::new();
        for repository in self.each_repository()? {
            if !names_in(&repository.folder.join("manifests"))?.is_empty() {
                names.push(repository.name);
            }
        }
        Ok(names)
    }
}

impl<'p> Repository<'p> {
    pub(super) fn new(place: &'p Place, name: RepositoryName) -> Self {
        // No name has a `+`, and no part of one begins with a dot.
        let folder = place.repositories_folder().join(name.as_str().replace('/', "+"));
        Self { place, name, folder }
    }

    pub(super) fn link_path(&self, hex: &str) -> PathBuf {
        self.folder.join("blobs").join(hex)
    }

    fn facts_path(&self, hex: &str) -> PathBuf {
        self.folder.join("manifests").join(format!("{hex}.json"))
    }

    fn tag_path(&self, tag: &Tag) -> PathBuf {
        self.folder.join("tags").join(tag.as_str())
    }

    fn referrers_folder(&self, subject: &str) -> PathBuf {
        self.folder.join("referrers").join(subject)
    }

    /// Makes a content visible. The caller holds the lock.
    pub(super) fn link_blob(&self, hex: &str, now: Timestamp) -> Result<(), StoreError> {
        let path = self.link_path(hex);
        touch(&path, Some(now)).map_err(|error| self.place.full_or(&path, error))
    }

    /// When a blob was last asked for; `None` for one that is not visible.
    pub(super) fn link_time(&self, hex: &str) -> Result<Option<Timestamp>, StoreError> {
        let path = self.link_path(hex);
        let Some(known) = fault::found(&path, fs::metadata(&path))? else { return Ok(None) };
        let time = known.modified().map_err(|error| fault::at(&path, error))?;
        Ok(Some(timestamp(time)))
    }

    pub(super) fn blob(&self, digest: &Digest, now: Timestamp) -> Result<Option<u64>, ImageError> {
        let hex = sha256_hex(digest)?;
        let _keep = self.place.keep_images()?;
        let Some(last) = self.link_time(hex)? else { return Ok(None) };
        let size = self.place.content_size(hex)?;
        if size.is_some() && last.plus_millis(MARKED_MS) <= now {
            self.link_blob(hex, now)?;
        }
        Ok(size)
    }

    pub(super) fn open_blob(&self, digest: &Digest) -> Result<Option<OpenBlob>, ImageError> {
        let hex = sha256_hex(digest)?;
        if !self.link_path(hex).exists() {
            return Ok(None);
        }
        Ok(self.place.open_content(digest)?)
    }

    pub(super) fn mount_blob(
        &self,
        digest: &Digest,
        may_pull: &dyn Fn(&RepositoryName) -> bool,
        now: Timestamp,
    ) -> Result<Option<u64>, ImageError> {
        let hex = sha256_hex(digest)?;
        let _keep = self.place.keep_images()?;
        let Some(size) = self.place.content_size(hex)? else { return Ok(None) };
        let visible = |other: &Repository<'_>| other.link_path(hex).exists();
        let found = self.place.each_repository()?.iter().any(|other| may_pull(&other.name) && visible(other));
        if !found {
            return Ok(None);
        }
        self.link_blob(hex, now)?;
        Ok(Some(size))
    }

    pub(super) fn remove_blob(&self, digest: &Digest) -> Result<bool, ImageError> {
        let hex = sha256_hex(digest)?;
        let _alone = self.place.remove_images()?;
        if !self.link_path(hex).exists() {
            return Ok(false);
        }
        self.place.refuse_protected(digest)?;
        for (manifest, facts) in self.every_manifest()? {
            if facts.blobs.contains(digest) {
                let why = format!("the manifest {manifest} of `{}` names it", self.name);
                return Err(ImageError::InUse { digest: digest.clone(), why });
            }
        }
        let path = self.link_path(hex);
        Ok(fault::found(&path, fs::remove_file(&path))?.is_some())
    }

    pub(super) fn put_manifest(&self, new: &NewManifest) -> Result<(), ImageError> {
        let hex = sha256_hex(&new.digest)?;
        let _keep = self.place.keep_images()?;
        let missing = self.missing(&new.facts)?;
        if !missing.is_empty() {
            return Err(ImageError::Missing { digests: missing });
        }
        for (tag, rule) in &new.tags {
            self.refuse_taken(tag, &new.digest, *rule)?;
        }
        if self.facts(&new.digest)?.is_none() {
            self.place.put_content(hex, &new.bytes)?;
        }
        if let Some(subject) = &new.facts.subject {
            let path = self.referrers_folder(sha256_hex(subject)?).join(hex);
            touch(&path, None).map_err(|error| self.place.full_or(&path, error))?;
        }
        // Written anew for one that was there, too: it counts as pushed now.
        let facts = serde_json::to_vec(&new.facts).expect("facts are plain data");
        self.place.publish(&self.facts_path(hex), &facts, false)?;
        new.tags.iter().try_for_each(|(tag, rule)| self.point(tag, &new.digest, *rule))
    }

    /// What a manifest names and the repository does not have.
    fn missing(&self, facts: &ManifestFacts) -> Result<Vec<Digest>, ImageError> {
        let mut missing = Vec::new();
        for blob in &facts.blobs {
            let hex = sha256_hex(blob)?;
            if !self.link_path(hex).exists() || self.place.content_size(hex)?.is_none() {
                missing.push(blob.clone());
            }
        }
        for manifest in &facts.manifests {
            if !self.facts_path(sha256_hex(manifest)?).exists() {
                missing.push(manifest.clone());
            }
        }
        Ok(missing)
    }

    pub(super) fn set_tag(&self, tag: &Tag, digest: &Digest, rule: TagRule, now: Timestamp) -> Result<(), ImageError> {
        let _keep = self.place.keep_images()?;
        let Some(mut facts) = self.facts(digest)? else {
            return Err(ImageError::Missing { digests: vec![digest.clone()] });
        };
        self.refuse_taken(tag, digest, rule)?;
        self.point(tag, digest, rule)?;
        facts.pushed = now;
        let facts = serde_json::to_vec(&facts).expect("facts are plain data");
        self.place.publish(&self.facts_path(digest.hex()), &facts, false)?;
        Ok(())
    }

    fn refuse_taken(&self, tag: &Tag, digest: &Digest, rule: TagRule) -> Result<(), ImageError> {
        match self.tag(tag)? {
            Some(holds) if rule == TagRule::Stays && holds != *digest => {
                Err(ImageError::TagTaken { tag: tag.clone(), holds })
            }
            _ => Ok(()),
        }
    }

    fn point(&self, tag: &Tag, digest: &Digest, rule: TagRule) -> Result<(), ImageError> {
        let path = self.tag_path(tag);
        let set = self.place.publish(&path, format!("{digest}\n").as_bytes(), rule == TagRule::Stays)?;
        // Another push was faster; perhaps with the same.
        if set { Ok(()) } else { self.refuse_taken(tag, digest, rule) }
    }

    pub(super) fn manifest(&self, digest: &Digest) -> Result<Option<KeptManifest>, ImageError> {
        let Some(facts) = self.facts(digest)? else { return Ok(None) };
        let Some(mut open) = self.place.open_content(digest)? else {
            return Err(fault::damaged(digest.to_string(), "the manifest's bytes are missing").into());
        };
        let mut bytes = vec![0; usize::try_from(open.size).unwrap_or_default()];
        let read = open.content.read_at(0, &mut bytes)?;
        bytes.truncate(read);
        Ok(Some(KeptManifest { bytes, facts }))
    }

    pub(super) fn facts(&self, digest: &Digest) -> Result<Option<ManifestFacts>, ImageError> {
        Ok(self.facts_of(sha256_hex(digest)?)?)
    }

    fn facts_of(&self, hex: &str) -> Result<Option<ManifestFacts>, StoreError> {
        let path = self.facts_path(hex);
        let Some(text) = fault::found(&path, fs::read(&path))? else { return Ok(None) };
        let unreadable = |error| {
            fault::damaged(format!("manifest sha256:{hex}"), format!("what is known of it is unreadable: {error}"))
        };
        serde_json::from_slice(&text).map(Some).map_err(unreadable)
    }

    pub(super) fn manifests(&self) -> Result<Vec<Digest>, ImageError> {
        let names = names_in(&self.folder.join("manifests"))?;
        Ok(names.iter().filter_map(|name| digest_of(name.strip_suffix(".json")?)).collect())
    }

    /// Every manifest with what is known of it; one whose facts are unreadable names nothing.
    pub(super) fn every_manifest(&self) -> Result<Vec<(Digest, ManifestFacts)>, ImageError> {
        let mut all = Vec::new();
        for digest in self.manifests()? {
            match self.facts(&digest) {
                Ok(Some(facts)) => all.push((digest, facts)),
                Ok(None) => {}
                Err(ImageError::Store(StoreError::Damaged { .. })) => all.push((digest, unreadable())),
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }

    pub(super) fn remove_manifest(&self, digest: &Digest) -> Result<bool, ImageError> {
        let hex = sha256_hex(digest)?;
        let _alone = self.place.remove_images()?;
        if !self.facts_path(hex).exists() {
            return Ok(false);
        }
        self.place.refuse_protected(digest)?;
        for (other, facts) in self.every_manifest()? {
            if facts.manifests.contains(digest) && self.place.protected()?.contains_key(&other) {
                let why = format!("it is a part of {other}, which is protected");
                return Err(ImageError::InUse { digest: digest.clone(), why });
            }
        }
        // Tags first: none ever leads to nothing.
        for tag in self.tags()? {
            if self.tag(&tag)?.as_ref() == Some(digest) {
                let path = self.tag_path(&tag);
                fault::found(&path, fs::remove_file(&path))?;
            }
        }
        self.forget_manifest(digest)?;
        Ok(true)
    }

    /// Removes a manifest that no tag points to. The caller holds the right to remove.
    pub(super) fn forget_manifest(&self, digest: &Digest) -> Result<(), ImageError> {
        let hex = sha256_hex(digest)?;
        let subject = self.facts(digest).ok().flatten().and_then(|facts| facts.subject);
        let path = self.facts_path(hex);
        fault::found(&path, fs::remove_file(&path))?;
        if let Some(subject) = subject {
            let folder = self.referrers_folder(sha256_hex(&subject)?);
            let path = folder.join(hex);
            fault::found(&path, fs::remove_file(&path))?;
            let _not_empty = fs::remove_dir(folder);
        }
        Ok(())
    }

    pub(super) fn tag(&self, tag: &Tag) -> Result<Option<Digest>, ImageError> {
        let path = self.tag_path(tag);
        let Some(text) = fault::found(&path, fs::read_to_string(&path))? else { return Ok(None) };
        let unreadable = |_| fault::damaged(format!("tag `{tag}` of `{}`", self.name), "it holds no digest");
        Ok(Some(text.trim_end().parse().map_err(unreadable)?))
    }

    pub(super) fn tags(&self) -> Result<Vec<Tag>, StoreError> {
        let names = names_in(&self.folder.join("tags"))?;
        Ok(names.iter().filter_map(|name| Tag::parse(name).ok()).collect())
    }

    pub(super) fn tags_if_any(&self) -> Result<Option<Vec<Tag>>, ImageError> {
        let tags = self.tags()?;
        let is_empty = tags.is_empty() && names_in(&self.folder.join("manifests"))?.is_empty();
        Ok((!is_empty).then_some(tags))
    }

    pub(super) fn remove_tag(&self, tag: &Tag) -> Result<bool, ImageError> {
        let _alone = self.place.remove_images()?;
        // A manifest begins to grow old when it loses its tag, not when it was pushed.
        let path = self.tag_path(tag);
        Ok(fault::found(&path, fs::remove_file(&path))?.is_some())
    }

    pub(super) fn referrers(&self, subject: &Digest) -> Result<Vec<(Digest, ManifestFacts)>, ImageError> {
        let mut found = Vec::new();
        for hex in names_in(&self.referrers_folder(sha256_hex(subject)?))? {
            let Some(digest) = digest_of(&hex) else { continue };
            // The link comes before the facts, and may have been left by a kill.
            if let Some(facts) = self.facts(&digest)?
                && facts.subject.as_ref() == Some(subject)
            {
                found.push((digest, facts));
            }
        }
        Ok(found)
    }
}

/// What a manifest that cannot be read any more says.
fn unreadable() -> ManifestFacts {
    ManifestFacts {
        media_type: String::new(),
        size: 0,
        blobs: Vec::new(),
        manifests: Vec::new(),
        subject: None,
        artifact_type: None,
        annotations: BTreeMap::new(),
        pushed: Timestamp(0),
    }
}

pub(super) fn digest_of(hex: &str) -> Option<Digest> {
    format!("sha256:{hex}").parse().ok()
}

pub(super) fn timestamp(time: SystemTime) -> Timestamp {
    let milliseconds = |since: Duration| i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
    Timestamp(match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => milliseconds(since),
        Err(before) => -milliseconds(before.duration()),
    })
}

/// Names of the files in a folder, sorted; none when it is missing.
pub(super) fn names_in(folder: &Path) -> Result<Vec<String>, StoreError> {
    let Some(listing) = fault::found(folder, fs::read_dir(folder))? else { return Ok(Vec::new()) };
    let mut names = Vec::new();
    for entry in listing {
        let entry = entry.map_err(|error| fault::at(folder, error))?;
        if let Ok(name) = entry.file_name().into_string() {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Makes an empty file, if there is none, and marks its time.
fn touch(path: &Path, at: Option<Timestamp>) -> io::Result<()> {
    let open = || OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path);
    let file: File = match open() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_folder(path.parent().unwrap_or(path))?;
            open()?
        }
        opened => opened?,
    };
    at.map_or(Ok(()), |at| mark_used(&file, at))
}
