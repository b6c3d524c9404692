//! Keeping what cargo has built: `Swatinem/rust-cache`, and the `cache` input of `actions-rust-lang/setup-rust-toolchain`.
//!
//! What cargo downloads is in the user's own cargo home, which jobs on this machine share and which stays. What is kept here are
//! the target folders, which each job's private copy of the working tree begins without.
//!
//! # Source
//! The documentation of `Swatinem/rust-cache`: inputs, what a key is made of, that caches of other dependencies will do.

use std::path::{Component, Path};

use lineclear_runner::native::{Call, NativeAction, NativeError, RunOptions};

use super::dependency_cache::platform;
use crate::caching::{self, CacheSpec, Contents, Mode, Saved, text};
use crate::search;

const KEY: &str = "rust-cache-key";
const PATHS: &str = "rust-cache-paths";
const MATCHED: &str = "rust-cache-matched";

/// What the cache is to be.
#[derive(Clone, Debug, Default)]
pub(super) struct RustCache<'a> {
    pub(super) prefix: &'a str,
    /// In place of the job's id: jobs that say the same share a cache.
    pub(super) shared_key: &'a str,
    pub(super) key: &'a str,
    /// `folder -> target`, one a line.
    pub(super) workspaces: Vec<&'a str>,
    pub(super) lookup_only: bool,
}

/// The action by itself.
#[derive(Debug)]
pub(super) struct RustCacheAction;

impl NativeAction for RustCacheAction {
    fn name(&self) -> &'static str {
        "swatinem/rust-cache"
    }

    fn metadata(&self) -> &'static str {
        "
name: Rust Cache
inputs:
  prefix-key: { default: v0-rust }
  shared-key: {}
  key: {}
  add-job-id-key: { default: 'true' }
  add-rust-environment-hash-key: { default: 'true' }
  env-vars: {}
  workspaces: {}
  cache-directories: {}
  cache-targets: { default: 'true' }
  cache-on-failure: {}
  cache-all-crates: { default: 'false' }
  cache-workspace-crates: { default: 'false' }
  save-if: { default: 'true' }
  cache-provider: { default: github }
  cache-bin: { default: 'true' }
  lookup-only: { default: 'false' }
  cmd-format: { default: '{0}' }
outputs:
  cache-hit: { description: whether the cache was found under its very key }
"
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        let inputs = call.inputs.clone();
        let of = |name: &str| inputs.get(name).map_or("", |value| value.trim());
        let cache = RustCache {
            prefix: of("prefix-key"),
            shared_key: of("shared-key"),
            key: of("key"),
            workspaces: of("workspaces").lines().map(str::trim).filter(|line| !line.is_empty()).collect(),
            lookup_only: of("lookup-only") == "true",
        };
        let is_hit = restore(call, &cache)?;
        call.effects.output("cache-hit", if is_hit { "true" } else { "false" });
        Ok(())
    }

    fn has_post(&self) -> bool {
        true
    }

    fn post_if(&self) -> &'static str {
        "success() || env.CACHE_ON_FAILURE == 'true'"
    }

    fn post(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        if call.input("save-if") == "false" {
            call.effects.log("Not saving the cache: `save-if` is false");
            return Ok(());
        }
        save(call);
        Ok(())
    }
}

