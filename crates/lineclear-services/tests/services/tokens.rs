//! Tokens and variables of a job: trap 91, and which kind of step gets what.

use serde_json::{Value, json};

use crate::http::{send, twirp, twirp_as};
use crate::world::{World, claims};

fn names(variables: &[(String, String)]) -> Vec<&str> {
    let mut names: Vec<&str> = variables.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names
}

#[test]
fn each_kind_of_step_gets_its_own_variables() {
    let world = World::new();
    let job = world.job("plain");
    assert_eq!(names(&job.access.run_steps), ["ACTIONS_ORCHESTRATION_ID"]);
    let docker = [
        "ACTIONS_CACHE_MODE",
        "ACTIONS_CACHE_URL",
        "ACTIONS_ORCHESTRATION_ID",
        "ACTIONS_RESULTS_URL",
        "ACTIONS_RUNTIME_TOKEN",
        "ACTIONS_RUNTIME_URL",
    ];
    assert_eq!(names(&job.access.docker_actions), docker);
    let mut javascript = docker.to_vec();
    javascript.insert(1, "ACTIONS_CACHE_SERVICE_V2");
    assert_eq!(names(&job.access.javascript_actions), javascript);
    assert_eq!(job.variable("ACTIONS_CACHE_SERVICE_V2"), "True");
    assert_eq!(job.variable("ACTIONS_CACHE_MODE"), "write");
    assert_eq!(job.variable("ACTIONS_RESULTS_URL"), format!("{}/", world.services.origin()));
    assert_eq!(job.variable("ACTIONS_CACHE_URL"), format!("{}/", world.services.origin()));
    let orchestration = job.variable("ACTIONS_ORCHESTRATION_ID");
    assert!(
        orchestration.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte)),
        "{orchestration}"
    );
    let shown = format!("{:?} {:?}", job.access, world.services);
    assert!(!shown.contains(&job.access.forge_token) && !shown.contains(&job.access.runtime_token), "{shown}");
}

