//! Registries that lie, stall, refuse, or send the client somewhere else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use lineclear_oci::{Descriptor, Digest, Index, MediaType, Platform};
use lineclear_registry::{
    Client, ClientSettings, CopyOptions, Credentials, Mirror, Protocol, RegistryClientError, RetryPolicy,
};

use crate::server::{Reply, Server};
use crate::{client, hasty, noise, small_manifest};

const CONFIG: &str = "{\"architecture\":\"amd64\",\"os\":\"linux\"}";

fn blob(bytes: &[u8]) -> Descriptor {
    Descriptor::of(MediaType::OciLayer, bytes)
}

/// A client for a server with another patience.
fn impatient(retry: RetryPolicy) -> Client {
    Client::new(ClientSettings { retry, idle_timeout: Duration::from_millis(400), ..hasty() }).expect("a client")
}

/// Pulls a blob of `expected` from a server that answers `reply`; gives the error, and how much was written.
fn pull(expected: &[u8], reply: Reply) -> (RegistryClientError, usize) {
    let server = Server::start(move |_| reply.clone());
    let mut written = Vec::new();
    let error = client().pull_blob(&server.reference("a"), &blob(expected), &mut written).expect_err("it lies");
    (error, written.len())
}

#[test]
fn a_registry_that_lies_about_a_blob_is_found_out() {
    let good = noise(50_000);
    let mut other = good.clone();
    other[49_999] ^= 1;
    let longer = noise(60_000);
    let (error, _) = pull(&good, Reply::ok(other));
    assert!(matches!(error, RegistryClientError::Mismatch { .. }), "{error:?}");
    let (error, written) = pull(&good, Reply::ok(longer.clone()));
    assert!(matches!(error, RegistryClientError::Mismatch { .. }), "{error:?}");
    assert_eq!(written, 0, "a wrong length is refused before the first byte");
    let (error, written) = pull(&good, Reply::ok(longer).announcing(None));
    assert!(matches!(error, RegistryClientError::Mismatch { .. }), "{error:?}");
    assert!(written <= 50_000, "nothing beyond the size is written: {written}");
    let (error, written) = pull(&good, Reply::ok(noise(1000)).endlessly());
    assert!(matches!(error, RegistryClientError::Mismatch { .. }), "{error:?}");
    assert!(written <= 50_000, "nothing beyond the size is written: {written}");
    let (error, _) = pull(&good, Reply::ok(&good[..100]).announcing(None));
    assert!(matches!(error, RegistryClientError::Broken { .. } | RegistryClientError::Mismatch { .. }), "{error:?}");
}

#[test]
fn a_registry_that_lies_about_a_manifest_is_found_out() {
    let manifest = small_manifest(CONFIG, "layer");
    let (raw, digest) = (manifest.raw().to_vec(), manifest.digest().clone());
    let said = Digest::of(b"another");
    let server = Server::start(move |asked| {
        let reply = Reply::ok(raw.clone()).with("Content-Type", MediaType::OciManifest.as_str());
        if asked.path.ends_with("liar") { reply.with("Docker-Content-Digest", said.as_str()) } else { reply }
    });
    let client = client();
    for wrong in [server.reference("a:liar"), server.reference("a").at(Digest::of(b"asked for"))] {
        let error = client.manifest(&wrong).expect_err("it lies");
        assert!(matches!(error, RegistryClientError::Mismatch { .. }), "{error:?}");
    }
    assert!(client.manifest(&server.reference("a").at(digest)).is_ok());
}

#[test]
fn a_registry_without_head_is_asked_for_the_manifest() {
    let manifest = small_manifest(CONFIG, "layer");
    let raw = manifest.raw().to_vec();
    let server = Server::start(move |asked| match asked.method.as_str() {
        "HEAD" if asked.path.ends_with("no-head") => Reply::new(405, ""),
        // Neither digest nor type: nothing that a descriptor could be made of.
        _ => Reply::ok(raw.clone()),
    });
    for name in ["a:no-head", "a:no-digest"] {
        assert_eq!(client().resolve(&server.reference(name)).expect("it is there"), manifest.descriptor());
    }
}

#[test]
fn bombs_are_refused_before_they_are_kept() {
    let large = Server::start(|_| Reply::ok(noise(1 << 20)).endlessly());
    let error = client().manifest(&large.reference("a:1")).expect_err("it never ends");
    assert!(error.to_string().contains("cannot use"), "{error}");

    // An index of an index of an index …
    let mut levels = vec![small_manifest(CONFIG, "layer")];
    for _ in 0..20 {
        let entry = levels[levels.len() - 1].descriptor();
        levels.push(Index::of(&[(entry, Platform::new("linux", "amd64"))]).into());
    }
    let top = levels[20].descriptor();
    let server = Server::start(move |asked| {
        let level = levels.iter().find(|level| asked.path.ends_with(level.digest().as_str()));
        level.map_or_else(
            || Reply::new(404, ""),
            |level| Reply::ok(level.raw()).with("Content-Type", level.media_type().as_str()),
        )
    });
    let place = server.reference("a").at(top.digest);
    for error in [
        client().image(&place, &Platform::new("linux", "amd64")).map(drop).expect_err("too deep"),
        client().copy(&place, &server.reference("b:1"), &CopyOptions::default()).map(drop).expect_err("too deep"),
    ] {
        assert!(matches!(error, RegistryClientError::Bomb { .. }), "{error:?}");
    }
}