/// Restores the target folders. Gives whether they were kept for these very dependencies and compiler.
///
/// # Errors
/// A folder outside of the workspace, or no compiler.
pub(super) fn restore(call: &mut Call<'_>, cache: &RustCache<'_>) -> Result<bool, NativeError> {
    let workspaces = if cache.workspaces.is_empty() { vec![". -> target"] } else { cache.workspaces.clone() };
    let mut paths = Vec::new();
    for line in workspaces {
        let (folder, target) = line.split_once("->").unwrap_or((line, "target"));
        paths.push(inside(folder.trim(), target.trim())?);
    }
    let compiler = RunOptions { quiet: true, ..RunOptions::default() };
    let compiler = call.effects.capture("rustc", &["-vV"], compiler)?;
    let field =
        |name: &str| compiler.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned();
    let commit: String = field("commit-hash:").chars().take(8).collect();
    let patterns =
        ["**/Cargo.lock", "**/Cargo.toml", "**/rust-toolchain", "**/rust-toolchain.toml", "**/.cargo/config.toml"];
    let mut files: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
    files.extend(paths.iter().map(|path| format!("!{path}/**")));
    let hash: String = search::hash_files(call, &files)?.chars().take(16).collect();
    let who = match (cache.shared_key, cache.key) {
        ("", "") => call.env.get("GITHUB_JOB").cloned().unwrap_or_default(),
        ("", key) => format!("{key}-{}", call.env.get("GITHUB_JOB").map_or("", String::as_str)),
        (shared, _) => shared.to_owned(),
    };
    let before = [cache.prefix, &who, &platform(call), &field("release:"), &commit];
    let before =
        before.iter().filter(|part| !part.is_empty()).map(|part| part.replace(',', "-")).collect::<Vec<_>>().join("-");
    let key = format!("{before}-{hash}");
    let spec = CacheSpec {
        contents: Contents::Patterns(paths.clone()),
        key: key.clone(),
        restore_keys: vec![format!("{before}-")],
    };
    if text(&call.contexts.github, "ref").is_empty() {
        return Ok(false);
    }
    let mode = if cache.lookup_only { Mode::LookupOnly } else { Mode::Restore };
    let hit = caching::restore(call, &spec, mode)?;
    let is_exact = hit.as_ref().is_some_and(|hit| hit.exact);
    call.effects.log(&match &hit {
        Some(hit) => format!("Restored from cache key \"{}\" full match: {is_exact}.", hit.entry.key),
        None => format!("No cache found for key \"{key}\"."),
    });
    // Where nothing changed, cargo is right to build nothing; half-built state for the next run helps nobody.
    call.effects.export("CARGO_INCREMENTAL", "0");
    call.state.insert(KEY.into(), key);
    call.state.insert(PATHS.into(), paths.join("\n"));
    call.state.extend(hit.map(|hit| (MATCHED.to_owned(), hit.entry.key)));
    Ok(is_exact)
}

/// Saves the target folders in the post stage, unless they were found under their very key.
pub(super) fn save(call: &mut Call<'_>) {
    let (Some(key), Some(paths)) = (call.state.get(KEY).cloned(), call.state.get(PATHS).cloned()) else { return };
    if call.state.get(MATCHED) == Some(&key) {
        call.effects.log("Cache up-to-date.");
        return;
    }
    let paths: Vec<String> = paths.lines().map(str::to_owned).collect();
    if !paths.iter().any(|path| call.workspace().join(path).is_dir()) {
        call.effects.log("Nothing was built, so there is nothing to cache.");
        return;
    }
    let spec = CacheSpec { contents: Contents::Patterns(paths), key, restore_keys: Vec::new() };
    if caching::save(call, &spec) == Saved::Yes {
        call.effects.log(&format!("Cache saved with key: {}", spec.key));
    }
}

/// The target folder of a workspace, from the job's workspace.
fn inside(folder: &str, target: &str) -> Result<String, NativeError> {
    let path = Path::new(folder).join(target);
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::Normal(name) => parts.push(name.to_string_lossy().into_owned()),
            _ => {
                let path = path.display();
                return Err(NativeError(format!(
                    "the target folder `{path}` is not below the workspace, and cannot be cached"
                )));
            }
        }
    }
    Ok(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn target_folders_lie_in_the_workspace() {
        assert_eq!(inside(".", "target").expect("it does"), "target");
        assert_eq!(inside("./fuzz", "out/x").expect("it does"), "fuzz/out/x");
        assert!(inside("..", "target").is_err() && inside(".", "/tmp/x").is_err());
    }
}
