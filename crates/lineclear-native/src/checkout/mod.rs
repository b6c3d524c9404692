//! `actions/checkout`.
//!
//! On a hosted machine the repository comes over the network. Here it is on this machine already, so what the run is about is
//! the working tree as its user sees it, with what is not committed: a job's workspace is filled with a private copy before its
//! first step, and a checkout of the run's own commit only makes `.git` look as the real action leaves it. Other commits come
//! from the repository's own objects (`own.rs`), other repositories from a folder of repositories or over the network
//! (`other.rs`). A job that runs in place is looked at and never changed (`in_place.rs`).
//!
//! # Source
//! `action.yml` and `src` of `actions/checkout`: inputs, outputs, which refs and which `HEAD` are left, what is refused.
//! Section 7 of the protocol notes, "Checkout facts".

mod credentials;
mod files;
mod fork;
mod git;
mod git_dir;
mod in_place;
mod lfs;
mod other;
mod own;
mod refs;
mod settings;
mod submodules;

use std::path::PathBuf;

use lineclear_runner::native::{Call, InContainer, NativeAction, NativeError};

use settings::Settings;

/// Checks a repository out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Checkout {
    /// A folder with repositories as `<owner>/<name>`, which are used instead of those on the network.
    pub(crate) repositories: Option<PathBuf>,
}

/// Where the post stage finds what it removes.
const CREDENTIALS: &str = "credentials";
const REPOSITORY: &str = "repository-path";

impl NativeAction for Checkout {
    fn name(&self) -> &'static str {
        "actions/checkout"
    }

    fn in_container(&self) -> InContainer {
        InContainer::BuiltIn
    }

    fn metadata(&self) -> &'static str {
        "
name: Checkout
inputs:
  repository: { default: '${{ github.repository }}' }
  ref: {}
  token: { default: '${{ github.token }}' }
  ssh-key: {}
  ssh-known-hosts: {}
  ssh-strict: { default: 'true' }
  ssh-user: { default: git }
  persist-credentials: { default: 'true' }
  path: {}
  clean: { default: 'true' }
  filter: {}
  sparse-checkout: {}
  sparse-checkout-cone-mode: { default: 'true' }
  fetch-depth: { default: '1' }
  fetch-tags: { default: 'false' }
  show-progress: { default: 'true' }
  lfs: { default: 'false' }
  submodules: { default: 'false' }
  set-safe-directory: { default: 'true' }
  github-server-url: {}
  allow-unsafe-pr-checkout: { default: 'false' }
outputs:
  ref: { description: 'The branch, tag or SHA that was checked out' }
  commit: { description: 'The commit SHA that was checked out' }
"
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        let settings = Settings::read(call)?;
        fork::refuse(call, &settings)?;
        call.effects.log(&format!("Syncing repository: {}", settings.repository));
        call.effects.log(&format!("Working directory is '{}'", settings.folder.display()));
        let commit = if call.in_place {
            in_place::verify(call, &settings)?
        } else if settings.is_own {
            own::check_out(call, &settings)?
        } else {
            other::check_out(call, &settings, self.repositories.as_deref())?
        };
        if !call.in_place {
            call.state.insert(REPOSITORY.into(), settings.folder.to_string_lossy().into_owned());
        }
        call.effects.output("commit", &commit);
        call.effects.output("ref", &settings.reference);
        Ok(())
    }

    fn has_post(&self) -> bool {
        true
    }

    fn post(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        credentials::remove(call);
        Ok(())
    }
}
