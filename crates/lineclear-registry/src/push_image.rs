//! A whole image into a registry: blobs first and in parallel, then manifests from the leaves up, the tag last.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use lineclear_oci::{AnyManifest, Descriptor, Digest, MAX_INDEX_DEPTH, Reference};

use crate::progress::{BlobOutcome, ProgressEvent};
use crate::source::ImageSource;
use crate::{Client, RegistryClientError};

/// Most manifests that belong to one image.
const MAX_MANIFESTS: usize = 10_000;
/// Most bytes that they have together: they are kept until all blobs are there.
const MAX_BYTES: usize = 128 << 20;

/// What was done to push or copy an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// The manifest or index that stands for the whole.
    pub root: Descriptor,
    /// How many manifests and indexes there are now, with those of referrers.
    pub manifests: usize,
    /// How many of them refer to others of them by `subject`.
    pub referrers: usize,
    /// Blobs that were there.
    pub existed: usize,
    /// Blobs that the registry took from another repository.
    pub mounted: usize,
    /// Blobs whose bytes travelled.
    pub transferred: usize,
    /// Bytes of these.
    pub bytes: u64,
}

/// Everything that belongs to an image.
#[derive(Default)]
struct Parts {
    /// Each after all that it needs, with the digest by which it is named: that need not be the SHA-256.
    manifests: Vec<(Digest, AnyManifest)>,
    blobs: BTreeMap<Digest, Descriptor>,
    known: BTreeSet<Digest>,
    bytes: usize,
    referrers: usize,
}

impl Client {
    /// Pushes an image and everything that belongs to it. The tag of `to` is moved last: nobody sees half an image.
    ///
    /// # Errors
    /// The first thing that went wrong. What was pushed until then stays, without a name, and the next try finds it there.
    pub fn push_image(&self, image: &dyn ImageSource, to: &Reference) -> Result<Pushed, RegistryClientError> {
        let root = image.root()?;
        let mut parts = Parts::default();
        self.collect(image, &root, 0, &mut parts)?;
        let Parts { manifests, blobs, referrers, .. } = parts;
        let mut pushed = Pushed {
            root: root.clone(),
            manifests: manifests.len(),
            referrers,
            existed: 0,
            mounted: 0,
            transferred: 0,
            bytes: 0,
        };
        let same = image.repository().filter(|from| from.registry() == to.registry());
        // Within one repository everything is there: the manifests came from it.
        if same.is_none_or(|from| from.repository() != to.repository()) {
            let blobs: Vec<Descriptor> = blobs.into_values().collect();
            let bytes = blobs.iter().fold(0_u64, |sum, blob| sum.saturating_add(blob.size));
            self.tell(ProgressEvent::Planned { blobs: blobs.len(), bytes });
            for (blob, by) in self.push_blobs(image, &blobs, to, same)? {
                match by {
                    None => {}
                    Some(BlobOutcome::Existed) => pushed.existed += 1,
                    Some(BlobOutcome::Mounted) => pushed.mounted += 1,
                    Some(BlobOutcome::Transferred) => {
                        pushed.transferred += 1;
                        pushed.bytes += blob.size;
                    }
                }
            }
        }
        // The whole comes last, after what refers to it: who sees the tag sees the signature too.
        let (last, others): (Vec<_>, Vec<_>) = manifests.into_iter().partition(|(digest, _)| *digest == root.digest);
        for (digest, manifest) in others.iter().chain(&last) {
            let is_root = *digest == root.digest && to.tag().is_some();
            let place = if is_root { to.clone() } else { to.only_at(digest.clone()) };
            self.push_manifest(&place, manifest)?;
        }
        Ok(pushed)
    }

    /// Finds everything that belongs to a manifest.
    fn collect(
        &self,
        image: &dyn ImageSource,
        descriptor: &Descriptor,
        depth: usize,
        parts: &mut Parts,
    ) -> Result<(), RegistryClientError> {
        self.check_cancelled()?;
        let bomb =
            |limit| RegistryClientError::Bomb { what: format!("the manifest {}", descriptor.digest.short()), limit };
        if !parts.known.insert(descriptor.digest.clone()) {
            return Ok(());
        }
        if depth > MAX_INDEX_DEPTH {
            return Err(bomb("too many indexes in one another"));
        }
        let manifest = image.manifest(descriptor)?;
        parts.bytes += manifest.raw().len();
        if parts.known.len() > MAX_MANIFESTS || parts.bytes > MAX_BYTES {
            return Err(bomb("too many manifests"));
        }
        for child in manifest.children() {
            if child.media_type.is_manifest() {
                self.collect(image, child, depth + 1, parts)?;
            } else {
                parts.blobs.insert(child.digest.clone(), child.clone());
            }
        }
        for blob in manifest.blobs() {
            parts.blobs.insert(blob.digest.clone(), blob.clone());
        }
        let digest = descriptor.digest.clone();
        parts.manifests.push((digest.clone(), manifest));
        for referrer in image.referrers(&digest)? {
            if !parts.known.contains(&referrer.digest) {
                parts.referrers += 1;
                self.collect(image, &referrer, depth + 1, parts)?;
            }
        }
        Ok(())
    }

    /// Pushes blobs, some at once. The first failure ends the others.
    fn push_blobs<'b>(
        &self,
        image: &dyn ImageSource,
        blobs: &'b [Descriptor],
        to: &Reference,
        same: Option<&Reference>,
    ) -> Result<Vec<(&'b Descriptor, Option<BlobOutcome>)>, RegistryClientError> {
        let next = AtomicUsize::new(0);
        let done = Mutex::new(Ok(Vec::new()));
        let work = || {
            while let Some(blob) = blobs.get(next.fetch_add(1, Ordering::SeqCst)) {
                let outcome = self.push_one(image, blob, to, same);
                let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                match (&mut *done, outcome) {
                    (Ok(list), Ok(by)) => list.push((blob, by)),
                    (Ok(_), Err(error)) => {
                        next.store(blobs.len(), Ordering::SeqCst);
                        *done = Err(error);
                    }
                    (Err(_), _) => {}
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..self.inner.settings.parallel.clamp(1, blobs.len().max(1)) {
                scope.spawn(work);
            }
        });
        done.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn push_one(
        &self,
        image: &dyn ImageSource,
        blob: &Descriptor,
        to: &Reference,
        same: Option<&Reference>,
    ) -> Result<Option<BlobOutcome>, RegistryClientError> {
        // Layers that may not be distributed are where their addresses say; a registry need not have them.
        if blob.media_type.is_foreign_layer() && !image.has_blob(blob)? {
            return Ok(None);
        }
        let open = |offset| image.blob(blob, offset);
        self.push_blob(to, blob, &open, same.map(Reference::repository)).map(Some)
    }
}
