//! Several processes on one folder, and processes that die.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use lineclear_forge::ForgeApi;
use lineclear_store::MemoryStore;
use serde_json::json;

use crate::ground::{everything, facts, git, header, open, request, texts, world};

const FOLDER: &str = "FORGE_WRITER_FOLDER";
const COUNT: &str = "FORGE_WRITER_COUNT";

/// Writes comments and says the id of each.
#[test]
#[ignore = "started by the other tests as a process of its own"]
fn writer() {
    let folder = std::env::var_os(FOLDER).expect("the folder is given");
    let folder = Path::new(&folder);
    let count: u32 = std::env::var(COUNT).expect("the count is given").parse().expect("a number");
    let forge = open(&folder.join("forge"), &facts(&folder.join("app")), &MemoryStore::new());
    for number in 0..count {
        let comment =
            request("POST", "issues/7/comments").json(&json!({"body": format!("{} {number}", std::process::id())}));
        let made = forge.call(&everything(), &comment);
        assert_eq!(made.status, 201, "{}", made.value());
        writeln!(std::io::stdout(), "id={}", made.value()["id"]).expect("somebody reads");
    }
}

fn start(folder: &Path, count: u32) -> Child {
    let mut writer = Command::new(std::env::current_exe().expect("this is a program"));
    writer.args(["--exact", "durability::writer", "--ignored", "--nocapture", "--test-threads=1"]);
    writer.env(FOLDER, folder).env(COUNT, count.to_string()).stdout(Stdio::piped());
    writer.spawn().expect("the writer starts")
}

fn ids(lines: impl Iterator<Item = std::io::Result<String>>) -> impl Iterator<Item = u64> {
    // The harness writes its own words before the first line.
    lines.map_while(Result::ok).filter_map(|line| line.split_once("id=")?.1.parse().ok())
}

#[test]
fn two_processes_lose_nothing_and_share_no_id() {
    let world = world();
    let mut writers = [start(world.folder.path(), 40), start(world.folder.path(), 40)];
    for number in 0..20 {
        world.expect(201, "POST", "issues/7/comments", &json!({"body": format!("own {number}")}));
    }
    let mut said = Vec::new();
    for writer in &mut writers {
        let out = writer.stdout.take().expect("it is piped");
        said.extend(ids(BufReader::new(out).lines()));
        assert!(writer.wait().expect("it ends").success());
    }
    assert_eq!(said.len(), 80);
    let first = world.get("issues/7/comments?per_page=100").value();
    let kept: Vec<u64> = first.as_array().into_iter().flatten().filter_map(|one| one["id"].as_u64()).collect();
    assert_eq!(kept.len(), 100);
    assert!(kept.is_sorted_by(|one, next| one < next));
    assert!(said.iter().all(|id| kept.contains(id)));
}

#[test]
fn a_killed_writer_loses_nothing_that_it_said() {
    let world = world();
    for _ in 0..3 {
        let mut writer = start(world.folder.path(), 100_000);
        let out = writer.stdout.take().expect("it is piped");
        let said: Vec<u64> = ids(BufReader::new(out).lines()).take(5).collect();
        writer.kill().expect("it is alive");
        writer.wait().expect("it ends");
        for id in &said {
            assert_eq!(world.get(&format!("issues/comments/{id}")).status, 200);
        }
        let next = world.expect(201, "POST", "issues/7/comments", &json!({"body": "after"}));
        assert!(next["id"].as_u64() > said.last().copied(), "{next} {said:?}");
    }
}

