//! What stays, and the removal of the rest.
//!
//! Mark: from tags, protections and what is young to all that these name, and to what has them as its subject. Sweep: manifests, links
//! of blobs, contents, in this order, so that a kill in between leaves nothing that leads nowhere. Nobody adds anything
//! meanwhile; whoever pushes waits for these few file operations, and bytes that come in do not.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use lineclear_event::Timestamp;
use lineclear_oci::Digest;
use lineclear_store::{ImageError, ImageRules, ImageSweep, ImageUsage, ManifestFacts, StoreError, Sweep, UploadId};

use super::IMAGES;
use super::contents::sha256_hex;
use super::push::ENDED;
use super::repository::{Repository, digest_of, names_in, timestamp};
use crate::entry::folders;
use crate::fault;
use crate::store::Place;

/// One repository, looked at.
struct Looked<'p> {
    repository: Repository<'p>,
    manifests: BTreeMap<Digest, ManifestFacts>,
    tags: BTreeSet<Digest>,
}

impl Place {
    fn protected_folder(&self) -> std::path::PathBuf {
        self.root.join(IMAGES).join("protected")
    }

    pub(super) fn protect(&self, digest: &Digest, why: &str) -> Result<(), ImageError> {
        let path = self.protected_folder().join(sha256_hex(digest)?);
        // A sweep that runs now has not seen it: wait for its end.
        let _keep = self.keep_images()?;
        self.publish(&path, why.as_bytes(), false)?;
        Ok(())
    }

    pub(super) fn unprotect(&self, digest: &Digest) -> Result<(), ImageError> {
        let path = self.protected_folder().join(sha256_hex(digest)?);
        fault::found(&path, fs::remove_file(&path))?;
        Ok(())
    }

    pub(super) fn protected(&self) -> Result<BTreeMap<Digest, String>, ImageError> {
        let folder = self.protected_folder();
        let mut found = BTreeMap::new();
        for name in names_in(&folder)? {
            let Some(digest) = digest_of(&name) else { continue };
            let path = folder.join(&name);
            if let Some(why) = fault::found(&path, fs::read_to_string(&path))? {
                found.insert(digest, why);
            }
        }
        Ok(found)
    }

    pub(super) fn refuse_protected(&self, digest: &Digest) -> Result<(), ImageError> {
        match self.protected()?.remove(digest) {
            Some(why) => Err(ImageError::InUse { digest: digest.clone(), why: format!("it is protected: {why}") }),
            None => Ok(()),
        }
    }

    pub(crate) fn sweep_images(
        &self,
        now: Timestamp,
        rules: &ImageRules,
        deed: Sweep,
    ) -> Result<ImageSweep, ImageError> {
        let mut report = ImageSweep::default();
        if !self.root.join(IMAGES).is_dir() {
            return Ok(report);
        }
        let _alone = self.remove_images()?;
        let protected: BTreeSet<Digest> = self.protected()?.into_keys().collect();
        // Each repository is looked at once; a name of a content stands for it wherever it is visible.
        let mut needed: HashSet<String> = HashSet::new();
        for digest in &protected {
            needed.insert(sha256_hex(digest)?.to_owned());
        }
        for repository in self.each_repository()? {
            let looked = look(repository)?;
            let kept = looked.marked(now, rules, &protected);
            for digest in looked.manifests.keys() {
                if kept.contains(digest) {
                    needed.insert(sha256_hex(digest)?.to_owned());
                } else {
                    report.manifests.push((looked.repository.name.clone(), digest.clone()));
                    if deed == Sweep::Now {
                        looked.repository.forget_manifest(digest)?;
                    }
                }
            }
            let named: HashSet<&Digest> =
                kept.iter().filter_map(|digest| looked.manifests.get(digest)).flat_map(|facts| &facts.blobs).collect();
            for hex in names_in(&looked.repository.folder.join("blobs"))? {
                let Some(digest) = digest_of(&hex) else { continue };
                let young =
                    looked.repository.link_time(&hex)?.is_some_and(|last| last.plus_millis(rules.grace_ms) > now);
                if young || named.contains(&digest) || protected.contains(&digest) {
                    needed.insert(hex);
                } else if deed == Sweep::Now {
                    let path = looked.repository.link_path(&hex);
                    fault::found(&path, fs::remove_file(&path))?;
                }
            }
            looked.repository.sweep_uploads(now, rules, deed, &mut report)?;
            if deed == Sweep::Now {
                looked.repository.remove_if_empty();
            }
        }
        self.sweep_contents(&needed, deed, &mut report)?;
        Ok(report)
    }

    /// Removes the contents that no repository has and no archive shares; answers the bytes.
    pub(crate) fn sweep_unseen_contents(&self) -> Result<u64, ImageError> {
        let mut report = ImageSweep::default();
        if self.contents_folder().is_dir() {
            let _alone = self.remove_images()?;
            let seen = self.seen_contents()?;
            self.sweep_contents(&seen, Sweep::Now, &mut report)?;
        }
        Ok(report.freed)
    }

