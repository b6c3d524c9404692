//! Caches of builds that travel: `type=gha`, and the others where a builder has none of its own.
//!
//! A complete BuildKit writes its cache into a folder, and the folder is kept under the scope. A builder inside of an engine cannot:
//! there, the images themselves are the cache, each saying how it was made (*inline*); they are saved, kept under the scope, and loaded
//! again. With `mode=max` the named stages that the image needs are kept as images too.
//!
//! # Source
//! BuildKit's documentation of cache storage backends: scopes, modes, what *inline* can hold.

use std::path::Path;

use lineclear_dockerfile::{Dockerfile, Stage};
use lineclear_oci::Digest;
use lineclear_runner::native::{Call, NativeError, RunOptions};

use super::builder::last_line;
use super::inputs::{Cache, CacheEntry};
use crate::caching::{self, CacheSpec, Contents, Mode};

/// The folder that is kept, in whichever folder it is at the time.
const NAME: &str = "image-cache";
/// Images of a cache, as an engine saves them.
const ARCHIVE: &str = "images.tar";

/// What of a builder's cache is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The folder that BuildKit writes.
    BuildKit,
    /// Images of an engine.
    Images,
}

impl Form {
    fn prefix(self, scope: &str) -> String {
        let form = match self {
            Self::BuildKit => "buildkit",
            Self::Images => "images",
        };
        // A key has no commas.
        format!("image-cache-{form}-{}-", scope.replace(',', "-"))
    }
}

/// Restores the newest cache of the scope into `base`. Gives its folder, if there is one.
///
/// # Errors
/// A scope that no key can have.
pub(crate) fn restore(
    call: &mut Call<'_>,
    form: Form,
    scope: &str,
    base: &Path,
) -> Result<Option<String>, NativeError> {
    let prefix = form.prefix(scope);
    let spec = CacheSpec {
        contents: Contents::Folders { base: base.to_owned(), names: vec![NAME.to_owned()] },
        key: prefix.clone(),
        restore_keys: vec![prefix],
    };
    let hit = caching::restore(call, &spec, Mode::Restore)?;
    Ok(hit.map(|_| base.join(NAME).to_string_lossy().into_owned()))
}

/// The folder below `base` that [`save`] keeps.
pub(crate) fn folder_to_save(base: &Path) -> std::path::PathBuf {
    base.join(NAME)
}

/// Keeps the folder below `base` under the scope. `contents` names what is in it: what is kept already is not kept again.
pub(crate) fn save(call: &mut Call<'_>, form: Form, scope: &str, base: &Path, contents: &str) {
    let digest = Digest::of(contents.as_bytes());
    let key = format!("{}{}", form.prefix(scope), digest.short());
    let spec = CacheSpec {
        contents: Contents::Folders { base: base.to_owned(), names: vec![NAME.to_owned()] },
        key: key.clone(),
        restore_keys: Vec::new(),
    };
    if caching::save(call, &spec) == caching::Saved::Yes {
        call.effects.log(&format!("Build cache saved with key: {key}"));
    }
}

/// Loads the images of a cache into the engine, and gives their names.
///
/// # Errors
/// If the engine does not take them: a build can do without.
pub(crate) fn load(call: &mut Call<'_>, folder: &Path) -> Result<Vec<String>, NativeError> {
    let archive = call.room.seen(&folder.join(ARCHIVE)).to_string_lossy().into_owned();
    let quiet = RunOptions { quiet: true, ..RunOptions::default() };
    let said = call.effects.capture("docker", &["load", "--input", &archive], quiet)?;
    let names = said.lines().filter_map(|line| line.trim().strip_prefix("Loaded image: ")).map(str::to_owned);
    Ok(names.collect())
}

/// Saves images, by their ids, into the folder, under names that say to which cache they belong. Gives the names.
///
/// # Errors
/// If the engine does not save them.
pub(crate) fn unload(
    call: &mut Call<'_>,
    ids: &[String],
    scope: &str,
    folder: &Path,
) -> Result<Vec<String>, NativeError> {
    let quiet = RunOptions { quiet: true, ..RunOptions::default() };
    let scope: String = scope.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let scope = scope.trim_matches('-');
    let mut names = Vec::new();
    for id in ids {
        let short: String = id.trim_start_matches("sha256:").chars().take(24).collect();
        let name = format!("lineclear-cache/{}:{short}", if scope.is_empty() { "default" } else { scope });
        call.effects.capture("docker", &["tag", id, &name], quiet)?;
        names.push(name);
    }
    std::fs::create_dir_all(folder)
        .map_err(|error| NativeError(format!("cannot make the folder `{}`: {error}", folder.display())))?;
    let archive = call.room.seen(&folder.join(ARCHIVE)).to_string_lossy().into_owned();
    let mut args = vec!["save", "--output", &archive];
    args.extend(names.iter().map(String::as_str));
    let saved = call.effects.capture("docker", &args, quiet).map(drop);
    forget(call, &names);
    saved.map(|()| names)
}

/// Takes the names away again that caches gave; the layers stay where images use them.
pub(crate) fn forget(call: &mut Call<'_>, names: &[String]) {
    let quiet = RunOptions { quiet: true, ..RunOptions::default() };
    for name in names {
        if let Err(NativeError(problem)) = call.effects.capture("docker", &["image", "rm", "--no-prune", name], quiet) {
            call.effects.log(&format!("note: `{name}` stays in the engine: {}", last_line(&problem)));
        }
    }
}

/// The named stages that the image needs and that are not the image itself: what `mode=max` keeps beyond `mode=min`.
pub(crate) fn stages(file: &Dockerfile, target: &str) -> Vec<String> {
    let by_name = |stage: &&Stage| stage.from.name.as_ref().is_some_and(|name| name.raw().eq_ignore_ascii_case(target));
    let last = if target.is_empty() { file.stages.last() } else { file.stages.iter().rev().find(by_name) };
    let Some(last) = last else { return Vec::new() };
    let needed = file.needed_by(last);
    let stages = file.stages.iter().zip(needed).filter(|(stage, is)| *is && stage.index != last.index);
    stages.filter_map(|(stage, _)| stage.from.name.as_ref()).map(|name| name.raw().to_owned()).collect()
}

/// The caches of this type, as `(scope, is_max)`.
pub(crate) fn services(entries: &[CacheEntry]) -> Vec<(String, bool)> {
    let service = |entry: &CacheEntry| match &entry.cache {
        Cache::Service { scope, is_max } => Some((scope.clone(), *is_max)),
        _ => None,
    };
    entries.iter().filter_map(service).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lineclear_source::Source;

    #[test]
    fn max_keeps_the_stages_that_are_needed_and_have_a_name() {
        let text = "FROM a AS deps\nRUN x\nFROM deps AS build\nRUN y\nFROM c AS docs\nFROM d AS run\nCOPY --from=build /x /x\n";
        let (file, _) = Dockerfile::read(&Source::new("Dockerfile", text));
        assert_eq!(stages(&file, ""), ["deps", "build"]);
        assert_eq!(stages(&file, "build"), ["deps"]);
        assert!(stages(&file, "none").is_empty());
    }

    #[test]
    fn scopes_are_parts_of_keys() {
        assert_eq!(Form::Images.prefix("web,app"), "image-cache-images-web-app-");
    }
}
