//! What scans go by: the database of vulnerabilities, and what somebody took responsibility for.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use lineclear_native::Vulnerabilities;
use lineclear_policy::{ScanPolicy, day_of};
use lineclear_vulnerability::{Database, Ignore};

use crate::{advisories, settings};

/// What is said where nothing was imported.
pub(crate) const NOTHING_KNOWN: &str = "no vulnerabilities are known on this machine yet: `lineclear vulnerabilities import FILE…` takes them \
                                        in (docs/scan.md says where the files come from)";

/// The repository's own records where its policy names some, else what was imported on this machine; `None` without either.
///
/// # Errors
/// A sentence: it is there, and cannot be read or is damaged.
pub(crate) fn database(policy: &ScanPolicy, root: &Path) -> Result<Option<Database>, String> {
    match &policy.database {
        Some(own) => advisories::of_files(&[root.join(&own.value)], &settings::now().to_string())
            .map(Some)
            .map_err(|error| format!("`database` in `[scan]`: {error}")),
        None => advisories::open(),
    }
}

/// `[[scan.ignore]]`, each with whether its day is over.
pub(crate) fn ignores(policy: &ScanPolicy) -> Vec<Ignore> {
    let today = day_of(settings::now().0);
    let ignore = |entry: &lineclear_policy::ScanIgnore| Ignore {
        id: entry.id.value.clone(),
        package: entry.package.as_ref().map(|package| package.value.clone()),
        reason: entry.reason.value.clone(),
        owner: entry.owner.value.clone(),
        until: entry.until.value.to_string(),
        is_expired: entry.is_expired(today),
    };
    policy.ignores.iter().map(ignore).collect()
}

/// What the steps of a command know; opened when the first of them asks.
pub(crate) struct Known {
    policy: ScanPolicy,
    root: PathBuf,
    database: OnceLock<Result<Option<Arc<Database>>, String>>,
}

impl Known {
    pub(crate) fn new(policy: ScanPolicy, root: PathBuf) -> Self {
        Self { policy, root, database: OnceLock::new() }
    }

    /// The database, if there is one.
    ///
    /// # Errors
    /// As of [`database`].
    pub(crate) fn opened(&self) -> Result<Option<Arc<Database>>, String> {
        self.database.get_or_init(|| Ok(database(&self.policy, &self.root)?.map(Arc::new))).clone()
    }
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Known").field("root", &self.root).finish_non_exhaustive()
    }
}

impl Vulnerabilities for Known {
    fn is_there(&self) -> bool {
        self.policy.database.is_some() || advisories::path().is_ok_and(|path| path.exists())
    }

    fn database(&self) -> Result<Arc<Database>, String> {
        self.opened()?.ok_or_else(|| NOTHING_KNOWN.to_owned())
    }

    fn ignores(&self) -> Vec<Ignore> {
        ignores(&self.policy)
    }
}
