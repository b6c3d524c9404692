//! The `cache:` inputs of the setup actions: what a package manager downloaded is kept from run to run.

use std::path::PathBuf;

use lineclear_runner::native::{Call, NativeError};

use crate::caching::{self, CacheSpec, Mode};
use crate::search;

const KEY: &str = "dependency-cache-key";
const PATHS: &str = "dependency-cache-paths";
const MATCHED: &str = "dependency-cache-matched";

/// A package manager's cache.
#[derive(Clone, Debug)]
pub(crate) struct DependencyCache {
    /// What keys begin with: `setup-python-Linux-X64-python-3.12.1-pip`.
    pub(crate) prefix: String,
    pub(crate) folders: Vec<PathBuf>,
    /// Files whose contents decide the key: as the user names them, or the manager's own.
    pub(crate) dependency_files: Vec<String>,
}

/// A folder that belongs to Lineclear, for what package managers download: caches of the user are neither read nor filled.
pub(crate) fn own_folder(call: &Call<'_>, name: &str) -> PathBuf {
    call.room.layout().tool_cache.join("_downloads").join(name)
}

/// Restores the cache and sets the output `cache-hit`.
///
/// # Errors
/// No dependency file is found: without one there is no key.
pub(crate) fn restore(call: &mut Call<'_>, cache: &DependencyCache) -> Result<(), NativeError> {
    let hash = search::hash_files(call, &cache.dependency_files)?;
    if hash.is_empty() {
        return Err(NativeError(format!(
            "No file in {} matched to [{}], make sure you have checked out the target repository",
            call.workspace().display(),
            cache.dependency_files.join(" or ")
        )));
    }
    let mut paths = Vec::new();
    for folder in &cache.folders {
        std::fs::create_dir_all(folder)
            .map_err(|error| NativeError(format!("cannot make `{}`: {error}", folder.display())))?;
        paths.push(folder.to_string_lossy().into_owned());
    }
    let key = format!("{}-{hash}", cache.prefix);
    let spec = CacheSpec { paths: paths.clone(), key: key.clone(), restore_keys: vec![format!("{}-", cache.prefix)] };
    let hit = caching::restore(call, &spec, Mode::Restore)?;
    call.effects.output("cache-hit", if hit.as_ref().is_some_and(|hit| hit.exact) { "true" } else { "false" });
    call.state.insert(KEY.into(), key);
    call.state.insert(PATHS.into(), paths.join("\n"));
    call.state.extend(hit.map(|hit| (MATCHED.to_owned(), hit.entry.key)));
    Ok(())
}

/// Saves the cache in the post stage, unless it was found under its very key.
pub(crate) fn save(call: &mut Call<'_>) -> Result<(), NativeError> {
    let (Some(key), Some(paths)) = (call.state.get(KEY).cloned(), call.state.get(PATHS).cloned()) else {
        return Ok(());
    };
    if call.state.get(MATCHED) == Some(&key) {
        call.effects.log(&format!("Cache hit occurred on the primary key {key}, not saving cache."));
        return Ok(());
    }
    let paths: Vec<String> = paths.lines().map(str::to_owned).collect();
    let is_empty = |folder: &String| std::fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
    if paths.iter().all(is_empty) {
        call.effects.log("Nothing was downloaded, so there is nothing to cache.");
        return Ok(());
    }
    caching::save(call, &CacheSpec { paths, key, restore_keys: Vec::new() })
}

/// The dependency files that the user names, or the manager's own.
pub(crate) fn dependency_files(call: &Call<'_>, own: &[&str]) -> Vec<String> {
    let named = call.lines("cache-dependency-path");
    let files = if named.is_empty() { own.to_vec() } else { named };
    files.into_iter().map(str::to_owned).collect()
}

/// `Linux-X64`: part of every key, since what is cached may hold programs.
pub(crate) fn platform(call: &Call<'_>) -> String {
    let of = |name: &str| call.env.get(name).cloned().unwrap_or_default();
    format!("{}-{}", of("RUNNER_OS"), of("RUNNER_ARCH"))
}
