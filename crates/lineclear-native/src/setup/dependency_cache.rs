//! The `cache:` inputs of the setup actions: what a package manager downloaded is kept from run to run.
//!
//! # Source
//! `src/cache-distributions` of `actions/setup-python`, `src/cache-restore` of `actions/setup-node` and `actions/setup-go`,
//! `src/cache` of `actions/setup-java`: keys, and who falls back to caches of other dependencies (Python only).

use std::path::PathBuf;

use lineclear_runner::native::{Call, NativeError};

use crate::caching::{self, CacheSpec, Contents, Mode, Saved};
use crate::search;

const KEY: &str = "dependency-cache-key";
const NAMES: &str = "dependency-cache-folders";
const MATCHED: &str = "dependency-cache-matched";

/// A package manager's cache.
#[derive(Clone, Debug)]
pub(crate) struct DependencyCache {
    /// What keys begin with: `setup-python-Linux-X64-python-3.12.1-pip`.
    pub(crate) prefix: String,
    /// Folders, as [`own_folder`] names them.
    pub(crate) folders: Vec<&'static str>,
    /// Files whose contents decide the key: as the user names them, or the manager's own.
    pub(crate) dependency_files: Vec<String>,
    /// Whether the newest cache of other dependencies will do where there is none of these.
    pub(crate) falls_back: bool,
}

/// A folder of the job for what package managers download: caches of the user are neither read nor filled, and nothing is in it
/// that the restored cache did not bring or the job did not download.
pub(crate) fn own_folder(call: &Call<'_>, name: &str) -> PathBuf {
    base(call).join(name)
}

fn base(call: &Call<'_>) -> PathBuf {
    call.room.layout().temp.join("_downloads")
}

fn contents(call: &Call<'_>, names: Vec<String>) -> Contents {
    Contents::Folders { base: base(call), names }
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
    for name in &cache.folders {
        let folder = call.reached("the folder of downloads", own_folder(call, name))?;
        std::fs::create_dir_all(&folder)
            .map_err(|error| NativeError(format!("cannot make `{}`: {error}", folder.display())))?;
    }
    let names: Vec<String> = cache.folders.iter().map(|&name| name.to_owned()).collect();
    let key = format!("{}-{hash}", cache.prefix);
    let restore_keys = if cache.falls_back { vec![format!("{}-", cache.prefix)] } else { Vec::new() };
    let spec = CacheSpec { contents: contents(call, names.clone()), key: key.clone(), restore_keys };
    let hit = caching::restore(call, &spec, Mode::Restore)?;
    match &hit {
        Some(hit) => call.effects.log(&format!("Cache restored from key: {}", hit.entry.key)),
        None => call.effects.log(&format!("Cache is not found for key {key}")),
    }
    call.effects.output("cache-hit", if hit.as_ref().is_some_and(|hit| hit.exact) { "true" } else { "false" });
    call.state.insert(KEY.into(), key);
    call.state.insert(NAMES.into(), names.join("\n"));
    call.state.extend(hit.map(|hit| (MATCHED.to_owned(), hit.entry.key)));
    Ok(())
}

/// Saves the cache in the post stage, unless it was found under its very key.
pub(crate) fn save(call: &mut Call<'_>) -> Result<(), NativeError> {
    let (Some(key), Some(names)) = (call.state.get(KEY).cloned(), call.state.get(NAMES).cloned()) else {
        return Ok(());
    };
    if call.state.get(MATCHED) == Some(&key) {
        call.effects.log(&format!("Cache hit occurred on the primary key {key}, not saving cache."));
        return Ok(());
    }
    let names: Vec<String> = names.lines().map(str::to_owned).collect();
    let is_empty =
        |name: &String| std::fs::read_dir(own_folder(call, name)).map_or(true, |mut entries| entries.next().is_none());
    if names.iter().all(is_empty) {
        call.effects.log("Nothing was downloaded, so there is nothing to cache.");
        return Ok(());
    }
    let spec = CacheSpec { contents: contents(call, names), key, restore_keys: Vec::new() };
    if caching::save(call, &spec) == Saved::Yes {
        call.effects.log(&format!("Cache saved with the key: {}", spec.key));
    }
    Ok(())
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
