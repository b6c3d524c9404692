//! From `owner/repo@ref` to a folder with its files.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::cache::{Cache, Kept, Look};
use crate::error::{GitFailure, Meaning};
use crate::export::export;
use crate::git::{Address, Patience};
use crate::place::Place;
use crate::remote::{Pointed, bring, pointed, prepare};
use crate::source::{FOLDER, Source, check, plain_folder, sources};
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
    cache: Cache,
    lock: Lock,
    github: GithubLock,
    slots: Mutex<HashMap<String, Slot>>,
    /// What the lock lacks or has otherwise.
    added: Mutex<BTreeMap<String, LockEntry>>,
    used: Mutex<BTreeMap<String, Used>>,
    progress: Option<Box<OnProgress>>,
}

impl fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetcher").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Which commit a ref stands for, and how that is known.
struct Choice {
    commit: String,
    /// The ref's full name, where a server told it.
    name: Option<String>,
    /// The server to ask first.
    server: Option<String>,
    locked: bool,
    /// Whether GitHub's lock named it: then ours need not.
    by_github: bool,
    notes: Vec<String>,
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

    fn choose(&self, place: &Place, sources: &[Source]) -> Result<Choice, FetchError> {
        let entry = self.lock.entries.get(&place.key());
        let chosen = |commit: String| Choice {
            commit,
            name: None,
            server: entry.map(|entry| entry.server.clone()),
            locked: entry.is_some(),
            by_github: false,
            notes: Vec::new(),
        };
        if let Some(commit) = self.github.commit(place) {
            return Ok(Choice { locked: true, by_github: true, server: None, ..chosen(commit.to_owned()) });
        }
        if let Some(commit) = place.full_commit() {
            return Ok(chosen(commit));
        }
        match (entry, self.settings.lock_mode, &self.settings.lock) {
            (None, LockMode::Frozen, Some(lock)) => {
                Err(FetchError::NotLocked { uses: place.to_string(), lock: lock.clone() })
            }
            (Some(entry), LockMode::Add | LockMode::Frozen, Some(lock)) => {
                let mut choice = chosen(entry.commit.clone());
                match self.ask(place, sources) {
                    Ok((_, pointed)) if pointed.commit == entry.commit => choice.name = Some(pointed.name),
                    Ok((_, pointed)) => {
                        let (uses, locked, lock) = (place.to_string(), entry.commit.clone(), lock.clone());
                        return Err(FetchError::Moved { uses, locked, now: pointed.commit, lock });
                    }
                    Err(FetchError::Offline { .. }) => {}
                    Err(error) if is_silence(&error) => {
                        choice
                            .notes
                            .push(format!("whether it moved could not be seen, the locked commit is used: {error}"));
                    }
                    Err(error) => return Err(error),
                }
                Ok(choice)
            }
            (Some(entry), LockMode::Update, _) if self.settings.offline => Ok(chosen(entry.commit.clone())),
            (entry, ..) => match self.ask(place, sources) {
                Ok((server, pointed)) => {
                    self.cache.remember(&server, place, &pointed.commit)?;
                    let locked = entry.is_some_and(|entry| entry.commit == pointed.commit);
                    Ok(Choice { name: Some(pointed.name), server: Some(server), locked, ..chosen(pointed.commit) })
                }
                Err(error @ (FetchError::Offline { .. } | FetchError::Unreachable { .. })) if entry.is_none() => {
                    let known =
                        sources.iter().find_map(|source| Some((source, self.cache.remembered(&source.name, place)?)));
                    let Some((source, commit)) = known else { return Err(error) };
                    let note = format!("no server could be asked; the commit last seen is used: {commit}");
                    Ok(Choice { server: Some(source.name.clone()), notes: vec![note], ..chosen(commit) })
                }
                Err(error) => Err(error),
            },
        }
    }

    /// Where the ref points, by the first server that has the repository.
    fn ask(&self, place: &Place, sources: &[Source]) -> Result<(String, Pointed), FetchError> {
        let uses = place.to_string();
        let open: Vec<&Source> = sources.iter().filter(|source| source.is_local || !self.settings.offline).collect();
        if open.is_empty() {
            return Err(FetchError::Offline { uses });
        }
        let making = self.cache.making()?;
        let git_dir = making.path().join("git");
        prepare(&git_dir, &"0".repeat(40)).map_err(|failure| self.broken(&uses, failure))?;
        let mut none = Vec::new();
        for source in open {
            let (mut failed, mut has_repository) = (Vec::new(), false);
            let mut is_trouble = false;
            for address in &source.addresses {
                match self.again(|| pointed(&git_dir, address, place, self.patience())) {
                    Ok(Some(pointed)) => return Ok((source.name.clone(), pointed)),
                    Ok(None) => has_repository = true,
                    Err(GitFailure::Start(source)) => return Err(FetchError::NoGit { source: Arc::new(source) }),
                    Err(failure) => {
                        is_trouble |= failure.meaning() == Meaning::Trouble;
                        failed.push(failure.words(&address.url));
                    }
                }
            }
            // A mirror that is behind says nothing while its server cannot be asked.
            if is_trouble {
                return Err(FetchError::Unreachable { uses, tried: failed });
            }
            if has_repository {
                return Err(match place.looks_abbreviated() {
                    true => FetchError::Abbreviated { uses },
                    false => FetchError::NoSuchReference { uses, server: source.name.clone() },
                });
            }
            none.extend(failed);
        }
        match self.settings.offline {
            true => Err(FetchError::Offline { uses }),
            false => Err(FetchError::NoSuchRepository { uses, tried: none }),
        }
    }

