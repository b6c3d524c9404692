//! From `owner/repo@ref` to a folder with its files.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::cache::Cache;
use crate::place::Place;
use crate::source::{check, plain_folder, sources};
use crate::{FetchError, FetchSettings, GithubLock, Lock, LockChange, LockEntry, LockMode};

/// A repository at a ref, as files on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The root of its files; to be read, not written.
    pub folder: PathBuf,
    /// The full commit id; unknown for plain files of an air-gapped folder.
    pub commit: Option<String>,
    /// `sha256:` and the digest of the files; unknown likewise.
    pub tree: Option<String>,
    /// Whether a lock named the commit before this run.
    pub locked: bool,
    pub origin: Origin,
    /// What a person should know: a server that could not be asked, a link that was left out.
    pub notes: Vec<String>,
}

/// Where files come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Plain files of an air-gapped folder.
    Folder,
    /// The server of this name; `folder` for a bare repository of an air-gapped folder.
    Server(String),
}

/// What a run used, for its record and for comparing runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    /// `owner/repo@ref`.
    pub uses: String,
    /// The commit; of plain files, empty.
    pub commit: String,
    /// Whether it was read for a called workflow; otherwise for an action.
    pub is_workflow: bool,
}

/// Something to show while git works.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'p> {
    /// `owner/repo@ref`.
    pub uses: &'p str,
    pub url: &'p str,
    /// Git's own line: `Receiving objects:  45% (9/20), 1.20 MiB | 2.40 MiB/s`.
    pub said: &'p str,
}

