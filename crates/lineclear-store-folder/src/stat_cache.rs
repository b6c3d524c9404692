//! What files looked like when their contents were last known, so that an unchanged file need not be read: as Git's index.
//!
//! A file is taken to be unchanged when device, inode, length, time of last change and time of last status change are all what
//! they were. The last of these is set by the kernel alone. A change within the grain of the kernel's clock cannot be seen that
//! way, so a file that had changed only just before it was looked at is not remembered.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use lineclear_store::StoreError;

use crate::blobs::Hash;
use crate::manifest::Nanos;
use crate::store::Place;

const MAGIC: &[u8; 8] = b"lcstats1";
const RECORD: usize = 72;

/// Coarser than the clock that any kernel stamps files with (at most 10 ms).
const GRAIN: Nanos = 50_000_000;

/// What tells that a file is still what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) size: u64,
    pub(crate) changed: Nanos,
    pub(crate) status_changed: Nanos,
}

#[derive(Debug, Default)]
pub(crate) struct StatCache {
    known: HashMap<(u64, u64), (Stamp, Hash)>,
}

impl StatCache {
    /// The file for caches of `repository` with `version` (which names the paths) below `base`.
    pub(crate) fn path(place: &Place, repository: &str, version: &str, base: &Path) -> PathBuf {
        let mut hasher = blake3::Hasher::new();
        for part in [repository.as_bytes(), version.as_bytes(), base.as_os_str().as_encoded_bytes()] {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
        place.root.join("stat").join(&hasher.finalize().to_hex()[..32])
    }

    /// What is remembered; nothing when the file is missing or not as it was written.
    pub(crate) fn load(path: &Path) -> Self {
        let Ok(bytes) = fs::read(path) else { return Self::default() };
        Self::decode(&bytes).unwrap_or_default()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (bytes, sum) = bytes.strip_prefix(MAGIC)?.split_last_chunk::<32>()?;
        if Hash::of(bytes).0 != *sum || bytes.len() % RECORD != 0 {
            return None;
        }
        let mut known = HashMap::with_capacity(bytes.len() / RECORD);
        for record in bytes.chunks_exact(RECORD) {
            let (numbers, hash) = record.split_last_chunk::<32>()?;
            let number = |at: usize| numbers.get(at * 8..)?.first_chunk::<8>().copied();
            let stamp = Stamp {
                device: u64::from_le_bytes(number(0)?),
                inode: u64::from_le_bytes(number(1)?),
                size: u64::from_le_bytes(number(2)?),
                changed: i64::from_le_bytes(number(3)?),
                status_changed: i64::from_le_bytes(number(4)?),
            };
            known.insert((stamp.device, stamp.inode), (stamp, Hash(*hash)));
        }
        Some(Self { known })
    }

    /// The hash of the contents of the file with this stamp, when nothing has changed since it was remembered.
    pub(crate) fn hash_of(&self, stamp: &Stamp) -> Option<Hash> {
        let (known, hash) = self.known.get(&(stamp.device, stamp.inode))?;
        (known == stamp).then_some(*hash)
    }

    /// Remembers the stamps taken at `taken` or later.
    pub(crate) fn store(
        place: &Place,
        path: &Path,
        taken: Nanos,
        stamps: impl Iterator<Item = (Stamp, Hash)>,
    ) -> Result<(), StoreError> {
        let mut bytes = MAGIC.to_vec();
        for (stamp, hash) in stamps.filter(|(stamp, _)| stamp.status_changed < taken - GRAIN) {
            for number in [stamp.device, stamp.inode, stamp.size] {
                bytes.extend_from_slice(&number.to_le_bytes());
            }
            bytes.extend_from_slice(&stamp.changed.to_le_bytes());
            bytes.extend_from_slice(&stamp.status_changed.to_le_bytes());
            bytes.extend_from_slice(&hash.0);
        }
        let sum = Hash::of(&bytes[MAGIC.len()..]);
        bytes.extend_from_slice(&sum.0);
        place.publish(path, &bytes, false).map(drop)
    }
}

/// The time of this machine.
pub(crate) fn now() -> Nanos {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| Nanos::try_from(since.as_nanos()).unwrap_or(Nanos::MAX))
}

/// Seconds and nanoseconds as one number; times beyond the years 1677 to 2262 become those.
pub(crate) fn nanos(seconds: i64, nanos: i64) -> Nanos {
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_unchanged_only_when_all_of_its_stamp_is() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let store = crate::FolderStore::open(folder.path().join("store")).expect("the store opens");
        let path = StatCache::path(&store.place, "o/r", "v", Path::new("/base"));
        let stamp = Stamp { device: 1, inode: 2, size: 3, changed: 4, status_changed: 5 };
        let just_now = Stamp { inode: 3, status_changed: 100 * GRAIN, ..stamp };
        let hash = Hash::of(b"contents");
        let stamps = [(stamp, hash), (just_now, hash)];
        StatCache::store(&store.place, &path, 100 * GRAIN, stamps.into_iter()).expect("it is written");
        let cache = StatCache::load(&path);
        assert_eq!(cache.hash_of(&stamp), Some(hash));
        assert_eq!(cache.hash_of(&just_now), None, "it may change again without anyone seeing it");
        for other in [
            Stamp { device: 9, ..stamp },
            Stamp { inode: 9, ..stamp },
            Stamp { size: 9, ..stamp },
            Stamp { changed: 9, ..stamp },
            Stamp { status_changed: 9, ..stamp },
        ] {
            assert_eq!(cache.hash_of(&other), None);
        }
        let mut bytes = fs::read(&path).expect("it is there");
        bytes[20] ^= 1;
        fs::write(&path, &bytes).expect("it can be written");
        assert_eq!(StatCache::load(&path).hash_of(&stamp), None, "a damaged file remembers nothing");
    }
}