/// Row S1-16.
#[test]
fn s1_16_only_a_job_with_id_token_write_gets_the_variables_for_identity_tokens() {
    let world = World::new();
    for (access, expected) in [("write", true), ("read", false), ("none", false)] {
        let job = world.job_of(1, access, |job| {
            job.caller.permissions.insert("id-token".into(), access.into());
        });
        for variables in [&job.access.run_steps, &job.access.javascript_actions, &job.access.docker_actions] {
            assert_eq!(names(variables).contains(&"ACTIONS_ID_TOKEN_REQUEST_TOKEN"), expected);
            assert_eq!(names(variables).contains(&"ACTIONS_ID_TOKEN_REQUEST_URL"), expected);
        }
        if expected {
            assert!(job.variable("ACTIONS_ID_TOKEN_REQUEST_URL").contains('?'), "clients add to its query");
            assert_eq!(job.variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN"), job.access.runtime_token);
        }
    }
}

#[test]
fn trap_91_a_token_reaches_its_own_run_and_job_only_and_ends_with_the_job() {
    let world = World::new();
    let (own, other_job) = (world.job("own"), world.job("other"));
    let other_run = world.job_of(2, "own", |_| ());
    let ids = |job: &crate::world::Job, name: &str| {
        let (run, backend) = job.backend();
        json!({ "workflow_run_backend_id": run, "workflow_job_run_backend_id": backend, "name": name })
    };
    let call = |token: &str, method: &str, body: &Value| {
        let answer = twirp_as(&world, token, method, body);
        let code = answer.json()["code"].as_str().unwrap_or_default().to_owned();
        (answer.status, code)
    };
    let token = own.access.runtime_token.clone();
    let denied = (403, "permission_denied".to_owned());
    let nobody = (401, "unauthenticated".to_owned());
    assert_eq!(call(&token, "ArtifactService/CreateArtifact", &ids(&own, "a")).0, 200);
    for method in ["CreateArtifact", "FinalizeArtifact", "ListArtifacts", "GetSignedArtifactURL", "DeleteArtifact"] {
        let method = format!("ArtifactService/{method}");
        assert_eq!(call(&token, &method, &ids(&other_run, "a")), denied, "{method} of another run");
    }
    for method in ["CreateArtifact", "FinalizeArtifact"] {
        let method = format!("ArtifactService/{method}");
        assert_eq!(call(&token, &method, &ids(&other_job, "a")), denied, "{method} of another job");
    }
    assert_eq!(
        call(&token, "ArtifactService/ListArtifacts", &ids(&other_job, "")).0,
        200,
        "a later job of the run lists"
    );

    let (body, signature) = token.rsplit_once('.').expect("a signature");
    let forged = format!("{body}.{}", signature.chars().rev().collect::<String>());
    let unsigned = format!("{body}.");
    for wrong in [forged.as_str(), &unsigned, "", "a.b.c", &own.access.forge_token] {
        assert_eq!(call(wrong, "ArtifactService/ListArtifacts", &ids(&own, "")), nobody, "{wrong}");
        let cache = json!({ "key": "k", "version": "v" });
        assert_eq!(call(wrong, "CacheService/GetCacheEntryDownloadURL", &cache), nobody, "{wrong}");
    }
    // A token of another process.
    let elsewhere = World::new();
    let foreign = elsewhere.job("own");
    assert_eq!(call(&foreign.access.runtime_token, "ArtifactService/ListArtifacts", &ids(&own, "")), nobody);

    let wanted = ids(&own, "");
    own.access.close();
    assert_eq!(call(&token, "ArtifactService/ListArtifacts", &wanted), nobody, "the job has ended");
    world.later(8 * 3_600_000);
    let late = call(&other_job.access.runtime_token, "ArtifactService/ListArtifacts", &ids(&other_job, ""));
    assert_eq!(late, nobody, "it has expired");
}

#[test]
fn trap_90_the_token_has_the_claims_that_the_go_client_needs() {
    let world = World::new();
    let job = world.job("claims");
    let claims = claims(&job.access.runtime_token);
    assert!(claims["exp"].is_i64() && claims["nbf"].is_i64());
    let access: Value = serde_json::from_str(claims["ac"].as_str().expect("a text")).expect("JSON");
    assert_eq!(access, json!([{ "Scope": "refs/heads/main", "Permission": 3 }]));
}

/// Trap 89: both services are behind one results URL, and each answers on its own.
#[test]
fn trap_89_one_results_url_serves_artifacts_and_caches() {
    let world = World::new();
    let job = world.job("both");
    let (run, backend) = job.backend();
    let list = json!({ "workflow_run_backend_id": run, "workflow_job_run_backend_id": backend });
    assert_eq!(twirp(&world, &job, "ArtifactService/ListArtifacts", &list).json(), json!({ "artifacts": [] }));
    let miss = twirp(&world, &job, "CacheService/GetCacheEntryDownloadURL", &json!({ "key": "k", "version": "v" }));
    assert_eq!((miss.status, &miss.json()["ok"]), (200, &json!(false)), "a miss is no error");
}

#[test]
fn calls_in_no_form_are_refused_in_twirps_words() {
    let world = World::new();
    let job = world.job("forms");
    let path = "/twirp/github.actions.results.api.v1.CacheService/CreateCacheEntry";
    let authorization = format!("Bearer {}", job.access.runtime_token);
    let headers = [("Authorization", authorization.as_str())];
    for (method, body, status, code) in [
        ("POST", "", 400, "malformed"),
        ("POST", "[]", 400, "malformed"),
        ("POST", "{\"key\":", 400, "malformed"),
        ("POST", "{\"key\":[]}", 400, "invalid_argument"),
        ("GET", "", 404, "bad_route"),
    ] {
        let answer = send(&world.address(), method, path, &headers, body.as_bytes());
        assert_eq!((answer.status, &answer.json()["code"]), (status, &json!(code)), "{method} {body}");
    }
    let huge = vec![b' '; 2 << 20];
    assert_eq!(send(&world.address(), "POST", path, &headers, &huge).status, 413);
}
