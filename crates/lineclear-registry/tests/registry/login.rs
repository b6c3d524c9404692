//! Who asks: basic authentication with a real registry, tokens with a server that gives them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lineclear_oci::Reference;
use lineclear_registry::credentials::DockerConfig;
use lineclear_registry::{BlobOutcome, Client, ClientSettings, CopyOptions, Credentials, RegistryClientError, Secret};

use crate::real::Registry;
use crate::server::{Reply, Server};
use crate::{client, hasty, push_small};

fn known(place: &Reference, credentials: Credentials) -> Client {
    let known: BTreeMap<_, _> = std::iter::once((place.registry().clone(), credentials)).collect();
    Client::new(ClientSettings { credentials: Arc::new(known), ..hasty() }).expect("a client")
}

#[test]
fn a_registry_with_users_lets_in_those_it_knows() {
    let registry = Registry::with_users();
    let place = registry.reference("private/app:1");
    let alice = known(&place, Credentials::basic("alice", "wonderland"));
    push_small(&alice, &place, "private");
    alice.copy(&place, &registry.reference("private/other:1"), &CopyOptions::default()).expect("copied");

    let error = client().resolve(&place).expect_err("nobody is not let in");
    assert!(matches!(error, RegistryClientError::Unauthorized { .. }), "{error:?}");
    assert!(error.to_string().contains("docker login"), "{error}");
    let error = known(&place, Credentials::basic("alice", "looking-glass")).resolve(&place).expect_err("it is wrong");
    assert!(matches!(error, RegistryClientError::Unauthorized { .. }), "{error:?}");
    assert!(!format!("{error:?}").contains("looking-glass"));

    // As `docker login` leaves it: base64 of `alice:wonderland`.
    let file = tempfile::NamedTempFile::new().expect("a file");
    let text = format!("{{\"auths\":{{\"{}\":{{\"auth\":\"YWxpY2U6d29uZGVybGFuZA==\"}}}}}}", registry.address());
    std::fs::write(file.path(), text).expect("written");
    let credentials = Arc::new(DockerConfig::at(file.path()));
    let client = Client::new(ClientSettings { credentials, ..hasty() }).expect("a client");
    client.resolve(&place).expect("it is the same user");
}

/// A server that gives tokens `t1`, `t2`, … at `/token`, and takes the newest.
fn token_server(lifetime: u64) -> (Server, Arc<AtomicUsize>) {
    let given = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&given);
    let server = Server::start(move |asked| {
        if asked.path.starts_with("/token") {
            let number = count.fetch_add(1, Ordering::SeqCst) + 1;
            return Reply::ok(format!("{{\"access_token\":\"t{number}\",\"expires_in\":{lifetime}}}"));
        }
        let newest = format!("Bearer t{}", count.load(Ordering::SeqCst));
        if asked.header("authorization") == Some(&newest) {
            return match asked.method.as_str() {
                "POST" => Reply::new(201, ""),
                "HEAD" => Reply::new(404, ""),
                _ => Reply::ok("{\"tags\":[\"1\"]}"),
            };
        }
        let host = asked.header("host").expect("a request has one");
        let challenge = format!("Bearer realm=\"http://{host}/token\",service=\"tests\",scope=\"repository:a/b:pull\"");
        Reply::new(401, "").with("WWW-Authenticate", challenge)
    });
    (server, given)
}

#[test]
fn a_token_is_fetched_once_and_anew_when_it_ran_out() {
    let (server, given) = token_server(3600);
    let place = server.reference("a/b");
    let client = known(&place, Credentials::basic("bob", "builder"));
    for _ in 0..3 {
        client.tags(&place).expect("the token is taken");
    }
    assert_eq!(given.load(Ordering::SeqCst), 1);
    let asked = server.asked().into_iter().find(|asked| asked.path.starts_with("/token")).expect("it was");
    assert_eq!(asked.header("authorization"), Some("Basic Ym9iOmJ1aWxkZXI="));
    assert!(asked.path.contains("service=tests") && asked.path.contains("scope=repository:a/b:pull"), "{}", asked.path);

    // The server takes the token back.
    given.fetch_add(1, Ordering::SeqCst);
    client.tags(&place).expect("a fresh one is fetched");
    assert_eq!(given.load(Ordering::SeqCst), 3);

    let (server, given) = token_server(0);
    let client = known(&server.reference("a/b"), Credentials::basic("bob", "builder"));
    for _ in 0..3 {
        client.tags(&server.reference("a/b")).expect("the token is taken");
    }
    assert_eq!(given.load(Ordering::SeqCst), 3, "one that is over is not sent");
}

#[test]
fn an_identity_token_is_exchanged_in_a_form_and_not_in_an_address() {
    let (server, _) = token_server(3600);
    let place = server.reference("a/b");
    known(&place, Credentials::IdentityToken(Secret::new("id&entity"))).tags(&place).expect("the token is taken");
    let asked = server.asked().into_iter().find(|asked| asked.path.starts_with("/token")).expect("it was");
    let form = String::from_utf8(asked.body.clone()).expect("a form");
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", "/token"));
    assert!(form.contains("grant_type=refresh_token") && form.contains("refresh_token=id%26entity"), "{form}");
}

#[test]
fn a_mount_asks_for_the_right_to_read_the_other_repository() {
    let (server, _) = token_server(3600);
    let place = server.reference("a/new");
    let client = known(&place, Credentials::basic("bob", "builder"));
    let blob = lineclear_oci::Descriptor::of(lineclear_oci::MediaType::OciLayer, b"x");
    let from = "a/old".parse().expect("a repository");
    let outcome = client.push_blob(&place, &blob, &|_| Ok(Box::new(b"x".as_slice())), Some(&from)).expect("mounted");
    assert_eq!(outcome, BlobOutcome::Mounted);
    let asked = server.asked();
    let scopes = |asked: &&crate::server::Asked| {
        asked.path.contains("scope=repository:a/old:pull&scope=repository:a/new:pull%2Cpush")
            || asked.path.contains("scope=repository:a/new:pull%2Cpush&scope=repository:a/old:pull")
    };
    assert!(asked.iter().any(|asked| scopes(&asked)), "{asked:?}");
    assert!(
        asked.iter().any(|asked| asked.path.contains("/v2/a/new/blobs/uploads/?mount=sha256:")
            && asked.path.ends_with("&from=a%2Fold"))
    );
}

#[test]
fn a_token_server_that_refuses_is_named_as_the_cause() {
    let server = Server::start(|asked| match asked.path.starts_with("/token") {
        true => Reply::new(401, "{\"details\":\"incorrect username or password\"}"),
        false => {
            let host = asked.header("host").expect("a request has one");
            Reply::new(401, "").with("WWW-Authenticate", format!("Bearer realm=\"http://{host}/token\""))
        }
    });
    let place = server.reference("a");
    let error = known(&place, Credentials::basic("bob", "wrong")).tags(&place).expect_err("it is wrong");
    assert!(error.to_string().contains("its token server did not take"), "{error}");
    let error = client().tags(&place).expect_err("there are none");
    assert!(error.to_string().contains("there are none"), "{error}");
}