    /// The files of the chosen commit: from the cache, or from whoever has them.
    fn obtain(&self, place: &Place, choice: &mut Choice, sources: &[Source]) -> Result<(String, Kept), FetchError> {
        let mut order: Vec<&Source> = sources.iter().collect();
        order.sort_by_key(|source| Some(&source.name) != choice.server.as_ref());
        let mut changed = None;
        for source in order.iter().filter(|source| self.cache.may_have(&source.name, place, &choice.commit)) {
            let _hold = self.cache.hold(&source.name, place, &choice.commit)?;
            match self.cache.look(&source.name, place, &choice.commit)? {
                Look::Kept(kept) => return Ok((source.name.clone(), kept)),
                Look::Missing => {}
                Look::Changed(file) => changed = Some(file),
            }
        }
        let (mut tried, mut worst) = (Vec::new(), Meaning::NoRepository);
        for source in order.iter().filter(|source| source.is_local || !self.settings.offline) {
            let _hold = self.cache.hold(&source.name, place, &choice.commit)?;
            if let Look::Kept(kept) = self.cache.look(&source.name, place, &choice.commit)? {
                return Ok((source.name.clone(), kept));
            }
            for address in &source.addresses {
                match self.fetch(place, choice, &source.name, address)? {
                    Ok(kept) => {
                        choice
                            .notes
                            .extend(changed.map(|file| format!("the cache was changed (`{file}`) and fetched anew")));
                        return Ok((source.name.clone(), kept));
                    }
                    Err(failure) => {
                        worst = worst.max(failure.meaning());
                        tried.push(failure.words(&address.url));
                    }
                }
            }
        }
        let uses = place.to_string();
        Err(match (worst, changed) {
            (_, Some(file)) if self.settings.offline => FetchError::Changed { uses, file },
            (_, None) if self.settings.offline => FetchError::Offline { uses },
            (Meaning::NoObject, _) if choice.name.is_some() || choice.locked => {
                let what = format!("commit {} cannot be had ({})", choice.commit, tried.join("; "));
                FetchError::Untrue { uses, what }
            }
            (Meaning::NoObject, _) => {
                let server = sources.iter().find(|source| source.name != FOLDER).map_or(FOLDER, |source| &source.name);
                FetchError::NoSuchReference { uses, server: server.to_owned() }
            }
            (Meaning::Trouble, _) => FetchError::Unreachable { uses, tried },
            (Meaning::NoRepository | Meaning::NotAllowed, _) => FetchError::NoSuchRepository { uses, tried },
        })
    }

    /// One commit from one address into the cache. The inner error leaves room for the next address.
    fn fetch(
        &self,
        place: &Place,
        choice: &mut Choice,
        server: &str,
        address: &Address,
    ) -> Result<Result<Kept, GitFailure>, FetchError> {
        let uses = place.to_string();
        let mut tell = |said: &str| {
            if let Some(progress) = &self.progress {
                progress(Progress { uses: &uses, url: &address.url, said });
            }
        };
        // Each try begins with an empty repository, which goes when it fails.
        let brought = self.again(|| {
            let making = self.cache.making().map_err(|error| GitFailure::Said(error.to_string()))?;
            let git_dir = making.path().join("git");
            prepare(&git_dir, &choice.commit)?;
            bring(&git_dir, address, &choice.commit, choice.name.as_deref(), self.patience(), &mut tell)?;
            Ok(making)
        });
        let making = match brought {
            Ok(making) => making,
            Err(GitFailure::Start(source)) => return Err(FetchError::NoGit { source: Arc::new(source) }),
            Err(GitFailure::TooLarge) => return Err(FetchError::TooLarge { uses, limit: self.settings.largest }),
            Err(failure) => return Ok(Err(failure)),
        };
        let folder = making.path().join("tree");
        std::fs::create_dir(&folder).map_err(crate::error::file("make the folder", &folder))?;
        let exported = export(&making.path().join("git"), &choice.commit, &folder, &uses, self.settings.largest)?;
        for link in &exported.left_out {
            choice.notes.push(format!("the link `{link}` leads out of the repository and was left out"));
        }
        self.cache.keep(server, place, &choice.commit, &folder, &exported.manifest).map(Ok)
    }

    /// Tries again what failed for reasons that pass. Silence is not tried again: it took its time already.
    fn again<T>(&self, mut attempt: impl FnMut() -> Result<T, GitFailure>) -> Result<T, GitFailure> {
        let mut pause = self.settings.pause;
        for _ in 1..self.settings.tries {
            match attempt() {
                Err(failure @ GitFailure::Said(_)) if failure.meaning() == Meaning::Trouble => {
                    thread::sleep(pause);
                    pause *= 2;
                }
                done => return done,
            }
        }
        attempt()
    }

    fn patience(&self) -> Patience {
        Patience { quiet: self.settings.timeout, total: self.settings.total, largest: self.settings.largest }
    }

    fn broken(&self, uses: &str, failure: GitFailure) -> FetchError {
        match failure {
            GitFailure::Start(source) => FetchError::NoGit { source: Arc::new(source) },
            other => FetchError::Git { uses: uses.to_owned(), said: other.words("the cache") },
        }
    }
}

/// Whether the server said nothing of the ref, so that the locked commit stands.
fn is_silence(error: &FetchError) -> bool {
    matches!(
        error,
        FetchError::Unreachable { .. }
            | FetchError::NoSuchReference { .. }
            | FetchError::NoSuchRepository { .. }
            | FetchError::Abbreviated { .. }
    )
}

pub(crate) fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
