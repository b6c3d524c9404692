//! What jobs may do in the registry: their token, their permissions, their owner.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lineclear_event::{Fact, ImageDeed};
use lineclear_oci::{AnyManifest, Descriptor, Digest, ManifestParts, MediaType};
use lineclear_registry_server::{Registry, Settings};
use serde_json::Value;

use crate::http;
use crate::requirements::Answer;
use crate::world::{Job, World};

const CONFIG: &[u8] = br#"{"architecture":"arm64","os":"linux","config":{"User":"app","ExposedPorts":{"80/tcp":{}}}}"#;

fn world() -> World {
    World::with(|config| {
        let folder = config.state.parent().expect("the state is in a folder").join("images");
        let store = lineclear_store_folder::FolderStore::open(folder).expect("a store");
        config.registry = Some(Registry::new(std::sync::Arc::new(store), Settings::default()));
    })
}

fn job(world: &World, name: &str, packages: &str) -> Job {
    world.job_of(1, name, |identity| {
        if packages != "none" {
            identity.caller.permissions.insert("packages".into(), packages.into());
        }
    })
}

fn ask(world: &World, token: &str, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let authorization = format!("Basic {}", STANDARD.encode(format!("anyone:{token}")));
    let mut headers = headers.to_vec();
    headers.push(("authorization", &authorization));
    http::send(&world.address(), method, target, &headers, body)
}

fn push_blob(world: &World, token: &str, name: &str, bytes: &[u8]) -> Answer {
    let target = format!("/v2/{name}/blobs/uploads/?digest={}", Digest::of(bytes));
    ask(world, token, "POST", &target, &[], bytes)
}

fn push_image(world: &World, token: &str, name: &str) -> Answer {
    for blob in [CONFIG, b"layer"] {
        let pushed = push_blob(world, token, name, blob);
        if pushed.status != 201 {
            return pushed;
        }
    }
    let layers = vec![Descriptor::of(MediaType::OciLayerGzip, b"layer")];
    let manifest: AnyManifest = ManifestParts::new(Descriptor::of(MediaType::OciConfig, CONFIG), layers).write().into();
    ask(world, token, "PUT", &format!("/v2/{name}/manifests/1"), &[], manifest.raw())
}

fn message(answer: &Answer) -> String {
    let json: Value = serde_json::from_slice(&answer.body).expect("an error is JSON");
    json["errors"][0]["message"].as_str().expect("an error has a message").to_owned()
}

/// S1-44, S2-25: the job's token alone opens the registry.
#[test]
fn a_job_pushes_and_pulls_with_its_token_as_its_permissions_say() {
    let world = world();
    let writer = job(&world, "publish", "write");
    assert_eq!(writer.variable("LINECLEAR_REGISTRY"), world.address());
    assert_eq!(push_image(&world, &writer.access.forge_token, "octo/app").status, 201);
    let reader = job(&world, "deploy", "read");
    let token = &reader.access.forge_token;
    assert_eq!(ask(&world, token, "GET", "/v2/octo/app/manifests/1", &[], b"").status, 200);
    let refused = push_image(&world, token, "octo/app");
    assert_eq!(refused.status, 403);
    assert!(message(&refused).contains("the job `deploy` needs `packages: write`"), "{}", message(&refused));
    let nothing = job(&world, "test", "none");
    let refused = ask(&world, &nothing.access.forge_token, "GET", "/v2/octo/app/manifests/1", &[], b"");
    assert_eq!(refused.status, 403);
    assert!(message(&refused).contains("needs `packages: read`"), "{}", message(&refused));
}