#[test]
fn a_torn_line_is_dropped_and_a_damaged_one_is_named() {
    let world = world();
    world.expect(201, "POST", "issues/7/comments", &json!({"body": "kept"}));
    let journal = world.folder.path().join("forge/journal");
    let append = |text: &str| {
        let mut file = std::fs::OpenOptions::new().append(true).open(&journal).expect("the journal is there");
        file.write_all(text.as_bytes()).expect("it can be written");
    };
    append("{\"next\":1000009,\"changes\":[{\"table\":\"comm");
    assert_eq!(texts(&world.read("issues/7/comments"), "body"), ["kept"]);
    let again = open(&world.folder.path().join("forge"), &world.facts, &world.store);
    world.expect(201, "POST", "issues/7/comments", &json!({"body": "next"}));
    let seen = again.call(&everything(), &request("GET", "issues/7/comments"));
    assert_eq!(texts(&seen.value(), "body"), ["kept", "next"]);
    append("this is no transaction\n");
    let answer = world.get("issues/7/comments");
    assert_eq!(answer.status, 500);
    let message = answer.value()["message"].as_str().unwrap_or_default().to_owned();
    assert!(message.contains("is damaged") && message.contains("journal"), "{message}");
}

#[test]
fn a_journal_of_old_things_is_written_anew() {
    let world = world();
    let made = world.expect(201, "POST", "issues/7/comments", &json!({"body": "x"}));
    let path = format!("issues/comments/{}", made["id"]);
    for number in 0..40 {
        world.expect(200, "PATCH", &path, &json!({"body": format!("{number}{}", "x".repeat(60_000))}));
    }
    let journal = world.folder.path().join("forge/journal");
    let before = std::fs::metadata(&journal).expect("it is there").len();
    let again = open(&world.folder.path().join("forge"), &world.facts, &world.store);
    let after = std::fs::metadata(&journal).expect("it is there").len();
    assert!(after * 4 < before, "{before} {after}");
    // The one that had it open goes on with the new file.
    world.expect(201, "POST", "issues/7/comments", &json!({"body": "later"}));
    let seen = again.call(&everything(), &request("GET", "issues/7/comments"));
    assert_eq!(seen.value().as_array().map(Vec::len), Some(2));
    assert!(header(&seen, "etag").is_some());
    assert!(seen.value()[1]["id"].as_u64() > made["id"].as_u64());
}

#[test]
fn a_repository_that_was_half_made_is_made_again() {
    let world = world();
    let half = world.folder.path().join("forge/repository.new/objects");
    std::fs::create_dir_all(half).expect("a folder");
    assert_eq!(world.get("branches/main").status, 200);
    let served = world.forge.git_dir().expect("it is there").to_owned();
    assert_eq!(git(&served, &["rev-parse", "--is-bare-repository"]), "true");
}

#[test]
fn a_damaged_asset_is_never_served() {
    let world = world();
    let release = world.expect(201, "POST", "releases", &json!({"tag_name": "v2"}));
    let mut upload = request("POST", &format!("releases/{}/assets?name=a", release["id"]));
    upload.body = b"content".to_vec();
    let asset = world.send(&upload).value();
    let digest = asset["digest"].as_str().unwrap_or_default().trim_start_matches("sha256:").to_owned();
    let kept = world.folder.path().join("forge/blobs").join(&digest);
    std::fs::write(&kept, b"contemt").expect("it can be written");
    let mut download = request("GET", &format!("releases/assets/{}", asset["id"]));
    download.headers.push(("accept".into(), "application/octet-stream".into()));
    let answer = world.send(&download);
    assert_eq!(answer.status, 500);
    assert!(answer.value()["message"].as_str().is_some_and(|text| text.contains(&digest)));
}

#[test]
fn postings_of_the_newest_runs_are_kept() {
    let world = world();
    for run in 1..=205 {
        let caller = lineclear_forge::Caller { run: lineclear_event::RunId(run), ..everything() };
        let comment = request("POST", "issues/7/comments").json(&json!({"body": "x"}));
        assert_eq!(world.forge.call(&caller, &comment).status, 201);
    }
    let again = open(&world.folder.path().join("forge"), &world.facts, &world.store);
    let of = |run| again.posted(lineclear_event::RunId(run)).expect("it can be read").len();
    assert_eq!((of(5), of(6), of(205)), (0, 1, 1));
}
