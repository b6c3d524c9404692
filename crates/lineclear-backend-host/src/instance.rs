//! What all rooms of one backend share: its folders, its guard, its name.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ffi::OsString;
use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use lineclear_backend::{OpenError, Owner};
use lineclear_event::RunId;

use crate::guard::{Guard, PREFIX};
use crate::owner;
use crate::process::Detach;
use crate::settings::HostSettings;
use crate::skeleton::{self, Shape, Skeleton};
use crate::{remove, scratch};

/// How many runs without an open room keep their folder, with empty job folders for a next job. A run whose jobs follow each
/// other has no open room in between.
const IDLE_RUNS: usize = 2;
/// How many empty job folders a run keeps for its next jobs.
const SPARES: usize = 4;

/// One backend's life in this process.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) settings: HostSettings,
    pub(crate) base_env: Vec<(OsString, OsString)>,
    pub(crate) detach: Detach,
    pub(crate) guard: Arc<Guard>,
    /// What the tracking ids of its jobs begin with, and nobody else's.
    pub(crate) prefix: String,
    owner: OnceLock<Owner>,
    rooms: AtomicU64,
    runs: Mutex<Runs>,
    /// What isolated jobs reach of this machine's loopback.
    pub(crate) offered: Mutex<Vec<SocketAddr>>,
    scratch: OnceLock<Option<PathBuf>>,
}

#[derive(Debug, Default)]
struct Runs {
    open: BTreeMap<RunId, RunFolder>,
    /// Runs without an open room, the oldest first.
    idle: Vec<RunId>,
}

#[derive(Debug)]
struct RunFolder {
    path: PathBuf,
    rooms: usize,
    spares: Vec<Skeleton>,
    names: u64,
}

impl Instance {
    pub(crate) fn new(settings: HostSettings, base_env: Vec<(OsString, OsString)>) -> Self {
        let prefix = unique_prefix();
        let guard = Arc::new(Guard::new(settings.guard.clone(), prefix.clone()));
        Self {
            detach: Detach::choose(settings.sessions),
            settings,
            base_env,
            guard,
            prefix,
            owner: OnceLock::new(),
            rooms: AtomicU64::new(0),
            runs: Mutex::default(),
            offered: Mutex::default(),
            scratch: OnceLock::new(),
        }
    }

    fn runs(&self) -> MutexGuard<'_, Runs> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to start the guard, unless it was begun before.
    pub(crate) fn begin_guard(&self) {
        self.guard.begin(self.owner());
    }

    fn owner(&self) -> &Owner {
        self.owner.get_or_init(Owner::this)
    }

