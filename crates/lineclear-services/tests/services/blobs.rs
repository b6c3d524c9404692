//! Bytes by signed address: traps 83 and 92, uploads that break off.

use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use crate::http::{Answer, connect, get, head, put, read, send, taken_apart, twirp};
use crate::world::{Job, World, noise};

/// Damages every block of every archive in a store.
pub(crate) fn flip_a_byte_of_every_block(store: &Path) {
    let mut flipped = 0;
    let mut folders = vec![store.join("archives")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if std::fs::metadata(&entry).expect("a file").len() > 1000 {
                let mut bytes = std::fs::read(&entry).expect("a file");
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                let mut permissions = std::fs::metadata(&entry).expect("a file").permissions();
                #[expect(clippy::permissions_set_readonly_false, reason = "a file of the test's own folder")]
                permissions.set_readonly(false);
                std::fs::set_permissions(&entry, permissions).expect("permissions");
                std::fs::write(&entry, bytes).expect("a write");
                flipped += 1;
            }
        }
    }
    assert!(flipped > 0, "no block was found");
}

fn ids(job: &Job, name: &str) -> Value {
    let (run, backend) = job.backend();
    json!({ "workflow_run_backend_id": run, "workflow_job_run_backend_id": backend, "name": name })
}

/// Begins an artifact; gives the address to upload to.
fn begin(world: &World, job: &Job, name: &str) -> String {
    let answer = twirp(world, job, "ArtifactService/CreateArtifact", &ids(job, name));
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["signed_upload_url"].as_str().expect("an address").to_owned()
}

fn finalize(world: &World, job: &Job, name: &str, content: &[u8], hash: Option<&str>) -> Answer {
    let mut body = ids(job, name);
    body["size"] = content.len().to_string().into();
    body["hash"] = hash.map_or_else(|| digest(content), str::to_owned).into();
    twirp(world, job, "ArtifactService/FinalizeArtifact", &body)
}

fn digest(content: &[u8]) -> String {
    use sha2::Digest;
    format!("sha256:{}", lineclear_event::hexadecimal(&sha2::Sha256::digest(content)))
}

fn block(url: &str, id: &str, content: &[u8]) -> Answer {
    put(&format!("{url}&comp=block&blockid={id}"), &[], content)
}

fn list(url: &str, ids: &[&str]) -> Answer {
    let blocks: String = ids.iter().map(|id| format!("<Latest>{id}</Latest>")).collect();
    put(
        &format!("{url}&comp=blocklist"),
        &[],
        format!("<?xml version=\"1.0\"?><BlockList>{blocks}</BlockList>").as_bytes(),
    )
}

fn downloaded(world: &World, job: &Job, name: &str) -> Answer {
    let answer = twirp(world, job, "ArtifactService/GetSignedArtifactURL", &ids(job, name));
    get(answer.json()["signed_url"].as_str().expect("an address"), &[])
}

#[test]
fn trap_83_blocks_come_in_any_order_and_twice_and_the_list_decides() {
    let world = World::new();
    let job = world.job("blocks");
    let url = begin(&world, &job, "ordered");
    let parts = [noise(1, 70_000), noise(2, 50_000), noise(3, 1)];
    assert_eq!(block(&url, "Qw%3D%3D", &parts[2]).status, 201);
    assert_eq!(block(&url, "QQ%3D%3D", b"an earlier try").status, 201);
    assert_eq!(block(&url, "Qg==", &parts[1]).status, 201);
    assert_eq!(block(&url, "QQ==", &parts[0]).status, 201);
    assert_eq!(block(&url, "WA==", b"not in the list").status, 201);
    let missing = list(&url, &["QQ==", "Tm8="]);
    assert_eq!(missing.status, 400);
    assert_eq!(missing.header("x-ms-error-code"), "InvalidBlockList");
    assert_eq!(list(&url, &["QQ==", "Qg==", "Qw=="]).status, 201);
    assert_eq!(list(&url, &["QQ==", "Qg==", "Qw=="]).status, 201, "repeated after a lost answer");
    let whole: Vec<u8> = parts.concat();

    let wrong = finalize(&world, &job, "ordered", &whole, Some("sha256:00"));
    assert_eq!((wrong.status, &wrong.json()["code"]), (400, &json!("invalid_argument")));
    assert!(wrong.text().contains(&digest(&whole)), "{}", wrong.text());
    assert_eq!(finalize(&world, &job, "ordered", &whole[1..], None).status, 400, "the size is wrong");
    let kept = finalize(&world, &job, "ordered", &whole, None);
    assert_eq!(kept.status, 200, "{}", kept.text());
    assert_eq!(finalize(&world, &job, "ordered", &whole, None).json(), kept.json(), "repeated after a lost answer");
    assert!(downloaded(&world, &job, "ordered").body == whole);
}

