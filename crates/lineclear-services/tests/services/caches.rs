//! Caches by the official client, version 2 of the protocol: traps 86 to 90, row S1-83.

use std::thread;

use lineclear_store::{Caches, Limits, Upkeep};
use serde_json::{Value, json};

use crate::client::{call, call_with_log};
use crate::http::{get, put, twirp};
use crate::world::{Job, World, noise};

const CLIENTS: [&str; 3] = ["cache4", "cache5", "cache6"];

fn save(key: &str) -> Value {
    json!(["saveCache", ["deps"], key])
}

fn restore(key: &str, further: &[&str]) -> Value {
    json!(["restoreCache", ["deps"], key, further])
}

/// Saves and looks up without a client, so that many cases cost little.
fn put_entry(world: &World, job: &Job, key: &str, content: &[u8]) {
    let entry = json!({ "key": key, "version": "v" });
    let created = twirp(world, job, "CacheService/CreateCacheEntry", &entry).json();
    assert_eq!(created["ok"], true, "{key}: {created}");
    let url = created["signed_upload_url"].as_str().expect("an address");
    assert_eq!(put(url, &[("x-ms-blob-type", "BlockBlob")], content).status, 201);
    let done = json!({ "key": key, "version": "v", "size_bytes": content.len().to_string() });
    let done = twirp(world, job, "CacheService/FinalizeCacheEntryUpload", &done).json();
    assert_eq!((&done["ok"], done["entry_id"].is_string()), (&json!(true), true), "{done}");
}

/// The key that is found; `None` for a miss.
fn found(world: &World, job: &Job, keys: &[&str]) -> Option<String> {
    let call = json!({ "key": keys[0], "restore_keys": &keys[1..], "version": "v" });
    let answer = twirp(world, job, "CacheService/GetCacheEntryDownloadURL", &call);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = answer.json();
    (answer["ok"] == true).then(|| answer["matched_key"].as_str().expect("a key").to_owned())
}

#[test]
fn each_client_saves_and_another_job_restores() {
    let world = World::new();
    for client in CLIENTS {
        let maker = world.job(&format!("save-{client}"));
        let large = noise(11, 3 << 20);
        maker.write("deps/lib/large.bin", &large);
        let key = format!("{client}-deps-1");
        let results = call(&world, &maker, client, &[save(&key)]);
        assert!(results[0]["value"].as_i64().is_some_and(|id| id > 0), "{results:?}");

        let taker = world.job(&format!("restore-{client}"));
        let prefix = format!("{client}-deps-");
        let results = call(
            &world,
            &taker,
            client,
            &[restore("nothing-like-it", &[]), restore(&format!("{prefix}2"), &[&prefix]), restore(&key, &[])],
        );
        assert_eq!(results[0]["value"], Value::Null, "{results:?}");
        assert_eq!((&results[1]["value"], &results[2]["value"]), (&json!(key), &json!(key)), "{results:?}");
        assert!(std::fs::read(taker.workspace.join("deps/lib/large.bin")).expect("the file") == large);
    }
    // Row S1-83: each look-up is heard with its reason.
    assert_eq!(world.heard.last_lookup().1, "exact key, from `refs/heads/main`");
    let facts = format!("{:?}", world.heard.facts.lock().expect("no poison"));
    assert!(facts.contains("no entry begins with `nothing-like-it`"), "{facts}");
}

#[test]
fn trap_88_a_second_save_is_refused_softly() {
    let world = World::new();
    let job = world.job("twice");
    job.write("deps/a", b"a");
    for client in CLIENTS {
        let key = format!("{client}-twice");
        let (results, log) = call_with_log(&world, &job, client, &[save(&key), save(&key)]);
        assert!(results[0]["value"].as_i64().is_some_and(|id| id > 0), "{results:?}");
        // No error and no annotation: one line of log.
        assert_eq!(results[1]["value"], -1, "{results:?}\n{log}");
        assert!(log.contains("Unable to reserve cache with key") && !log.contains("::warning"), "{log}");
    }
}

