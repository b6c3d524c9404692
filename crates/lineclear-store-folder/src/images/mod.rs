//! Images in the folder.
//!
//! # Layout
//! ```text
//! images/
//!   sha256/<aa>/<hex>                         contents by their SHA-256, each once: a file in the form of [`block`](crate::block)
//!   repositories/<name>/                      `/` of the name is `+` here
//!     blobs/<hex>                             empty: the blob is visible in the repository; mtime is when it was last asked for
//!     manifests/<hex>.json                    what a manifest names, so that nothing has to be read again; its bytes are a content
//!     tags/<tag>                              the digest
//!     referrers/<hex of the subject>/<hex>    empty: the second has the first as its subject
//!     uploads/<upload>                        what came of a push so far, nothing else; `<upload>.ended` while it becomes a content
//!   protected/<hex>                           why a digest must not go
//!   lock                                      held shared while something new refers to contents, exclusively by what removes
//! ```
//!
//! # What is shared
//! Layers are compressed when they come, are asked for by ranges, and a client wants them as fast as the disk gives them. So a content is not
//! packed into the `blobs/` of the files that steps keep, where it would have to be found by another hash and be unpacked. It is a plain file
//! with piece hashes behind it: the form that the blocks of archives have. An archive that came as one block, an artifact or a cache entry
//! of a client, is therefore *the same file* as the content of its digest, by a hard link (see [`Place::share_archive`]): BuildKit's cache
//! of `type=gha` holds the very layers that are pushed afterwards, a raw artifact is often uploaded by run after run. They take
//! the disk once, whichever came first. Archives of several blocks, and what the native artifact and cache actions keep file by file, share
//! among themselves only: their bytes are cut otherwise.
//!
//! # What survives a kill
//! A push is a file that grows: what came counts, also for another process. Ending it renames the file away from its name, adds the
//! hashes, renames it to the content's name, and only then makes the link of the repository; a manifest's bytes come before what is known of it, and that
//! before its tags. Whatever the instant, a reader sees no half of anything, and what nothing refers to yet goes with a sweep. Writers
//! hold the lock for these few steps only, never while bytes come in.

mod contents;
mod lock;
mod progress;
mod push;
mod repository;
mod sweep;
mod verify;

use std::collections::BTreeMap;
use std::io::Read;

use lineclear_event::Timestamp;
use lineclear_oci::{Digest, RepositoryName, Tag};
use lineclear_store::{
    ImageDamage, ImageError, ImageRules, ImageSweep, ImageUsage, Images, KeptManifest, ManifestFacts, NewManifest,
    OpenBlob, Sweep, TagRule, UploadId,
};

use crate::store::{FolderStore, Place};
use repository::Repository;

pub(crate) use progress::Pushes;

/// The folder of the store.
pub(crate) const IMAGES: &str = "images";

impl Place {
    fn repository(&self, name: &RepositoryName) -> Repository<'_> {
        Repository::new(self, name.clone())
    }
}

impl Images for FolderStore {
    fn begin_push(&self, repository: &RepositoryName, now: Timestamp) -> Result<UploadId, ImageError> {
        self.place.repository(repository).begin_push(now)
    }

    fn pushed_bytes(&self, repository: &RepositoryName, upload: &UploadId) -> Result<u64, ImageError> {
        self.place.repository(repository).pushed_bytes(upload)
    }

    fn push(
        &self,
        repository: &RepositoryName,
        upload: &UploadId,
        at: Option<u64>,
        content: &mut dyn Read,
        limit: u64,
    ) -> Result<u64, ImageError> {
        self.place.repository(repository).push(upload, at, content, limit)
    }

    fn finish_push(
        &self,
        repository: &RepositoryName,
        upload: &UploadId,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<u64, ImageError> {
        self.place.repository(repository).finish_push(upload, digest, now)
    }

    fn cancel_push(&self, repository: &RepositoryName, upload: &UploadId) -> Result<(), ImageError> {
        self.place.repository(repository).cancel_push(upload)
    }

    fn blob(&self, repository: &RepositoryName, digest: &Digest, now: Timestamp) -> Result<Option<u64>, ImageError> {
        self.place.repository(repository).blob(digest, now)
    }

    fn open_blob(&self, repository: &RepositoryName, digest: &Digest) -> Result<Option<OpenBlob>, ImageError> {
        self.place.repository(repository).open_blob(digest)
    }

    fn mount_blob(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        may_pull: &dyn Fn(&RepositoryName) -> bool,
        now: Timestamp,
    ) -> Result<Option<u64>, ImageError> {
        self.place.repository(repository).mount_blob(digest, may_pull, now)
    }

    fn remove_blob(&self, repository: &RepositoryName, digest: &Digest) -> Result<bool, ImageError> {
        self.place.repository(repository).remove_blob(digest)
    }

    fn put_manifest(&self, manifest: &NewManifest) -> Result<(), ImageError> {
        self.place.repository(&manifest.repository).put_manifest(manifest)
    }

    fn set_tag(
        &self,
        repository: &RepositoryName,
        tag: &Tag,
        digest: &Digest,
        rule: TagRule,
        now: Timestamp,
    ) -> Result<(), ImageError> {
        self.place.repository(repository).set_tag(tag, digest, rule, now)
    }

    fn manifest(&self, repository: &RepositoryName, digest: &Digest) -> Result<Option<KeptManifest>, ImageError> {
        self.place.repository(repository).manifest(digest)
    }

    fn manifest_facts(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Option<ManifestFacts>, ImageError> {
        self.place.repository(repository).facts(digest)
    }

    fn manifests(&self, repository: &RepositoryName) -> Result<Vec<Digest>, ImageError> {
        self.place.repository(repository).manifests()
    }

    fn tag(&self, repository: &RepositoryName, tag: &Tag) -> Result<Option<Digest>, ImageError> {
        self.place.repository(repository).tag(tag)
    }

    fn remove_manifest(&self, repository: &RepositoryName, digest: &Digest) -> Result<bool, ImageError> {
        self.place.repository(repository).remove_manifest(digest)
    }

    fn remove_tag(&self, repository: &RepositoryName, tag: &Tag) -> Result<bool, ImageError> {
        self.place.repository(repository).remove_tag(tag)
    }

    fn tags(&self, repository: &RepositoryName) -> Result<Option<Vec<Tag>>, ImageError> {
        self.place.repository(repository).tags_if_any()
    }

    fn repositories(&self) -> Result<Vec<RepositoryName>, ImageError> {
        self.place.image_repositories()
    }

    fn referrers(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
    ) -> Result<Vec<(Digest, ManifestFacts)>, ImageError> {
        self.place.repository(repository).referrers(subject)
    }

    fn protect(&self, digest: &Digest, why: &str) -> Result<(), ImageError> {
        self.place.protect(digest, why)
    }

    fn unprotect(&self, digest: &Digest) -> Result<(), ImageError> {
        self.place.unprotect(digest)
    }

    fn protected(&self) -> Result<BTreeMap<Digest, String>, ImageError> {
        self.place.protected()
    }

    fn sweep_images(&self, now: Timestamp, rules: &ImageRules, deed: Sweep) -> Result<ImageSweep, ImageError> {
        self.place.sweep_images(now, rules, deed)
    }

    fn image_usage(&self) -> Result<ImageUsage, ImageError> {
        self.place.image_usage()
    }

    fn verify_images(&self, seen: &mut dyn FnMut(u64)) -> Result<Vec<ImageDamage>, ImageError> {
        self.place.verify_images(seen)
    }
}