#[test]
fn an_upload_that_breaks_off_leaves_nothing_half_and_is_resumed_by_the_missing_block() {
    let world = World::new();
    let job = world.job("resume");
    let url = begin(&world, &job, "resumed");
    let (first, second) = (noise(1, 400_000), noise(2, 400_000));
    assert_eq!(block(&url, "QQ==", &first).status, 201);
    let (address, path) = taken_apart(&format!("{url}&comp=block&blockid=Qg=="));
    let mut stream = connect(&address);
    stream.write_all(&head(&address, "PUT", &path, &[], second.len())).expect("a head");
    stream.write_all(&second[..200_000]).expect("half of the body");
    drop(stream);
    let refused = list(&url, &["QQ==", "Qg=="]);
    assert_eq!(refused.status, 400, "the half block is not there: {}", refused.text());
    assert_eq!(block(&url, "Qg==", &second).status, 201);
    assert_eq!(list(&url, &["QQ==", "Qg=="]).status, 201);
    let whole = [first, second].concat();
    assert_eq!(finalize(&world, &job, "resumed", &whole, None).status, 200);
    assert!(downloaded(&world, &job, "resumed").body == whole);
}

#[test]
fn trap_83_a_whole_blob_comes_in_one_request_and_may_be_repeated() {
    let world = World::new();
    let job = world.job("whole");
    let url = begin(&world, &job, "whole");
    let content = noise(6, 1 << 20);
    assert_eq!(put(&url, &[], &content).status, 400, "the kind of blob is missing");
    let kind = [("x-ms-blob-type", "BlockBlob"), ("x-ms-version", "2020-10-02")];
    let answer = put(&url, &kind, &content);
    assert_eq!((answer.status, answer.body.is_empty(), answer.header("etag").is_empty()), (201, true, false));
    assert_eq!(put(&url, &kind, &content).status, 201, "repeated after a lost answer");
    assert_eq!(finalize(&world, &job, "whole", &content, None).status, 200);
    assert!(downloaded(&world, &job, "whole").body == content);
}

#[test]
fn an_artifact_without_a_byte_is_possible() {
    let world = World::new();
    let job = world.job("empty");
    let url = begin(&world, &job, "empty");
    assert_eq!(list(&url, &[]).status, 201);
    assert_eq!(finalize(&world, &job, "empty", b"", None).status, 200);
    let answer = downloaded(&world, &job, "empty");
    assert_eq!((answer.status, answer.header("content-length")), (200, "0"));
}

#[test]
fn an_upload_that_nobody_ends_goes_with_its_job() {
    let world = World::new();
    let job = world.job("gone");
    let url = begin(&world, &job, "gone");
    assert_eq!(block(&url, "QQ==", b"bytes").status, 201);
    drop(job);
    assert_eq!(block(&url, "QQ==", b"bytes").status, 404);
    let uploads = world.folder.path().join("store/uploads");
    let left = std::fs::read_dir(&uploads).map_or(0, Iterator::count);
    assert_eq!(left, 0, "what is left in {}", uploads.display());
}

#[test]
fn trap_92_an_address_is_good_for_one_blob_one_action_and_some_time() {
    let world = World::new();
    let job = world.job("signed");
    let url = begin(&world, &job, "a");
    let other = begin(&world, &job, "b");
    let (address, path) = taken_apart(&url);
    let (_, other_path) = taken_apart(&other);
    let query = path.split_once('?').expect("a query").1;
    let other_query = other_path.split_once('?').expect("a query").1;
    let plain = path.split('?').next().expect("a path");
    let status = |method: &str, path: &str| send(&address, method, path, &[], b"x").status;
    assert_eq!(
        status("PUT", &format!("{plain}?{other_query}&comp=block&blockid=QQ==")),
        403,
        "another blob's signature"
    );
    assert_eq!(status("PUT", &format!("{plain}?comp=block&blockid=QQ==")), 403, "no signature");
    assert_eq!(status("GET", &path), 403, "another method");
    assert_eq!(status("DELETE", &path), 403, "another method");
    assert_eq!(status("PUT", &path.replace("sp=w", "sp=r").replace("se=", "se=1")), 403, "a changed query");
    assert_eq!(status("PUT", &format!("{plain}/../x?{query}")), 403, "another path");
    let refused = put(&format!("{}&comp=block&blockid=QQ==", url.replace("sig=", "sig=A")), &[], b"x");
    assert_eq!((refused.status, refused.header("x-ms-error-code")), (403, "AuthenticationFailed"));

    assert_eq!(block(&url, "QQ==", b"x").status, 201);
    assert_eq!(list(&url, &["QQ=="]).status, 201);
    assert_eq!(finalize(&world, &job, "a", b"x", None).status, 200);
    let read_url =
        twirp(&world, &job, "ArtifactService/GetSignedArtifactURL", &ids(&job, "a")).json()["signed_url"].clone();
    let read_url = read_url.as_str().expect("an address");
    assert_eq!(get(read_url, &[]).status, 200);
    assert_eq!(put(read_url, &[("x-ms-blob-type", "BlockBlob")], b"y").status, 403, "an address to read");
    world.later(3_601_000);
    assert_eq!(get(read_url, &[]).status, 403, "it has expired");
    world.later(6 * 3_600_000);
    assert_eq!(block(&other, "QQ==", b"x").status, 403, "it has expired");
}

