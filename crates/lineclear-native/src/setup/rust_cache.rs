//! Keeping what cargo has built: `Swatinem/rust-cache`, and the `cache` input of `actions-rust-lang/setup-rust-toolchain`.
//!
//! What cargo downloads is in the user's own cargo home, which jobs on this machine share and which stays. What is kept here are
//! the target folders, which each job's private copy of the working tree begins without.
//!
//! # Source
//! The documentation of `Swatinem/rust-cache`: inputs, what a key is made of, that caches of other dependencies will do.

use std::path::{Component, Path};

use lineclear_runner::native::{Call, NativeAction, NativeError, RunOptions};
use sha2::{Digest, Sha256};

use super::dependency_cache::platform;
use crate::caching::{self, CacheSpec, Contents, Mode, Saved, text};
use crate::search;

const KEY: &str = "rust-cache-key";
const PATHS: &str = "rust-cache-paths";
const MATCHED: &str = "rust-cache-matched";

/// The condition of the post stage: what was built by a job that failed is kept only where that is asked for.
pub(super) const POST_IF: &str = "success() || env.CACHE_ON_FAILURE == 'true'";

/// Variables with these beginnings change what is built.
const VARIABLES: [&str; 6] = ["CARGO", "CC", "CFLAGS", "CXX", "CMAKE", "RUST"];

/// What the cache is to be.
#[derive(Clone, Debug, Default)]
pub(super) struct RustCache {
    pub(super) prefix: String,
    /// In place of key and job: jobs that say the same share a cache.
    pub(super) shared_key: String,
    pub(super) key: String,
    /// Whether jobs have caches of their own.
    pub(super) with_job: bool,
    /// Beginnings of further variables that change what is built.
    pub(super) env: String,
    /// `folder -> target`, one a line.
    pub(super) workspaces: String,
    pub(super) targets: bool,
    /// Further folders.
    pub(super) folders: String,
    pub(super) on_failure: String,
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
        let of = |input: &str| call.input(input).to_owned();
        let cache = RustCache {
            prefix: of("prefix-key"),
            shared_key: of("shared-key"),
            key: of("key"),
            with_job: of("add-job-id-key").eq_ignore_ascii_case("true"),
            env: of("env-vars"),
            workspaces: of("workspaces"),
            targets: of("cache-targets") != "false",
            folders: of("cache-directories"),
            on_failure: of("cache-on-failure"),
            lookup_only: of("lookup-only").eq_ignore_ascii_case("true"),
        };
        let is_hit = restore(call, &cache)?;
        call.effects.output("cache-hit", if is_hit { "true" } else { "false" });
        Ok(())
    }

    fn has_post(&self) -> bool {
        true
    }

    fn post_if(&self) -> &'static str {
        POST_IF
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
pub(super) fn restore(call: &mut Call<'_>, cache: &RustCache) -> Result<bool, NativeError> {
    let lines: Vec<&str> = cache.workspaces.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let mut paths: Vec<String> = Vec::new();
    for line in if lines.is_empty() { vec!["."] } else { lines } {
        let (folder, target) = line.split_once("->").unwrap_or((line, "target"));
        paths.push(inside(folder.trim(), target.trim())?);
    }
    let targets = paths.clone();
    if !cache.targets {
        paths.clear();
    }
    paths.extend(cache.folders.split_whitespace().map(str::to_owned));
    if !cache.on_failure.is_empty() {
        call.effects.export("CACHE_ON_FAILURE", &cache.on_failure);
    }
    call.effects.export("CARGO_INCREMENTAL", "0");
    if paths.is_empty() || text(&call.contexts.github, "ref").is_empty() {
        call.effects.log("There is nothing to cache: what cargo downloads stays on this machine anyway");
        return Ok(false);
    }
    let before = key_of_surroundings(call, cache)?;
    let files =
        ["**/Cargo.lock", "**/Cargo.toml", "**/rust-toolchain", "**/rust-toolchain.toml", "**/.cargo/config.toml"];
    let mut files: Vec<String> = files.iter().map(|pattern| (*pattern).to_owned()).collect();
    files.extend(targets.iter().map(|path| format!("!{path}/**")));
    let hash: String = search::hash_files(call, &files)?.chars().take(16).collect();
    let key = format!("{before}-{hash}");
    let restore_keys = vec![format!("{before}-")];
    let spec = CacheSpec { contents: Contents::Patterns(paths.clone()), key: key.clone(), restore_keys };
    let mode = if cache.lookup_only { Mode::LookupOnly } else { Mode::Restore };
    let hit = caching::restore(call, &spec, mode)?;
    let is_exact = hit.as_ref().is_some_and(|hit| hit.exact);
    call.effects.log(&match &hit {
        Some(hit) => format!("Restored from cache key \"{}\" full match: {is_exact}.", hit.entry.key),
        None => format!("No cache found for key \"{key}\"."),
    });
    call.state.insert(KEY.into(), key);
    call.state.insert(PATHS.into(), paths.join("\n"));
    call.state.extend(hit.map(|hit| (MATCHED.to_owned(), hit.entry.key)));
    Ok(is_exact)
}

/// All of the key but the dependencies: what it is called, the machine, the compiler, the variables.
fn key_of_surroundings(call: &mut Call<'_>, cache: &RustCache) -> Result<String, NativeError> {
    let quiet = RunOptions { quiet: true, ..RunOptions::default() };
    let compiler = call.effects.capture("rustc", &["-vV"], quiet)?;
    let mut hash = Sha256::new();
    hash.update(&compiler);
    let further = cache.env.split_whitespace();
    let beginnings: Vec<&str> = VARIABLES.into_iter().chain(further).collect();
    for (name, value) in &call.env {
        if !value.is_empty() && beginnings.iter().any(|beginning| name.starts_with(beginning)) {
            hash.update(format!("{name}={value}\n"));
        }
    }
    let surroundings = lineclear_event::hexadecimal(&hash.finalize()[..4]);
    let job = call.env.get("GITHUB_JOB").filter(|_| cache.with_job).map_or("", String::as_str);
    let platform = platform(call);
    let prefix = if cache.prefix.is_empty() { "v0-rust" } else { &cache.prefix };
    let parts = match cache.shared_key.as_str() {
        "" => vec![prefix, &cache.key, job, &platform, &surroundings],
        shared => vec![prefix, shared, &platform, &surroundings],
    };
    // A comma would make the key one that no cache can have.
    Ok(parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-").replace(',', "-"))
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
