//! Artifacts by the official client: traps 81, 82, 84, 85, 91.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use lineclear_event::{RunId, Timestamp};
use lineclear_forge::{ApiRequest, ApiResponse, Caller, ForgeApi};
use lineclear_services::ArtifactLinks;
use lineclear_store::{ArtifactRequest, Artifacts};
use lineclear_store_folder::FolderStore;
use serde_json::{Value, json};

use crate::client::{call, call_with_log, value};
use crate::http::{get, twirp};
use crate::world::{Job, World, noise};

const CLIENTS: [&str; 3] = ["artifact2", "artifact5", "artifact6"];

fn upload(job: &Job, name: &str, files: &[&str], options: Value) -> Value {
    let files: Vec<String> = files.iter().map(|file| job.path(file)).collect();
    json!(["uploadArtifact", name, files, job.workspace, options])
}

fn download(id: &Value, path: &str) -> Value {
    json!(["downloadArtifact", id, { "path": path }])
}

#[test]
fn trap_81_each_client_uploads_and_another_job_of_the_run_downloads() {
    let world = World::new();
    for client in CLIENTS {
        let maker = world.job(&format!("make-{client}"));
        let large = noise(7, 9 << 20);
        maker.write("dist/large.bin", &large);
        maker.write("dist/sub folder/größe.txt", "hej\n".as_bytes());
        maker.write("dist/empty", b"");
        let name = format!("made by {client} (1)");
        let files = ["dist/large.bin", "dist/sub folder/größe.txt", "dist/empty"];
        let made = value(&world, &maker, client, upload(&maker, &name, &files, json!({ "retentionDays": 3 })));
        assert!(made["id"].as_u64().is_some_and(|id| id > 0), "{made}");
        drop(maker);

        let taker = world.job(&format!("take-{client}"));
        let calls = [json!(["getArtifact", name]), download(&json!("$0.artifact.id"), &taker.path("got"))];
        let results = call(&world, &taker, client, &calls);
        let got = &results[0]["value"]["artifact"];
        assert_eq!((&got["id"], &got["name"], &got["size"]), (&made["id"], &json!(name), &made["size"]), "{results:?}");
        assert!(results[1]["error"].is_null(), "{results:?}");
        // The client compares the digest where it knows of it, from version 2.3 on.
        assert_ne!(results[1]["value"]["digestMismatch"], true);
        // Paths in the archive begin at the folder that was named as root.
        let got = taker.workspace.join("got/dist");
        assert!(std::fs::read(got.join("large.bin")).expect("the file") == large);
        assert_eq!(std::fs::read(got.join("sub folder/größe.txt")).expect("the file"), "hej\n".as_bytes());
        assert_eq!(std::fs::read(got.join("empty")).expect("the file"), b"");
    }
    let kept = world.store.list(RunId(1)).expect("a list");
    assert_eq!(kept.len(), 3);
    for artifact in kept {
        let days = artifact.expires.expect("an end").millis_since(artifact.created) as f64 / 86_400_000.0;
        assert!((days - 3.0).abs() <= 1.0, "{days}");
    }
}

#[test]
fn a_name_exists_once_in_a_run_and_makes_place_when_it_is_deleted() {
    let world = World::new();
    let job = world.job("build");
    job.write("a.txt", b"one");
    for client in CLIENTS {
        let name = format!("twice-{client}");
        let up = || upload(&job, &name, &["a.txt"], json!({}));
        let calls = [up(), up(), json!(["deleteArtifact", name]), up(), json!(["listArtifacts"])];
        let results = call(&world, &job, client, &calls);
        let refused = results[1]["error"].as_str().expect("a refusal");
        assert!(refused.contains("409") && refused.contains("already exists"), "{refused}");
        assert_eq!(results[2]["value"]["id"], results[0]["value"]["id"]);
        assert!(results[3]["error"].is_null(), "{results:?}");
        let listed = results[4]["value"]["artifacts"].as_array().expect("a list").clone();
        assert_eq!(listed.iter().filter(|artifact| artifact["name"] == name.as_str()).count(), 1);
    }
    // The next attempt of the run puts its own in the place of what the first left.
    world.later(1000);
    let again = world.job_of(1, "build", |job| job.run_attempt = 2);
    again.write("a.txt", b"two");
    let results = call(
        &world,
        &again,
        "artifact6",
        &[
            upload(&again, "twice-artifact6", &["a.txt"], json!({})),
            upload(&again, "twice-artifact6", &["a.txt"], json!({})),
        ],
    );
    assert!(results[0]["error"].is_null(), "{results:?}");
    assert!(results[1]["error"].as_str().is_some_and(|error| error.contains("409")), "{results:?}");
}

