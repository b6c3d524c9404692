//! Limits in memory.

use lineclear_event::Timestamp;

use super::MemoryStore;
use crate::{DAY_MS, ImageError, ImageSweep, Images, Limits, PruneReport, StoreError, Sweep, Upkeep, Usage};

impl Upkeep for MemoryStore {
    fn prune(&self, now: Timestamp, limits: &Limits) -> Result<PruneReport, StoreError> {
        let images = self.sweep_images(now, &limits.image_rules(), Sweep::Now).map_err(ImageError::into_store)?;
        Ok(with_images(prune(&mut self.kept(), now, limits), &images))
    }

    fn foresee(&self, now: Timestamp, limits: &Limits) -> Result<PruneReport, StoreError> {
        let images = self.sweep_images(now, &limits.image_rules(), Sweep::Foresee).map_err(ImageError::into_store)?;
        Ok(with_images(prune(&mut self.kept().clone(), now, limits), &images))
    }

    fn usage(&self) -> Result<Usage, StoreError> {
        let images = self.image_usage().map_err(ImageError::into_store)?;
        let usage = usage_of(&self.kept());
        let (uploads, upload_bytes) = (usage.uploads + images.uploads, usage.upload_bytes + images.upload_bytes);
        Ok(Usage { images: images.manifests, image_bytes: images.bytes, uploads, upload_bytes, ..usage })
    }
}

fn with_images(report: PruneReport, images: &ImageSweep) -> PruneReport {
    PruneReport {
        images: images.manifests.len() as u64,
        uploads: report.uploads + images.uploads,
        freed: report.freed + images.freed,
        ..report
    }
}

fn prune(kept: &mut super::Kept, now: Timestamp, limits: &Limits) -> PruneReport {
    let used = |usage: &Usage| usage.run_bytes + usage.artifact_bytes + usage.cache_bytes + usage.upload_bytes;
    let before = usage_of(kept);
    kept.artifacts.retain(|_, (meta, _)| meta.expires.is_none_or(|end| end > now));
    kept.evict(limits, now, None);
    kept.uploads.retain(|upload, _| !upload.is_stale(now));
    let oldest = now.plus_millis(-i64::from(limits.run_days).saturating_mul(DAY_MS));
    let mut counted = std::collections::BTreeMap::<String, usize>::new();
    let mut old = Vec::new();
    for (id, run) in kept.runs.iter().rev() {
        let place = counted.entry(run.header.run.repository.clone()).or_default();
        *place += 1;
        if !run.alive && (run.header.run.started < oldest || *place > limits.runs_per_repository) {
            old.push(*id);
        }
    }
    old.iter().for_each(|id| {
        kept.runs.remove(id);
    });
    let after = usage_of(kept);
    PruneReport {
        runs: before.runs - after.runs,
        artifacts: before.artifacts - after.artifacts,
        caches: before.caches - after.caches,
        uploads: before.uploads - after.uploads,
        freed: used(&before) - used(&after),
        images: 0,
        busy: false,
    }
}

fn usage_of(kept: &super::Kept) -> Usage {
    let line_bytes = |lines: &super::LogLines| lines.iter().map(|(.., line)| line.len() as u64).sum::<u64>();
    let artifact_bytes = kept.artifacts.values().map(|(meta, _)| meta.size).sum();
    let cache_bytes = kept.caches.iter().map(|(entry, _)| entry.size).sum();
    Usage {
        runs: kept.runs.len() as u64,
        run_bytes: kept.runs.values().flat_map(|run| run.logs.values()).map(line_bytes).sum(),
        artifacts: kept.artifacts.len() as u64,
        artifact_bytes,
        caches: kept.caches.len() as u64,
        cache_bytes,
        uploads: kept.uploads.len() as u64,
        upload_bytes: kept.uploads.values().map(super::archives::Upload::size).sum(),
        stored_bytes: artifact_bytes + cache_bytes,
        images: 0,
        image_bytes: 0,
        ledgers: kept.ledgers.len() as u64,
        ledger_bytes: kept.ledgers.values().flatten().map(|line| line.len() as u64).sum(),
    }
}
