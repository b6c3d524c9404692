//! Which commit a ref stands for: what the locks, the id itself or a server say.

use std::sync::Arc;

use crate::error::{GitFailure, Meaning};
use crate::fetcher::guard;
use crate::git::Address;
use crate::place::Place;
use crate::remote::{Pointed, pointed, prepare};
use crate::source::Source;
use crate::{FetchError, Fetcher, LockMode};

/// Which commit a ref stands for, and how that is known.
pub(crate) struct Choice {
    pub(crate) commit: String,
    /// The ref's full name, where a server told it.
    pub(crate) name: Option<String>,
    /// The server to ask first.
    pub(crate) server: Option<String>,
    pub(crate) locked: bool,
    /// Whether GitHub's lock named it: then ours need not.
    pub(crate) by_github: bool,
    pub(crate) notes: Vec<String>,
}

impl Fetcher {
    pub(crate) fn choose(&self, place: &Place, sources: &[Source]) -> Result<Choice, FetchError> {
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

    /// Asks an address, unless its host was found to be out of reach in this run: a machine without a network then waits once,
    /// not once for each action.
    fn reach<T>(&self, address: &Address, attempt: impl FnMut() -> Result<T, GitFailure>) -> Result<T, GitFailure> {
        let host = address.url.split('/').take(3).collect::<Vec<_>>().join("/");
        if guard(&self.out_of_reach).contains(&host) {
            return Err(GitFailure::Said("its host was out of reach a moment ago".into()));
        }
        let result = self.again(attempt);
        if result.as_ref().is_err_and(GitFailure::is_out_of_reach) {
            guard(&self.out_of_reach).insert(host);
        }
        result
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
            let (mut failed, mut has_repository, mut is_trouble) = (Vec::new(), false, false);
            for address in &source.addresses {
                is_trouble = false;
                match self.reach(address, || pointed(&git_dir, address, place, self.patience())) {
                    Ok(Some(pointed)) => return Ok((source.name.clone(), pointed)),
                    Ok(None) => has_repository = true,
                    Err(GitFailure::Start(source)) => return Err(FetchError::NoGit { source: Arc::new(source) }),
                    Err(GitFailure::Cancelled) => return Err(FetchError::Cancelled { uses }),
                    Err(failure) => {
                        is_trouble = failure.meaning() == Meaning::Trouble;
                        failed.push(failure.words(&address.url));
                    }
                }
            }
            // The last address is the server's own: while it cannot be asked, a mirror that lacks something says nothing.
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