#[test]
fn two_writers_of_one_key_race_and_one_wins() {
    let world = World::new();
    let jobs = [world.job("one"), world.job("other")];
    for job in &jobs {
        job.write("deps/large", &noise(5, 2 << 20));
    }
    let ids: Vec<Value> = thread::scope(|scope| {
        let running: Vec<_> =
            jobs.iter().map(|job| scope.spawn(|| call(&world, job, "cache6", &[save("raced")])[0].clone())).collect();
        running.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    let mut won: Vec<bool> = ids.iter().map(|result| result["value"].as_i64().expect("no error") > 0).collect();
    won.sort_unstable();
    assert_eq!(won, [false, true], "{ids:?}");
    assert_eq!(world.store.list(Some("octo/app")).expect("a list").len(), 1);
}

#[test]
fn a_key_that_is_being_saved_is_taken_until_its_writer_is_gone() {
    let world = World::new();
    let (slow, other) = (world.job("slow"), world.job("other"));
    let entry = json!({ "key": "k", "version": "v" });
    let create = |job: &Job| twirp(&world, job, "CacheService/CreateCacheEntry", &entry).json();
    assert_eq!(create(&slow)["ok"], true);
    let refused = create(&other);
    // A message would be shown as a warning by newer clients.
    assert_eq!((&refused["ok"], &refused["message"]), (&json!(false), &Value::Null));
    drop(slow);
    assert_eq!(create(&other)["ok"], true, "the job with the reservation has ended");
    // Nothing is heard of it for long.
    world.later(3_600_000);
    let third = world.job("third");
    assert_eq!(create(&third)["ok"], true);
    let late = twirp(
        &world,
        &other,
        "CacheService/FinalizeCacheEntryUpload",
        &json!({ "key": "k", "version": "v", "size_bytes": 0 }),
    );
    assert_eq!((late.status, &late.json()["code"]), (404, &json!("not_found")));
}

#[test]
fn trap_87_a_prefix_finds_the_newest_and_keys_are_plain_text() {
    let world = World::new();
    let job = world.job("prefix");
    for key in ["pip-1", "pip-3", "pip-2", "a+b(c)[d].*$"] {
        put_entry(&world, &job, key, key.as_bytes());
        world.later(10);
    }
    assert_eq!(found(&world, &job, &["pip-x", "pip-"]).as_deref(), Some("pip-2"));
    assert_eq!(found(&world, &job, &["pip-"]).as_deref(), Some("pip-2"), "the key is a prefix as well");
    assert_eq!(found(&world, &job, &["pip-3", "pip-"]).as_deref(), Some("pip-3"));
    assert_eq!(found(&world, &job, &["x", "PIP-", "pip-1"]).as_deref(), Some("pip-1"));
    assert_eq!(found(&world, &job, &["p.p-.*"]), None);
    assert_eq!(found(&world, &job, &["a+b(c)["]).as_deref(), Some("a+b(c)[d].*$"));
    assert_eq!(found(&world, &job, &["a+b(c)[d].*$"]).as_deref(), Some("a+b(c)[d].*$"));
}

#[test]
fn trap_86_a_branch_sees_its_own_and_the_default_branch_and_nothing_else() {
    let world = World::new();
    let main = world.job("main");
    let feature = world.job_on("refs/heads/feature", "feature");
    let other = world.job_on("refs/heads/other", "other");
    let pull = world.job_of(1, "pull", |job| {
        job.reference = "refs/pull/7/merge".into();
        job.base_ref = "release".into();
        job.event_name = "pull_request".into();
    });
    let release = world.job_on("refs/heads/release", "release");
    put_entry(&world, &main, "k-main", b"m");
    put_entry(&world, &feature, "k-feature", b"f");
    put_entry(&world, &pull, "k-pull", b"p");
    put_entry(&world, &release, "k-release", b"r");
    // A key of another scope may be saved again.
    put_entry(&world, &feature, "k-main", b"f");

    for (job, sees) in [
        (&main, vec!["k-main"]),
        (&feature, vec!["k-main", "k-feature"]),
        (&other, vec!["k-main"]),
        (&pull, vec!["k-main", "k-pull", "k-release"]),
        (&release, vec!["k-main", "k-release"]),
    ] {
        for key in ["k-main", "k-feature", "k-pull", "k-release"] {
            let expected = sees.contains(&key).then(|| key.to_owned());
            assert_eq!(found(&world, job, &[key]), expected, "{key} from {}", job.access.caller().job);
        }
    }
    // Scope before key: the own scope's prefix wins over the default branch's exact key.
    assert_eq!(found(&world, &pull, &["k-release", "k-"]).as_deref(), Some("k-pull"));
    found(&world, &other, &["k-feature"]);
    let (matched, reason) = world.heard.last_lookup();
    assert_eq!(matched, None);
    assert!(reason.contains("exists only in `refs/heads/feature`, which this run may not read"), "{reason}");
    // Another repository has nothing of it.
    let foreign = world.job_of(1, "foreign", |job| job.caller.repository = "octo/else".into());
    assert_eq!(found(&world, &foreign, &["k-main"]), None);
}

#[test]
fn a_job_that_may_only_read_is_told_so_and_the_step_goes_on() {
    let world = World::new();
    put_entry(&world, &world.job("main"), "k", b"k");
    let reader = world.job_of(1, "reader", |job| job.cache_mode = lineclear_services::CacheMode::Read);
    assert_eq!(reader.variable("ACTIONS_CACHE_MODE"), "read");
    assert_eq!(found(&world, &reader, &["k"]).as_deref(), Some("k"));
    let refused = twirp(&world, &reader, "CacheService/CreateCacheEntry", &json!({ "key": "new", "version": "v" }));
    assert_eq!((refused.status, &refused.json()["code"]), (403, &json!("permission_denied")));
    assert!(refused.json()["msg"].as_str().is_some_and(|message| message.starts_with("cache write denied:")));
    reader.write("deps/a", b"a");
    for client in CLIENTS {
        // Older clients know no mode and ask; none fails.
        let (results, log) = call_with_log(&world, &reader, client, &[save("new")]);
        assert_eq!(results[0]["value"], -1, "{results:?}\n{log}");
    }
    let none = world.job_of(1, "none", |job| job.cache_mode = lineclear_services::CacheMode::None);
    let refused = twirp(&world, &none, "CacheService/GetCacheEntryDownloadURL", &json!({ "key": "k", "version": "v" }));
    assert_eq!(refused.status, 403);
    assert!(refused.json()["msg"].as_str().is_some_and(|message| message.starts_with("cache read denied:")));
}

/// Trap 90 and trap 85: what BuildKit's `type=gha` does.
#[test]
fn trap_90_the_go_client_reads_parts_and_sends_numbers() {
    let world = World::new();
    let job = world.job("buildkit");
    let content = noise(2, 200_000);
    let entry = json!({ "key": "buildkit-blob-1-sha256:abc", "version": "v" });
    let created = twirp(&world, &job, "CacheService/CreateCacheEntry", &entry).json();
    let url = created["signed_upload_url"].as_str().expect("an address");
    // Without the request id the Go client crashes.
    for (number, part) in content.chunks(50_000).enumerate().rev() {
        let answer = put(&format!("{url}&comp=block&blockid=AAA{number}"), &[], part);
        assert_eq!((answer.status, answer.header("x-ms-request-id").is_empty()), (201, false));
    }
    let list: String = (0..4).map(|number| format!("<Latest>AAA{number}</Latest>")).collect();
    let list = format!("<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>{list}</BlockList>");
    assert_eq!(put(&format!("{url}&comp=blocklist"), &[], list.as_bytes()).status, 201);
    let done = json!({ "key": "buildkit-blob-1-sha256:abc", "version": "v", "sizeBytes": content.len() });
    assert_eq!(twirp(&world, &job, "CacheService/FinalizeCacheEntryUpload", &done).json()["ok"], true);
    // It repeats its key among the restore keys, up to the limit.
    let keys: Vec<String> =
        (0..9).map(|number| format!("buildkit-other-{number}")).chain(["buildkit-blob-1-".into()]).collect();
    let call = json!({ "key": keys[0], "restoreKeys": keys, "version": "v" });
    let answer = twirp(&world, &job, "CacheService/GetCacheEntryDownloadURL", &call).json();
    assert_eq!(answer["matched_key"], "buildkit-blob-1-sha256:abc", "{answer}");
    let url = answer["signed_download_url"].as_str().expect("an address");
    for header in ["Range", "x-ms-range"] {
        let part = get(url, &[(header, "bytes=49990-150009")]);
        assert_eq!((part.status, part.header("content-range")), (206, "bytes 49990-150009/200000"));
        assert!(part.body == content[49_990..150_010]);
    }
    let nothing = get(url, &[("Range", "bytes=200000-")]);
    assert_eq!((nothing.status, nothing.header("content-range")), (416, "bytes */200000"));
    let whole = get(url, &[]);
    assert_eq!((whole.status, whole.header("content-length")), (200, "200000"));
    assert!(whole.body == content);
    let other = get(url, &[("If-Match", "\"another\"")]);
    assert_eq!(other.status, 412);
    assert_eq!(get(url, &[("If-Match", whole.header("etag"))]).status, 200);
}

#[test]
fn what_is_evicted_is_missed_with_the_reason() {
    let world = World::new();
    let job = world.job("evict");
    put_entry(&world, &job, "old", b"old");
    let url = {
        let call = json!({ "key": "old", "version": "v" });
        twirp(&world, &job, "CacheService/GetCacheEntryDownloadURL", &call).json()["signed_download_url"].clone()
    };
    let entry = world.store.list(None).expect("a list").remove(0);
    let later = entry.used.plus_millis(8 * 86_400_000);
    world.store.prune(later, &Limits::default()).expect("a prune");
    assert_eq!(found(&world, &job, &["old"]), None);
    assert_eq!(world.heard.last_lookup().1, "no cache of `octo/app` is in the store");
    assert_eq!(get(url.as_str().expect("an address"), &[]).status, 404, "its address leads nowhere");
}

#[test]
fn a_damaged_cache_is_a_miss_to_the_step_and_told() {
    let world = World::new();
    let job = world.job("damage");
    job.write("deps/a", &noise(9, 100_000));
    let results = call(&world, &job, "cache6", &[save("hurt")]);
    assert!(results[0]["value"].as_i64().is_some_and(|id| id > 0), "{results:?}");
    crate::blobs::flip_a_byte_of_every_block(&world.folder.path().join("store"));
    let results = call(&world, &job, "cache6", &[restore("hurt", &[])]);
    assert_eq!(results[0]["value"], Value::Null, "{results:?}");
    let warnings = world.heard.warnings.lock().expect("no poison").clone();
    assert!(warnings.iter().any(|warning| warning.contains("the cache `hurt`")), "{warnings:?}");
}

#[test]
fn unusable_keys_are_refused_with_the_reason() {
    let world = World::new();
    let job = world.job("keys");
    let create = |key: &str, version: &str| {
        twirp(&world, &job, "CacheService/CreateCacheEntry", &json!({ "key": key, "version": version }))
    };
    for (key, version, why) in
        [("", "v", "empty"), ("a,b", "v", "comma"), (&"k".repeat(513), "v", "512"), ("k", "", "version")]
    {
        let answer = create(key, version);
        assert_eq!(answer.status, 400);
        assert!(answer.json()["msg"].as_str().is_some_and(|message| message.contains(why)), "{}", answer.text());
    }
    let many: Vec<String> = (0..11).map(|number| format!("k{number}")).collect();
    let call = json!({ "key": "k", "restore_keys": many, "version": "v" });
    assert_eq!(twirp(&world, &job, "CacheService/GetCacheEntryDownloadURL", &call).status, 400);
}
