//! `actions/cache` and its halves `actions/cache/restore` and `actions/cache/save`.

use lineclear_runner::native::{Call, NativeAction, NativeError};

use crate::caching::{self, CacheSpec, Mode};

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

fn spec(call: &Call<'_>) -> Result<CacheSpec, NativeError> {
    let required = |name: &str| match call.input(name) {
        "" => Err(NativeError(format!("Input required and not supplied: {name}"))),
        value => Ok(value.to_owned()),
    };
    required("path")?;
    let own = |lines: Vec<&str>| lines.into_iter().map(str::to_owned).collect();
    Ok(CacheSpec {
        paths: own(call.lines("path")),
        key: required("key")?,
        restore_keys: own(call.lines("restore-keys")),
    })
}

/// Restores and sets the outputs that both forms have. Gives the key that was found.
fn restore(call: &mut Call<'_>) -> Result<(CacheSpec, Option<String>), NativeError> {
    let spec = spec(call)?;
    let mode = if call.flag("lookup-only")? { Mode::LookupOnly } else { Mode::Restore };
    let hit = caching::restore(call, &spec, mode)?;
    match &hit {
        Some(hit) => call.effects.output("cache-hit", if hit.exact { "true" } else { "false" }),
        None if call.flag("fail-on-cache-miss")? => {
            return Err(NativeError(format!(
                "Failed to restore cache entry. Exiting as fail-on-cache-miss is set. Input key: {}",
                spec.key
            )));
        }
        // The real action leaves the output empty on a miss.
        None => {}
    }
    Ok((spec, hit.map(|hit| hit.entry.key)))
}

impl NativeAction for Cache {
    fn name(&self) -> &'static str {
        "actions/cache"
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
        let (spec, matched) = restore(call)?;
        call.state.insert(KEY.into(), spec.key);
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
        if call.state.get(MATCHED) == Some(&key) {
            call.effects.log(&format!("Cache hit occurred on the primary key {key}, not saving cache."));
            return Ok(());
        }
        let spec = CacheSpec { key, ..spec(call)? };
        caching::save(call, &spec)
    }
}

impl NativeAction for Restore {
    fn name(&self) -> &'static str {
        "actions/cache/restore"
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
        // Set first: it is there even if the look-up fails the step.
        let key = call.input("key").to_owned();
        call.effects.output("cache-primary-key", &key);
        let (_, matched) = restore(call)?;
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
        let spec = spec(call)?;
        caching::save(call, &spec)
    }
}