#[test]
fn head_tells_of_a_blob_without_its_bytes() {
    let world = World::new();
    let job = world.job("head");
    let url = begin(&world, &job, "h");
    assert_eq!(put(&url, &[("x-ms-blob-type", "BlockBlob")], b"12345").status, 201);
    assert_eq!(finalize(&world, &job, "h", b"12345", None).status, 200);
    let url = twirp(&world, &job, "ArtifactService/GetSignedArtifactURL", &ids(&job, "h")).json()["signed_url"].clone();
    let (address, path) = taken_apart(url.as_str().expect("an address"));
    let answer = send(&address, "HEAD", &path, &[], b"");
    assert_eq!((answer.status, answer.header("content-length"), answer.body.len()), (200, "5", 0));
}

#[test]
fn a_block_list_that_is_none_is_refused_in_the_blob_services_words() {
    let world = World::new();
    let job = world.job("lists");
    let url = begin(&world, &job, "l");
    for body in ["", "<a/>", "{}", "<!DOCTYPE a [<!ENTITY b \"c\">]><BlockList><Latest>&b;</Latest></BlockList>"] {
        let answer = put(&format!("{url}&comp=blocklist"), &[], body.as_bytes());
        assert_eq!((answer.status, answer.header("x-ms-error-code")), (400, "InvalidXmlDocument"), "{body}");
    }
    assert_eq!(block(&url, "..%2Fx", b"x").status, 400);
    assert_eq!(block(&url, "", b"x").status, 400);
    assert_eq!(put(&format!("{url}&comp=lease"), &[], b"x").status, 400);
}

#[test]
fn more_than_an_archive_may_have_is_refused() {
    let world = World::with(|config| config.limits.archive = 100_000);
    let job = world.job("large");
    let url = begin(&world, &job, "large");
    assert_eq!(block(&url, "QQ==", &noise(1, 60_000)).status, 201);
    assert_eq!(block(&url, "Qg==", &noise(1, 60_000)).status, 413);
    // Without a length beforehand.
    let (address, path) = taken_apart(&format!("{url}&comp=block&blockid=Qg=="));
    let mut stream = connect(&address);
    let request = format!(
        "PUT {path} HTTP/1.1\r\nHost: {address}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nea60\r\n"
    );
    stream.write_all(request.as_bytes()).expect("a head");
    stream.write_all(&noise(1, 60_000)).expect("a chunk");
    stream.write_all(b"\r\n0\r\n\r\n").expect("the end");
    assert_eq!(read(stream).status, 413);
}

/// Containers reach this machine at another address: what they are told leads back there, with the tokens of the same job.
#[test]
fn clients_at_another_address_are_led_back_to_it() {
    let world = World::new();
    let job = world.job("one");
    let other = world.services.also_at(std::net::Ipv4Addr::new(127, 0, 0, 2).into(), "127.0.0.2").expect("it listens");
    let at = other.authority().to_owned();
    assert!(at.starts_with("127.0.0.2:"), "{at}");
    let authorization = format!("Bearer {}", job.access.runtime_token);
    let headers = [("Authorization", authorization.as_str()), ("Content-Type", "application/json")];
    let path = "/twirp/github.actions.results.api.v1.ArtifactService/CreateArtifact";
    let said = send(&at, "POST", path, &headers, ids(&job, "a").to_string().as_bytes());
    let url = said.json()["signed_upload_url"].as_str().map(str::to_owned).expect("an address");
    let upload = url.strip_prefix(&format!("http://{at}")).unwrap_or_else(|| panic!("{url} leads elsewhere"));
    assert_eq!(send(&at, "PUT", upload, &[("x-ms-blob-type", "BlockBlob")], b"bytes").status, 201);
    assert_eq!(send(&at, "GET", "/", &[("Host", "evil.example")], b"").status, 421);
    drop(other);
    let listens = || std::net::TcpStream::connect(&at).is_ok();
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while listens() {
        assert!(std::time::Instant::now() < end, "it listens no more");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}
