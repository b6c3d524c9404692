//! Whatever is done to both, the folder answers as the store in memory does.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;

use lineclear_event::{Conclusion, JobKey, RunId, Timestamp, hexadecimal};
use lineclear_store::contract::{NOW, WholeStore, lookup, new_cache, new_run, noise, snapshot, write};
use lineclear_store::{
    ArtifactMeta, ArtifactRequest, Artifacts, CacheEntry, CacheScope, Caches, Limits, MemoryStore, NewArchive,
    NewCacheArchive, OpenArchive, PruneReport, RunRecord, SaveOutcome, StoreError, UploadId,
};
use lineclear_store_folder::{FolderStore, Settings};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

/// Something that can be done to a store.
#[derive(Clone, Debug)]
enum Deed {
    Write { file: usize, seed: u64, length: usize },
    Remove { file: usize },
    Link { file: usize, target: usize },
    Save { key: usize, scope: usize },
    Restore { keys: Vec<usize>, scopes: Vec<usize> },
    RemoveEntry { place: usize },
    Upload { run: u64, name: usize, files: Vec<usize>, overwrite: bool, days: Option<u32> },
    Download { run: u64, name: usize },
    Delete { run: u64, name: usize },
    BeginUpload,
    Put { upload: usize, block: usize, seed: u64, length: usize },
    Assemble { upload: usize, blocks: Vec<usize> },
    Abandon { upload: usize },
    KeepCache { upload: usize, key: usize, scope: usize },
    KeepArtifact { upload: usize, run: u64, name: usize, zip: bool, overwrite: bool, days: Option<u32> },
    OpenCache { keys: Vec<usize>, scopes: Vec<usize> },
    OpenArtifact { run: u64, name: usize },
    Begin { workflow: usize },
    Log { record: usize, job: usize, step: usize, lines: u8 },
    Finish { record: usize },
    Drop { record: usize },
    Prune,
    Wait { hours: u32 },
}

const FILES: [&str; 6] = ["tree/a", "tree/b", "tree/sub/a", "tree/sub/deep/c", "tree/sub-x/a", "tree/z z"];
const KEYS: [&str; 5] = ["a", "a-1", "a-1-x", "b.", "b*"];
const SCOPES: [&str; 3] = ["main", "feature", "refs/pull/7/merge"];
const BLOCKS: [&str; 3] = ["AAA=", "AAB=", ""];
const NAMES: [&str; 3] = ["report", "Report", "odd name (1)"];
const JOBS: [&str; 3] = ["build", "test (1, x)", "test (1; x)"];

fn deed() -> impl Strategy<Value = Deed> {
    let file = 0..FILES.len();
    prop_oneof![
        4 => (file.clone(), 0..4_u64, prop_oneof![0..100_usize, 5_000..90_000_usize])
            .prop_map(|(file, seed, length)| Deed::Write { file, seed, length }),
        1 => file.clone().prop_map(|file| Deed::Remove { file }),
        1 => (file.clone(), file.clone()).prop_map(|(file, target)| Deed::Link { file, target }),
        4 => (0..KEYS.len(), 0..SCOPES.len()).prop_map(|(key, scope)| Deed::Save { key, scope }),
        4 => (proptest::collection::vec(0..KEYS.len(), 1..3), proptest::collection::vec(0..SCOPES.len(), 1..3))
            .prop_map(|(keys, scopes)| Deed::Restore { keys, scopes }),
        1 => (0..4_usize).prop_map(|place| Deed::RemoveEntry { place }),
        2 => (1..3_u64, 0..NAMES.len(), proptest::collection::vec(file, 1..4), any::<bool>(), prop_oneof![
            Just(None), (1..9_u32).prop_map(Some)
        ])
            .prop_map(|(run, name, files, overwrite, days)| Deed::Upload { run, name, files, overwrite, days }),
        2 => (1..3_u64, 0..NAMES.len()).prop_map(|(run, name)| Deed::Download { run, name }),
        1 => (1..3_u64, 0..NAMES.len()).prop_map(|(run, name)| Deed::Delete { run, name }),
        4 => archive_deed(),
        2 => (0..2_usize).prop_map(|workflow| Deed::Begin { workflow }),
        2 => (0..3_usize, 0..JOBS.len(), 0..2_usize, 0..4_u8)
            .prop_map(|(record, job, step, lines)| Deed::Log { record, job, step, lines }),
        1 => (0..3_usize).prop_map(|record| Deed::Finish { record }),
        1 => (0..3_usize).prop_map(|record| Deed::Drop { record }),
        1 => Just(Deed::Prune),
        2 => (1..100_u32).prop_map(|hours| Deed::Wait { hours }),
    ]
}