#[test]
fn failures_that_pass_are_tried_again_and_others_not() {
    for (status, tries) in [(500, 3), (502, 3), (503, 3), (408, 3), (400, 1), (403, 1), (404, 1), (418, 1)] {
        let calls = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&calls);
        let server = Server::start(move |_| match count.fetch_add(1, Ordering::SeqCst) {
            0 | 1 => Reply::new(status, "{\"errors\":[{\"code\":\"UNKNOWN\",\"message\":\"sorry\"}]}"),
            _ => Reply::ok("{\"tags\":[\"a\"]}"),
        });
        let found = client().tags(&server.reference("a"));
        assert_eq!(found.is_ok(), tries == 3, "{status}: {found:?}");
        assert_eq!(calls.load(Ordering::SeqCst), tries, "{status}");
        if let Err(error) = found {
            assert!(status == 418 || error.to_string().contains("sorry"), "{error}");
            assert!(!error.is_transient());
        }
    }
}

#[test]
fn patience_has_an_end() {
    let server = Server::start(|_| Reply::new(503, ""));
    let error = client().tags(&server.reference("a")).expect_err("it never works");
    assert!(error.is_transient(), "{error:?}");
    assert_eq!(server.asked().len(), 5);
}

#[test]
fn retry_after_is_respected_when_it_is_bearable() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let server = Server::start(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::new(429, "").with("Retry-After", "1"),
        _ => Reply::ok("{\"tags\":[\"a\"]}"),
    });
    let started = Instant::now();
    client().tags(&server.reference("a")).expect("it works later");
    assert!(started.elapsed() >= Duration::from_secs(1), "{:?}", started.elapsed());

    let server = Server::start(|_| Reply::new(429, "").with("Retry-After", "3600"));
    let started = Instant::now();
    let error = client().tags(&server.reference("a")).expect_err("an hour is too long");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    assert!(error.to_string().contains("try again in 3600 s"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(60) && server.asked().len() == 1);
}

#[test]
fn a_registry_that_stalls_is_given_up() {
    let server = Server::start(|_| Reply::ok("{}").after(Duration::from_secs(20)));
    let started = Instant::now();
    let error = impatient(RetryPolicy::NEVER).tags(&server.reference("a")).expect_err("it never answers");
    assert!(matches!(error, RegistryClientError::TimedOut { .. }), "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn cancelling_ends_what_waits() {
    let server = Server::start(|_| Reply::ok("{}").after(Duration::from_secs(30)));
    let client = client();
    let place = server.reference("a");
    let started = Instant::now();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| client.tags(&place));
        while server.asked().is_empty() {
            std::thread::yield_now();
        }
        client.cancel();
        let error = waiting.join().expect("no panic").expect_err("it is cancelled");
        assert!(matches!(error, RegistryClientError::Cancelled), "{error:?}");
    });
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    assert!(matches!(client.tags(&place), Err(RegistryClientError::Cancelled)));
}

#[test]
fn no_server_and_headers_without_end_are_errors_that_say_so() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").to_string();
    let place = crate::reference(&format!("{free}/a"));
    let error = impatient(RetryPolicy::NEVER).tags(&place).expect_err("nobody is there");
    assert!(matches!(error, RegistryClientError::Unreachable { .. }), "{error:?}");

    let server = Server::start(|_| Reply::ok("{}").with("X-Long", "x".repeat(1 << 20)));
    let error = client().tags(&server.reference("a")).expect_err("it is too much");
    assert!(error.to_string().contains("headers that are too large"), "{error}");
}

#[test]
fn credentials_do_not_follow_a_redirect_to_another_server() {
    let bytes = noise(1000);
    let content = bytes.clone();
    let elsewhere = Server::start(move |_| Reply::ok(content.clone()));
    let target = format!("http://{}/content", elsewhere.address);
    let server = Server::start(move |asked| match asked.header("authorization") {
        None => Reply::new(401, "").with("WWW-Authenticate", "Basic realm=test"),
        Some(_) if asked.path.contains("/loop/") => Reply::new(307, "").with("Location", asked.path.clone()),
        Some(_) => Reply::new(307, "").with("Location", target.clone()),
    });
    let place = server.reference("a");
    let known = std::iter::once((place.registry().clone(), Credentials::basic("u", "p")))
        .collect::<std::collections::BTreeMap<_, _>>();
    let client = Client::new(ClientSettings { credentials: Arc::new(known), ..hasty() }).expect("a client");
    assert_eq!(client.blob_bytes(&place, &blob(&bytes), 1000).expect("pulled"), bytes);
    assert_eq!(elsewhere.asked().len(), 1);
    assert_eq!(elsewhere.asked()[0].header("authorization"), None);
    let error = client.blob_bytes(&server.reference("loop/a"), &blob(&bytes), 1000).expect_err("it goes round");
    assert!(error.to_string().contains("redirects without end"), "{error}");
}