#[test]
fn artifacts_are_merged_by_downloading_uploading_and_deleting() {
    let world = World::new();
    let job = world.job("legs");
    job.write("one.txt", b"1");
    job.write("two.txt", b"2");
    let made = call(
        &world,
        &job,
        "artifact5",
        &[upload(&job, "leg-1", &["one.txt"], json!({})), upload(&job, "leg-2", &["two.txt"], json!({}))],
    );
    let merge = world.job("merge");
    let all = merge.path("all");
    let taken: Vec<Value> = made.iter().map(|leg| download(&leg["value"]["id"], &all)).collect();
    assert!(call(&world, &merge, "artifact5", &taken).iter().all(|result| result["error"].is_null()));
    let results = call(
        &world,
        &merge,
        "artifact5",
        &[
            upload(&merge, "legs", &["all/one.txt", "all/two.txt"], json!({})),
            json!(["deleteArtifact", "leg-1"]),
            json!(["deleteArtifact", "leg-2"]),
            json!(["listArtifacts", { "latest": true }]),
        ],
    );
    let names: Vec<&Value> =
        results[3]["value"]["artifacts"].as_array().expect("a list").iter().map(|a| &a["name"]).collect();
    assert_eq!(names, ["legs"]);
}

#[test]
fn trap_84_a_raw_file_keeps_its_type_and_name_and_is_not_unpacked() {
    let world = World::new();
    let job = world.job("raw");
    let zip_like = noise(3, 100_000);
    let file = job.write("report é.zip", &zip_like);
    let made = value(
        &world,
        &job,
        "artifact6",
        json!(["uploadArtifact", "ignored", [file], job.workspace, { "skipArchive": true }]),
    );
    let (run, _) = job.backend();
    let list = twirp(
        &world,
        &job,
        "ArtifactService/ListArtifacts",
        &json!({ "workflow_run_backend_id": run, "workflow_job_run_backend_id": "x" }),
    );
    let listed = &list.json()["artifacts"][0];
    assert_eq!(
        (&listed["name"], listed["size"].is_string(), listed["database_id"].is_string()),
        (&json!("report é.zip"), true, true)
    );
    let url = world.services.signed_artifact_url(RunId(1), "report é.zip");
    assert!(!url.split('?').next().expect("a path").ends_with(".zip"), "clients would unpack it");

    job.write("plain.txt", b"raw bytes");
    let file = job.path("plain.txt");
    let text = value(
        &world,
        &job,
        "artifact6",
        json!(["uploadArtifact", "ignored", [file], job.workspace, { "skipArchive": true }]),
    );
    let answer = get(&world.services.signed_artifact_url(RunId(1), "plain.txt"), &[]);
    assert_eq!((answer.header("content-type"), answer.body.as_slice()), ("text/plain", b"raw bytes".as_slice()));
    assert!(answer.header("content-disposition").contains("filename*=UTF-8''plain%2Etxt"));
    let results = call(
        &world,
        &job,
        "artifact6",
        &[download(&text["id"], &job.path("got")), json!(["getArtifact", "report é.zip"])],
    );
    assert!(results.iter().all(|result| result["error"].is_null()), "{results:?}");
    assert_eq!(std::fs::read(job.workspace.join("got/plain.txt")).expect("the file"), b"raw bytes");
    assert_eq!(results[1]["value"]["artifact"]["id"], made["id"]);

    // A zip is served as one.
    job.write("x.txt", b"x");
    value(&world, &job, "artifact6", upload(&job, "zipped", &["x.txt"], json!({})));
    let answer = get(&world.services.signed_artifact_url(RunId(1), "zipped"), &[]);
    assert_eq!(answer.header("content-type"), "application/zip");
    assert!(answer.header("content-disposition").contains("zipped.zip") && answer.body.starts_with(b"PK"));
}