fn archive_deed() -> impl Strategy<Value = Deed> {
    let upload = 0..3_usize;
    let days = prop_oneof![Just(None), (1..9_u32).prop_map(Some)];
    let scopes = proptest::collection::vec(0..SCOPES.len(), 1..3);
    prop_oneof![
        2 => Just(Deed::BeginUpload),
        5 => (upload.clone(), 0..3_usize, 0..4_u64, prop_oneof![0..100_usize, 1_000_000..1_100_000_usize])
            .prop_map(|(upload, block, seed, length)| Deed::Put { upload, block, seed, length }),
        3 => (upload.clone(), proptest::collection::vec(0..3_usize, 0..4))
            .prop_map(|(upload, blocks)| Deed::Assemble { upload, blocks }),
        1 => upload.clone().prop_map(|upload| Deed::Abandon { upload }),
        2 => (upload.clone(), 0..KEYS.len(), 0..SCOPES.len())
            .prop_map(|(upload, key, scope)| Deed::KeepCache { upload, key, scope }),
        2 => (upload, 1..3_u64, 0..NAMES.len(), any::<bool>(), any::<bool>(), days)
            .prop_map(|(upload, run, name, zip, overwrite, days)| {
                Deed::KeepArtifact { upload, run, name, zip, overwrite, days }
            }),
        2 => (proptest::collection::vec(0..KEYS.len(), 1..3), scopes)
            .prop_map(|(keys, scopes)| Deed::OpenCache { keys, scopes }),
        2 => (1..3_u64, 0..NAMES.len()).prop_map(|(run, name)| Deed::OpenArtifact { run, name }),
    ]
}

/// A store with what was begun in it.
struct Subject<S> {
    store: S,
    /// The last three.
    uploads: VecDeque<UploadId>,
    records: Vec<Box<dyn RunRecord>>,
}

/// Limits that histories reach.
fn limits() -> Limits {
    Limits { run_days: 10, runs_per_repository: 4, ..Limits::default() }
}

fn shown(error: &StoreError) -> String {
    match error {
        StoreError::Refused(why) => format!("refused: {why}"),
        StoreError::Io { path, .. } => format!("cannot use {}", path.display()),
        other => other.to_string(),
    }
}

/// An entry but for what stores may differ in: the id and the bytes that it takes.
fn entry(entry: &CacheEntry) -> String {
    let CacheEntry { key, version, scope, created, used, files, size, kind, .. } = entry;
    format!("{key} {version} {} {} {} {files} {size} {kind:?}", scope.0, created.0, used.0)
}

fn artifact(meta: &ArtifactMeta) -> String {
    let ArtifactMeta { run, name, files, size, digest, created, expires, content_type, .. } = meta;
    format!("{run} {name} {files} {size} {digest} {created} {expires:?} {content_type:?}")
}

fn saved(outcome: Result<SaveOutcome, StoreError>) -> String {
    match outcome {
        Ok(SaveOutcome::Saved(saved)) => entry(&saved),
        Ok(SaveOutcome::Exists) => "exists".into(),
        Err(error) => shown(&error),
    }
}

/// What an archive says of itself, and a short form of its bytes.
fn opened(open: Result<OpenArchive, StoreError>) -> String {
    let mut open = match open {
        Ok(open) => open,
        Err(error) => return shown(&error),
    };
    let (mut hasher, mut buffer, mut at) = (Sha256::new(), vec![0; 77_777], 0);
    while let read @ 1.. = open.content.read_at(at, &mut buffer).expect("it is whole") {
        hasher.update(&buffer[..read]);
        at += read as u64;
    }
    format!("{} {at} {} {:?} {}", open.size, open.content_type, open.digest, hexadecimal(&hasher.finalize()))
}

