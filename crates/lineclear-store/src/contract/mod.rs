//! What every store promises, as tests.
//!
//! A form of the store runs [`all`] against itself, in one short test: each promise gets a store of its own, made by `fresh`, and
//! an empty folder below `scratch`. A promise that is broken panics with what was promised.

mod archives;
mod artifacts;
mod cache_archives;
mod caches;
pub mod images;
mod ledgers;
mod runs;
mod upkeep;

use std::fs;
use std::path::{Path, PathBuf};

use lineclear_event::{RunId, Timestamp};

use crate::{
    Archives, Artifacts, CacheScope, Caches, Images, Ledgers, Limits, Lookup, NewCache, NewRun, Store, Upkeep,
};

/// All ports of a store in one.
pub trait WholeStore: Store + Caches + Artifacts + Archives + Images + Ledgers + Upkeep {}

impl<T: Store + Caches + Artifacts + Archives + Images + Ledgers + Upkeep> WholeStore for T {}

/// One promise: tried on a store with a folder to work in.
type Promise<S> = (&'static str, fn(&S, &Path));

/// Tries every promise. `fresh` makes an empty store that keeps to the limits it is given when it saves.
///
/// # Panics
/// When a promise is broken.
pub fn all<S: WholeStore>(scratch: &Path, mut fresh: impl FnMut(&Limits) -> S) {
    let promises = runs::promises::<S>().into_iter().chain(caches::promises()).chain(artifacts::promises());
    let promises = promises
        .chain(archives::promises())
        .chain(cache_archives::promises())
        .chain(images::promises())
        .chain(ledgers::promises());
    for (name, promise) in promises.chain(upkeep::promises()) {
        let folder = scratch.join(name);
        fs::create_dir_all(&folder).expect("the scratch folder can be written to");
        promise(&fresh(&Limits::default()), &folder);
    }
    let folder = scratch.join("small_limit");
    fs::create_dir_all(&folder).expect("the scratch folder can be written to");
    let limits = Limits { cache_bytes_per_repository: upkeep::SMALL_LIMIT, ..Limits::default() };
    upkeep::the_least_recently_used_caches_go_when_a_repository_has_too_much(&fresh(&limits), &folder);
    let folder = scratch.join("small_limit_archives");
    fs::create_dir_all(&folder).expect("the scratch folder can be written to");
    cache_archives::archives_count_for_the_limit(&fresh(&limits), &folder);
}

/// The time of most tests: 2026-11-21 08:15:30.123 UTC.
pub const NOW: Timestamp = Timestamp(1_795_248_930_123);

/// A run of repository `o/r`.
pub fn new_run(file: &str, started: Timestamp) -> NewRun {
    NewRun {
        repository: "o/r".into(),
        file: file.into(),
        workflow: "CI".into(),
        event: "push".into(),
        reference: "refs/heads/main".into(),
        sha: "0123456789abcdef0123456789abcdef01234567".into(),
        started,
    }
}

/// A cache of repository `o/r` to save.
pub fn new_cache(key: &str, scope: &str, paths: &[&str], now: Timestamp) -> NewCache {
    NewCache {
        repository: "o/r".into(),
        key: key.into(),
        version: "v1".into(),
        scope: CacheScope(scope.into()),
        paths: paths.iter().map(PathBuf::from).collect(),
        now,
    }
}

/// A look-up in repository `o/r`.
pub fn lookup(keys: &[&str], scopes: &[&str], now: Timestamp) -> Lookup {
    Lookup {
        repository: "o/r".into(),
        keys: keys.iter().map(|key| (*key).into()).collect(),
        version: "v1".into(),
        scopes: scopes.iter().map(|scope| CacheScope((*scope).into())).collect(),
        now,
    }
}

/// Writes a file with all folders above it.
pub fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().expect("a file has a parent")).expect("the scratch folder can be written to");
    fs::write(path, bytes).expect("the scratch folder can be written to");
}

/// Bytes that do not compress, the same for the same seed.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let step = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(step).take(length).collect()
}

/// What a folder holds, for comparing: path, kind, mode, time of last change in nanoseconds, contents or target. Sorted.
pub fn snapshot(folder: &Path) -> Vec<(PathBuf, String)> {
    use std::os::unix::fs::MetadataExt;
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).expect("the folder can be read") {
            let path = entry.expect("the folder can be read").path();
            let known = fs::symlink_metadata(&path).expect("it is there");
            let changed = format!("{}.{:09}", known.mtime(), known.mtime_nsec());
            let what = if known.is_dir() {
                open.push(path.clone());
                format!("folder {:o} {changed}", known.mode() & 0o7777)
            } else if known.is_symlink() {
                format!("link {:?}", fs::read_link(&path).expect("a link can be read"))
            } else {
                let bytes = fs::read(&path).expect("the file can be read");
                format!("file {:o} {changed} {} {:?}", known.mode() & 0o7777, bytes.len(), short(&bytes))
            };
            found.push((path.strip_prefix(folder).expect("it is below").to_owned(), what));
        }
    }
    found.sort();
    found
}

/// Contents as text when short, otherwise their sum with places, which differs when any byte does.
fn short(bytes: &[u8]) -> String {
    match bytes.len() {
        0..=64 => String::from_utf8_lossy(bytes).into_owned(),
        _ => bytes
            .iter()
            .fold(14_695_981_039_346_656_037_u64, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(1_099_511_628_211))
            .to_string(),
    }
}

const RUN: RunId = RunId(7);
