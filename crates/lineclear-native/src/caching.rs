//! Restoring and saving one cache, for `actions/cache` and for the `cache:` inputs of the setup actions.
//!
//! # Source
//! `@actions/cache` (keys, version) and GitHub's documentation of cache scopes.

use std::path::PathBuf;

use lineclear_event::{AnnotationLevel, Fact, hexadecimal, with_causes};
use lineclear_runner::OutOfReach;
use lineclear_runner::native::{Call, NativeError};
use lineclear_store::{CacheHit, CacheScope, Lookup, NewCache, SaveOutcome};
use sha2::{Digest, Sha256};

use crate::search;

/// Longest key that the service accepts, in characters.
const LONGEST_KEY: usize = 512;
/// Most keys in one look-up.
const MOST_KEYS: usize = 10;

/// A cache that is looked for or to be kept.
#[derive(Clone, Debug)]
pub(crate) struct CacheSpec {
    pub(crate) contents: Contents,
    pub(crate) key: String,
    pub(crate) restore_keys: Vec<String>,
}

/// What a cache holds.
#[derive(Clone, Debug)]
pub(crate) enum Contents {
    /// What paths and patterns, as the user wrote them, find from the workspace.
    Patterns(Vec<String>),
    /// Folders by their names in `base`, which may be another folder in each job.
    Folders { base: PathBuf, names: Vec<String> },
}

impl Contents {
    /// What the version is made from: caches of other paths are other caches.
    fn names(&self) -> &[String] {
        match self {
            Self::Patterns(names) | Self::Folders { names, .. } => names,
        }
    }

    fn base(&self, call: &Call<'_>) -> PathBuf {
        match self {
            Self::Patterns(_) => call.workspace().to_path_buf(),
            Self::Folders { base, .. } => base.clone(),
        }
    }

    /// The paths that are there, relative to the base where they lie in it.
    fn find(&self, call: &Call<'_>) -> Result<Vec<PathBuf>, NativeError> {
        match self {
            Self::Patterns(patterns) => {
                let workspace = call.workspace();
                let relative = |path: PathBuf| match path.strip_prefix(workspace) {
                    Ok(rest) if rest.as_os_str().is_empty() => PathBuf::from("."),
                    Ok(rest) => rest.to_path_buf(),
                    Err(_) => path,
                };
                Ok(search::cache_paths(call, patterns)?.into_iter().map(relative).collect())
            }
            Self::Folders { base, names } => {
                Ok(names.iter().filter(|name| base.join(name).is_dir()).map(PathBuf::from).collect())
            }
        }
    }

    /// Whether what is named may be read and written.
    fn reach(&self, call: &Call<'_>) -> Result<Result<(), OutOfReach>, NativeError> {
        match self {
            Self::Patterns(patterns) => search::cache_reach(call, patterns),
            Self::Folders { base, names } => Ok(names.iter().try_for_each(|name| call.reach.check(&base.join(name)))),
        }
    }
}

/// What to do with a cache that is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Restore,
    LookupOnly,
}

/// Looks the cache up, restores it, and says in the log what was found and why.
///
/// Trouble with the store is a warning and counts as a miss, as with the real action: a build can do without its cache.
///
/// # Errors
/// A key that no cache can have; a path that is out of the job's reach. One in the home folder is a warning and counts as a miss: workflows
/// often name some, and the job's own home folder begins as the user's.
pub(crate) fn restore(call: &mut Call<'_>, spec: &CacheSpec, mode: Mode) -> Result<Option<CacheHit>, NativeError> {
    check_keys(spec)?;
    match spec.contents.reach(call)? {
        Ok(()) => {}
        Err(out) if out.is_in_home() => {
            let why = format!("input `path`: {out}");
            warn(call, &format!("Nothing is restored or saved: {why}"));
            tell(call, spec, None, why, 0);
            return Ok(None);
        }
        Err(out) => return Err(NativeError(format!("input `path`: {out}"))),
    }
    let keys: Vec<String> = std::iter::once(&spec.key).chain(&spec.restore_keys).cloned().collect();
    let lookup = Lookup {
        repository: call.repository.clone(),
        keys,
        version: version(spec.contents.names()),
        scopes: readable_scopes(call),
        now: call.now,
    };
    let caches = call.caches.clone();
    let hit = match caches.find(&lookup) {
        Ok(Ok(hit)) => hit,
        Ok(Err(miss)) => {
            call.effects.log(&format!("Cache miss: {}", miss.reason));
            tell(call, spec, None, miss.reason, 0);
            return Ok(None);
        }
        Err(error) => {
            let why = with_causes(&error);
            warn(call, &format!("Failed to restore: {why}"));
            tell(call, spec, None, format!("the look-up failed: {why}"), 0);
            return Ok(None);
        }
    };
    let how = if hit.exact { "Cache hit for" } else { "Cache hit for restore-key" };
    call.effects.log(&format!("{how}: {} ({})", hit.entry.key, hit.reason));
    if mode == Mode::LookupOnly {
        call.effects.log("Lookup only - skipping download");
        tell(call, spec, Some(&hit), hit.reason.clone(), 0);
        return Ok(Some(hit));
    }
    let base = spec.contents.base(call);
    match caches.restore(&hit, &base) {
        Ok(report) => {
            let (size, bytes, files) = (megabytes(report.bytes), report.bytes, report.files);
            let unchanged = match report.unchanged {
                0 => String::new(),
                unchanged => format!(", {unchanged} of them unchanged"),
            };
            call.effects.log(&format!("Cache Size: ~{size} MB ({bytes} B), {files} files{unchanged}"));
            call.effects.log("Cache restored successfully");
            tell(call, spec, Some(&hit), hit.reason.clone(), bytes);
            Ok(Some(hit))
        }
        Err(error) => {
            let why = with_causes(&error);
            warn(call, &format!("Failed to restore: {why}"));
            tell(call, spec, None, format!("`{}` was found and could not be restored: {why}", hit.entry.key), 0);
            Ok(None)
        }
    }
}

