//! The store, and whose runs in it are looked at.

use clap::Args;
use lineclear_store::{RunSummary, Store, StoreError};
use lineclear_store_folder::FolderStore;

use super::{HistoryError, Selector};
use crate::local_event::Checkout;
use crate::settings;

/// Whose runs to look at.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Scope {
    /// Look at this repository's runs. [default: the repository of the current folder]
    #[arg(short = 'R', long, value_name = "OWNER/NAME")]
    pub(crate) repository: Option<String>,

    /// Look at the runs of all repositories.
    #[arg(long, conflicts_with = "repository")]
    pub(crate) all_repositories: bool,
}

/// What was kept of earlier runs.
#[derive(Debug)]
pub(crate) struct History {
    pub(crate) store: FolderStore,
    /// `None`: of all repositories.
    pub(crate) repository: Option<String>,
    pub(crate) checkout: Checkout,
}

impl History {
    /// Opens the store. Outside of any repository, the runs of all are looked at.
    ///
    /// # Errors
    /// There is no folder for runs, or it cannot be used.
    pub(crate) fn open(scope: &Scope) -> Result<Self, HistoryError> {
        let home = settings::home().map_err(HistoryError::Place)?;
        let here = std::env::current_dir()
            .map_err(|error| HistoryError::Place(format!("cannot tell the current folder: {error}")))?;
        let checkout = Checkout::find(&here);
        let store = FolderStore::open(home)?;
        let repository = match &scope.repository {
            Some(name) => Some(name.clone()),
            None if scope.all_repositories || !checkout.is_something() => None,
            None => Some(checkout.repository_name()),
        };
        Ok(Self { store, repository, checkout })
    }

    /// The runs looked at, newest first, at most `limit`.
    pub(crate) fn runs(&self, limit: usize) -> Result<Vec<RunSummary>, StoreError> {
        self.store.runs(self.repository.as_deref(), limit)
    }

    /// The run that `text` means. What it may be is said at [`Selector`].
    ///
    /// # Errors
    /// No run, or several; the sentence lists those that may be meant.
    pub(crate) fn select(&self, text: &str) -> Result<RunSummary, HistoryError> {
        Selector::parse(text).map_err(HistoryError::Asked)?.find(self)
    }
}
