//! The files of a checkout.

use std::fs;
use std::io;
use std::path::Path;

use lineclear_backend::Fill;
use lineclear_backend_host::WorkingTree;
use lineclear_runner::native::{Call, NativeError};

use super::git::Git;
use super::git_dir::{self, Files};
use super::settings::Settings;

/// Brings the working tree of `source` into the folder, if it is not there yet.
///
/// The workspace was filled before the first step: what is in it is used, and moved when the checkout goes into a folder in it.
///
/// # Errors
/// The file system refuses.
pub(super) fn bring_working_tree(call: &mut Call<'_>, settings: &Settings, source: &Path) -> Result<(), NativeError> {
    let (folder, workspace) = (settings.folder.as_path(), call.workspace().to_path_buf());
    let is_first_of_workspace = !git_dir::is_checked_out(&workspace) && is_repository(&workspace);
    if folder == workspace && is_first_of_workspace {
        return Ok(());
    }
    if folder == workspace && git_dir::is_checked_out(&workspace) && !settings.clean {
        call.effects.log("The folder is not cleaned: files stay as the steps before have left them");
        return Ok(());
    }
    let fails = |error: io::Error| NativeError(format!("cannot bring the files into `{}`: {error}", folder.display()));
    if folder != workspace && is_first_of_workspace {
        return move_contents(&workspace, folder).map_err(fails);
    }
    make_empty(folder)?;
    WorkingTree::new(source).without(&workspace).fill(folder).map_err(fails)
}

/// Moves all that is in `from` into `to`, a folder in it, which may have the name of something that is moved.
fn move_contents(from: &Path, to: &Path) -> io::Result<()> {
    let items: Vec<_> = fs::read_dir(from)?.collect::<io::Result<_>>()?;
    let staging = tempfile::tempdir_in(from)?;
    for item in items {
        fs::rename(item.path(), staging.path().join(item.file_name()))?;
    }
    fs::create_dir_all(to)?;
    for item in fs::read_dir(staging.path())? {
        let item = item?;
        fs::rename(item.path(), to.join(item.file_name()))?;
    }
    staging.close()
}

/// Makes the folder's files those of the commit that `HEAD` is at. `files` says what is in the folder now.
///
/// # Errors
/// git fails.
pub(super) fn reset(call: &mut Call<'_>, settings: &Settings, git: &Git<'_>, files: Files) -> Result<(), NativeError> {
    if files == Files::OfSource {
        // Marks of the user's own index would keep files from being looked at.
        git.ask(call, &["update-index", "-q", "--really-refresh"]).ok();
    }
    if !settings.sparse.is_empty() {
        set_sparse(call, settings, git)?;
    }
    git.ask(call, &["reset", "--hard", "--quiet", "HEAD"])?;
    if settings.clean || files == Files::OfSource {
        git.ask(call, &["clean", "-ffdxq"])?;
    }
    Ok(())
}

/// Applies `sparse-checkout` to files that are there; without it, brings what the source's own sparse checkout lacks.
///
/// # Errors
/// git fails.
pub(super) fn apply_sparse(call: &mut Call<'_>, settings: &Settings, git: &Git<'_>) -> Result<(), NativeError> {
    if settings.sparse.is_empty() {
        // The settings are read before git is asked: it costs more than all else, and nearly never finds anything.
        let config = fs::read_to_string(git.folder().join(".git/config")).unwrap_or_default();
        let may_be_sparse = config.to_lowercase().contains("sparsecheckout");
        let is_true = |value: String| value == "true";
        let is_sparse = may_be_sparse && git.ask(call, &["config", "--bool", "core.sparseCheckout"]).is_ok_and(is_true);
        return if is_sparse { git.ask(call, &["sparse-checkout", "disable"]).map(drop) } else { Ok(()) };
    }
    git.ask(call, &["update-index", "-q", "--refresh"]).ok();
    set_sparse(call, settings, git)
}

/// Tells git which files there are to be, and makes it so.
///
/// # Errors
/// git fails.
pub(super) fn set_sparse(call: &mut Call<'_>, settings: &Settings, git: &Git<'_>) -> Result<(), NativeError> {
    group(call, "Setting up sparse checkout");
    let mode = if settings.sparse_by_folders { "--cone" } else { "--no-cone" };
    let args: Vec<&str> =
        ["sparse-checkout", "set", mode].into_iter().chain(settings.sparse.iter().map(String::as_str)).collect();
    let result = git.run(call, &args);
    end_group(call);
    result
}

/// Makes the folder and empties it.
///
/// # Errors
/// The file system refuses.
pub(super) fn make_empty(folder: &Path) -> Result<(), NativeError> {
    let fails = |error: io::Error| NativeError(format!("cannot empty `{}`: {error}", folder.display()));
    match fs::symlink_metadata(folder) {
        Ok(metadata) if !metadata.is_dir() => fs::remove_file(folder).map_err(fails)?,
        _ => {}
    }
    fs::create_dir_all(folder).map_err(fails)?;
    for item in fs::read_dir(folder).map_err(fails)? {
        let item = item.map_err(fails)?;
        let is_folder = item.file_type().map_err(fails)?.is_dir();
        if is_folder { fs::remove_dir_all(item.path()) } else { fs::remove_file(item.path()) }.map_err(fails)?;
    }
    Ok(())
}

pub(super) fn is_repository(folder: &Path) -> bool {
    folder.join(".git").exists()
}

/// Opens a group of the log.
pub(super) fn group(call: &mut Call<'_>, title: &str) {
    call.effects.log(&format!("##[group]{title}"));
}

pub(super) fn end_group(call: &mut Call<'_>) {
    call.effects.log("##[endgroup]");
}