#[test]
fn what_the_native_action_kept_is_a_zip_to_the_client() {
    let world = World::new();
    let job = world.job("native");
    let file = job.write("kept.txt", b"kept by the native action");
    let request = ArtifactRequest {
        run: RunId(1),
        name: "native".into(),
        files: vec![("a/kept.txt".into(), file.into())],
        overwrite: false,
        retention_days: None,
        compression_level: 6,
        now: Timestamp(1),
    };
    world.store.upload(&request).expect("an artifact");
    for client in CLIENTS {
        let path = job.path(client);
        let calls = [json!(["getArtifact", "native"]), download(&json!("$0.artifact.id"), &path)];
        let results = call(&world, &job, client, &calls);
        assert!(results[1]["error"].is_null(), "{results:?}");
        assert_ne!(results[1]["value"]["digestMismatch"], true);
        assert_eq!(std::fs::read(Path::new(&path).join("a/kept.txt")).expect("the file"), b"kept by the native action");
    }
}

/// Trap 82: clients drop the path of the results URL and ask at the root of the origin.
#[test]
fn trap_82_a_results_url_with_a_path_works() {
    let world = World::new();
    let url = format!("{}/some/sub/path/", world.services.origin());
    let job = world.job("path").env("ACTIONS_RESULTS_URL", &url);
    job.write("a.txt", b"a");
    for client in CLIENTS {
        let results =
            call(&world, &job, client, &[upload(&job, client, &["a.txt"], json!({})), json!(["listArtifacts"])]);
        assert!(results.iter().all(|result| result["error"].is_null()), "{results:?}");
    }
}

#[test]
fn five_thousand_small_files_arrive() {
    let world = World::new();
    let job = world.job("many");
    let names: Vec<String> = (0..5000).map(|number| format!("out/{}/file-{number}.txt", number % 50)).collect();
    for (number, name) in names.iter().enumerate() {
        job.write(name, format!("content of {number}\n").as_bytes());
    }
    let (results, _) = crate::client::run(&world, &job, "many.mjs", &json!({}));
    assert_eq!(results[0]["value"], json!({ "files": 5000, "digestMismatch": false }));
    for (number, name) in names.iter().enumerate() {
        let got = std::fs::read_to_string(job.workspace.join(name.replacen("out", "got", 1))).expect("the file");
        assert_eq!(got, format!("content of {number}\n"));
    }
}

/// A file of zeros that takes no place; gives its path.
fn sparse(job: &Job, mebibytes: u64) -> String {
    let path = job.path("sparse.img");
    std::fs::File::create(&path).expect("a file").set_len(mebibytes << 20).expect("a length");
    path
}

/// Two gigabytes: more than any length of 31 bits holds.
#[test]
fn a_large_file_goes_through_in_blocks() {
    const MEBIBYTES: u64 = 2048;
    let world = World::new();
    let job = world.job("large");
    let file = sparse(&job, MEBIBYTES);
    let up = json!(["uploadArtifact", "ignored", [file], job.workspace, { "skipArchive": true }]);
    let down = json!(["downloadArtifact", "$0.id", { "path": job.path("got") }]);
    let list = json!(["getArtifact", "sparse.img"]);
    let results = call(&world, &job, "artifact6", &[up, list, down]);
    assert!(results.iter().all(|result| result["error"].is_null()), "{results:?}");
    assert_eq!(results[1]["value"]["artifact"]["size"], MEBIBYTES << 20);
    let got = std::fs::metadata(job.workspace.join("got/sparse.img")).expect("the file");
    assert_eq!(got.len(), MEBIBYTES << 20);
}

#[test]
fn a_damaged_artifact_is_named_and_never_served() {
    let world = World::new();
    let job = world.job("damage");
    job.write("a.bin", &noise(1, 300_000));
    let made = value(&world, &job, "artifact6", upload(&job, "hurt", &["a.bin"], json!({})));
    crate::blobs::flip_a_byte_of_every_block(&world.folder.path().join("store"));
    let answer = get(&world.services.signed_artifact_url(RunId(1), "hurt"), &[]);
    assert_eq!(answer.status, 410, "{}", answer.text());
    let warnings = world.heard.warnings.lock().expect("no poison").clone();
    assert!(warnings.iter().any(|warning| warning.contains("`hurt`") && warning.contains("damage: ")), "{warnings:?}");
    drop(made);
}

/// A forge that knows the artifacts of runs, as the real one lists them.
#[derive(Debug)]
struct Listing {
    store: OnceLock<FolderStore>,
    links: ArtifactLinks,
}

