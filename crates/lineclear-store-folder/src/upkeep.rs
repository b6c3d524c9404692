//! Keeping the folder within limits.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use lineclear_event::{RunId, Timestamp};
use lineclear_store::{
    ArtifactMeta, DAY_MS, ImageError, ImageSweep, Limits, PruneReport, StoreError, Sweep, Upkeep, Usage,
};

use crate::archives::{ARCHIVES, UPLOADS};
use crate::blobs::Hash;
use crate::entry::{Content, Kept, Needs, folders, json_files};
use crate::fault;
use crate::run::is_alive;
use crate::store::{FolderStore, Place};

/// A run whose folder was made but whose record never came is a kill's; younger ones may be about to come.
const UNBORN_MS: i64 = 3_600_000;

impl Upkeep for FolderStore {
    fn prune(&self, now: Timestamp, limits: &Limits) -> Result<PruneReport, StoreError> {
        let place = &*self.place;
        let mut report = PruneReport::default();
        for run in place.old_runs(now, limits)? {
            report.freed += place.remove_folder(&place.run_folder(run))?;
            report.runs += 1;
        }
        for path in place.expired_artifacts(now)? {
            fault::found(&path, fs::remove_file(&path))?;
            report.artifacts += 1;
        }
        for run in place.artifact_runs()? {
            let _not_empty = fs::remove_dir(place.artifact_folder(run));
        }
        for folder in folders(&place.root.join("caches"))? {
            report.caches += place.evict_in(&folder, limits, now, None)?;
            let _not_empty = fs::remove_dir(&folder);
        }
        place.prune_uploads(now, &mut report)?;
        match place.sweep()? {
            Some(freed) => report.freed += freed,
            None => report.busy = true,
        }
        // After the archives, which may be the last to have shared a content.
        let images = place.sweep_images(now, &limits.image_rules(), Sweep::Now).map_err(ImageError::into_store)?;
        add_images(&mut report, &images);
        Ok(report)
    }

    fn foresee(&self, now: Timestamp, limits: &Limits) -> Result<PruneReport, StoreError> {
        self.place.foresee(now, limits)
    }

    fn usage(&self) -> Result<Usage, StoreError> {
        let place = &*self.place;
        let mut usage = Usage::default();
        for id in place.run_ids()? {
            usage.runs += u64::from(place.run_folder(id).join(crate::run::RECORD).exists());
            usage.run_bytes += folder_size(&place.run_folder(id));
        }
        for run in place.artifact_runs()? {
            for path in json_files(&place.artifact_folder(run))? {
                if let Ok(Some((kept, _))) = Kept::<ArtifactMeta>::read(&path) {
                    usage.artifacts += 1;
                    usage.artifact_bytes += kept.what.size;
                }
            }
        }
        for folder in folders(&place.root.join("caches"))? {
            for (_, kept) in place.caches_in(&folder, &mut Vec::new())? {
                usage.caches += 1;
                usage.cache_bytes += kept.what.size;
            }
        }
        place.blobs.each(|_, _, length| usage.stored_bytes += length)?;
        for folder in folders(&place.root.join(ARCHIVES))? {
            usage.stored_bytes += folder_size(&folder);
        }
        for folder in folders(&place.root.join(UPLOADS))? {
            usage.uploads += 1;
            usage.upload_bytes += folder_size(&folder);
        }
        let images = place.image_usage().map_err(ImageError::into_store)?;
        (usage.ledgers, usage.ledger_bytes) = place.ledger_usage()?;
        usage.images = images.manifests;
        usage.image_bytes = images.bytes;
        usage.uploads += images.uploads;
        usage.upload_bytes += images.upload_bytes;
        Ok(usage)
    }
}

pub(crate) fn add_images(report: &mut PruneReport, images: &ImageSweep) {
    report.images += images.manifests.len() as u64;
    report.uploads += images.uploads;
    report.freed += images.freed;
}

/// Bytes of the files in a folder that has only files.
pub(crate) fn folder_size(folder: &Path) -> u64 {
    size_of_files(folder, |_| true)
}

fn size_of_files(folder: &Path, counts: impl Fn(&fs::Metadata) -> bool) -> u64 {
    let Ok(listing) = fs::read_dir(folder) else { return 0 };
    let files = listing.flatten().filter_map(|entry| entry.metadata().ok());
    files.filter(counts).map(|known| known.len()).sum()
}

impl Place {
    /// The runs that have to go.
    pub(crate) fn old_runs(&self, now: Timestamp, limits: &Limits) -> Result<Vec<RunId>, StoreError> {
        let oldest = now.plus_millis(-i64::from(limits.run_days).saturating_mul(DAY_MS));
        let mut counted = BTreeMap::<String, usize>::new();
        let mut found = Vec::new();
        for id in self.run_ids()? {
            let made = Timestamp(i64::try_from(id.0).unwrap_or(i64::MAX));
            let old = match self.open_record(id) {
                Ok(Some((record, header))) => {
                    let place = counted.entry(header.run.repository).or_default();
                    *place += 1;
                    let old = header.run.started < oldest || *place > limits.runs_per_repository;
                    old && !is_alive(&record)
                }
                Ok(None) => made < now.plus_millis(-UNBORN_MS),
                // A record that cannot be read is kept as long as others, for whoever wants to look at it.
                Err(_) => made < oldest,
            };
            if old {
                found.push(id);
            }
        }
        Ok(found)
    }

