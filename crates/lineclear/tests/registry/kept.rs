//! `registry list`, `gc`, `verify`, and what `serve` refuses.

use std::process::Output;

use lineclear_oci::{AnyManifest, Descriptor, ManifestParts, MediaType};

use crate::raw::{push_blob, send};
use crate::server::{Served, folder, registry};

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn push_image(served: &Served, tag: &str, layer: &[u8]) -> AnyManifest {
    push_blob(&served.address, "octo/app", b"{}");
    push_blob(&served.address, "octo/app", layer);
    let layers = vec![Descriptor::of(MediaType::OciLayer, layer)];
    let manifest: AnyManifest = ManifestParts::new(Descriptor::of(MediaType::OciConfig, b"{}"), layers).write().into();
    let answer = send(&served.address, "PUT", &format!("/v2/octo/app/manifests/{tag}"), &[], manifest.raw());
    assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
    manifest
}

#[test]
fn what_is_there_is_listed_swept_and_verified() {
    let data = folder();
    let served = Served::open(data.path());
    let old = push_image(&served, "latest", &[1; 10_000]);
    let new = push_image(&served, "latest", &[2; 10_000]);
    let run = |args: &[&str]| registry(data.path(), args).output().expect("the binary is built");
    let list = said(&run(&["list"]));
    assert!(
        list.contains(&format!("octo/app:latest  {}", new.digest())) && list.contains("1 tag in 1 repository"),
        "{list}"
    );
    let json: serde_json::Value = serde_json::from_slice(&run(&["list", "--format", "json"]).stdout).expect("JSON");
    assert_eq!(json["images"][0]["digest"], new.digest().as_str(), "{json}");
    let none = said(&run(&["gc"]));
    assert!(none.contains("removed 0 manifests, 0 contents"), "the time of grace holds: {none}");
    let arguments = ["gc", "--untagged", "0", "--grace", "0"];
    let foreseen = said(&run(&[&arguments[..], &["--dry-run"]].concat()));
    assert!(foreseen.contains(&format!("would remove octo/app@{}", old.digest())), "{foreseen}");
    let swept = said(&run(&arguments));
    assert!(swept.contains("removed 1 manifest, 2 contents"), "{swept}");
    assert_eq!(send(&served.address, "GET", "/v2/octo/app/manifests/latest", &[], b"").status, 200);
    let verified = run(&["verify"]);
    assert!(verified.status.success() && said(&verified).contains("0 damaged"), "{}", said(&verified));
}

#[test]
fn immutable_tags_are_a_setting_of_the_server() {
    let data = folder();
    let served = Served::with(data.path(), &["--anonymous", "--immutable-tags", "v*"]);
    push_image(&served, "v1", b"one");
    let two = push_image(&served, "latest", b"two");
    let answer = send(&served.address, "PUT", "/v2/octo/app/manifests/v1", &[], two.raw());
    assert_eq!(answer.status, 409);
    assert!(String::from_utf8_lossy(&answer.body).contains("`v1` is immutable"));
}

#[test]
fn serving_says_what_is_missing() {
    let data = folder();
    let output = registry(data.path(), &["serve", "--listen", "127.0.0.1:0"]).output().expect("the binary is built");
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("--htpasswd FILE, --anonymous-pull or --anonymous"), "{}", said(&output));
    let served = Served::open(data.path());
    let output = registry(data.path(), &["serve", "--anonymous", "--listen", &served.address])
        .output()
        .expect("the binary is built");
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("cannot listen on"), "{}", said(&output));
    let help = registry(data.path(), &["--help"]).output().expect("the binary is built");
    assert!(said(&help).contains("Examples:"), "{}", said(&help));
}
