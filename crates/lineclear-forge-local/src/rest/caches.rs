//! Caches, as the store has them.

use lineclear_forge::ApiResponse;
use lineclear_store::{CacheEntry, StoreError};
use serde_json::{Value, json};

use super::{not_offered, number};
use crate::call::{Answer, Call, Refusal, time};

/// `rest` begins with `caches` or `cache`.
pub(super) fn route(call: &Call<'_>, method: &str, rest: &[&str]) -> Answer {
    match (method, rest) {
        ("GET", ["cache", "usage"]) => {
            let all = entries(call)?;
            Ok(ApiResponse::json(
                200,
                &json!({
                    "full_name": call.facts().full_name(),
                    "active_caches_size_in_bytes": all.iter().map(|entry| entry.size).sum::<u64>(),
                    "active_caches_count": all.len(),
                }),
            ))
        }
        ("GET", ["caches"]) => list(call),
        ("DELETE", ["caches"]) => delete_by_key(call),
        ("DELETE", ["caches", id]) => {
            let id = number(id)?;
            // Only caches of this repository can be removed through it.
            if !entries(call)?.iter().any(|entry| entry.id == id) {
                return Err(Refusal::not_found());
            }
            call.forge.ports().caches.remove(id)?;
            Ok(ApiResponse::empty(204))
        }
        _ => not_offered(call),
    }
}

fn entries(call: &Call<'_>) -> Result<Vec<CacheEntry>, Refusal> {
    Ok(call.forge.ports().caches.list(Some(&call.facts().full_name()))?)
}

fn list(call: &Call<'_>) -> Answer {
    let mut all = entries(call)?;
    all.retain(|entry| {
        call.query("key").is_none_or(|key| entry.key.starts_with(key))
            && call.query("ref").is_none_or(|scope| entry.scope.0 == scope)
    });
    match call.query("sort").unwrap_or("last_accessed_at") {
        "created_at" => all.sort_by_key(|entry| entry.created),
        "size_in_bytes" => all.sort_by_key(|entry| entry.size),
        _ => all.sort_by_key(|entry| entry.used),
    }
    if call.query("direction") != Some("asc") {
        all.reverse();
    }
    Ok(call.counted_page("actions_caches", &all, shown))
}

fn delete_by_key(call: &Call<'_>) -> Answer {
    let key = call
        .query("key")
        .filter(|key| !key.is_empty())
        .ok_or_else(|| Refusal::invalid("Cache", "key", "missing_field"))?;
    let mut found = entries(call)?;
    found.retain(|entry| entry.key == key && call.query("ref").is_none_or(|scope| entry.scope.0 == scope));
    if found.is_empty() {
        return Err(Refusal::not_found());
    }
    for entry in &found {
        match call.forge.ports().caches.remove(entry.id) {
            // Gone in between is as good.
            Ok(()) | Err(StoreError::NotFound { .. }) => {}
            Err(fault) => return Err(fault.into()),
        }
    }
    let shown: Vec<Value> = found.iter().map(shown).collect();
    Ok(ApiResponse::json(200, &json!({"total_count": shown.len(), "actions_caches": shown})))
}

fn shown(entry: &CacheEntry) -> Value {
    json!({
        "id": entry.id,
        "ref": entry.scope.0,
        "key": entry.key,
        "version": entry.version,
        "last_accessed_at": time(entry.used),
        "created_at": time(entry.created),
        "size_in_bytes": entry.size,
    })
}
