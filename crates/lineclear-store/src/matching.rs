//! Which cache entry a look-up finds, and why: the rules of GitHub's cache service as pure functions.

use lineclear_event::Timestamp;

use crate::{CacheEntry, CacheHit, CacheKind, CacheMiss, CacheScope, Lookup, StoreError};

/// The longest key, in UTF-16 code units, as the official client counts.
pub const MAX_KEY_LENGTH: usize = 512;

/// How many keys a look-up may have: the key and its restore keys.
pub const MAX_KEYS: usize = 10;

/// How many near keys a miss lists.
const NEAREST: usize = 3;

/// Whether `key` may name an entry.
///
/// # Errors
/// [`StoreError::Refused`] for an empty key, one longer than [`MAX_KEY_LENGTH`], and one with a comma.
///
/// # Source
/// `checkKey` of the npm package `@actions/cache`.
pub fn check_cache_key(key: &str) -> Result<(), StoreError> {
    if key.is_empty() {
        return Err(StoreError::Refused("the cache key is empty; give `key` a text".into()));
    }
    let length = key.encode_utf16().count();
    if length > MAX_KEY_LENGTH {
        let start: String = key.chars().take(40).collect();
        return Err(StoreError::Refused(format!(
            "the cache key `{start}…` has {length} characters; at most {MAX_KEY_LENGTH} are allowed: hash its long part"
        )));
    }
    if key.contains(',') {
        return Err(StoreError::Refused(format!("the cache key `{key}` has a comma, which separates keys; remove it")));
    }
    Ok(())
}

/// Whether a look-up may be made: at least one key, at most [`MAX_KEYS`], each of them valid. Empty restore keys, as an empty
/// `restore-keys` input gives, are allowed and match nothing.
///
/// # Errors
/// [`StoreError::Refused`] with the reason.
pub fn check_lookup(lookup: &Lookup) -> Result<(), StoreError> {
    let Some((first, further)) = lookup.keys.split_first() else {
        return Err(StoreError::Refused("a cache look-up needs a key".into()));
    };
    if lookup.keys.len() > MAX_KEYS {
        return Err(StoreError::Refused(format!(
            "a cache look-up has {} keys; at most {MAX_KEYS} are allowed, the restore keys included",
            lookup.keys.len()
        )));
    }
    check_cache_key(first)?;
    further.iter().filter(|key| !key.is_empty()).try_for_each(|key| check_cache_key(key))
}

/// The entry that `lookup` finds among `entries`, or the reason why none.
///
/// For each readable scope in turn: the first key exactly, then as a prefix, then each restore key exactly, then as a prefix;
/// of several, the newest. The version must be equal. Keys are plain text: case matters, and `.` or `*` mean themselves.
/// Only entries of `kind` are seen; a miss tells of one of the other kind that would have matched. `entries` may be in any order,
/// of any repository and kind; `dropped` are sentences about entries that could not be read.
///
/// # Source
/// GitHub's "Dependency caching" page, cache key matching, and the behaviour of its service.
pub fn choose(
    entries: &[CacheEntry],
    kind: CacheKind,
    lookup: &Lookup,
    dropped: &[String],
) -> Result<CacheHit, CacheMiss> {
    let (ours, others): (Vec<&CacheEntry>, Vec<&CacheEntry>) =
        entries.iter().filter(|entry| entry.repository == lookup.repository).partition(|entry| entry.kind == kind);
    for scope in &lookup.scopes {
        let readable = ours.iter().filter(|entry| entry.scope == *scope && entry.version == lookup.version);
        for (index, key) in lookup.keys.iter().enumerate().filter(|(_, key)| !key.is_empty()) {
            let exact = newest(readable.clone().filter(|entry| entry.key == *key).copied());
            if let Some(entry) = exact {
                let reason = match index {
                    0 => format!("exact key, from `{}`", scope.0),
                    _ => format!("restore key `{key}` exactly, from `{}`", scope.0),
                };
                return Ok(CacheHit { entry: entry.clone(), exact: index == 0, reason });
            }
            let prefixed = newest(readable.clone().filter(|entry| entry.key.starts_with(key.as_str())).copied());
            if let Some(entry) = prefixed {
                let reason = format!("newest entry that begins with `{key}`: `{}`, from `{}`", entry.key, scope.0);
                return Ok(CacheHit { entry: entry.clone(), exact: false, reason });
            }
        }
    }
    let mut reasons = dropped.to_vec();
    reasons.push(why_none(&ours, lookup));
    reasons.extend(of_other_kind(&others, kind, lookup));
    Err(CacheMiss { reason: reasons.join("; ") })
}

