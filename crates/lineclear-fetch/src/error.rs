//! Why an action could not be had.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Why an action or called workflow of another repository could not be had. `uses` is `owner/repo@ref`.
#[derive(Clone, Debug, thiserror::Error)]
pub enum FetchError {
    #[error("`{uses}` cannot be fetched: {why}")]
    Name { uses: String, why: &'static str },
    #[error("the settings for actions are wrong: {0}")]
    Settings(String),
    #[error("`{uses}`: the ref is the shortened id of a commit, which is not supported; write all 40 digits")]
    Abbreviated { uses: String },
    #[error("`{uses}`: {server} has the repository, but no tag, branch or commit of that name")]
    NoSuchReference { uses: String, server: String },
    #[error("`{uses}`: no such repository ({}); check its name, or set a token if it is private", .tried.join("; "))]
    NoSuchRepository { uses: String, tried: Vec<String> },
    #[error("`{uses}` could not be fetched ({}); try again, or name a mirror or a folder with it", .tried.join("; "))]
    Unreachable { uses: String, tried: Vec<String> },
    #[error(
        "`{uses}` is not in the cache, and nothing is fetched offline; run once online, or put its files into a folder `{uses}/`"
    )]
    Offline { uses: String },
    #[error(
        "`{uses}` moved: {} has commit {locked}, the server now says {now}; if that is expected, run again with `--update-lock`",
        .lock.display()
    )]
    Moved { uses: String, locked: String, now: String, lock: PathBuf },
    #[error("`{uses}` is not in {}, which is frozen; run without the frozen setting once, and commit the file", .lock.display())]
    NotLocked { uses: String, lock: PathBuf },
    #[error("{}, line {line}: {what}; correct the line, or {way_out}", .path.display())]
    Lock { path: PathBuf, line: usize, what: String, way_out: &'static str },
    #[error("`{uses}`: {what}")]
    Untrue { uses: String, what: String },
    #[error("`{uses}` was not fetched: the run was cancelled")]
    Cancelled { uses: String },
    #[error("`{uses}` takes more than {limit} bytes, which is not allowed")]
    TooLarge { uses: String, limit: u64 },
    #[error("`{uses}` contains `{path}`, which {why}; it is not used")]
    Unsafe { uses: String, path: String, why: &'static str },
    #[error(
        "`{uses}` in the cache was changed (`{file}`), and nothing is fetched offline; run once online to repair it"
    )]
    Changed { uses: String, file: String },
    #[error("cannot {what} `{}`", .path.display())]
    File { what: &'static str, path: PathBuf, source: Arc<io::Error> },
    #[error("cannot start git, which fetches actions; is it installed and in PATH?")]
    NoGit { source: Arc<io::Error> },
    #[error("git could not read what it fetched for `{uses}`: {said}")]
    Git { uses: String, said: String },
}

impl FetchError {
    /// Whether the same attempt may succeed later with nothing changed by anyone.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Name { .. }
            | Self::Settings(_)
            | Self::Abbreviated { .. }
            | Self::NoSuchReference { .. }
            | Self::NoSuchRepository { .. }
            | Self::Offline { .. }
            | Self::Moved { .. }
            | Self::NotLocked { .. }
            | Self::Lock { .. }
            | Self::Untrue { .. }
            | Self::Cancelled { .. }
            | Self::TooLarge { .. }
            | Self::Unsafe { .. }
            | Self::Changed { .. }
            | Self::File { .. }
            | Self::NoGit { .. }
            | Self::Git { .. } => false,
        }
    }
}

/// An error of the file system with what was tried.
pub(crate) fn file(what: &'static str, path: &Path) -> impl Fn(io::Error) -> FetchError + use<> {
    let path = path.to_owned();
    move |source| FetchError::File { what, path: path.clone(), source: Arc::new(source) }
}

/// Why git did not do what it was told, before it is known what that means.
#[derive(Debug)]
pub(crate) enum GitFailure {
    Start(io::Error),
    Quiet(Duration),
    TooLarge,
    Cancelled,
    /// Git's own words, without tokens.
    Said(String),
}

/// What git's words mean; of several failures the last in this order tells most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Meaning {
    NoRepository,
    NotAllowed,
    /// The server would not give the object asked for.
    NoObject,
    /// Anything else: a lost connection, a broken pack, a server in trouble.
    Trouble,
}

impl GitFailure {
    pub(crate) fn meaning(&self) -> Meaning {
        let Self::Said(said) = self else { return Meaning::Trouble };
        let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
        if has(&["not our ref", "unadvertised object", "couldn't find remote ref"]) {
            Meaning::NoObject
        } else if has(&[
            "returned error: 401",
            "returned error: 403",
            "Authentication failed",
            "could not read Username",
            "could not read Password",
            "Permission denied",
        ]) {
            Meaning::NotAllowed
        } else if has(&[
            "' not found",
            "returned error: 404",
            "does not appear to be a git repository",
            "not exported",
            "returned error: 410",
            "does not exist",
        ]) {
            Meaning::NoRepository
        } else {
            Meaning::Trouble
        }
    }

    /// Whether nobody answers at the host, whatever it is asked.
    pub(crate) fn is_out_of_reach(&self) -> bool {
        match self {
            Self::Quiet(_) => true,
            Self::Said(said) => [
                "Could not resolve host",
                "Failed to connect",
                "Couldn't connect",
                "Connection refused",
                "Network is unreachable",
            ]
            .iter()
            .any(|words| said.contains(words)),
            Self::Start(_) | Self::TooLarge | Self::Cancelled => false,
        }
    }

    /// The failure in words, for `url`.
    pub(crate) fn words(&self, url: &str) -> String {
        match self {
            Self::Start(error) => format!("git could not be started: {error}"),
            Self::Quiet(after) => format!("{url} gave nothing for {} s", after.as_secs_f32()),
            Self::TooLarge => format!("{url} sent too much"),
            Self::Cancelled => "cancelled".to_owned(),
            Self::Said(said) => match self.meaning() {
                Meaning::NoRepository => format!("{url} has no such repository"),
                Meaning::NotAllowed => format!("{url} wants a token, or takes not the one it was given"),
                Meaning::NoObject => format!("{url} does not give the object: {said}"),
                Meaning::Trouble => format!("{url} failed: {said}"),
            },
        }
    }
}
