//! What a prune would remove, without removing it.

use std::collections::HashSet;
use std::path::PathBuf;

use lineclear_event::Timestamp;
use lineclear_store::{ImageError, Limits, PruneReport, StoreError, Sweep, UploadId};

use crate::archives::{ARCHIVES, UPLOADS};
use crate::entry::folders;
use crate::store::Place;
use crate::upkeep::{add_images, folder_size};

impl Place {
    /// Counts what a prune would remove now. The bytes are those of runs, uploads, and contents that no entry that stays refers to.
    pub(crate) fn foresee(&self, now: Timestamp, limits: &Limits) -> Result<PruneReport, StoreError> {
        let mut report = PruneReport::default();
        for run in self.old_runs(now, limits)? {
            report.runs += 1;
            report.freed += folder_size(&self.run_folder(run));
        }
        let mut gone: HashSet<PathBuf> = self.expired_artifacts(now)?.into_iter().collect();
        report.artifacts = gone.len() as u64;
        for folder in folders(&self.root.join("caches"))? {
            let evicted = self.to_evict(&folder, limits, now, None)?;
            report.caches += evicted.len() as u64;
            gone.extend(evicted);
        }
        for folder in folders(&self.root.join(UPLOADS))? {
            let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            // What has ended carries that behind a dot.
            let upload = UploadId(name.split('.').next().unwrap_or(name).to_owned());
            if upload.is_stale(now) {
                report.uploads += 1;
                report.freed += folder_size(&folder);
            }
        }
        let (blobs, archives) = self.needed(&gone)?;
        self.blobs.each(|_, hash, length| {
            if hash.is_none_or(|hash| !blobs.contains(&hash)) {
                report.freed += length;
            }
        })?;
        for folder in folders(&self.root.join(ARCHIVES))? {
            if folder.file_name().and_then(|name| name.to_str()).is_none_or(|name| !archives.contains(name)) {
                report.freed += folder_size(&folder);
            }
        }
        let images = self.sweep_images(now, &limits.image_rules(), Sweep::Foresee).map_err(ImageError::into_store)?;
        add_images(&mut report, &images);
        Ok(report)
    }
}
