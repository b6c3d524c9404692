//! Finding the files that inputs name: the searches of `@actions/cache` and `actions/upload-artifact`.
//!
//! # Source
//! `packages/glob` and `packages/cache` of `actions/toolkit`; `src/shared/search` of `actions/upload-artifact`.

mod class;
mod name;
mod walk;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use lineclear_runner::OutOfReach;
use lineclear_runner::native::{Call, NativeError};

pub(crate) use name::name_matches;
use walk::{Options, Search};

/// What an artifact is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// What paths inside the artifact begin at.
    pub(crate) root: PathBuf,
    pub(crate) files: Vec<PathBuf>,
}

/// What the patterns of a cache's `path` find: files and folders, a folder standing for all in it, also for what a later pattern
/// takes out again (as the archive of the real action has it).
///
/// # Errors
/// An unusable pattern, or a folder that cannot be read.
pub(crate) fn cache_paths(call: &Call<'_>, patterns: &[String]) -> Result<Vec<PathBuf>, NativeError> {
    let options = Options { follows_links: true, enters_matches: false, skips_hidden: false };
    let search = search(call, patterns)?;
    search.run(options, &admit(call, "path"))
}

/// Whether all that the patterns of a cache's `path` can name is within the job's reach, as far as it is known without a search.
///
/// # Errors
/// An unusable pattern; within, the first path that is not.
pub(crate) fn cache_reach(call: &Call<'_>, patterns: &[String]) -> Result<Result<(), OutOfReach>, NativeError> {
    Ok(search(call, patterns)?.search_paths().iter().try_for_each(|path| call.reach.check(path)))
}

/// The files that patterns find, sorted.
///
/// # Errors
/// An unusable pattern, a folder that cannot be read, or a path that is out of the job's reach.
pub(crate) fn files_of(call: &Call<'_>, input: &str, patterns: &[String]) -> Result<Vec<PathBuf>, NativeError> {
    let options = Options { follows_links: true, enters_matches: true, skips_hidden: false };
    let mut files: Vec<PathBuf> =
        search(call, patterns)?.run(options, &admit(call, input))?.into_iter().filter(|path| path.is_file()).collect();
    files.sort();
    files.dedup();
    Ok(files)
}

/// The files that `path` of upload-artifact finds.
///
/// The root is the least common ancestor of the literal beginnings of the patterns. Of a pattern that is the path of the only
/// file it is that file's folder.
///
/// # Errors
/// An unusable pattern, a folder that cannot be read, or a path that is out of the job's reach.
pub(crate) fn artifact_files(
    call: &mut Call<'_>,
    input: &str,
    patterns: &[String],
    include_hidden: bool,
) -> Result<Found, NativeError> {
    let options = Options { follows_links: true, enters_matches: true, skips_hidden: !include_hidden };
    let search = search(call, patterns)?;
    let found = search.run(options, &admit(call, input))?;
    let mut files: Vec<PathBuf> = found.into_iter().filter(|path| !path.is_dir()).collect();
    files.sort();
    let mut seen = BTreeSet::new();
    for file in &files {
        if !seen.insert(file.to_string_lossy().to_lowercase()) {
            let file = file.display();
            call.effects.log(&format!(
                "Uploads are case insensitive: {file} was detected that it will be overwritten by another file with the same path"
            ));
        }
    }
    let starts = search.search_paths();
    let root = match starts.as_slice() {
        [] => call.workspace().to_path_buf(),
        [only] if files.as_slice() == [only.clone()] => only.parent().unwrap_or(only).to_path_buf(),
        [only] => only.clone(),
        several => {
            let root = common_ancestor(several);
            call.effects.log("Multiple search paths detected. Calculating the least common ancestor of all paths");
            let root_text = root.display();
            call.effects.log(&format!(
                "The least common ancestor is {root_text}. This will be the root directory of the artifact"
            ));
            root
        }
    };
    Ok(Found { root, files })
}

/// `hashFiles()` of the patterns.
///
/// # Errors
/// As of [`lineclear_runner::hash_files`].
pub(crate) fn hash_files(call: &Call<'_>, patterns: &[String]) -> Result<String, NativeError> {
    lineclear_runner::hash_files(call.workspace(), home(call), patterns, call.reach).map_err(NativeError)
}

fn search(call: &Call<'_>, patterns: &[String]) -> Result<Search, NativeError> {
    Search::new(patterns, call.workspace(), home(call)).map_err(NativeError)
}

/// Refuses what is out of the job's reach. `input` named it.
fn admit<'c>(call: &'c Call<'_>, input: &'c str) -> impl Fn(&Path, bool) -> Result<(), NativeError> + 'c {
    move |path, is_start| {
        if call.reach.is_limited() && (is_start || path.is_symlink()) {
            call.reached(format_args!("input `{input}`"), path.to_owned())?;
        }
        Ok(())
    }
}

/// What `~` stands for.
fn home<'c>(call: &'c Call<'_>) -> Option<&'c str> {
    call.env.get("HOME").map(String::as_str)
}

fn common_ancestor(paths: &[PathBuf]) -> PathBuf {
    let mut paths = paths.iter();
    let mut common = paths.next().cloned().unwrap_or_default();
    for path in paths {
        common = common.components().zip(path.components()).take_while(|(a, b)| a == b).map(|(part, _)| part).collect();
    }
    common
}

/// Every file below `root`, which `input` named, those of names that begin with a dot only when asked for.
///
/// # Errors
/// A folder that cannot be read, or a link that leads out of the job's reach.
pub(crate) fn files_below(
    call: &Call<'_>,
    input: &str,
    root: &Path,
    include_hidden: bool,
) -> Result<Vec<PathBuf>, NativeError> {
    let search = Search::new(&["**".to_owned()], root, None).map_err(NativeError)?;
    let options = Options { follows_links: true, enters_matches: true, skips_hidden: !include_hidden };
    let found = search.run(options, &admit(call, input))?;
    let mut files: Vec<PathBuf> = found.into_iter().filter(|path| !path.is_dir()).collect();
    files.sort();
    Ok(files)
}
