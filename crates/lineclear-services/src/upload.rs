//! Uploads that are going on: what each will become, and which cache keys they hold reserved.
//!
//! ```text
//! begun ─► blocks come, in any order ─► assembled ─► kept
//!   └──────────────┴── its job ends, or nothing comes for too long ─► abandoned
//! ```
//! The bytes are the store's; this is the memory of one process.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lineclear_event::{RunId, Timestamp};
use lineclear_store::{Archives, Assembled, CacheScope, UploadId};

use crate::services::Shared;
use crate::session::SessionId;
use crate::time::after;

/// What an upload will become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Artifact { run: RunId, name: String, content_type: String, retention_days: Option<u32> },
    Cache(CacheIdentity),
}

/// What names a cache entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CacheIdentity {
    pub(crate) repository: String,
    pub(crate) scope: CacheScope,
    pub(crate) key: String,
    pub(crate) version: String,
}

/// One upload.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    pub(crate) id: UploadId,
    /// The name that version 1 of the cache protocol has for it.
    pub(crate) number: u64,
    pub(crate) owner: SessionId,
    pub(crate) purpose: Purpose,
    /// Bytes that came, repeated blocks counted again.
    pub(crate) bytes: u64,
    /// Requests that bring bytes just now.
    in_flight: u32,
    /// When something was last heard of it.
    active: Timestamp,
    pub(crate) content: Option<Assembled>,
    /// Where a part begins and how long it is: parts of version 1 of the cache protocol.
    pub(crate) parts: BTreeMap<u64, u64>,
    /// The id of what became of it.
    pub(crate) kept: Option<u64>,
}

impl Upload {
    fn is_live(&self, now: Timestamp, patience: Duration) -> bool {
        self.kept.is_none() && (self.in_flight > 0 || now < after(self.active, patience))
    }
}

#[derive(Debug, Default)]
struct Table {
    last_number: u64,
    by_id: HashMap<String, Upload>,
}

/// Why an upload was not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotBegun {
    /// Another upload holds the key.
    Reserved,
    TooMany,
}

/// All uploads of this process.
#[derive(Debug, Default)]
pub(crate) struct Uploads(Mutex<Table>);

impl Uploads {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes an upload that the store has begun. What it takes the place of is given back, to be abandoned in the store: an
    /// earlier upload of the job to the same artifact, or an upload to the same key of which nothing was heard for too long.
    pub(crate) fn begin(
        &self,
        id: UploadId,
        owner: SessionId,
        purpose: Purpose,
        now: Timestamp,
        limits: &crate::Limits,
    ) -> Result<(Upload, Vec<UploadId>), NotBegun> {
        let mut table = self.table();
        let same = |known: &Upload| match (&known.purpose, &purpose) {
            (Purpose::Cache(known), Purpose::Cache(new)) => known == new,
            (Purpose::Artifact { run, name, .. }, Purpose::Artifact { run: new_run, name: new_name, .. }) => {
                known.owner == owner && (run, name) == (new_run, new_name)
            }
            _ => false,
        };
        let is_cache = matches!(purpose, Purpose::Cache(_));
        if is_cache && table.by_id.values().any(|known| same(known) && known.is_live(now, limits.reservation)) {
            return Err(NotBegun::Reserved);
        }
        let going_on = table.by_id.values().filter(|known| known.owner == owner && known.kept.is_none()).count();
        if going_on >= limits.uploads_of_a_job {
            return Err(NotBegun::TooMany);
        }
        let replaced: Vec<Upload> = table.by_id.values().filter(|known| same(known)).cloned().collect();
        for upload in &replaced {
            table.by_id.remove(&upload.id.0);
        }
        table.last_number += 1;
        let upload = Upload {
            number: table.last_number,
            owner,
            purpose,
            bytes: 0,
            in_flight: 0,
            active: now,
            content: None,
            parts: BTreeMap::new(),
            kept: None,
            id,
        };
        table.by_id.insert(upload.id.0.clone(), upload.clone());
        Ok((upload, replaced.into_iter().filter(|upload| upload.kept.is_none()).map(|upload| upload.id).collect()))
    }

    /// Whether a key is held by an upload that is going on.
    pub(crate) fn is_reserved(&self, identity: &CacheIdentity, now: Timestamp, patience: Duration) -> bool {
        let table = self.table();
        table.by_id.values().any(|known| {
            matches!(&known.purpose, Purpose::Cache(known) if known == identity) && known.is_live(now, patience)
        })
    }

