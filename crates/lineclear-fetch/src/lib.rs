//! Actions and called workflows of other repositories: fetched by git, kept by commit, locked.
//!
//! ```text
//! `owner/repo@ref` ─► folder of the air-gapped machine ─────────────────────────────► files
//!                  ─► lock, server ─► commit ─► cache by commit ─► checked ──────────► files
//!                                                └─ not there: git fetch ─► exported ┘
//! ```
//! Start at [`Fetcher::resolve`]; [`Fetcher::resolve_all`] follows what composite actions and called workflows pull in. What
//! is fetched is run by nobody here: its files are laid out, and each use checks them against the digest of their tree.

mod cache;
mod choose;
mod error;
mod export;
mod fetcher;
mod git;
mod github_lock;
mod lock;
mod manifest;
mod obtain;
mod place;
mod remote;
mod settings;
mod source;
mod transitive;

pub use error::FetchError;
pub use fetcher::{Fetcher, Origin, Progress, Resolved, Used};
pub use github_lock::GithubLock;
pub use lock::{LOCK_FILE, Lock, LockChange, LockEntry};
pub use settings::{FetchSettings, LockMode, Server, Token};
pub use transitive::{Found, Wanted};