    /// The contents that some repository has, or that are protected.
    fn seen_contents(&self) -> Result<HashSet<String>, StoreError> {
        let mut seen: HashSet<String> = names_in(&self.protected_folder())?.into_iter().collect();
        for repository in self.each_repository()? {
            seen.extend(names_in(&repository.folder.join("blobs"))?);
            let manifests = names_in(&repository.folder.join("manifests"))?;
            seen.extend(manifests.iter().filter_map(|name| name.strip_suffix(".json")).map(str::to_owned));
        }
        Ok(seen)
    }

    fn sweep_contents(&self, needed: &HashSet<String>, deed: Sweep, report: &mut ImageSweep) -> Result<(), StoreError> {
        for folder in folders(&self.contents_folder())? {
            for hex in names_in(&folder)? {
                let path = folder.join(&hex);
                let Some(known) = fault::found(&path, fs::metadata(&path))? else { continue };
                // An archive has the file, too: removing this name of it would give nothing back.
                if needed.contains(&hex) || known.nlink() > 1 {
                    continue;
                }
                report.blobs += 1;
                report.freed += known.len();
                if deed == Sweep::Now {
                    fault::found(&path, fs::remove_file(&path))?;
                }
            }
        }
        Ok(())
    }

    pub(crate) fn image_usage(&self) -> Result<ImageUsage, ImageError> {
        let mut usage = ImageUsage::default();
        for repository in self.each_repository()? {
            let manifests = names_in(&repository.folder.join("manifests"))?.len() as u64;
            usage.repositories += u64::from(manifests > 0);
            usage.manifests += manifests;
            usage.tags += repository.tags()?.len() as u64;
            for name in names_in(&repository.uploads())? {
                let path = repository.uploads().join(name);
                if let Some(known) = fault::found(&path, fs::metadata(&path))? {
                    usage.uploads += 1;
                    usage.upload_bytes += known.len();
                }
            }
        }
        for hex in self.seen_contents()? {
            if let Some(size) = self.content_size(&hex)? {
                usage.blobs += 1;
                usage.bytes += size;
            }
        }
        Ok(usage)
    }
}

fn look(repository: Repository<'_>) -> Result<Looked<'_>, ImageError> {
    let manifests = repository.every_manifest()?.into_iter().collect();
    let mut tags = BTreeSet::new();
    for tag in repository.tags()? {
        match repository.tag(&tag) {
            Ok(digest) => tags.extend(digest),
            // It leads nowhere; whoever asks for it is told.
            Err(ImageError::Store(StoreError::Damaged { .. })) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Looked { repository, manifests, tags })
}

impl Looked<'_> {
    /// The manifests that stay.
    fn marked(&self, now: Timestamp, rules: &ImageRules, protected: &BTreeSet<Digest>) -> BTreeSet<Digest> {
        let is_young = |facts: &ManifestFacts| {
            let since_push = |time: i64| facts.pushed.plus_millis(time) > now;
            since_push(rules.grace_ms) || rules.untagged_ms.is_none_or(since_push)
        };
        let mut of_subject: BTreeMap<&Digest, Vec<&Digest>> = BTreeMap::new();
        for (digest, facts) in &self.manifests {
            if let Some(subject) = &facts.subject {
                of_subject.entry(subject).or_default().push(digest);
            }
        }
        let young = self.manifests.iter().filter(|(_, facts)| is_young(facts)).map(|(digest, _)| digest);
        let mut open: Vec<&Digest> = self.tags.iter().chain(protected).chain(young).collect();
        let mut kept = BTreeSet::new();
        while let Some(digest) = open.pop() {
            let Some(facts) = self.manifests.get(digest) else { continue };
            if kept.insert(digest.clone()) {
                open.extend(&facts.manifests);
                open.extend(of_subject.get(digest).into_iter().flatten());
            }
        }
        kept
    }
}

impl Repository<'_> {
    fn sweep_uploads(
        &self,
        now: Timestamp,
        rules: &ImageRules,
        deed: Sweep,
        report: &mut ImageSweep,
    ) -> Result<(), StoreError> {
        let folder = self.uploads();
        for name in names_in(&folder)? {
            let path = folder.join(&name);
            let upload = UploadId(name.strip_suffix(ENDED).unwrap_or(&name).to_owned());
            let old = |since: Timestamp| since.plus_millis(rules.grace_ms) <= now;
            let Some(known) = fault::found(&path, fs::metadata(&path))? else { continue };
            if !upload.begun().is_none_or(old) || !is_idle(&path, &known, old) {
                continue;
            }
            report.uploads += 1;
            report.freed += known.len();
            if deed == Sweep::Now {
                fault::found(&path, fs::remove_file(&path))?;
                self.place.pushes.take(&upload);
            }
        }
        Ok(())
    }

    fn remove_if_empty(&self) {
        for name in ["referrers", "uploads", "tags", "manifests", "blobs"] {
            let _not_empty = fs::remove_dir(self.folder.join(name));
        }
        let _not_empty = fs::remove_dir(&self.folder);
    }
}

/// Whether nobody writes to an upload, nor did lately.
fn is_idle(path: &Path, known: &fs::Metadata, old: impl Fn(Timestamp) -> bool) -> bool {
    let unwritten = known.modified().map_or(true, |time| old(timestamp(time)));
    unwritten && File::open(path).is_ok_and(|file| file.try_lock().is_ok())
}
