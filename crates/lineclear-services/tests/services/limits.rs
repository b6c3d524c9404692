//! Who is not let in, and who is not waited for.

use std::io::{Read, Write};
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use lineclear_forge::NoForge;
use lineclear_services::{Services, ServicesConfig};
use serde_json::json;

use crate::http::{connect, head, put, read, send, twirp};
use crate::world::World;

#[test]
fn a_foreign_host_name_is_turned_away() {
    let world = World::with(|config| config.hosts = vec!["host.docker.internal".into()]);
    let job = world.job("hosts");
    let status =
        |host: &str| send(&world.address(), "GET", "/.well-known/openid-configuration", &[("Host", host)], b"").status;
    for host in
        ["127.0.0.1", "localhost:4", "[::1]:80", "app.localhost", "host.docker.internal:5", "HOST.docker.internal"]
    {
        assert_eq!(status(host), 200, "{host}");
    }
    for host in ["evil.example.org", "127.0.0.1.evil.example.org", "10.0.0.1", ""] {
        assert_eq!(status(host), 421, "{host}");
    }
    let answer = send(&world.address(), "OPTIONS", "/api/v3/user", &[("Origin", "http://evil.example.org")], b"");
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (401, ""), "no CORS");
    drop(job);
}

#[test]
fn other_paths_are_not_found() {
    let world = World::new();
    let _job = world.job("paths");
    for path in ["/", "/_blob", "/twirp", "/favicon.ico", "/git", "/api", "/_oidc", "//", "/%2e%2e/x"] {
        assert_eq!(send(&world.address(), "GET", path, &[], b"").status, 404, "{path}");
    }
}

#[test]
fn a_client_that_sends_its_head_byte_by_byte_is_not_waited_for() {
    let world = World::with(|config| config.limits.stall = Duration::from_secs(2));
    let _job = world.job("slow");
    let mut stream = connect(&world.address());
    stream.write_all(b"GET / HTTP/1.1\r\nHost: local").expect("half a head");
    let mut rest = Vec::new();
    // The connection ends: with an answer that says why, or without.
    let _ = stream.read_to_end(&mut rest);
    assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&rest));
}

#[test]
fn a_body_that_stops_coming_is_not_waited_for_and_keeps_nothing() {
    let world = World::with(|config| config.limits.stall = Duration::from_secs(2));
    let job = world.job("stalled");
    let created = twirp(&world, &job, "CacheService/CreateCacheEntry", &json!({ "key": "k", "version": "v" })).json();
    let url = created["signed_upload_url"].as_str().expect("an address");
    let (address, path) = crate::http::taken_apart(url);
    let mut stream = connect(&address);
    stream.write_all(&head(&address, "PUT", &path, &[("x-ms-blob-type", "BlockBlob")], 1000)).expect("a head");
    stream.write_all(&[1; 500]).expect("half a body");
    assert_eq!(read(stream).status, 408);
    let done = json!({ "key": "k", "version": "v", "size_bytes": 500 });
    assert_eq!(
        twirp(&world, &job, "CacheService/FinalizeCacheEntryUpload", &done).status,
        412,
        "nothing was assembled"
    );
    assert_eq!(put(url, &[("x-ms-blob-type", "BlockBlob")], b"again").status, 201);
}

#[test]
fn too_many_headers_are_refused() {
    let world = World::new();
    let _job = world.job("headers");
    let mut request = format!("GET / HTTP/1.1\r\nHost: {}\r\n", world.address());
    for number in 0..200 {
        request.push_str(&format!("X-Header-{number}: x\r\n"));
    }
    let mut stream = connect(&world.address());
    stream.write_all(format!("{request}\r\n").as_bytes()).expect("a head");
    assert_eq!(read(stream).status, 431);
}

#[test]
fn connections_wait_for_the_first_job_and_end_with_the_services() {
    let world = World::new();
    let address = world.address();
    let mut early = connect(&address);
    early.write_all(&head(&address, "GET", "/.well-known/openid-configuration", &[], 0)).expect("a request");
    let job = world.job("first");
    assert_eq!(read(early).status, 200);
    drop(job);
    let mut open = connect(&address);
    open.write_all(b"GET / HTTP/1.1\r\n").expect("a part of a head");
    drop(world);
    let mut rest = Vec::new();
    let _ = open.read_to_end(&mut rest);
    assert_eq!(rest, b"");
}

/// Trap 82, on the server's side: mounted by another server, below a path and at the root.
#[test]
fn trap_82_the_router_can_stand_behind_a_server_of_its_owners() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = std::sync::Arc::new(lineclear_store::MemoryStore::new());
    let clock = std::sync::Arc::new(|| lineclear_event::Timestamp(1_800_000_000_000));
    let config = ServicesConfig::new(store.clone(), store, std::sync::Arc::new(NoForge), folder.path().into(), clock);
    let services = Services::embedded(config, "https://ci.example.org/lineclear/").expect("services");
    assert_eq!(services.origin(), "https://ci.example.org");
    assert_eq!(services.api_url(), "https://ci.example.org/lineclear/api/v3");
    assert_eq!(services.graphql_url(), "https://ci.example.org/lineclear/api/graphql");
    assert_eq!(services.git_url("o/r", "T"), "https://x-access-token:T@ci.example.org/lineclear/git/o/r");
    let access = services.open_job(crate::world::identity(1, "embedded")).expect("a job");
    let find = |variables: &[(String, String)], wanted: &str| {
        variables.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone()).expect("a variable")
    };
    assert_eq!(find(&access.javascript_actions, "ACTIONS_RESULTS_URL"), "https://ci.example.org/lineclear/");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let router = services.router();
    let ask = |path: &str, host: &str| {
        let request = Request::builder()
            .method("POST")
            .uri(format!("https://{host}{path}"))
            .header("authorization", format!("Bearer {}", access.runtime_token))
            .body(Body::from("{\"key\":\"k\",\"version\":\"v\"}"))
            .expect("a request");
        let mut router = router.clone();
        runtime.block_on(async move {
            let response = tower_call(&mut router, request).await;
            response.status().as_u16()
        })
    };
    let method = "/twirp/github.actions.results.api.v1.CacheService/GetCacheEntryDownloadURL";
    assert_eq!(ask(method, "ci.example.org"), 200);
    assert_eq!(ask(&format!("/lineclear{method}"), "ci.example.org"), 200);
    assert_eq!(ask(method, "other.example.org"), 421);
}

async fn tower_call(router: &mut axum::Router, request: Request<Body>) -> axum::response::Response {
    use hyper::service::Service;
    let service = hyper_util::service::TowerToHyperService::new(router.clone());
    match service.call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