    /// A number that no other room of this backend has.
    pub(crate) fn next_room(&self) -> u64 {
        self.rooms.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A job's folders in the folder of its run, with a room counted as open there until [`Self::leave`].
    pub(crate) fn enter(&self, run: RunId, slug: &str, shape: &Shape) -> Result<Skeleton, OpenError> {
        // From here on there are folders to be removed.
        self.guard.wait();
        let mut runs = self.runs();
        runs.idle.retain(|idle| *idle != run);
        let folder = match runs.open.entry(run) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let path = self.make_run_folder(run)?;
                entry.insert(RunFolder { path, rooms: 0, spares: Vec::new(), names: 0 })
            }
        };
        folder.rooms += 1;
        let spare =
            folder.spares.iter().position(|spare| spare.shape == *shape).map(|at| folder.spares.swap_remove(at));
        // The name is free but for a job that is open twice, or two keys whose slugs are the same.
        let names = std::iter::once(slug.to_owned()).chain((2_u32..).map(|count| format!("{slug}.{count}")));
        let path = names.map(|name| folder.path.join(name)).find(|path| fs::symlink_metadata(path).is_err());
        let path = path.expect("there are endlessly many names");
        let made = match spare {
            Some(spare) => spare.move_to(&path),
            None => Skeleton::make(&path, shape),
        };
        made.inspect_err(|_| folder.rooms -= 1)
    }

    /// Takes a job's folders back: empties them for a next job of the run, or removes them.
    pub(crate) fn leave(&self, run: RunId, skeleton: Skeleton) -> Result<(), remove::Left> {
        let path = skeleton.path().to_owned();
        // Outside the lock, as it may take long.
        let emptied = skeleton.empty();
        let mut runs = self.runs();
        let Some(folder) = runs.open.get_mut(&run) else { return remove::tree(&path) };
        folder.rooms = folder.rooms.saturating_sub(1);
        let mut result = Ok(());
        let kept = emptied.filter(|_| folder.spares.len() < SPARES).and_then(|emptied| {
            folder.names += 1;
            emptied.move_to(&folder.path.join(format!(".spare-{}", folder.names))).ok()
        });
        match kept {
            Some(spare) => folder.spares.push(spare),
            None => result = remove::tree(&path),
        }
        if folder.rooms == 0 {
            runs.idle.push(run);
            while runs.idle.len() > IDLE_RUNS {
                let oldest = runs.idle.remove(0);
                if let Some(folder) = runs.open.remove(&oldest) {
                    result = result.and(self.remove_run_folder(&folder.path));
                }
            }
        }
        result
    }

    fn make_run_folder(&self, run: RunId) -> Result<PathBuf, OpenError> {
        let work = &self.settings.work;
        let fail = |path: &Path, error| folder_error(path, error);
        fs::create_dir_all(work).map_err(|error| fail(work, error))?;
        fs::create_dir_all(&self.settings.tool_cache).map_err(|error| fail(&self.settings.tool_cache, error))?;
        let mut count = 1_u32;
        loop {
            let path = if count == 1 { work.join(run.to_string()) } else { work.join(format!("{run}.{count}")) };
            self.guard.folder_made(&path);
            match fs::create_dir(&path) {
                Ok(()) => {
                    owner::mark(self.owner(), &path).map_err(|error| fail(&path, error))?;
                    return Ok(path);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    self.guard.folder_removed(&path);
                    // Of a run that was killed, or of another store's run of the same number, which may be running.
                    if !(owner::is_abandoned(&path, self.owner()) && remove::tree(&path).is_ok()) {
                        count += 1;
                    }
                }
                Err(error) => {
                    self.guard.folder_removed(&path);
                    return Err(fail(&path, error));
                }
            }
        }
    }

    fn remove_run_folder(&self, path: &Path) -> Result<(), remove::Left> {
        let result = remove::tree(path);
        if result.is_ok() {
            self.guard.folder_removed(path);
        }
        result
    }

    /// The folder in memory for the scratch folders of this backend, made at the first call. `None` where there is no memory
    /// for it.
    pub(crate) fn scratch(&self) -> Option<&Path> {
        let made = self.scratch.get_or_init(|| {
            let base = if self.settings.scratch_in_memory { scratch::base()? } else { return None };
            let folder = base.join(self.prefix.trim_start_matches(PREFIX).trim_end_matches('-'));
            self.guard.folder_made(&folder);
            skeleton::make_private(&folder).ok()?;
            owner::mark(self.owner(), &folder).ok()?;
            Some(folder)
        });
        made.as_deref()
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let open = std::mem::take(&mut self.runs().open);
        // What cannot be removed now, the guard tries again, and the next sweep.
        for folder in open.into_values() {
            let _ = self.remove_run_folder(&folder.path);
        }
        if let Some(Some(folder)) = self.scratch.get()
            && remove::tree(folder).is_ok()
        {
            self.guard.folder_removed(folder);
        }
    }
}

/// What a failure to make a folder is to a job.
pub(crate) fn folder_error(path: &Path, source: io::Error) -> OpenError {
    if is_full(&source) {
        OpenError::DiskFull { path: path.into() }
    } else {
        OpenError::Folder { path: path.into(), source }
    }
}

pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// The beginning of a tracking id in GitHub's form, `github_<guid>`: all but the last group of digits, which is the room's.
fn unique_prefix() -> String {
    let random = RandomState::new().build_hasher().finish();
    let [a, b, c, d, e, f, g, h] = random.to_be_bytes();
    let pid = std::process::id();
    format!("{PREFIX}{a:02x}{b:02x}{c:02x}{d:02x}-{e:02x}{f:02x}-{g:02x}{h:02x}-{:04x}-", (pid ^ (pid >> 16)) & 0xffff)
}
