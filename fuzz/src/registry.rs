//! Any sequence of requests to a registry is answered: without a panic, in the form of the specification, and with nothing given out that
//! has another digest than it was asked for by.
//!
//! A line is a request, `METHOD target header:value header:value`; what follows a blank line is the body, up to a line of `---`.
#![no_main]

use std::sync::Arc;

use lineclear_event::Timestamp;
use lineclear_oci::Digest;
use lineclear_registry_server::{Body, Grants, Pattern, Registry, Request, Settings};
use lineclear_store::MemoryStore;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let settings = Settings { immutable_tags: vec![Pattern::new("v*")], blob_bytes: 1 << 16, page: 3 };
    let registry = Registry::new(Arc::new(MemoryStore::new()), settings);
    let mut location = String::new();
    for request in split(data, b"\n---\n").into_iter().take(32) {
        location = answer(&registry, request, &location).unwrap_or(location);
    }
});

fn split<'d>(data: &'d [u8], at: &[u8]) -> Vec<&'d [u8]> {
    let mut parts = Vec::new();
    let mut rest = data;
    while let Some(found) = rest.windows(at.len()).position(|window| window == at) {
        parts.push(&rest[..found]);
        rest = &rest[found + at.len()..];
    }
    parts.push(rest);
    parts
}

/// Answers one request; gives the place that the answer names. `@` as a target stands for the last of them.
fn answer(registry: &Registry, request: &[u8], location: &str) -> Option<String> {
    let mut halves = split(request, b"\n\n").into_iter();
    let head = String::from_utf8_lossy(halves.next().unwrap_or_default()).into_owned();
    let body = halves.next().unwrap_or_default();
    let mut words = head.split_whitespace();
    let (method, target) = (words.next()?, words.next()?.replacen('@', location, 1));
    let headers: Vec<(&str, &str)> = words.filter_map(|word| word.split_once(':')).take(8).collect();
    // A digest that cannot be guessed is filled in.
    let target = target.replace("DIGEST", Digest::of(body).as_str());
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let asked = Request { method, path, query, headers: &headers };
    let response = registry.answer(&asked, &mut &*body, &Grants::everything(), Timestamp(1_795_248_930_123));
    assert!((200..600).contains(&response.status));
    let header = |name: &str| response.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
    for (_, value) in &response.headers {
        assert!(!value.contains(['\r', '\n']), "a header with a line break");
    }
    match &response.body {
        Body::Bytes(bytes) if response.status >= 400 => {
            let json: serde_json::Value = serde_json::from_slice(bytes).expect("errors are JSON");
            assert!(json["errors"][0]["code"].is_string(), "errors have a code");
        }
        Body::Bytes(bytes) if response.status == 200 && path.contains("/manifests/") => {
            assert_eq!(header("docker-content-digest").as_deref(), Some(Digest::of(bytes).as_str()));
        }
        _ => {}
    }
    header("location")
}