impl<S: WholeStore> Subject<S> {
    /// Does `deed`; the answer is a text that must be the same for all stores. `base` has the files, `to` is empty.
    fn does(&mut self, deed: &Deed, base: &Path, to: &Path, now: Timestamp) -> String {
        let store = &self.store;
        match deed {
            Deed::Write { .. } | Deed::Remove { .. } | Deed::Link { .. } | Deed::Wait { .. } => String::new(),
            Deed::Save { key, scope } => {
                saved(store.save(&new_cache(KEYS[*key], SCOPES[*scope], &["tree"], now), base))
            }
            Deed::Restore { keys, scopes } => {
                let keys: Vec<&str> = keys.iter().map(|key| KEYS[*key]).collect();
                let scopes: Vec<&str> = scopes.iter().map(|scope| SCOPES[*scope]).collect();
                match store.find(&lookup(&keys, &scopes, now)).expect("the store answers") {
                    Err(miss) => miss.reason,
                    Ok(hit) => {
                        let first = store.restore(&hit, to).expect("it is restored");
                        let tree = snapshot(to);
                        let again = store.restore(&hit, to).expect("it is restored again");
                        assert_eq!(again.unchanged, again.files);
                        assert_eq!(snapshot(to), tree, "restoring again changes nothing");
                        format!("{} {} {} {first:?} {tree:?}", entry(&hit.entry), hit.exact, hit.reason)
                    }
                }
            }
            Deed::RemoveEntry { place } => {
                let entries = Caches::list(store, Some("o/r")).expect("entries are listed");
                match entries.get(*place) {
                    Some(victim) => format!("{} {:?}", entry(victim), store.remove(victim.id).is_ok()),
                    None => "none there".into(),
                }
            }
            Deed::Upload { run, name, files, overwrite, days } => {
                let request = ArtifactRequest {
                    run: RunId(*run),
                    name: NAMES[*name].into(),
                    files: files.iter().map(|file| (FILES[*file].to_owned(), base.join(FILES[*file]))).collect(),
                    overwrite: *overwrite,
                    retention_days: *days,
                    compression_level: 3,
                    now,
                };
                match store.upload(&request) {
                    Ok(meta) => artifact(&meta),
                    // Which of two faults is seen first is each store's own affair.
                    Err(_) => "an error".into(),
                }
            }
            Deed::Download { run, name } => match store.download(RunId(*run), NAMES[*name], to) {
                Ok(meta) => {
                    let names: Vec<_> =
                        FILES.iter().chain([&NAMES[*name]]).map(|file| fs::read(to.join(file)).ok()).collect();
                    format!("{} {names:?}", artifact(&meta))
                }
                Err(error) => shown(&error),
            },
            Deed::Delete { run, name } => {
                format!("{:?}", store.delete(RunId(*run), NAMES[*name]).map_err(|e| shown(&e)))
            }
            Deed::BeginUpload => {
                self.uploads.push_front(store.begin_upload(now).expect("an upload begins"));
                self.uploads.truncate(3);
                String::new()
            }
            Deed::Put { upload, block, seed, length } => self.with_upload(*upload, |upload| {
                match store.put_block(upload, BLOCKS[*block], &mut noise(*seed, *length).as_slice()) {
                    Ok(length) => length.to_string(),
                    Err(error) => shown(&error),
                }
            }),
            Deed::Assemble { upload, blocks } => self.with_upload(*upload, |upload| {
                let blocks: Vec<String> = blocks.iter().map(|block| BLOCKS[*block].to_owned()).collect();
                store.assemble(upload, &blocks).map_or_else(|error| shown(&error), |done| format!("{done:?}"))
            }),
            Deed::Abandon { upload } => {
                self.with_upload(*upload, |upload| format!("{:?}", store.abandon_upload(upload).is_ok()))
            }
            Deed::KeepCache { upload, key, scope } => self.with_upload(*upload, |upload| {
                let new = NewCacheArchive {
                    repository: "o/r".into(),
                    key: KEYS[*key].into(),
                    version: "v1".into(),
                    scope: CacheScope(SCOPES[*scope].into()),
                    upload: upload.clone(),
                    now,
                };
                saved(store.keep_cache(&new))
            }),
            Deed::KeepArtifact { upload, run, name, zip, overwrite, days } => self.with_upload(*upload, |upload| {
                let new = NewArchive {
                    run: RunId(*run),
                    name: NAMES[*name].into(),
                    upload: upload.clone(),
                    content_type: if *zip { "application/zip".into() } else { "text/plain".into() },
                    digest: None,
                    overwrite: *overwrite,
                    retention_days: *days,
                    now,
                };
                store.keep_artifact(&new).map_or_else(|error| shown(&error), |meta| artifact(&meta))
            }),
            Deed::OpenCache { keys, scopes } => {
                let keys: Vec<&str> = keys.iter().map(|key| KEYS[*key]).collect();
                let scopes: Vec<&str> = scopes.iter().map(|scope| SCOPES[*scope]).collect();
                match store.find_archive(&lookup(&keys, &scopes, now)).expect("the store answers") {
                    Err(miss) => miss.reason,
                    Ok(hit) => format!("{} {}", entry(&hit.entry), opened(store.open_cache(&hit.entry))),
                }
            }
            Deed::OpenArtifact { run, name } => opened(store.open_artifact(RunId(*run), NAMES[*name])),
            Deed::Begin { workflow } => {
                let record = store.begin(new_run(&format!("{workflow}.yml"), now)).expect("a run begins");
                let header = format!("{:?}", record.header());
                self.records.push(record);
                header
            }
            Deed::Log { record, job, step, lines } => match self.records.get(*record) {
                None => "no such record".into(),
                Some(record) => {
                    let text = "a line\n\n".repeat(usize::from(*lines));
                    record
                        .log(&JobKey::new(JOBS[*job]), &step.to_string(), now, text.as_bytes())
                        .expect("lines are kept");
                    record.input(&format!("{{\"job\":{job}}}")).expect("an input is recorded");
                    record.header().id.to_string()
                }
            },
            // Nobody writes to a finished run: it may be pruned.
            Deed::Finish { record } => {
                let place = (*record < self.records.len()).then(|| self.records.remove(*record));
                place.map_or_else(String::new, |record| {
                    record.finish(Conclusion::Failure, now).expect("the run finishes");
                    record.header().id.to_string()
                })
            }
            Deed::Drop { record } => {
                if *record < self.records.len() {
                    self.records.remove(*record);
                }
                String::new()
            }
            Deed::Prune => {
                let foreseen = store.foresee(now, &limits()).expect("a prune is foreseen");
                let report = store.prune(now, &limits()).expect("the store is pruned");
                let counts = |report: &PruneReport| (report.runs, report.artifacts, report.caches, report.uploads);
                assert_eq!(counts(&foreseen), counts(&report), "what is foreseen comes");
                format!("{} {} {} {}", report.runs, report.artifacts, report.caches, report.uploads)
            }
        }
    }