#[test]
fn a_job_pushes_to_repositories_of_its_owner_only() {
    let world = world();
    let writer = job(&world, "publish", "write");
    let token = &writer.access.forge_token;
    assert_eq!(push_image(&world, token, "ghcr.io/octo/app").status, 201);
    for name in ["other/app", "app", "ghcr.io/other/app"] {
        let refused = push_image(&world, token, name);
        assert_eq!(refused.status, 403, "{name}");
        assert!(message(&refused).contains("`octo/…`"), "{}", message(&refused));
    }
    let delete = ask(&world, token, "DELETE", "/v2/other/app/manifests/1", &[], b"");
    assert_eq!(delete.status, 403);
}

/// The owner of `Octo-Org/App` pushes to `octo-org/app`: names of images are lower case.
#[test]
fn an_owners_name_is_compared_in_lower_case() {
    let world = world();
    let writer = world.job_of(1, "publish", |identity| {
        identity.caller.repository = "Octo-Org/App".into();
        identity.caller.permissions.insert("packages".into(), "write".into());
    });
    assert_eq!(push_image(&world, &writer.access.forge_token, "octo-org/app").status, 201);
}

#[test]
fn trap_91_the_token_of_a_job_that_has_ended_opens_nothing() {
    let world = world();
    let writer = job(&world, "publish", "write");
    let token = writer.access.forge_token.clone();
    assert_eq!(ask(&world, &token, "GET", "/v2/", &[], b"").status, 200);
    // Another job keeps the services going.
    let _other = job(&world, "other", "none");
    drop(writer);
    for token in [token.as_str(), "", "ghs_000000000000000000000000000000000000"] {
        let refused = ask(&world, token, "GET", "/v2/", &[], b"");
        assert_eq!(refused.status, 401);
        assert!(refused.header("www-authenticate").starts_with("Basic "), "{refused:?}");
        assert_eq!(ask(&world, token, "GET", "/v2/_token", &[], b"").status, 401);
    }
    assert_eq!(http::send(&world.address(), "GET", "/v2/octo/app/tags/list", &[], b"").status, 401);
}

#[test]
fn clients_that_want_a_bearer_token_get_one() {
    let world = world();
    let writer = job(&world, "publish", "write");
    let answer = ask(&world, &writer.access.forge_token, "GET", "/v2/_token?scope=x", &[], b"");
    let json: Value = serde_json::from_slice(&answer.body).expect("JSON");
    let bearer = format!("Bearer {}", json["token"].as_str().expect("a token"));
    let answer = http::send(&world.address(), "GET", "/v2/", &[("authorization", &bearer)], b"");
    assert_eq!(answer.status, 200);
}

/// S0-39: what was pushed is in the run's record with its digest.
#[test]
fn what_a_job_pushed_is_told_with_its_digest() {
    let world = world();
    let writer = job(&world, "publish", "write");
    for name in ["octo/app", "ghcr.io/octo/web"] {
        assert_eq!(push_image(&world, &writer.access.forge_token, name).status, 201);
    }
    let facts = world.heard.facts.lock().expect("no poison");
    let images: Vec<_> =
        facts.iter().filter_map(|fact| if let Fact::Image(image) = fact { Some(image) } else { None }).collect();
    assert_eq!(images.len(), 2, "{facts:?}");
    assert_eq!(images[0].deed, ImageDeed::Pushed);
    assert_eq!(images[0].names, [format!("{}/octo/app:1", world.address())]);
    assert_eq!(images[1].names, ["ghcr.io/octo/web:1"]);
    assert!(images[0].digest.starts_with("sha256:"), "{images:?}");
    assert_eq!(images[0].platforms, ["linux/arm64"]);
    let config = images[0].config.as_ref().expect("the configuration was read");
    assert_eq!(
        (config.user.as_str(), config.ports.as_slice(), config.layers),
        ("app", ["80/tcp".to_owned()].as_slice(), 1)
    );
}

#[test]
fn without_a_registry_there_is_none() {
    let world = World::new();
    let job = job(&world, "publish", "write");
    assert_eq!(job.variable("LINECLEAR_REGISTRY"), "");
    assert_eq!(ask(&world, &job.access.forge_token, "GET", "/v2/", &[], b"").status, 404);
}
