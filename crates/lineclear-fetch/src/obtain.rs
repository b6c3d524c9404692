//! The files of a commit: from the cache, or from whoever has them.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

use crate::cache::{Kept, Look};
use crate::choose::Choice;
use crate::error::{GitFailure, Meaning, file};
use crate::export::export;
use crate::fetcher::Progress;
use crate::git::{Address, Patience};
use crate::place::Place;
use crate::remote::{bring, prepare};
use crate::source::{FOLDER, Source};
use crate::{FetchError, Fetcher};

impl Fetcher {
    /// The files of the chosen commit: from the cache, or from whoever has them.
    pub(crate) fn obtain(
        &self,
        place: &Place,
        choice: &mut Choice,
        sources: &[Source],
    ) -> Result<(String, Kept), FetchError> {
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
            Err(GitFailure::Cancelled) => return Err(FetchError::Cancelled { uses }),
            Err(GitFailure::TooLarge) => return Err(FetchError::TooLarge { uses, limit: self.settings.largest }),
            Err(failure) => return Ok(Err(failure)),
        };
        let folder = making.path().join("tree");
        fs::create_dir(&folder).map_err(file("make the folder", &folder))?;
        let exported = export(&making.path().join("git"), &choice.commit, &folder, &uses, self.settings.largest)?;
        for link in &exported.left_out {
            choice.notes.push(format!("the link `{link}` leads out of the repository and was left out"));
        }
        self.cache.keep(server, place, &choice.commit, &folder, &exported.manifest).map(Ok)
    }

    /// Tries again what failed for reasons that pass. Silence is not tried again: it took its time already.
    pub(crate) fn again<T>(&self, mut attempt: impl FnMut() -> Result<T, GitFailure>) -> Result<T, GitFailure> {
        let mut pause = self.settings.pause;
        for _ in 1..self.settings.tries {
            if self.cancelled.load(Ordering::SeqCst) {
                return Err(GitFailure::Cancelled);
            }
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

    pub(crate) fn patience(&self) -> Patience<'_> {
        Patience {
            cancelled: &self.cancelled,
            quiet: self.settings.timeout,
            total: self.settings.total,
            largest: self.settings.largest,
        }
    }

    pub(crate) fn broken(&self, uses: &str, failure: GitFailure) -> FetchError {
        match failure {
            GitFailure::Start(source) => FetchError::NoGit { source: Arc::new(source) },
            other => FetchError::Git { uses: uses.to_owned(), said: other.words("the cache") },
        }
    }
}
