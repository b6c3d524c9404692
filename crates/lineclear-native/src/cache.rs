//! `actions/cache` and its halves `actions/cache/restore` and `actions/cache/save`.
//!
//! # Source
//! `action.yml` and `src/restoreImpl`, `src/saveImpl` of `actions/cache`: which outputs are set when, and that saving never fails
//! a step.

use lineclear_runner::native::{Call, InContainer, NativeAction, NativeError};

use crate::caching::{self, CacheSpec, Contents, Mode, Saved, text};

/// Restores now and, unless the key was found exactly, saves after the job's other steps.
#[derive(Debug)]
pub(crate) struct Cache;

/// Only restores.
#[derive(Debug)]
pub(crate) struct Restore;

/// Only saves.
#[derive(Debug)]
pub(crate) struct Save;

const KEY: &str = "key";
const MATCHED: &str = "matched";

/// What the inputs describe.
fn spec(call: &Call<'_>) -> Result<CacheSpec, NativeError> {
    let key = required(call, "key")?;
    required(call, "path")?;
    // As the real action: spaces after the `!` of a negation are no part of the path.
    let lines = |input: &str| {
        call.lines(input).into_iter().map(|line| match line.strip_prefix('!') {
            Some(rest) => format!("!{}", rest.trim_start()),
            None => line.to_owned(),
        })
    };
    let (paths, restore_keys) = (lines("path").collect(), lines("restore-keys").collect());
    Ok(CacheSpec { contents: Contents::Patterns(paths), key, restore_keys })
}

fn required(call: &Call<'_>, input: &str) -> Result<String, NativeError> {
    match call.input(input) {
        "" => Err(NativeError(format!("Input required and not supplied: {input}"))),
        value => Ok(value.to_owned()),
    }
}

/// These inputs are true for `true` in any case, and false for everything else.
fn is_true(call: &Call<'_>, input: &str) -> bool {
    call.input(input).eq_ignore_ascii_case("true")
}

/// Whether the event belongs to a ref, which is what caches are kept by.
fn has_ref(call: &mut Call<'_>) -> bool {
    let github = &call.contexts.github;
    if !text(github, "ref").is_empty() {
        return true;
    }
    let event = text(github, "event_name").to_owned();
    call.effects.log(&format!(
        "[warning]Event Validation Error: The event type {event} is not supported because it's not tied to a branch or tag ref."
    ));
    false
}

/// Restores and sets the output that both forms have. Gives the key that was found.
fn restore(call: &mut Call<'_>, spec: &CacheSpec) -> Result<Option<String>, NativeError> {
    let mode = if is_true(call, "lookup-only") { Mode::LookupOnly } else { Mode::Restore };
    let hit = caching::restore(call, spec, mode)?;
    let Some(hit) = hit else {
        if is_true(call, "fail-on-cache-miss") {
            return Err(NativeError(format!(
                "Failed to restore cache entry. Exiting as fail-on-cache-miss is set. Input key: {}",
                spec.key
            )));
        }
        // The real action leaves `cache-hit` empty on a miss.
        let keys: Vec<&str> = std::iter::once(&spec.key).chain(&spec.restore_keys).map(String::as_str).collect();
        call.effects.log(&format!("Cache not found for input keys: {}", keys.join(", ")));
        return Ok(None);
    };
    call.effects.output("cache-hit", if hit.exact { "true" } else { "false" });
    let how = if mode == Mode::LookupOnly { "found and can be restored" } else { "restored" };
    call.effects.log(&format!("Cache {how} from key: {}", hit.entry.key));
    Ok(Some(hit.entry.key))
}

impl NativeAction for Cache {
    fn name(&self) -> &'static str {
        "actions/cache"
    }

    fn in_container(&self) -> InContainer {
        InContainer::BuiltIn
    }

    fn metadata(&self) -> &'static str {
        "
name: Cache
inputs:
  path: { required: true }
  key: { required: true }
  restore-keys: {}
  upload-chunk-size: {}
  enableCrossOsArchive: { default: 'false' }
  fail-on-cache-miss: { default: 'false' }
  lookup-only: { default: 'false' }
  save-always: { default: 'false', deprecationMessage: 'save-always does not work as intended and will be removed' }
outputs:
  cache-hit: { description: true for an exact match of the key }
"
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        if !has_ref(call) {
            return Ok(());
        }
        // Kept before anything can fail: the post stage saves under it whatever the look-up comes to.
        call.state.insert(KEY.into(), required(call, "key")?);
        let spec = spec(call)?;
        let matched = restore(call, &spec)?;
        call.state.extend(matched.map(|key| (MATCHED.to_owned(), key)));
        Ok(())
    }

    fn has_post(&self) -> bool {
        true
    }

    fn post_if(&self) -> &'static str {
        "success()"
    }

    fn post(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        // The key as it was when the cache was restored: the files that it hashes may have changed since.
        let Some(key) = call.state.get(KEY).cloned() else { return Ok(()) };
        if !has_ref(call) {
            return Ok(());
        }
        if call.state.get(MATCHED) == Some(&key) {
            call.effects.log(&format!("Cache hit occurred on the primary key {key}, not saving cache."));
            return Ok(());
        }
        save(call, |spec| CacheSpec { key, ..spec });
        Ok(())
    }
}

impl NativeAction for Restore {
    fn name(&self) -> &'static str {
        "actions/cache/restore"
    }

    fn in_container(&self) -> InContainer {
        InContainer::BuiltIn
    }

    fn metadata(&self) -> &'static str {
        "
name: Restore Cache
inputs:
  path: { required: true }
  key: { required: true }
  restore-keys: {}
  enableCrossOsArchive: { default: 'false' }
  fail-on-cache-miss: { default: 'false' }
  lookup-only: { default: 'false' }
outputs:
  cache-hit: { description: true for an exact match of the key }
  cache-primary-key: { description: the key that was looked for }
  cache-matched-key: { description: the key that was found }
"
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        if !has_ref(call) {
            return Ok(());
        }
        // Set first: it is there even if the look-up fails the step.
        let key = required(call, "key")?;
        call.effects.output("cache-primary-key", &key);
        let spec = spec(call)?;
        let matched = restore(call, &spec)?;
        if let Some(key) = matched {
            call.effects.output("cache-matched-key", &key);
        }
        Ok(())
    }
}

impl NativeAction for Save {
    fn name(&self) -> &'static str {
        "actions/cache/save"
    }

    fn in_container(&self) -> InContainer {
        InContainer::BuiltIn
    }

    fn metadata(&self) -> &'static str {
        "
name: Save Cache
inputs:
  path: { required: true }
  key: { required: true }
  upload-chunk-size: {}
  enableCrossOsArchive: { default: 'false' }
"
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        if has_ref(call) && save(call, |spec| spec) == Saved::No {
            caching::warn(call, "Cache save failed.");
        }
        Ok(())
    }
}

/// Saves what the inputs describe. Inputs that describe nothing are a line in the log: saving never fails a step.
fn save(call: &mut Call<'_>, change: impl FnOnce(CacheSpec) -> CacheSpec) -> Saved {
    let spec = match spec(call) {
        Ok(spec) => change(spec),
        Err(error) => {
            call.effects.log(&format!("[warning]{error}"));
            return Saved::No;
        }
    };
    let saved = caching::save(call, &spec);
    if saved == Saved::Yes {
        call.effects.log(&format!("Cache saved with key: {}", spec.key));
    }
    saved
}
