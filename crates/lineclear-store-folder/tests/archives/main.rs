//! What becomes of archives when the folder is not as it was left, and when others use it at the same time.

mod damage;
mod ends;
mod sharing;

use std::fs;
use std::path::PathBuf;

use lineclear_event::{RunId, Timestamp};
use lineclear_store::contract::{NOW, lookup};
use lineclear_store::{
    Archives, CacheEntry, CacheScope, Limits, NewArchive, NewCacheArchive, OpenArchive, PruneReport, SaveOutcome,
    StoreError, Upkeep, UploadId,
};
use lineclear_store_folder::FolderStore;
use tempfile::TempDir;

const RUN: RunId = RunId(7);
const PIECE: usize = 1 << 20;

struct Place {
    folder: TempDir,
    store: FolderStore,
}

fn place() -> Place {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let store = FolderStore::open(folder.path().join("store")).expect("the store opens");
    Place { folder, store }
}

fn upload_to(store: &FolderStore, blocks: &[&[u8]]) -> Result<UploadId, StoreError> {
    let upload = store.begin_upload(NOW)?;
    let mut list = Vec::new();
    for (number, block) in blocks.iter().enumerate() {
        list.push(format!("{number:06}"));
        store.put_block(&upload, &list[number], &mut &**block)?;
    }
    store.assemble(&upload, &list)?;
    Ok(upload)
}

fn new_cache(key: &str, upload: &UploadId) -> NewCacheArchive {
    NewCacheArchive {
        repository: "o/r".into(),
        key: key.into(),
        version: "v1".into(),
        scope: CacheScope("main".into()),
        upload: upload.clone(),
        now: NOW,
    }
}

fn new_artifact(name: &str, upload: &UploadId) -> NewArchive {
    NewArchive {
        run: RUN,
        name: name.into(),
        upload: upload.clone(),
        content_type: "text/plain".into(),
        digest: None,
        overwrite: false,
        retention_days: None,
        now: NOW,
    }
}

impl Place {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn save(&self, key: &str, blocks: &[&[u8]]) -> CacheEntry {
        let upload = upload_to(&self.store, blocks).expect("it is uploaded");
        match self.store.keep_cache(&new_cache(key, &upload)).expect("the cache is kept") {
            SaveOutcome::Saved(entry) => entry,
            SaveOutcome::Exists => panic!("`{key}` is new"),
        }
    }

    fn find(&self, key: &str) -> Result<CacheEntry, String> {
        let found = self.store.find_archive(&lookup(&[key], &["main"], NOW)).expect("the store answers");
        found.map(|hit| hit.entry).map_err(|miss| miss.reason)
    }

    /// Files of the archives, the largest first.
    fn archived(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for folder in fs::read_dir(self.path("store/archives")).into_iter().flatten().flatten() {
            files.extend(fs::read_dir(folder.path()).expect("it is a folder").flatten().map(|file| file.path()));
        }
        files.sort_by_key(|path| std::cmp::Reverse((fs::metadata(path).expect("it is there").len(), path.clone())));
        files
    }
}

/// Reads to the end or to the first error.
fn read_all(open: &mut OpenArchive) -> (Vec<u8>, Result<(), StoreError>) {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 300_000];
    loop {
        match open.content.read_at(bytes.len() as u64, &mut buffer) {
            Ok(0) => return (bytes, Ok(())),
            Ok(read) => bytes.extend(&buffer[..read]),
            Err(error) => return (bytes, Err(error)),
        }
    }
}

/// Prunes when nobody uses the store. A process that another test starts holds every lock for the moment between its making and
/// its program.
fn prune(store: &FolderStore, now: Timestamp) -> PruneReport {
    let mut all = PruneReport::default();
    for _ in 0..10_000 {
        let report = store.prune(now, &Limits::default()).expect("the store is pruned");
        all = PruneReport { uploads: all.uploads + report.uploads, freed: all.freed + report.freed, ..report };
        if !report.busy {
            return all;
        }
        std::thread::yield_now();
    }
    panic!("the store stays busy");
}