#[test]
fn credentials_do_not_follow_an_upload_to_another_server() {
    let elsewhere = Server::start(|_| Reply::new(201, ""));
    let target = format!("http://{}/upload", elsewhere.address);
    let server = Server::start(move |asked| match (asked.header("authorization"), asked.method.as_str()) {
        (None, _) => Reply::new(401, "").with("WWW-Authenticate", "Basic realm=test"),
        (Some(_), "POST") => Reply::new(202, "").with("Location", target.clone()),
        _ => Reply::new(404, ""),
    });
    let place = server.reference("a");
    let known = std::iter::once((place.registry().clone(), Credentials::basic("u", "p")))
        .collect::<std::collections::BTreeMap<_, _>>();
    let client = Client::new(ClientSettings { credentials: Arc::new(known), ..hasty() }).expect("a client");
    client.push_bytes(&place, &blob(b"x"), b"x").expect("pushed");
    let asked = elsewhere.asked();
    assert_eq!((asked.len(), asked[0].body.as_slice(), asked[0].header("authorization")), (1, b"x".as_slice(), None));
    assert!(asked[0].path.starts_with("/upload?digest=sha256:"));
}

#[test]
fn what_a_mirror_has_comes_from_there_and_the_rest_from_the_registry() {
    let (one, two) = (small_manifest(CONFIG, "one"), small_manifest(CONFIG, "two"));
    let serve = |manifest: &lineclear_oci::AnyManifest, tag: &'static str| {
        let raw = manifest.raw().to_vec();
        Server::start(move |asked| if asked.path.ends_with(tag) { Reply::ok(raw.clone()) } else { Reply::new(404, "") })
    };
    let (mirror, origin) = (serve(&one, "/cache/a/manifests/1"), serve(&two, "/a/manifests/2"));
    let host = origin.reference("a").registry().clone();
    let mirrored = Mirror {
        registry: mirror.reference("a").registry().clone(),
        prefix: Some("cache".parse().expect("a repository")),
    };
    let mirrors = std::iter::once((host, vec![mirrored])).collect();
    let client = Client::new(ClientSettings { mirrors, ..hasty() }).expect("a client");
    assert_eq!(client.manifest(&origin.reference("a:1")).expect("the mirror has it"), one);
    assert_eq!(origin.asked().len(), 0);
    assert_eq!(client.manifest(&origin.reference("a:2")).expect("the registry has it"), two);
    assert!(client.manifest(&origin.reference("a:3")).expect_err("nobody has it").is_not_found());
}

#[test]
fn a_mirror_that_is_down_costs_little_and_hides_nothing() {
    let down = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").to_string();
    let manifest = small_manifest(CONFIG, "one");
    let raw = manifest.raw().to_vec();
    let origin = Server::start(move |_| Reply::ok(raw.clone()));
    let mirror = Mirror { registry: down.parse().expect("a host"), prefix: None };
    let host = origin.reference("a").registry().clone();
    let mirrors = std::iter::once((host, vec![mirror])).collect();
    let (client, told) = crate::telling(ClientSettings { mirrors, ..hasty() });
    assert_eq!(client.manifest(&origin.reference("a:1")).expect("the registry has it"), manifest);
    let told = told.lock().expect("nobody panics").clone();
    assert!(told.len() == 2 && told[1].contains("the mirror"), "tried twice, and told: {told:?}");
}

#[test]
fn certificates_are_checked_unless_told_otherwise() {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let (certificate, key) = (made.cert.der().clone(), made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has them")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], rustls::pki_types::PrivatePkcs8KeyDer::from(key).into())
        .expect("they belong together");
    let tls = Arc::new(tls);
    let server = Server::start_over(
        |_| Reply::ok("{\"tags\":[\"a\"]}"),
        move |stream, serve| {
            let connection = rustls::ServerConnection::new(Arc::clone(&tls)).expect("it is configured");
            serve(Box::new(rustls::StreamOwned::new(connection, stream)));
        },
    );
    let place = server.reference("a");
    let with = |protocol, authorities| {
        let protocols = std::iter::once((place.registry().clone(), protocol)).collect();
        Client::new(ClientSettings { protocols, authorities, ..hasty() }).expect("a client").tags(&place)
    };
    let error = with(Protocol::Https, Vec::new()).expect_err("nobody knows it");
    assert!(matches!(error, RegistryClientError::Untrusted { .. }), "{error:?}");
    assert!(with(Protocol::HttpsUnverified, Vec::new()).is_ok());
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), made.cert.pem()).expect("written");
    let trusted = with(Protocol::Https, vec![file.path().to_owned()]);
    assert!(trusted.is_ok(), "{trusted:?}");
}
