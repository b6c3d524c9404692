//! Identity tokens by the official client, verified by an independent library: rows S1-16 and S1-119.

use serde_json::{Value, json};

use crate::client;
use crate::http::{get, send};
use crate::world::{Job, World};

fn verified(world: &World, job: &Job, client: &str, audience: Option<&str>, expected: &str) -> Value {
    let argument =
        json!({ "client": client, "audience": audience, "expected": expected, "issuer": world.services.origin() });
    client::run(world, job, "identity.mjs", &argument).0[0]["value"].clone()
}

fn trusted(world: &World, change: impl FnOnce(&mut lineclear_services::JobIdentity)) -> Job {
    world.job_of(1, "deploy", |job| {
        job.caller.permissions.insert("id-token".into(), "write".into());
        change(job);
    })
}

#[test]
fn s1_119_a_token_is_verified_by_discovery_and_key_set() {
    let world = World::new();
    let job = trusted(&world, |job| job.environment = Some("production".into()));
    let token = verified(&world, &job, "core3", Some("sts.example.org"), "sts.example.org");
    let payload = &token["payload"];
    assert_eq!(payload["sub"], "repo:octo/app:environment:production");
    assert_eq!((&payload["environment"], &payload["ref"]), (&json!("production"), &json!("refs/heads/main")));
    assert_eq!(payload["iss"], world.services.origin());
    assert_eq!(payload["exp"].as_i64().zip(payload["iat"].as_i64()).map(|(exp, iat)| exp - iat), Some(300));
    assert_eq!(token["header"]["alg"], "RS256");

    // With the older client, after a rotation, for a called workflow, with the default audience.
    world.services.rotate_oidc_key().expect("a new key");
    let called =
        trusted(&world, |job| job.job_workflow_ref = "octo/shared/.github/workflows/deploy.yml@refs/tags/v1".into());
    let second = verified(&world, &called, "core1", None, "https://github.com/octo");
    assert_eq!(second["payload"]["sub"], "repo:octo/app:ref:refs/heads/main");
    assert_eq!(second["payload"]["job_workflow_ref"], "octo/shared/.github/workflows/deploy.yml@refs/tags/v1");
    assert_ne!(second["payload"]["jti"], token["payload"]["jti"]);
    assert_ne!(second["header"]["kid"], token["header"]["kid"]);
    let keys = get(&format!("{}/.well-known/jwks", world.services.origin()), &[]).json();
    let kids: Vec<&Value> = keys["keys"].as_array().expect("keys").iter().map(|key| &key["kid"]).collect();
    assert_eq!(
        kids,
        [&second["header"]["kid"], &token["header"]["kid"]],
        "tokens of the earlier key can still be verified"
    );
}

/// Row S1-16.
#[test]
fn s1_16_a_job_without_the_permission_is_refused() {
    let world = World::new();
    let job = world.job("plain");
    let ask = |token: &str| {
        let authorization = format!("bearer {token}");
        let path = "/_oidc/token?api-version=2.0&audience=x";
        send(&world.address(), "GET", path, &[("Authorization", &authorization)], b"")
    };
    let refused = ask(&job.access.runtime_token);
    assert_eq!(refused.status, 403);
    assert!(refused.text().contains("`id-token: write`"), "{}", refused.text());
    assert_eq!(ask("nonsense").status, 401);
    assert_eq!(ask(&job.access.forge_token).status, 401);
    let (results, _) = client::call_with_log(&world, &job, "core3", &[json!(["getIDToken", "x"])]);
    let error = results[0]["error"].as_str().expect("a refusal");
    assert!(error.contains("ACTIONS_ID_TOKEN_REQUEST_URL"), "{error}");
    assert!(!world.folder.path().join("state/oidc").exists(), "no key was made");
}