    /// The job's upload that `is_it` is said of.
    pub(crate) fn find(&self, owner: SessionId, is_it: impl Fn(&Upload) -> bool) -> Option<Upload> {
        self.table().by_id.values().find(|upload| upload.owner == owner && is_it(upload)).cloned()
    }

    /// Changes an upload, if it is still there.
    pub(crate) fn change(&self, id: &str, change: impl FnOnce(&mut Upload)) {
        if let Some(upload) = self.table().by_id.get_mut(id) {
            change(upload);
        }
    }

    pub(crate) fn forget(&self, id: &str) {
        self.table().by_id.remove(id);
    }

    /// Forgets the uploads of a job that has ended. What became of finished ones stays in the store.
    pub(crate) fn abandon_of(&self, owner: SessionId, archives: &dyn Archives) {
        let abandoned: Vec<Upload> = {
            let mut table = self.table();
            let ids: Vec<String> =
                table.by_id.values().filter(|upload| upload.owner == owner).map(|upload| upload.id.0.clone()).collect();
            ids.iter().filter_map(|id| table.by_id.remove(id)).filter(|upload| upload.kept.is_none()).collect()
        };
        for upload in abandoned {
            // What stays goes with the next prune.
            let _ = archives.abandon_upload(&upload.id);
        }
    }
}

/// A request that brings bytes to an upload: while it lives, the upload's key stays reserved.
#[derive(Debug)]
pub(crate) struct Arrival {
    shared: Arc<Shared>,
    id: String,
}

impl Arrival {
    /// `None` for an upload that is not known.
    pub(crate) fn begin(shared: &Arc<Shared>, id: &str) -> Option<(Self, Upload)> {
        let mut table = shared.uploads.table();
        let upload = table.by_id.get_mut(id)?;
        upload.in_flight += 1;
        Some((Self { shared: shared.clone(), id: id.to_owned() }, upload.clone()))
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        let now = self.shared.now();
        self.shared.uploads.change(&self.id, |upload| {
            upload.in_flight = upload.in_flight.saturating_sub(1);
            upload.active = now;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    fn cache(key: &str) -> Purpose {
        Purpose::Cache(CacheIdentity {
            repository: "o/r".into(),
            scope: CacheScope("refs/heads/main".into()),
            key: key.into(),
            version: "v".into(),
        })
    }

    fn begin(uploads: &Uploads, id: &str, owner: u64, purpose: Purpose, now: i64) -> Result<Vec<UploadId>, NotBegun> {
        let limits = Limits { uploads_of_a_job: 3, reservation: Duration::from_secs(1), ..Limits::default() };
        uploads
            .begin(UploadId(id.into()), SessionId(owner), purpose, Timestamp(now), &limits)
            .map(|(_, replaced)| replaced)
    }

    #[test]
    fn a_reservation_expires_when_nothing_is_heard_of_it() {
        let uploads = Uploads::default();
        assert_eq!(begin(&uploads, "a", 1, cache("k"), 0), Ok(vec![]));
        assert_eq!(begin(&uploads, "b", 2, cache("k"), 999), Err(NotBegun::Reserved));
        assert_eq!(begin(&uploads, "b", 2, cache("other"), 999), Ok(vec![]));
        uploads.change("a", |upload| upload.in_flight = 1);
        assert_eq!(begin(&uploads, "c", 2, cache("k"), 9_999), Err(NotBegun::Reserved), "bytes are coming");
        uploads.change("a", |upload| upload.in_flight = 0);
        assert_eq!(begin(&uploads, "c", 2, cache("k"), 9_999), Ok(vec![UploadId("a".into())]));
        assert!(uploads.find(SessionId(1), |upload| upload.id.0 == "a").is_none());
    }

    #[test]
    fn a_job_has_a_limit_and_its_repeated_artifact_takes_the_place_of_the_first() {
        let uploads = Uploads::default();
        let artifact = |name: &str| Purpose::Artifact {
            run: RunId(1),
            name: name.into(),
            content_type: "application/zip".into(),
            retention_days: None,
        };
        assert_eq!(begin(&uploads, "a", 1, artifact("x"), 0), Ok(vec![]));
        assert_eq!(begin(&uploads, "b", 1, artifact("x"), 0), Ok(vec![UploadId("a".into())]));
        assert_eq!(begin(&uploads, "c", 2, artifact("x"), 0), Ok(vec![]), "another job's upload stays");
        assert_eq!(begin(&uploads, "d", 1, artifact("y"), 0), Ok(vec![]));
        assert_eq!(begin(&uploads, "e", 1, artifact("z"), 0), Ok(vec![]));
        assert_eq!(begin(&uploads, "f", 1, artifact("w"), 0), Err(NotBegun::TooMany));
    }
}
