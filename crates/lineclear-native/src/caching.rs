//! Restoring and saving one cache, for `actions/cache` and for the `cache:` inputs of the setup actions.
//!
//! # Source
//! `@actions/cache` (keys, version) and GitHub's documentation of cache scopes.

use std::path::PathBuf;

use lineclear_event::AnnotationLevel;
use lineclear_runner::native::{Call, NativeError};
use lineclear_store::{CacheHit, CacheScope, Lookup, NewCache, SaveOutcome};
use sha2::{Digest, Sha256};

use crate::search;

/// Longest key that the service accepts, in characters.
const LONGEST_KEY: usize = 512;
/// Most keys in one look-up.
const MOST_KEYS: usize = 10;

/// A cache as an action's inputs describe it.
#[derive(Clone, Debug)]
pub(crate) struct CacheSpec {
    /// Paths and patterns as the user wrote them.
    pub(crate) paths: Vec<String>,
    pub(crate) key: String,
    pub(crate) restore_keys: Vec<String>,
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
/// A key that no cache can have.
pub(crate) fn restore(call: &mut Call<'_>, spec: &CacheSpec, mode: Mode) -> Result<Option<CacheHit>, NativeError> {
    check_keys(spec)?;
    let keys: Vec<String> = std::iter::once(&spec.key).chain(&spec.restore_keys).cloned().collect();
    let lookup = Lookup {
        repository: call.repository.clone(),
        keys: keys.clone(),
        version: version(&spec.paths),
        scopes: readable_scopes(call),
        now: call.now,
    };
    let caches = call.caches.clone();
    let hit = match caches.find(&lookup) {
        Ok(Ok(hit)) => hit,
        Ok(Err(miss)) => {
            call.effects.log(&format!("Cache not found for input keys: {}", keys.join(", ")));
            call.effects.log(&miss.reason);
            return Ok(None);
        }
        Err(error) => {
            warn(call, &format!("Failed to restore: {}", with_causes(&error)));
            return Ok(None);
        }
    };
    call.effects.log(&hit.reason);
    if mode == Mode::LookupOnly {
        call.effects.log(&format!("Cache found and can be restored from key: {}", hit.entry.key));
        return Ok(Some(hit));
    }
    let workspace = call.workspace().to_path_buf();
    match caches.restore(&hit, &workspace) {
        Ok(report) => {
            let size = megabytes(report.bytes);
            let files = report.files;
            let unchanged = match report.unchanged {
                0 => String::new(),
                unchanged => format!(", {unchanged} of them unchanged"),
            };
            call.effects.log(&format!("Cache Size: ~{size} MB ({} B), {files} files{unchanged}", report.bytes));
            call.effects.log(&format!("Cache restored from key: {}", hit.entry.key));
            Ok(Some(hit))
        }
        Err(error) => {
            warn(call, &format!("Failed to restore: {}", with_causes(&error)));
            Ok(None)
        }
    }
}

/// Saves the cache under its key. Trouble is a warning, a key that exists already is a line in the log.
///
/// # Errors
/// A key that no cache can have.
pub(crate) fn save(call: &mut Call<'_>, spec: &CacheSpec) -> Result<(), NativeError> {
    check_keys(spec)?;
    let workspace = call.workspace().to_path_buf();
    let found = search::cache_paths(call, &spec.paths)?;
    if found.is_empty() {
        let message = "Path Validation Error: Path(s) specified in the action for caching do(es) not exist, hence no cache is being saved.";
        warn(call, message);
        return Ok(());
    }
    let paths: Vec<PathBuf> =
        found.into_iter().map(|path| path.strip_prefix(&workspace).map_or(path.clone(), PathBuf::from)).collect();
    let new = NewCache {
        repository: call.repository.clone(),
        key: spec.key.clone(),
        version: version(&spec.paths),
        scope: CacheScope(text(&call.contexts.github, "ref").to_owned()),
        paths,
        now: call.now,
    };
    let caches = call.caches.clone();
    match caches.save(&new, &workspace) {
        Ok(SaveOutcome::Saved(entry)) => {
            let (size, stored) = (megabytes(entry.size), megabytes(entry.stored));
            call.effects.log(&format!("Cache Size: ~{size} MB ({} B), {} files, ~{stored} MB kept", entry.size, entry.files));
            call.effects.log(&format!("Cache saved with key: {}", spec.key));
        }
        Ok(SaveOutcome::Exists) => call.effects.log(&format!(
            "Failed to save: Unable to reserve cache with key {}, another job may be creating this cache or it exists already.",
            spec.key
        )),
        Err(error) => warn(call, &format!("Failed to save: {}", with_causes(&error))),
    }
    Ok(())
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
fn version(paths: &[String]) -> String {
    let parts = paths.iter().map(String::as_str).chain(["zstd-without-long", "1.0"]).collect::<Vec<_>>().join("|");
    Sha256::digest(parts.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn check_keys(spec: &CacheSpec) -> Result<(), NativeError> {
    if spec.restore_keys.len() + 1 > MOST_KEYS {
        return Err(NativeError(format!("Key Validation Error: Keys are limited to a maximum of {MOST_KEYS}.")));
    }
    for key in std::iter::once(&spec.key).chain(&spec.restore_keys) {
        if key.chars().count() > LONGEST_KEY {
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

/// The error with everything that caused it.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
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
        let spec = |key: &str| CacheSpec { paths: Vec::new(), key: key.into(), restore_keys: Vec::new() };
        assert!(check_keys(&spec("a")).is_ok());
        assert!(check_keys(&spec("a,b")).is_err_and(|error| error.0.contains("commas")));
        assert!(check_keys(&spec(&"x".repeat(513))).is_err_and(|error| error.0.contains("512")));
    }
}
