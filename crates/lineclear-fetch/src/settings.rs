//! Where actions come from, and how the lock is kept.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use zeroize::Zeroizing;

/// Where actions come from, where they are kept, and how patient the fetcher is.
#[derive(Clone, Debug)]
pub struct FetchSettings {
    /// The folder of the cache, below the home; made when needed.
    pub cache: PathBuf,
    /// Asked in this order. The next one is asked only where a server answers that it has no such repository (or shows it
    /// only to others): one that cannot be reached is an error, so that nobody else's repository takes its place.
    pub servers: Vec<Server>,
    /// Folders with `owner/repo@ref/` (plain files, taken as they are) or `owner/repo.git` (bare repositories). They come
    /// before all servers and need no network.
    pub folders: Vec<PathBuf>,
    /// Host, with `:port` where the address has one → token. Sent over HTTPS, or to this machine, and to that host alone.
    pub tokens: BTreeMap<String, Token>,
    /// `lineclear.lock` of the repository; none: nothing is locked.
    pub lock: Option<PathBuf>,
    pub lock_mode: LockMode,
    /// GitHub's `.github/workflows/actions.lock`; a file that is not there counts as none.
    pub github_lock: Option<PathBuf>,
    /// No server is asked.
    pub offline: bool,
    /// Git is ended when nothing arrives for this time.
    pub timeout: Duration,
    /// Git is ended after this time in any case.
    pub total: Duration,
    /// How often one address is tried, and how long to wait before the second time (each further wait doubles).
    pub tries: u32,
    pub pause: Duration,
    /// Bytes that one fetched repository may take, packed or laid out.
    pub largest: u64,
}

impl FetchSettings {
    /// GitHub alone, with the usual patience, no lock and no token.
    pub fn new(cache: PathBuf) -> Self {
        Self {
            cache,
            servers: vec![Server::github()],
            folders: Vec::new(),
            tokens: BTreeMap::new(),
            lock: None,
            lock_mode: LockMode::Add,
            github_lock: None,
            offline: false,
            timeout: Duration::from_secs(30),
            total: Duration::from_secs(900),
            tries: 3,
            pause: Duration::from_millis(500),
            largest: 4 << 30,
        }
    }
}

/// What happens where the lock and the servers do not agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LockMode {
    /// A missing entry is added; a ref that moved is refused.
    #[default]
    Add,
    /// As `Add`, and refs that moved are taken where they are now: `--update-lock`.
    Update,
    /// A missing entry is refused as well, unless the ref is a full commit id: for CI.
    Frozen,
}

/// A place that has repositories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// What it is called in the cache, the lock and messages; such as its host.
    pub name: String,
    /// The address of a repository, with `{owner}` and `{repo}`: `https://github.com/{owner}/{repo}`.
    pub url: String,
    /// Further addresses of the same repositories, asked in this order before `url`. One that fails, or lacks the repository
    /// or the ref, is passed over.
    pub mirrors: Vec<String>,
}

impl Server {
    /// `https://github.com`, without mirrors.
    pub fn github() -> Self {
        Self { name: "github.com".into(), url: "https://github.com/{owner}/{repo}".into(), mirrors: Vec::new() }
    }
}

/// A token. `Debug` shows `***`; wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Zeroizing<String>);

impl Token {
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