    fn with_upload(&self, upload: usize, does: impl FnOnce(&UploadId) -> String) -> String {
        self.uploads.get(upload).map_or_else(|| "no such upload".into(), does)
    }

    /// Everything that can be asked without changing anything.
    fn state(&self) -> String {
        let store = &self.store;
        let entries = Caches::list(store, None).expect("entries are listed");
        let artifacts = [1, 2].map(|run| Artifacts::list(store, RunId(run)).expect("artifacts are listed"));
        let runs = store.runs(None, usize::MAX).expect("runs are listed");
        let mut lines = Vec::new();
        for run in &runs {
            for job in JOBS {
                let read = store.log(run.header.id, &JobKey::new(job), &mut |line| {
                    lines.push(format!("{job} {line:?}"));
                    true
                });
                read.expect("the log is read");
            }
            lines.extend(store.inputs(run.header.id).expect("inputs are read"));
        }
        let entries: Vec<String> = entries.iter().map(entry).collect();
        let artifacts: Vec<String> = artifacts.iter().flatten().map(artifact).collect();
        let usage = store.usage().expect("usage is counted");
        let counts = (usage.caches, usage.cache_bytes, usage.artifacts, usage.artifact_bytes, usage.uploads);
        format!("{entries:#?} {artifacts:#?} {runs:#?} {lines:#?} {counts:?}")
    }
}

fn prepare(deed: &Deed, base: &Path) {
    match deed {
        Deed::Write { file, seed, length } => {
            let path = base.join(FILES[*file]);
            let _may_be_absent = fs::remove_file(&path);
            write(&path, noise(*seed, *length));
        }
        Deed::Remove { file } => drop(fs::remove_file(base.join(FILES[*file]))),
        Deed::Link { file, target } => {
            let path = base.join(FILES[*file]);
            let _may_be_absent = fs::remove_file(&path);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).expect("a folder is made");
            }
            std::os::unix::fs::symlink(FILES[*target], &path).expect("a link is made");
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn the_folder_answers_as_the_memory_does(deeds in proptest::collection::vec(deed(), 1..60)) {
        let scratch = tempfile::tempdir().expect("a temporary folder can be made");
        let settings = Settings { threads: Some(2), ..Settings::default() };
        let store = FolderStore::open_with(scratch.path().join("store"), settings).expect("the store opens");
        let mut folder = Subject { store, uploads: VecDeque::new(), records: Vec::new() };
        let mut memory = Subject { store: MemoryStore::new(), uploads: VecDeque::new(), records: Vec::new() };
        let base = scratch.path().join("base");
        write(&base.join("tree/first"), "1");
        let mut now = NOW;
        for (number, deed) in deeds.iter().enumerate() {
            // Ids of runs hint at the last one for a minute, which the memory has no need of.
            now = now.plus_millis(60_001);
            prepare(deed, &base);
            if let Deed::Wait { hours } = deed {
                now = now.plus_millis(i64::from(*hours) * 3_600_000);
            }
            let to = |name: &str| scratch.path().join(format!("{name} {number}"));
            for name in ["folder", "memory"] {
                fs::create_dir(to(name)).expect("a folder is made");
            }
            let done = folder.does(deed, &base, &to("folder"), now);
            let expected = memory.does(deed, &base, &to("memory"), now);
            prop_assert_eq!(done, expected, "deed {}: {:?}", number, deed);
            prop_assert_eq!(folder.state(), memory.state(), "after deed {}: {:?}", number, deed);
        }
    }
}
