//! The cache services: two protocols over the same rules.
//!
//! Version 2 is Twirp, version 1 REST; what they may read and write, and which entry a look-up finds, is the same. A job reads
//! the scopes of [`JobIdentity::readable_scopes`](crate::JobIdentity::readable_scopes) and writes one (trap 86). That somebody
//! has saved a key already, or is about to, is no error: the client is told softly, and its step goes on (trap 88).

mod v1;
mod v2;

use lineclear_event::Fact;
use lineclear_store::{
    CacheEntry, Lookup, MAX_KEY_LENGTH, NewCacheArchive, SaveOutcome, check_cache_key, check_lookup,
};

use crate::artifact::{BeginError, begin_upload, check_size, not_uploaded, too_many};
use crate::services::Shared;
use crate::session::Session;
use crate::twirp::{Code, Fault};
use crate::upload::{CacheIdentity, NotBegun, Purpose, Upload};

pub(crate) use v1::rest;
pub(crate) use v2::method;

/// An entry that a look-up found, and where its archive is.
#[derive(Debug)]
struct Found {
    entry: CacheEntry,
    url: String,
}

/// Looks for the keys in the job's scopes and tells the listener what came of it (row S1-83).
fn look_up(shared: &Shared, session: &Session, keys: Vec<String>, version: &str) -> Result<Option<Found>, Fault> {
    let identity = &session.identity;
    if !identity.cache_mode.can_read() {
        return Err(denied("read", identity.cache_mode.as_str()));
    }
    check_version(version)?;
    let now = shared.now();
    let lookup = Lookup {
        repository: identity.caller.repository.clone(),
        keys: without_repeats(keys),
        version: version.to_owned(),
        scopes: identity.readable_scopes(),
        now,
    };
    check_lookup(&lookup)?;
    let found = shared.config.archives.find_archive(&lookup)?;
    let key = lookup.keys.into_iter().next().unwrap_or_default();
    let observed = |matched, reason, size| {
        shared.config.listener.observed(&identity.caller, Fact::Cache { key, matched, reason, size });
    };
    match found {
        Ok(hit) => {
            observed(Some(hit.entry.key.clone()), hit.reason, hit.entry.size);
            let url = shared.downloads.offer(shared, session.run(), &hit.entry, now);
            Ok(Some(Found { entry: hit.entry, url }))
        }
        Err(miss) => {
            observed(None, miss.reason, 0);
            Ok(None)
        }
    }
}

/// The keys once each, in their order: the Go client sends its key among the restore keys as well.
fn without_repeats(keys: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    keys.into_iter().filter(|key| seen.insert(key.clone())).collect()
}

/// Begins an upload to a key of the job's own scope. `None` when the key is taken.
fn reserve(shared: &Shared, session: &Session, key: &str, version: &str) -> Result<Option<Upload>, Fault> {
    let identity = &session.identity;
    if !identity.cache_mode.can_write() {
        return Err(denied("write", identity.cache_mode.as_str()));
    }
    check_cache_key(key)?;
    check_version(version)?;
    let now = shared.now();
    let wanted = cache_identity(session, key, version);
    let lookup = Lookup {
        repository: wanted.repository.clone(),
        keys: vec![key.to_owned()],
        version: version.to_owned(),
        scopes: vec![wanted.scope.clone()],
        now,
    };
    let exists = matches!(shared.config.archives.find_archive(&lookup)?, Ok(hit) if hit.exact);
    if exists || shared.uploads.is_reserved(&wanted, now, shared.config.limits.reservation) {
        return Ok(None);
    }
    match begin_upload(shared, session, Purpose::Cache(wanted), now) {
        Ok(upload) => Ok(Some(upload)),
        Err(BeginError::NotBegun(NotBegun::Reserved)) => Ok(None),
        Err(BeginError::NotBegun(NotBegun::TooMany)) => Err(too_many()),
        Err(BeginError::Store(fault)) => Err(fault),
    }
}

fn cache_identity(session: &Session, key: &str, version: &str) -> CacheIdentity {
    CacheIdentity {
        repository: session.identity.caller.repository.clone(),
        scope: session.identity.own_scope(),
        key: key.to_owned(),
        version: version.to_owned(),
    }
}

/// Makes an entry of an assembled upload. `None` when another writer was faster.
fn commit(shared: &Shared, upload: &Upload, size: u64) -> Result<Option<u64>, Fault> {
    if let Some(id) = upload.kept {
        return Ok(Some(id));
    }
    let Purpose::Cache(identity) = &upload.purpose else { return Err(not_uploaded()) };
    let content = upload.content.as_ref().ok_or_else(not_uploaded)?;
    check_size(size, content.size)?;
    let outcome = shared.config.archives.keep_cache(&NewCacheArchive {
        repository: identity.repository.clone(),
        key: identity.key.clone(),
        version: identity.version.clone(),
        scope: identity.scope.clone(),
        upload: upload.id.clone(),
        now: shared.now(),
    })?;
    match outcome {
        SaveOutcome::Saved(entry) => {
            shared.uploads.change(&upload.id.0, |upload| upload.kept = Some(entry.id));
            Ok(Some(entry.id))
        }
        SaveOutcome::Exists => {
            shared.uploads.forget(&upload.id.0);
            Ok(None)
        }
    }
}

/// Clients show a message that begins so as it is, and do not fail the step.
fn denied(what: &str, mode: &str) -> Fault {
    Fault::new(Code::PermissionDenied, format!("cache {what} denied: the caches of this job are `{mode}`"))
}

fn check_version(version: &str) -> Result<(), Fault> {
    if version.is_empty() || version.len() > MAX_KEY_LENGTH {
        return Err(Fault::new(
            Code::InvalidArgument,
            format!("`version` has to have 1 to {MAX_KEY_LENGTH} characters"),
        ));
    }
    Ok(())
}
