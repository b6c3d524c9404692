//! Files of Git LFS.

use lineclear_runner::native::{Call, NativeError};

use super::files::{end_group, group};
use super::git::Git;
use super::settings::Settings;

/// Brings the files of LFS, if the inputs ask for them. Objects that the source has on this machine are used from there.
///
/// # Errors
/// git-lfs is not installed, or cannot get the files.
pub(super) fn pull(call: &mut Call<'_>, settings: &Settings, git: &Git<'_>) -> Result<(), NativeError> {
    if !settings.lfs {
        return Ok(());
    }
    git.ask(call, &["lfs", "version"]).map_err(|_| {
        let way_out = "install it (on Debian: git-lfs), or remove the input";
        NativeError(format!("Input 'lfs' needs git-lfs, which is not on this machine: {way_out}"))
    })?;
    group(call, "Fetching LFS objects");
    git.ask(call, &["lfs", "install", "--local", "--skip-repo"])?;
    let git = git.clone().with_env("GIT_LFS_SKIP_SMUDGE", "0");
    let result = git.run(call, &["lfs", "pull"]);
    end_group(call);
    result
}