    /// The entries of artifacts that have to go.
    pub(crate) fn expired_artifacts(&self, now: Timestamp) -> Result<Vec<PathBuf>, StoreError> {
        let mut found = Vec::new();
        for run in self.artifact_runs()? {
            for path in json_files(&self.artifact_folder(run))? {
                let expired = match Kept::<ArtifactMeta>::read(&path) {
                    Ok(Some((kept, _))) => kept.what.expires.is_some_and(|end| end <= now),
                    Ok(None) | Err(StoreError::Refused(_)) => false,
                    // Nothing can be read from it any more.
                    Err(StoreError::Damaged { .. }) => true,
                    Err(error) => return Err(error),
                };
                if expired {
                    found.push(path);
                }
            }
        }
        Ok(found)
    }

    /// Removes a folder of files; readers see all of it or nothing. Answers the bytes of its files.
    pub(crate) fn remove_folder(&self, folder: &Path) -> Result<u64, StoreError> {
        let aside = self.temporary();
        if fault::found(folder, fs::rename(folder, &aside))?.is_none() {
            return Ok(0);
        }
        // A file that is the content of a digest, too, is counted when that goes.
        let size = size_of_files(&aside, |known| known.nlink() == 1);
        // A sweep of another process may be removing it too.
        fault::found(&aside, fs::remove_dir_all(&aside))?;
        Ok(size)
    }

    /// Removes the blobs that nothing refers to, and what kills have left in `tmp/`; answers the bytes, or `None` when someone is
    /// reading or writing blobs.
    pub(crate) fn sweep(&self) -> Result<Option<u64>, StoreError> {
        let Some(_alone) = self.sweep_blobs()? else { return Ok(None) };
        let (needed, archives) = self.needed(&HashSet::new())?;
        let mut freed = 0;
        let mut unneeded = Vec::new();
        self.blobs.each(|path, hash, length| {
            if hash.is_none_or(|hash| !needed.contains(&hash)) {
                unneeded.push((path.to_owned(), length));
            }
        })?;
        for (path, length) in unneeded {
            if fault::found(&path, fs::remove_file(&path))?.is_some() {
                freed += length;
            }
        }
        freed += self.sweep_archives(&archives)?;
        freed += self.sweep_unseen_contents().map_err(ImageError::into_store)?;
        self.sweep_leftovers("tmp", 0)?;
        self.sweep_leftovers("stat", DAY_MS * 7)?;
        Ok(Some(freed))
    }

    /// The blobs and archives that the entries refer to; those of the entries `gone` do not count.
    pub(crate) fn needed(&self, gone: &HashSet<PathBuf>) -> Result<(HashSet<Hash>, HashSet<String>), StoreError> {
        let mut needed: HashSet<Hash> = HashSet::new();
        let mut archives: HashSet<String> = HashSet::new();
        for section in ["caches", "artifacts"] {
            for folder in folders(&self.root.join(section))? {
                for path in json_files(&folder)? {
                    if gone.contains(&path) {
                        continue;
                    }
                    let Some(text) = fault::found(&path, fs::read(&path))? else { continue };
                    // What cannot be read needs nothing that could be found.
                    match serde_json::from_slice::<Needs>(&text).ok().and_then(Needs::content) {
                        Some(Content::Files(files)) => needed.extend(files.blobs().map(|blob| blob.hash)),
                        Some(Content::Archive(archive)) => drop(archives.insert(archive.upload.0)),
                        None => {}
                    }
                }
            }
        }
        Ok((needed, archives))
    }

    /// Removes what lies in a folder of the store and was not changed for `age_ms`. Nobody writes blobs while this runs; a cache
    /// entry on its way from `tmp/` would only be written again, and the right to sweep keeps even that from happening.
    fn sweep_leftovers(&self, name: &str, age_ms: i64) -> Result<(), StoreError> {
        let folder = self.root.join(name);
        let Some(listing) = fault::found(&folder, fs::read_dir(&folder))? else { return Ok(()) };
        let age = std::time::Duration::from_millis(age_ms.unsigned_abs());
        for entry in listing {
            let entry = entry.map_err(|error| fault::at(&folder, error))?;
            let (path, Ok(known)) = (entry.path(), entry.metadata()) else { continue };
            let old = known.modified().ok().and_then(|changed| changed.elapsed().ok()).is_none_or(|since| since >= age);
            if known.is_dir() {
                let _next_time = fs::remove_dir_all(&path);
            } else if old {
                let _next_time = fs::remove_file(&path);
            }
        }
        Ok(())
    }
}
