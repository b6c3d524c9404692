//! Moving images, for the commands and for steps: what the crate `deliver` needs of this machine.
//!
//! [`Delivery`] is where things are: the repository, its policy, its ledger. `choice` finds out what is meant: which image, commit and
//! digest, under which tags; `claims` holds tags that somebody chose against the commit, and `owners` against what the policy gives elsewhere.
//! `registries` reaches the release repository, `attaching` makes what the policy says an image gets by being
//! published, [`moving`] carries the moves out, and `told` says what came of them.

mod attaching;
mod choice;
mod claims;
pub(crate) mod moving;
mod owners;
pub(crate) mod provenance;
pub(crate) mod registries;
pub(crate) mod told;

use std::path::Path;
use std::sync::Arc;

use lineclear_gate::Rules;
use lineclear_ledger::LedgerOf;
use lineclear_policy::{Image, Policy};
use lineclear_store_folder::FolderStore;

pub(crate) use choice::{Asked, Chosen, From, release_name};
pub(crate) use registries::Registries;

use crate::exit::Exit;
use crate::gates::GitCommits;
use crate::local_event::Checkout;
use crate::release_logins::ReleaseLogins;
use crate::session::registry::RegistryArgs;
use crate::session::{machine, prepare::Stopped};
use crate::signing_keys::{self, ReadFile, Trusted};
use crate::{policy_file, settings};

/// Why a command about images ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) exit: Exit,
    /// `None`: everything has been said already.
    pub(crate) message: Option<String>,
}

impl Ended {
    pub(crate) fn input(message: impl Into<String>) -> Self {
        Self { exit: Exit::BadInput, message: Some(message.into()) }
    }

    pub(crate) fn work(message: impl Into<String>) -> Self {
        Self { exit: Exit::WorkFailed, message: Some(message.into()) }
    }

    pub(crate) fn fault(error: &dyn std::error::Error) -> Self {
        Self { exit: Exit::EngineFault, message: Some(lineclear_event::with_causes(error)) }
    }
}

impl std::convert::From<Stopped> for Ended {
    fn from(stopped: Stopped) -> Self {
        Self { exit: stopped.exit, message: stopped.message }
    }
}

/// What says how images are moved.
pub(crate) struct Word<'w> {
    pub(crate) policy: Policy,
    /// Reads the files that it names, where it stands itself.
    pub(crate) read: ReadFile<'w>,
    /// What people call it: `lineclear.toml`, and whose.
    pub(crate) name: String,
}

/// A repository whose images are moved.
pub(crate) struct Delivery {
    pub(crate) checkout: Checkout,
    /// `owner/name`
    pub(crate) repository: String,
    pub(crate) policy: Policy,
    /// What people call the policy.
    pub(crate) file: String,
    pub(crate) store: Arc<FolderStore>,
    pub(crate) ledger: LedgerOf,
    pub(crate) commits: GitCommits,
    pub(crate) registries: Registries,
    /// The keys whose signatures count, or why they cannot be read.
    pub(crate) keys: Result<Trusted, String>,
}

impl Delivery {
    /// That of the repository around the current folder.
    pub(crate) fn here(args: &RegistryArgs, authfile: Option<&Path>) -> Result<Self, Ended> {
        let here =
            std::env::current_dir().map_err(|error| Ended::input(format!("there is no current folder: {error}")))?;
        let checkout = Checkout::find(&here);
        let home = settings::home().map_err(Ended::input)?;
        let store = FolderStore::open(home).map_err(|error| Stopped::unusable_home(&error))?;
        Self::by_checkout(checkout, Arc::new(store), args, authfile)
    }

    /// That of `checkout`, whose ledger is in `store`, by the policy that is checked out.
    pub(crate) fn by_checkout(
        checkout: Checkout,
        store: Arc<FolderStore>,
        args: &RegistryArgs,
        authfile: Option<&Path>,
    ) -> Result<Self, Ended> {
        let (policy, root) = (machine::read(&checkout.root)?, checkout.root.clone());
        let read = |path: &str| signing_keys::file(&root.join(path));
        let word = Word { policy, read: &read, name: format!("`{}`", policy_file::NAME) };
        Self::of(checkout, store, word, args, authfile)
    }

    /// That of `checkout`, whose ledger is in `store`, by `word`: all that it says counts here, and nothing else does.
    pub(crate) fn of(
        checkout: Checkout,
        store: Arc<FolderStore>,
        word: Word<'_>,
        args: &RegistryArgs,
        authfile: Option<&Path>,
    ) -> Result<Self, Ended> {
        let repository = checkout.repository_name();
        let ledger = LedgerOf::open(store.clone(), repository.clone());
        let commits = GitCommits::new(&checkout.root);
        let Word { policy, read, name: file } = word;
        let keys = signing_keys::trusted(&checkout, &policy, read);
        let logins = ReleaseLogins::of(&checkout).map_err(Ended::input)?;
        let registries = Registries::new(args, &policy.registry, &store, authfile, logins)?;
        Ok(Self { checkout, repository, policy, file, store, ledger, commits, registries, keys })
    }

    /// The image of the policy, or an error that names those that there are.
    pub(crate) fn image(&self, name: &str) -> Result<&Image, Ended> {
        self.policy.image(name).ok_or_else(|| {
            let names: Vec<&str> = self.policy.images.iter().map(|image| image.name.value.as_str()).collect();
            Ended::input(match names.is_empty() {
                true => format!("there is no image `{name}`: {} has no `[image.{name}]`", self.file),
                false => format!("{} has no `[image.{name}]`; it has: {}", self.file, names.join(", ")),
            })
        })
    }

    /// The rules of a gate; `None` for one that the policy does not have. Where the keys cannot be read none counts.
    pub(crate) fn rules(&self, gate: &str) -> Option<Rules> {
        let keys = self.keys.iter().flat_map(|keys| keys.ids.iter().cloned());
        self.policy.gate(gate).map(|gate| Rules::from(gate).signed_by(keys))
    }
}
