use lineclear_forge::ApiRequest;
use serde_json::json;

use crate::ground::{header, request, texts, world};

/// As softprops/action-gh-release does it: look, make, upload by the template, replace.
#[test]
fn a_release_is_made_with_files() {
    let world = world();
    assert_eq!(world.get("releases/tags/v2").status, 404);
    let made = world.expect(
        201,
        "POST",
        "releases",
        &json!({"tag_name": "v2", "target_commitish": "main", "name": "Two", "body": "notes"}),
    );
    assert_eq!(
        made["upload_url"],
        json!(format!("http://127.0.0.1:9/api/v3/repos/octo/app/releases/{}/assets{{?name,label}}", made["id"]))
    );
    assert_eq!(made["html_url"], "https://github.com/octo/app/releases/tag/v2");
    assert_eq!(world.read("git/ref/tags/v2")["object"]["sha"], world.read("branches/main")["commit"]["sha"]);
    let upload = |name: &str, body: &[u8]| {
        let path = format!("/repos/octo/app/releases/{}/assets", made["id"]);
        let mut request = ApiRequest { body: body.to_vec(), ..ApiRequest::new("POST", &path) }.query("name", name);
        request.headers.push(("content-type".into(), "application/gzip".into()));
        world.send(&request)
    };
    let asset = upload("app 1.tgz", b"\x1f\x8b\x00");
    assert_eq!((asset.status, &asset.value()["name"]), (201, &json!("app.1.tgz")));
    let asset = asset.value();
    assert_eq!(
        (&asset["size"], &asset["content_type"], &asset["state"]),
        (&json!(3), &json!("application/gzip"), &json!("uploaded"))
    );
    assert_eq!(asset["browser_download_url"], "https://github.com/octo/app/releases/download/v2/app.1.tgz");
    let twice = upload("app 1.tgz", b"other");
    assert_eq!((twice.status, &twice.value()["errors"][0]["code"]), (422, &json!("already_exists")));
    assert_eq!(upload("../../etc/passwd", b"x").value()["name"], "......etc.passwd");
    assert_eq!(upload("..", b"x").status, 422);
    let path = format!("releases/assets/{}", asset["id"]);
    let mut download = request("GET", &path);
    download.headers.push(("accept".into(), "application/octet-stream".into()));
    let bytes = world.send(&download);
    assert_eq!(
        (bytes.body.as_slice(), header(&bytes, "content-type")),
        (b"\x1f\x8b\x00".as_slice(), Some("application/gzip"))
    );
    world.expect(204, "DELETE", &path, &json!({}));
    assert_eq!(upload("app 1.tgz", b"new").status, 201);
    let shown = world.read("releases/tags/v2");
    assert_eq!(texts(&shown["assets"], "name"), ["......etc.passwd", "app.1.tgz"]);
    assert_eq!(
        world.expect(422, "POST", "releases", &json!({"tag_name": "v2"}))["errors"][0]["code"],
        "already_exists"
    );
    world.expect(422, "POST", "releases", &json!({"tag_name": "a..b"}));
    world.expect(422, "POST", "releases", &json!({"tag_name": "v3", "target_commitish": "no-such"}));
}

#[test]
fn the_latest_release_is_the_newest_that_is_published() {
    let world = world();
    assert_eq!(world.get("releases/latest").status, 404);
    world.expect(201, "POST", "releases", &json!({"tag_name": "v1.0", "make_latest": "true"}));
    world.expect(201, "POST", "releases", &json!({"tag_name": "v1.1", "prerelease": true}));
    let draft = world.expect(201, "POST", "releases", &json!({"tag_name": "v1.2", "draft": true}));
    assert_eq!((&draft["draft"], &draft["published_at"]), (&json!(true), &json!(null)));
    assert_eq!(world.read("releases/latest")["tag_name"], "v1.0");
    assert_eq!(world.get("git/ref/tags/v1.2").status, 404);
    assert_eq!(world.get("releases/tags/v1.2").status, 404);
    world.expect(200, "PATCH", &format!("releases/{}", draft["id"]), &json!({"draft": false}));
    assert_eq!(world.read("releases/latest")["tag_name"], "v1.2");
    assert_eq!(texts(&world.read("releases"), "tag_name"), ["v1.2", "v1.1", "v1.0"]);
    let notes = world.expect(
        200,
        "POST",
        "releases/generate-notes",
        &json!({"tag_name": "v2", "previous_tag_name": "v1.0", "target_commitish": "feature"}),
    );
    let body = notes["body"].as_str().unwrap_or_default();
    assert!(
        body.contains("* Call one by Ada\n* Add the guide by Ada") && body.ends_with("compare/v1.0...v2"),
        "{body}"
    );
}