fn newest<'a>(entries: impl Iterator<Item = &'a CacheEntry>) -> Option<&'a CacheEntry> {
    entries.max_by_key(|entry| (entry.created, entry.id))
}

/// The most telling reason for a miss: what would have matched but for its paths, but for its scope, or what comes nearest.
fn why_none(ours: &[&CacheEntry], lookup: &Lookup) -> String {
    if ours.is_empty() {
        return format!("no cache of `{}` is in the store", lookup.repository);
    }
    let wanted: Vec<&str> = lookup.keys.iter().map(String::as_str).filter(|key| !key.is_empty()).collect();
    let begins = |entry: &&&CacheEntry| wanted.iter().any(|key| entry.key.starts_with(key));
    let readable = |entry: &&&CacheEntry| lookup.scopes.contains(&entry.scope);
    let mut reasons = Vec::new();

    let other_paths: Vec<&&CacheEntry> =
        ours.iter().filter(begins).filter(readable).filter(|entry| entry.version != lookup.version).collect();
    if !other_paths.is_empty() {
        let same = other_paths.iter().filter(|entry| Some(entry.key.as_str()) == wanted.first().copied()).count();
        reasons.push(match same {
            0 => format!("{} with a matching prefix, but saved with other paths", count(other_paths.len())),
            _ => format!("{} with this key, but saved with other paths", count(same)),
        });
    }

    let elsewhere = ours.iter().filter(begins).filter(|entry| !readable(entry));
    let (same, other): (Vec<&&CacheEntry>, Vec<&&CacheEntry>) =
        elsewhere.partition(|entry| entry.version == lookup.version);
    // What two things keep from being found is worth telling only where one alone does not.
    let (elsewhere, and_paths) = match same.is_empty() && reasons.is_empty() {
        true => (other, ", and was saved with other paths"),
        false => (same, ""),
    };
    let elsewhere = elsewhere.into_iter();
    let mut scopes: Vec<&CacheScope> = elsewhere.clone().map(|entry| &entry.scope).collect();
    scopes.sort_by(|left, right| left.0.cmp(&right.0));
    scopes.dedup();
    if let Some(entry) = newest(elsewhere.copied()) {
        let what = if Some(entry.key.as_str()) == wanted.first().copied() { "this key" } else { entry.key.as_str() };
        let what = if what == "this key" { what.to_owned() } else { format!("`{what}`") };
        reasons.push(format!(
            "{what} exists only in {}, which this run may not read (it reads {}){and_paths}",
            list(scopes.iter().map(|s| s.0.as_str())),
            { list(lookup.scopes.iter().map(|s| s.0.as_str())) }
        ));
    }

    if reasons.is_empty() {
        let near = nearest(ours, lookup);
        let prefixes = list(wanted.iter().copied());
        reasons.push(match near.is_empty() {
            true => format!("no entry begins with {prefixes}"),
            false => format!("no entry begins with {prefixes}; nearest: {}", list(near.into_iter())),
        });
    }
    reasons.join("; ")
}

/// Says when an entry of the other kind would have been found: a step of an official action looks for what a native one kept, or
/// the other way about.
fn of_other_kind(others: &[&CacheEntry], kind: CacheKind, lookup: &Lookup) -> Option<String> {
    let wanted = lookup.keys.iter().filter(|key| !key.is_empty());
    let begins = |entry: &&&CacheEntry| wanted.clone().any(|key| entry.key.starts_with(key.as_str()));
    let found = others.iter().filter(begins).filter(|entry| lookup.scopes.contains(&entry.scope));
    let entry = newest(found.copied())?;
    Some(match kind {
        CacheKind::Files => format!("`{}` was saved by a client as an archive of its own", entry.key),
        CacheKind::Archive => format!("`{}` was saved as files by the native cache", entry.key),
    })
}

fn count(entries: usize) -> String {
    if entries == 1 { "there is 1 entry".into() } else { format!("there are {entries} entries") }
}

fn list<'a>(items: impl Iterator<Item = &'a str>) -> String {
    items.map(|item| format!("`{item}`")).collect::<Vec<_>>().join(", ")
}