/// Puts a look-up into the run's record: hit rates, `why` and `cache why` are made of these.
fn tell(call: &mut Call<'_>, spec: &CacheSpec, hit: Option<&CacheHit>, reason: String, size: u64) {
    let matched = hit.map(|hit| hit.entry.key.clone());
    call.effects.fact(Fact::Cache { key: spec.key.clone(), matched, reason, size });
}

/// What became of a cache that was to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Saved {
    Yes,
    No,
}

/// Saves the cache under its key. Nothing that goes wrong here fails a step: trouble is a warning, and a key that exists
/// already is a line in the log (trap 88).
pub(crate) fn save(call: &mut Call<'_>, spec: &CacheSpec) -> Saved {
    match try_to_save(call, spec) {
        Ok(saved) => saved,
        Err(error) => {
            call.effects.log(&format!("[warning]{error}"));
            Saved::No
        }
    }
}

fn try_to_save(call: &mut Call<'_>, spec: &CacheSpec) -> Result<Saved, NativeError> {
    check_keys(spec)?;
    if let Err(out) = spec.contents.reach(call)? {
        return Err(NativeError(format!("Nothing is saved: input `path`: {out}")));
    }
    let paths = spec.contents.find(call)?;
    if paths.is_empty() {
        return Err(NativeError(
            "Path Validation Error: Path(s) specified in the action for caching do(es) not exist, hence no cache is being saved."
                .into(),
        ));
    }
    let new = NewCache {
        repository: call.repository.clone(),
        key: spec.key.clone(),
        version: version(spec.contents.names()),
        scope: CacheScope(text(&call.contexts.github, "ref").to_owned()),
        paths,
        now: call.now,
    };
    let (caches, base) = (call.caches.clone(), spec.contents.base(call));
    match caches.save(&new, &base) {
        Ok(SaveOutcome::Saved(entry)) => {
            let (size, stored) = (megabytes(entry.size), megabytes(entry.stored));
            let (bytes, files) = (entry.size, entry.files);
            call.effects.log(&format!(
                "Cache Size: ~{size} MB ({bytes} B), {files} files; ~{stored} MB of it are new to the store"
            ));
            Ok(Saved::Yes)
        }
        Ok(SaveOutcome::Exists) => {
            let why = "another job may be creating this cache, or it exists already";
            call.effects.log(&format!("Failed to save: Unable to reserve cache with key {}, {why}.", spec.key));
            Ok(Saved::No)
        }
        Err(error) => {
            warn(call, &format!("Failed to save: {}", with_causes(&error)));
            Ok(Saved::No)
        }
    }
}

/// Own ref, then the pull request's base branch, then the default branch.
fn readable_scopes(call: &Call<'_>) -> Vec<CacheScope> {
    let github = &call.contexts.github;
    let branch = |name: &str| (!name.is_empty()).then(|| CacheScope(format!("refs/heads/{name}")));
    let mut scopes = vec![CacheScope(text(github, "ref").to_owned())];
    scopes.extend(branch(text(github, "base_ref")));
    scopes.extend(branch(github["event"]["repository"]["default_branch"].as_str().unwrap_or_default()));
    let mut seen = std::collections::BTreeSet::new();
    scopes.retain(|scope| seen.insert(scope.0.clone()));
    scopes
}

/// Caches of other paths are other caches: this is what the paths, the compression and the format hash to.
pub fn version(paths: &[String]) -> String {
    let parts = paths.iter().map(String::as_str).chain(["zstd-without-long", "1.0"]).collect::<Vec<_>>().join("|");
    hexadecimal(&Sha256::digest(parts.as_bytes()))
}

fn check_keys(spec: &CacheSpec) -> Result<(), NativeError> {
    if spec.restore_keys.len() + 1 > MOST_KEYS {
        return Err(NativeError(format!("Key Validation Error: Keys are limited to a maximum of {MOST_KEYS}.")));
    }
    for key in std::iter::once(&spec.key).chain(&spec.restore_keys) {
        if key.encode_utf16().count() > LONGEST_KEY {
            return Err(NativeError(format!(
                "Key Validation Error: {key} cannot be larger than {LONGEST_KEY} characters."
            )));
        }
        if key.contains(',') {
            return Err(NativeError(format!("Key Validation Error: {key} cannot contain commas.")));
        }
    }
    Ok(())
}

pub(crate) fn warn(call: &mut Call<'_>, message: &str) {
    call.effects.annotate(AnnotationLevel::Warning, message);
}

/// A text member of a JSON object; empty when absent.
pub(crate) fn text<'a>(object: &'a serde_json::Value, key: &str) -> &'a str {
    object[key].as_str().unwrap_or_default()
}

fn megabytes(bytes: u64) -> u64 {
    (bytes + 512 * 1024) / (1024 * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_one_that_the_official_client_computes() {
        assert!(version(&["in/a.txt".into()]).starts_with("b8b33487"));
    }

    #[test]
    fn impossible_keys_are_refused() {
        let spec = |key: &str| CacheSpec {
            contents: Contents::Patterns(Vec::new()),
            key: key.into(),
            restore_keys: Vec::new(),
        };
        assert!(check_keys(&spec("a")).is_ok());
        assert!(check_keys(&spec("a,b")).is_err_and(|error| error.0.contains("commas")));
        assert!(check_keys(&spec(&"x".repeat(513))).is_err_and(|error| error.0.contains("512")));
    }
}