impl ForgeApi for Listing {
    fn call(&self, _caller: &Caller, request: &ApiRequest) -> ApiResponse {
        let store = self.store.get().expect("a store");
        let parts: Vec<&str> = request.path.trim_start_matches('/').split('/').collect();
        match parts.as_slice() {
            ["repos", _, _, "actions", "runs", run, "artifacts"] => {
                let run = RunId(run.parse().expect("a number"));
                let artifacts: Vec<Value> = store
                    .list(run)
                    .expect("a list")
                    .iter()
                    .map(|artifact| json!({ "id": artifact.id, "name": artifact.name, "size_in_bytes": artifact.size, "digest": artifact.digest }))
                    .collect();
                ApiResponse::json(200, &json!({ "total_count": artifacts.len(), "artifacts": artifacts }))
            }
            ["repos", _, _, "actions", "artifacts", id, "zip"] => {
                let artifacts = (1..3).flat_map(|run| store.list(RunId(run)).expect("a list"));
                let found = artifacts.into_iter().find(|artifact| artifact.id.to_string() == *id).expect("an artifact");
                let url = self.links.signed_artifact_url(found.run, &found.name).expect("a link");
                ApiResponse { status: 302, headers: vec![("location".into(), url)], body: Vec::new() }
            }
            _ => ApiResponse::error(404, "Not Found"),
        }
    }
}

#[test]
fn an_artifact_of_another_run_is_found_by_rest_and_downloaded_by_redirect() {
    let links = ArtifactLinks::default();
    let forge = Arc::new(Listing { store: OnceLock::new(), links: links.clone() });
    let world = World::with(|config| {
        config.forge = forge.clone();
        config.links = links;
    });
    forge.store.set(world.store.clone()).expect("set once");
    let maker = world.job("maker");
    maker.write("a.txt", b"of run 1");
    let made = value(&world, &maker, "artifact6", upload(&maker, "shared", &["a.txt"], json!({})));
    let taker = world.job_of(2, "taker", |_| ());
    let by = json!({
        "findBy": { "token": taker.access.forge_token, "workflowRunId": 1, "repositoryOwner": "octo", "repositoryName": "app" },
        "path": taker.path("got"),
    });
    for client in CLIENTS {
        let (results, log) = call_with_log(
            &world,
            &taker,
            client,
            &[json!(["listArtifacts", by]), json!(["downloadArtifact", made["id"], by])],
        );
        assert_eq!(results[0]["value"]["artifacts"][0]["name"], "shared", "{results:?}\n{log}");
        assert!(results[1]["error"].is_null(), "{results:?}\n{log}");
        assert_eq!(std::fs::read(taker.workspace.join("got/a.txt")).expect("the file"), b"of run 1");
    }
}

#[test]
fn fields_are_checked_and_said_what_is_wrong() {
    let world = World::new();
    let job = world.job("fields");
    let (run, backend) = job.backend();
    let create = |more: Value| {
        let mut body = json!({ "workflowRunBackendId": run, "workflowJobRunBackendId": backend, "version": 7 });
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        twirp(&world, &job, "ArtifactService/CreateArtifact", &body)
    };
    for (more, status, code) in [
        (json!({ "name": "a/b" }), 400, "invalid_argument"),
        (json!({ "name": "" }), 400, "invalid_argument"),
        (json!({ "name": 5 }), 400, "invalid_argument"),
        (json!({ "name": "a", "expires_at": "soon" }), 400, "invalid_argument"),
        (json!({ "name": "a", "mime_type": "a\nb" }), 400, "invalid_argument"),
    ] {
        let answer = create(more.clone());
        assert_eq!((answer.status, &answer.json()["code"]), (status, &json!(code)), "{more}: {}", answer.text());
        assert!(answer.json()["msg"].as_str().is_some_and(|message| !message.is_empty()));
    }
    let answer = create(json!({ "name": "a" }));
    assert_eq!((answer.status, answer.json()["ok"].as_bool()), (200, Some(true)));
    let ids =
        json!({ "workflow_run_backend_id": run, "workflow_job_run_backend_id": backend, "name": "a", "size": "0" });
    let early = twirp(&world, &job, "ArtifactService/FinalizeArtifact", &ids);
    assert_eq!((early.status, &early.json()["code"]), (412, &json!("failed_precondition")));
    let route = twirp(&world, &job, "ArtifactService/Nothing", &ids);
    assert_eq!((route.status, &route.json()["code"]), (404, &json!("bad_route")));
    let route = twirp(&world, &job, "OtherService/Nothing", &ids);
    assert_eq!((route.status, &route.json()["code"]), (404, &json!("bad_route")));
    let nowhere = twirp(&world, &job, "ArtifactService/GetSignedArtifactURL", &ids);
    assert_eq!((nowhere.status, &nowhere.json()["code"]), (404, &json!("not_found")));
}