type OnProgress = dyn Fn(Progress<'_>) + Send + Sync;
type Slot = Arc<Mutex<Option<Result<Resolved, FetchError>>>>;

/// Finds actions and called workflows of other repositories, once per run each. Safe to use from many threads.
pub struct Fetcher {
    pub(crate) settings: FetchSettings,
    pub(crate) cache: Cache,
    pub(crate) lock: Lock,
    pub(crate) github: GithubLock,
    slots: Mutex<HashMap<String, Slot>>,
    /// What the lock lacks or has otherwise.
    added: Mutex<BTreeMap<String, LockEntry>>,
    used: Mutex<BTreeMap<String, Used>>,
    pub(crate) progress: Option<Box<OnProgress>>,
    pub(crate) cancelled: AtomicBool,
    /// Scheme and host of addresses at which nobody answered in this run.
    pub(crate) out_of_reach: Mutex<BTreeSet<String>>,
}

impl fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetcher").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Fetcher {
    /// Reads the locks; asks no server yet.
    ///
    /// # Errors
    /// [`FetchError::Settings`] for an address or name that cannot be used, [`FetchError::Lock`] for a lock that cannot be read.
    pub fn new(settings: FetchSettings) -> Result<Self, FetchError> {
        check(&settings)?;
        let lock = settings.lock.as_deref().map(Lock::read).transpose()?.unwrap_or_default();
        let github = settings.github_lock.as_deref().map(GithubLock::read).transpose()?.flatten().unwrap_or_default();
        Ok(Self {
            cache: Cache::new(&settings.cache),
            settings,
            lock,
            github,
            slots: Mutex::default(),
            added: Mutex::default(),
            used: Mutex::default(),
            progress: None,
            cancelled: AtomicBool::new(false),
            out_of_reach: Mutex::default(),
        })
    }

    /// Calls `tell` for each line of git's progress, from the thread that fetches.
    #[must_use]
    pub fn on_progress(mut self, tell: impl Fn(Progress<'_>) + Send + Sync + 'static) -> Self {
        self.progress = Some(Box::new(tell));
        self
    }

    /// GitHub's lock of the repository; empty where there is none.
    pub fn github_lock(&self) -> &GithubLock {
        &self.github
    }

    /// The files of a repository at a tag, branch or full commit id. A tag comes before a branch of the same name.
    ///
    /// The first call in a run asks the server where the ref points (not for a commit id, or a ref of GitHub's lock); the
    /// answer, also a failure, holds for the run. Files that are in the cache are checked, not fetched.
    ///
    /// # Errors
    /// [`FetchError`], each with the way out; [`FetchError::Moved`] where the lock has another commit.
    pub fn resolve(&self, owner: &str, repo: &str, reference: &str) -> Result<Resolved, FetchError> {
        let place = Place::new(owner, repo, reference)?;
        let slot = Arc::clone(guard(&self.slots).entry(place.key()).or_default());
        let mut slot = guard(&slot);
        if let Some(known) = &*slot {
            return known.clone();
        }
        let resolved = self.resolve_anew(&place);
        if let Ok(resolved) = &resolved {
            let commit = resolved.commit.clone().unwrap_or_default();
            let used = Used { uses: place.to_string(), commit, is_workflow: false };
            guard(&self.used).insert(place.key(), used);
        }
        *slot = Some(resolved.clone());
        resolved
    }

    /// Ends what is being fetched, and everything asked for later, with [`FetchError::Cancelled`]. Git stands in a process
    /// group of its own, so an interrupt at the terminal does not reach it by itself.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
    }

    /// All that was found so far, sorted by name.
    pub fn used(&self) -> Vec<Used> {
        guard(&self.used).values().cloned().collect()
    }

    /// Writes what the lock lacks, once at the end of a run; nothing where nothing changed, or the lock is frozen.
    ///
    /// # Errors
    /// [`FetchError::File`], or [`FetchError::Lock`] where the file was damaged meanwhile.
    pub fn save_lock(&self) -> Result<LockChange, FetchError> {
        match &self.settings.lock {
            Some(path) => Lock::save(path, &guard(&self.added), &self.settings.cache),
            None => Ok(LockChange::default()),
        }
    }

    /// Notes that `key` was read for a called workflow.
    pub(crate) fn mark_workflow(&self, key: &str) {
        if let Some(used) = guard(&self.used).get_mut(key) {
            used.is_workflow = true;
        }
    }

    /// Notes what `key` pulls in, for the lock.
    pub(crate) fn note_needs(&self, key: &str, needs: &[String]) {
        if self.settings.lock_mode == LockMode::Frozen {
            return;
        }
        let mut added = guard(&self.added);
        if let Some(entry) = added.get_mut(key) {
            entry.needs.extend(needs.iter().cloned());
        } else if let Some(entry) = self.lock.entries.get(key)
            && needs.iter().any(|needed| !entry.needs.contains(needed))
        {
            let mut entry = entry.clone();
            entry.needs.extend(needs.iter().cloned());
            added.insert(key.to_owned(), entry);
        }
    }

    fn resolve_anew(&self, place: &Place) -> Result<Resolved, FetchError> {
        if let Some(folder) = plain_folder(&self.settings, place) {
            return Ok(Resolved {
                folder,
                commit: None,
                tree: None,
                locked: false,
                origin: Origin::Folder,
                notes: Vec::new(),
            });
        }
        let sources = sources(&self.settings, place)?;
        let mut choice = self.choose(place, &sources)?;
        let (server, kept) = self.obtain(place, &mut choice, &sources)?;
        let entry = self.lock.entries.get(&place.key()).filter(|entry| entry.commit == choice.commit);
        match entry {
            Some(entry) if entry.tree != kept.tree && !choice.by_github => {
                let what = format!("its files have the digest {}, the lock says {}", kept.tree, entry.tree);
                return Err(FetchError::Untrue { uses: place.to_string(), what });
            }
            None if self.settings.lock.is_some()
                && self.settings.lock_mode != LockMode::Frozen
                && !choice.by_github =>
            {
                let (server, commit, tree) = (server.clone(), choice.commit.clone(), kept.tree.clone());
                guard(&self.added).insert(place.key(), LockEntry { server, commit, tree, needs: Default::default() });
            }
            _ => {}
        }
        Ok(Resolved {
            folder: kept.folder,
            commit: Some(choice.commit),
            tree: Some(kept.tree),
            locked: choice.locked,
            origin: Origin::Server(server),
            notes: choice.notes,
        })
    }
}

pub(crate) fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
