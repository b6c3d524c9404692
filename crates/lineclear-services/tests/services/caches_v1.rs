//! Version 1 of the cache protocol: older clients, and newer ones where the server's name is foreign to them.

use serde_json::{Value, json};

use crate::client::{call, call_with_log};
use crate::http::{Answer, get, send};
use crate::world::{Job, World, noise};

fn rest(world: &World, job: &Job, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let authorization = format!("Bearer {}", job.access.runtime_token);
    let mut all =
        vec![("Authorization", authorization.as_str()), ("Accept", "application/json;api-version=6.0-preview.1")];
    all.extend_from_slice(headers);
    send(&world.address(), method, &format!("/_apis/artifactcache/{path}"), &all, body)
}

#[test]
fn a_foreign_server_name_makes_each_client_speak_version_1() {
    let world = World::new();
    for client in ["cache4", "cache5", "cache6"] {
        let job = world.job(client).env("GITHUB_SERVER_URL", "https://forge.example.org");
        // Parts have 32 MiB; one client sends two.
        let large = noise(4, if client == "cache6" { 33 << 20 } else { 1 << 20 });
        job.write("deps/large.bin", &large);
        let key = format!("{client}-v1");
        let save = json!(["saveCache", ["deps"], key]);
        let (results, log) = call_with_log(
            &world,
            &job,
            client,
            &[
                json!(["restoreCache", ["deps"], key, []]),
                save.clone(),
                save,
                json!(["restoreCache", ["deps"], "x", [client]]),
            ],
        );
        assert_eq!(results[0]["value"], Value::Null, "{results:?}\n{log}");
        assert!(results[1]["value"].as_i64().is_some_and(|id| id > 0), "{results:?}\n{log}");
        assert_eq!(results[2]["value"], -1, "{results:?}\n{log}");
        assert_eq!(results[3]["value"], key.as_str(), "{results:?}\n{log}");
        assert!(std::fs::read(job.workspace.join("deps/large.bin")).expect("the file") == large);
    }
    // Both versions of the protocol see the same entries.
    let job = world.job("v2");
    let results = call(&world, &job, "cache6", &[json!(["restoreCache", ["deps"], "cache4-v1", []])]);
    assert_eq!(results[0]["value"], "cache4-v1", "{results:?}");
}

#[test]
fn parts_come_in_any_order_and_have_to_fit_together() {
    let world = World::new();
    let job = world.job("parts");
    let content = noise(8, 30_000);
    let begin = |key: &str| {
        rest(
            &world,
            &job,
            "POST",
            "caches",
            &[],
            json!({ "key": key, "version": "v", "cacheSize": 30_000 }).to_string().as_bytes(),
        )
    };
    let answer = begin("k");
    assert_eq!(answer.status, 201);
    let id = answer.json()["cacheId"].as_u64().expect("a number");
    assert_eq!(begin("k").status, 409);
    let part = |start: usize, end: usize| {
        let range = format!("bytes {start}-{}/*", end - 1);
        rest(&world, &job, "PATCH", &format!("caches/{id}"), &[("Content-Range", &range)], &content[start..end]).status
    };
    let finish = |size: usize| {
        rest(&world, &job, "POST", &format!("caches/{id}"), &[], json!({ "size": size }).to_string().as_bytes())
    };
    assert_eq!(part(20_000, 30_000), 204);
    assert_eq!(part(0, 10_000), 204);
    let gap = finish(30_000);
    assert_eq!(gap.status, 400);
    assert!(gap.text().contains("one ends at byte 10000, the next begins at 20000"), "{}", gap.text());
    assert_eq!(part(10_000, 20_000), 204);
    assert_eq!(part(10_000, 20_000), 204, "a part may come again");
    assert_eq!(finish(29_999).status, 400, "the size has to be right");
    assert_eq!(finish(30_000).status, 204);
    assert_eq!(finish(30_000).status, 204, "a client that did not hear the answer asks again");

    let found = rest(&world, &job, "GET", "cache?keys=nothing%2Ck&version=v", &[], b"");
    assert_eq!(
        (found.status, &found.json()["cacheKey"], &found.json()["scope"]),
        (200, &json!("k"), &json!("refs/heads/main"))
    );
    let url = found.json()["archiveLocation"].as_str().expect("an address").to_owned();
    assert!(get(&url, &[]).body == content);
    assert_eq!(rest(&world, &job, "GET", "cache?keys=x&version=v", &[], b"").status, 204);
    let list = rest(&world, &job, "GET", "caches?key=k", &[], b"").json();
    assert_eq!((&list["totalCount"], &list["artifactCaches"][0]["cacheKey"]), (&json!(1), &json!("k")));
}

#[test]
fn hostile_calls_are_refused() {
    let world = World::with(|config| config.limits.archive = 1000);
    let (job, other) = (world.job("one"), world.job("other"));
    let begin = |size: u64| {
        rest(
            &world,
            &job,
            "POST",
            "caches",
            &[],
            json!({ "key": "k", "version": "v", "cacheSize": size }).to_string().as_bytes(),
        )
    };
    assert_eq!(begin(1001).status, 400);
    let id = begin(10).json()["cacheId"].as_u64().expect("a number");
    let path = format!("caches/{id}");
    let patch = |job: &Job, range: &str, body: &[u8]| {
        rest(&world, job, "PATCH", &path, &[("Content-Range", range)], body).status
    };
    assert_eq!(patch(&other, "bytes 0-3/*", b"abcd"), 404, "trap 91: the upload is another job's");
    assert_eq!(patch(&job, "bytes 0-3", b"abcd"), 400);
    assert_eq!(patch(&job, "bytes 0-9/*", b"abcd"), 400, "shorter than its range");
    assert_eq!(patch(&job, "bytes 0-1/*", b"abcd"), 400, "longer than its range");
    assert_eq!(patch(&job, "bytes 0-4095/*", &[0; 4096]), 400, "more than an archive may have");
    assert_eq!(rest(&world, &job, "PATCH", "caches/x", &[], b"").status, 404);
    assert_eq!(rest(&world, &job, "DELETE", "caches/1", &[], b"").status, 404);
    assert_eq!(send(&world.address(), "GET", "/_apis/artifactcache/cache?keys=k&version=v", &[], b"").status, 401);
}