/// Keys that share the longest beginning with a wanted one, the newest first among equals.
fn nearest<'a>(ours: &[&'a CacheEntry], lookup: &Lookup) -> Vec<&'a str> {
    let shared = |key: &str| -> usize {
        lookup
            .keys
            .iter()
            .map(|wanted| key.chars().zip(wanted.chars()).take_while(|(left, right)| left == right).count())
            .max()
            .unwrap_or(0)
    };
    let mut ranked: Vec<(usize, Timestamp, &str)> = ours
        .iter()
        .filter(|entry| lookup.scopes.contains(&entry.scope))
        .map(|entry| (shared(&entry.key), entry.created, entry.key.as_str()))
        .filter(|(length, ..)| *length > 0)
        .collect();
    ranked.sort_by(|left, right| right.cmp(left));
    let mut keys: Vec<&str> = Vec::new();
    for (_, _, key) in ranked {
        if !keys.contains(&key) && keys.len() < NEAREST {
            keys.push(key);
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(id: u64, key: &str, version: &str, scope: &str, created: i64) -> CacheEntry {
        CacheEntry {
            id,
            repository: "o/r".into(),
            key: key.into(),
            version: version.into(),
            scope: CacheScope(scope.into()),
            created: Timestamp(created),
            used: Timestamp(created),
            files: 1,
            size: 1,
            stored: 1,
            kind: CacheKind::Files,
        }
    }

    fn lookup(keys: &[&str], scopes: &[&str]) -> Lookup {
        Lookup {
            repository: "o/r".into(),
            keys: keys.iter().map(|key| (*key).into()).collect(),
            version: "v".into(),
            scopes: scopes.iter().map(|scope| CacheScope((*scope).into())).collect(),
            now: Timestamp(0),
        }
    }

    fn check_choice(entries: &[CacheEntry], keys: &[&str], scopes: &[&str], expected: &str) {
        let found = match choose(entries, CacheKind::Files, &lookup(keys, scopes), &[]) {
            Ok(hit) => format!("{} {}: {}", hit.entry.id, hit.exact, hit.reason),
            Err(miss) => format!("miss: {}", miss.reason),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn an_exact_key_wins_over_a_newer_prefix_match() {
        let entries = [entry(1, "pip-a", "v", "main", 1), entry(2, "pip-a-b", "v", "main", 9)];
        check_choice(&entries, &["pip-a"], &["main"], "1 true: exact key, from `main`");
    }

    /// Row S1-32, trap 87.
    #[test]
    fn trap_87_a_prefix_finds_the_newest_and_regex_characters_mean_themselves() {
        let entries =
            [entry(1, "pip-1", "v", "main", 1), entry(2, "pip-2", "v", "main", 5), entry(3, "pip-3", "v", "main", 3)];
        check_choice(
            &entries,
            &["pip-x", "pip-"],
            &["main"],
            "2 false: newest entry that begins with `pip-`: `pip-2`, from `main`",
        );
        check_choice(
            &entries,
            &["p.p-.*"],
            &["main"],
            "miss: no entry begins with `p.p-.*`; nearest: `pip-2`, `pip-3`, `pip-1`",
        );
        let literal = [entry(1, "a+b(c)[d].*", "v", "main", 1)];
        check_choice(&literal, &["a+b(c)[d].*"], &["main"], "1 true: exact key, from `main`");
    }

    /// Rows S4-54, trap 86.
    #[test]
    fn trap_86_own_scope_comes_first_then_the_default_branch_and_siblings_are_not_seen() {
        let entries = [entry(1, "k-1", "v", "refs/heads/main", 9), entry(2, "k-2", "v", "refs/heads/feature", 1)];
        check_choice(
            &entries,
            &["k-1", "k-"],
            &["refs/heads/feature", "refs/heads/main"],
            "2 false: newest entry that begins with `k-`: `k-2`, from `refs/heads/feature`",
        );
        check_choice(
            &entries,
            &["k-2"],
            &["refs/heads/other", "refs/heads/main"],
            "miss: this key exists only in `refs/heads/feature`, which this run may not read (it reads `refs/heads/other`, `refs/heads/main`)",
        );
    }

    /// Row S4-53: version+branch, version+main, branch, main, general, in the order of the keys.
    #[test]
    fn restore_keys_are_tried_in_their_order() {
        let all = [
            entry(1, "v2-feature-1", "v", "main", 1),
            entry(2, "v2-main-1", "v", "main", 2),
            entry(3, "feature-1", "v", "main", 3),
            entry(4, "main-1", "v", "main", 4),
            entry(5, "general-1", "v", "main", 5),
        ];
        let keys = ["v2-feature-x", "v2-feature-", "v2-main-", "feature-", "main-", "general-"];
        for first in 0..all.len() {
            let hit =
                choose(&all[first..], CacheKind::Files, &lookup(&keys, &["main"]), &[]).expect("one of them matches");
            assert_eq!(hit.entry.id, all[first].id);
        }
    }

    #[test]
    fn a_miss_says_what_stood_in_the_way() {
        check_choice(&[], &["k"], &["main"], "miss: no cache of `o/r` is in the store");
        let entries = [entry(1, "k", "other", "main", 1), entry(2, "k", "third", "main", 1)];
        check_choice(
            &entries,
            &["k"],
            &["main"],
            "miss: there are 2 entries with this key, but saved with other paths",
        );
        check_choice(
            &entries[..1],
            &["x", "k"],
            &["main"],
            "miss: there is 1 entry with a matching prefix, but saved with other paths",
        );
        check_choice(&[entry(1, "zz", "v", "main", 1)], &["k"], &["main"], "miss: no entry begins with `k`");
        check_choice(
            &[entry(1, "k", "other", "feature", 1)],
            &["k"],
            &["main"],
            "miss: this key exists only in `feature`, which this run may not read (it reads `main`), and was saved with other paths",
        );
        let archive = CacheEntry { kind: CacheKind::Archive, ..entry(1, "k-1", "v", "main", 1) };
        check_choice(
            std::slice::from_ref(&archive),
            &["k-"],
            &["main"],
            "miss: no cache of `o/r` is in the store; `k-1` was saved by a client as an archive of its own",
        );
        let elsewhere = CacheEntry { scope: CacheScope("feature".into()), ..archive };
        check_choice(&[elsewhere], &["k-"], &["main"], "miss: no cache of `o/r` is in the store");
        let miss =
            choose(&[], CacheKind::Files, &lookup(&["k"], &[]), &["entry `k` was damaged and has been dropped".into()]);
        let reason = miss.expect_err("there is none").reason;
        assert_eq!(reason, "entry `k` was damaged and has been dropped; no cache of `o/r` is in the store");
    }

    #[test]
    fn keys_are_refused_with_the_reason() {
        let refusal = |key: &str| check_cache_key(key).expect_err("it is refused").to_string();
        assert_eq!(refusal(""), "the cache key is empty; give `key` a text");
        assert_eq!(refusal("a,b"), "the cache key `a,b` has a comma, which separates keys; remove it");
        assert!(refusal(&"é".repeat(513)).contains("has 513 characters; at most 512"));
        check_cache_key(&"é".repeat(512)).expect("512 characters are allowed");
        let many = ["a"; 11];
        assert!(check_lookup(&lookup(&many, &[])).expect_err("too many").to_string().contains("11 keys; at most 10"));
        check_lookup(&lookup(&["a", ""], &[])).expect("an empty restore key is allowed");
        assert!(check_lookup(&lookup(&[], &[])).is_err());
    }

    proptest! {
        /// The rule once more, as a sort: the best candidate by (scope, key, exactness, newness).
        #[test]
        fn choice_agrees_with_the_rule_written_as_a_ranking(
            kept in proptest::collection::vec(("[ab]{1,3}", "[vw]", "[mf]", 0..5_i64), 0..12),
            keys in proptest::collection::vec("[ab]{1,3}", 1..4),
            scopes in proptest::collection::vec("[mfx]", 0..3),
        ) {
            let entries: Vec<CacheEntry> = kept
                .iter()
                .enumerate()
                .map(|(id, (key, version, scope, created))| entry(id as u64, key, version, scope, *created))
                .collect();
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
            let mut best = None;
            for candidate in entries.iter().filter(|candidate| candidate.version == "v") {
                for (place, _) in scopes.iter().enumerate().filter(|(_, scope)| **scope == candidate.scope.0) {
                    for (number, key) in keys.iter().enumerate() {
                        if !candidate.key.starts_with(key) {
                            continue;
                        }
                        let rank = (place, number, candidate.key != *key, -candidate.created.0, u64::MAX - candidate.id);
                        if best.as_ref().is_none_or(|(known, _)| rank < *known) {
                            best = Some((rank, candidate.id));
                        }
                    }
                }
            }
            let found = choose(&entries, CacheKind::Files, &lookup(&keys, &scopes), &[]).ok().map(|hit| hit.entry.id);
            prop_assert_eq!(found, best.map(|(_, id)| id));
        }
    }
}
