//! The table: what the OCI distribution specification 1.1 asks of a registry, each row with its name.
//!
//! # Source
//! The OCI distribution specification 1.1: pull, push, content discovery, content management, error codes; RFC 9110 for ranges and
//! conditional requests. `docker` in a name says that it is Docker's registry that clients know it from.

use std::panic::{AssertUnwindSafe, catch_unwind};

use lineclear_oci::{AnyManifest, Descriptor, Digest, IndexParts, ManifestParts, MediaType, Platform};
use lineclear_registry_server::{Deed, Grants, Pattern, Settings};
use serde_json::Value;

/// An answer, with names of headers in lower case.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    #[track_caller]
    fn has(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self
    }

    /// An error of this status and code, in the form of the specification.
    #[track_caller]
    fn fails(self, status: u16, code: &str) -> Self {
        let answer = self.has(status);
        let json = answer.json();
        let error = &json["errors"][0];
        assert_eq!(error["code"], code, "{json}");
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{json}");
        answer
    }

    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&self.body)))
    }
}

/// Whatever carries a request to a registry.
pub(crate) trait Client {
    fn send(&self, caller: &Grants, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer;
}

/// A client who may do everything.
struct Registry<'c>(&'c dyn Client);

impl Registry<'_> {
    fn ask(&self, method: &str, target: &str) -> Answer {
        self.0.send(&Grants::everything(), method, target, &[], b"")
    }

    fn with(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.0.send(&Grants::everything(), method, target, headers, body)
    }

    #[track_caller]
    fn begin(&self, name: &str) -> String {
        let answer = self.ask("POST", &format!("/v2/{name}/blobs/uploads/")).has(202);
        answer.header("location").to_owned()
    }

    #[track_caller]
    fn push_blob(&self, name: &str, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        let target = format!("/v2/{name}/blobs/uploads/?digest={digest}");
        self.with("POST", &target, &[("content-type", "application/octet-stream")], bytes).has(201);
        digest
    }

    #[track_caller]
    fn push_manifest(&self, name: &str, reference: &str, manifest: &AnyManifest) -> Answer {
        let kind = manifest.media_type().to_string();
        self.with("PUT", &format!("/v2/{name}/manifests/{reference}"), &[("content-type", &kind)], manifest.raw())
    }

    /// An image of one layer.
    #[track_caller]
    fn push_image(&self, name: &str, tag: &str, layer: &[u8]) -> AnyManifest {
        self.push_blob(name, CONFIG);
        self.push_blob(name, layer);
        let manifest = image(layer);
        self.push_manifest(name, tag, &manifest).has(201);
        manifest
    }
}

const CONFIG: &[u8] =
    br#"{"architecture":"amd64","os":"linux","config":{"User":"app"},"rootfs":{"type":"layers","diff_ids":[]}}"#;

fn image(layer: &[u8]) -> AnyManifest {
    let layers = vec![Descriptor::of(MediaType::OciLayerGzip, layer)];
    ManifestParts::new(Descriptor::of(MediaType::OciConfig, CONFIG), layers).write().into()
}

fn artifact(kind: &str, subject: &AnyManifest) -> AnyManifest {
    ManifestParts::artifact(MediaType::parse(kind), Vec::new(), Some(subject.descriptor())).write().into()
}

fn absent() -> Digest {
    Digest::of(b"nobody ever pushed this")
}

fn is_image_of(tags: &Value, expected: &[&str]) -> bool {
    tags.as_array()
        .is_some_and(|tags| tags.iter().map(|tag| tag.as_str().unwrap_or_default()).eq(expected.iter().copied()))
}

type Row = (&'static str, fn(&Registry<'_>));

/// Every row, each on a registry of its own.
pub(crate) fn check_all<C: Client>(mut fresh: impl FnMut(&Settings) -> C) {
    let mut broken = Vec::new();
    for (settings, rows) in
        [(Settings::default(), rows()), (immutable(), immutable_rows()), (small_pages(), paged_rows())]
    {
        for (name, row) in rows {
            let client = fresh(&settings);
            if catch_unwind(AssertUnwindSafe(|| row(&Registry(&client)))).is_err() {
                broken.push(name);
            }
        }
    }
    assert!(broken.is_empty(), "broken: {broken:#?}");
}

fn immutable() -> Settings {
    Settings { immutable_tags: vec![Pattern::new("v*")], ..Settings::default() }
}

fn small_pages() -> Settings {
    Settings { page: 2, blob_bytes: 1000, ..Settings::default() }
}

fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> = vec![
        ("end-1: /v2/ says that there is a registry", |r| {
            let answer = r.ask("GET", "/v2/").has(200);
            assert_eq!(answer.header("docker-distribution-api-version"), "registry/2.0");
            r.ask("HEAD", "/v2/").has(200);
            r.ask("GET", "/v2").has(200);
        }),
        ("end-1: who is not known is asked for a name (UNAUTHORIZED)", |r| {
            let challenges = vec!["Basic realm=\"x\"".to_owned()];
            let nobody = Grants { is_anonymous: true, challenges, ..Grants::default() };
            let answer = r.0.send(&nobody, "GET", "/v2/", &[], b"").fails(401, "UNAUTHORIZED");
            assert!(answer.header("www-authenticate").starts_with("Basic realm="), "{answer:?}");
            r.0.send(&nobody, "GET", "/v2/a/tags/list", &[], b"").fails(401, "UNAUTHORIZED");
            r.0.send(&nobody, "POST", "/v2/a/blobs/uploads/", &[], b"").fails(401, "UNAUTHORIZED");
        }),
        ("who is known may only what was granted (DENIED)", |r| {
            r.push_image("o/app", "1", b"layer");
            let reader = Grants::of("o/**", [Deed::Pull]);
            let send = |method: &str, target: &str| r.0.send(&reader, method, target, &[], b"");
            send("GET", "/v2/o/app/manifests/1").has(200);
            send("POST", "/v2/o/app/blobs/uploads/").fails(403, "DENIED");
            send("PUT", "/v2/o/app/manifests/2").fails(403, "DENIED");
            send("DELETE", "/v2/o/app/manifests/1").fails(403, "DENIED");
            send("GET", "/v2/p/app/manifests/1").fails(403, "DENIED");
            send("GET", &format!("/v2/p/app/blobs/{}", Digest::of(CONFIG))).fails(403, "DENIED");
        }),
    ];
    rows.extend(pull_rows());
    rows.extend(upload_rows());
    rows.extend(manifest_rows());
    rows.extend(discovery_rows());
    rows.extend(management_rows());
    rows.extend(hostile_rows());
    rows
}

fn pull_rows() -> Vec<Row> {
    vec![
        ("end-2 pull: a blob by its digest", |r| {
            let digest = r.push_blob("a/b", b"content");
            let answer = r.ask("GET", &format!("/v2/a/b/blobs/{digest}")).has(200);
            assert_eq!(answer.body, b"content");
            assert_eq!(answer.header("docker-content-digest"), digest.as_str());
            assert_eq!(answer.header("content-length"), "7");
            assert_eq!(answer.header("content-type"), "application/octet-stream");
            assert_eq!(answer.header("accept-ranges"), "bytes");
        }),
        ("end-2 pull: HEAD of a blob is its GET without the body", |r| {
            let digest = r.push_blob("a", b"content");
            let answer = r.ask("HEAD", &format!("/v2/a/blobs/{digest}")).has(200);
            assert!(answer.body.is_empty());
            assert_eq!(answer.header("content-length"), "7");
            assert_eq!(answer.header("docker-content-digest"), digest.as_str());
        }),
        ("end-2 pull: a blob that is not there (BLOB_UNKNOWN)", |r| {
            r.push_blob("a", b"content");
            r.ask("GET", &format!("/v2/a/blobs/{}", absent())).fails(404, "BLOB_UNKNOWN");
            r.ask("HEAD", &format!("/v2/a/blobs/{}", absent())).has(404);
            // It is there, but not in this repository.
            r.ask("GET", &format!("/v2/b/blobs/{}", Digest::of(b"content"))).fails(404, "BLOB_UNKNOWN");
        }),
        ("end-2 pull: what is no digest (DIGEST_INVALID)", |r| {
            for digest in ["sha256:abc", "md5:d41d8cd98f00b204e9800998ecf8427e", "latest", "sha256%3A.."] {
                r.ask("GET", &format!("/v2/a/blobs/{digest}")).fails(400, "DIGEST_INVALID");
            }
            let long = lineclear_oci::Algorithm::Sha512.digest(b"x");
            r.ask("GET", &format!("/v2/a/blobs/{long}")).fails(400, "DIGEST_INVALID");
        }),
        ("RFC 9110 pull: ranges of a blob", |r| {
            let digest = r.push_blob("a", b"0123456789");
            let target = format!("/v2/a/blobs/{digest}");
            for (range, part, said) in [
                ("bytes=0-3", "0123", "bytes 0-3/10"),
                ("bytes=4-", "456789", "bytes 4-9/10"),
                ("bytes=-2", "89", "bytes 8-9/10"),
                ("bytes=8-100", "89", "bytes 8-9/10"),
            ] {
                let answer = r.with("GET", &target, &[("range", range)], b"").has(206);
                assert_eq!((answer.body.as_slice(), answer.header("content-range")), (part.as_bytes(), said));
                assert_eq!(answer.header("content-length"), part.len().to_string());
            }
            let answer = r.with("GET", &target, &[("range", "bytes=10-")], b"").fails(416, "RANGE_INVALID");
            assert_eq!(answer.header("content-range"), "bytes */10");
            assert_eq!(r.with("GET", &target, &[("range", "lines=1-2")], b"").has(200).body.len(), 10);
            let other = [("range", "bytes=0-3"), ("if-range", "\"another\"")];
            assert_eq!(r.with("GET", &target, &other, b"").has(200).body.len(), 10);
        }),
        ("RFC 9110 pull: what a client has already is not sent again", |r| {
            let digest = r.push_blob("a", b"content");
            let etag = format!("\"{digest}\"");
            let target = format!("/v2/a/blobs/{digest}");
            let answer = r.ask("GET", &target);
            assert_eq!(answer.header("etag"), etag);
            assert!(answer.header("cache-control").contains("immutable"), "{answer:?}");
            let known = r.with("GET", &target, &[("if-none-match", &etag)], b"").has(304);
            assert!(known.body.is_empty());
        }),
        ("end-3 pull: a manifest by tag and by digest", |r| {
            let manifest = r.push_image("a", "1.0", b"layer");
            for reference in ["1.0", manifest.digest().as_str()] {
                let answer = r.ask("GET", &format!("/v2/a/manifests/{reference}")).has(200);
                assert_eq!(answer.body, manifest.raw());
                assert_eq!(answer.header("content-type"), MediaType::OciManifest.as_str());
                assert_eq!(answer.header("docker-content-digest"), manifest.digest().as_str());
                let head = r.ask("HEAD", &format!("/v2/a/manifests/{reference}")).has(200);
                assert_eq!(head.header("content-length"), manifest.raw().len().to_string());
                assert_eq!(head.header("content-type"), MediaType::OciManifest.as_str());
                assert!(head.body.is_empty());
            }
        }),
        ("end-3 pull: a manifest that is not there (MANIFEST_UNKNOWN)", |r| {
            r.push_image("a", "1", b"layer");
            for reference in ["2", ".INVALID_MANIFEST_NAME", absent().as_str()] {
                r.ask("GET", &format!("/v2/a/manifests/{reference}")).fails(404, "MANIFEST_UNKNOWN");
                r.ask("HEAD", &format!("/v2/a/manifests/{reference}")).has(404);
            }
            r.ask("GET", "/v2/never/manifests/1").fails(404, "MANIFEST_UNKNOWN");
        }),
        ("end-3 pull: a client that cannot read the type is told so", |r| {
            let manifest = r.push_image("a", "1", b"layer");
            let ask = |accept: &str| r.with("GET", "/v2/a/manifests/1", &[("accept", accept)], b"");
            ask(MediaType::DockerManifest.as_str()).fails(404, "MANIFEST_UNKNOWN");
            assert_eq!(ask("text/html, */*;q=0.1").has(200).body, manifest.raw());
            let both = format!("{}, {}", MediaType::DockerManifest, MediaType::OciManifest);
            ask(&both).has(200);
        }),
    ]
}

fn upload_rows() -> Vec<Row> {
    vec![
        ("end-4b push: a blob in one POST", |r| {
            let digest = r.push_blob("a", b"content");
            assert_eq!(r.ask("GET", &format!("/v2/a/blobs/{digest}")).has(200).body, b"content");
            let again = r.with("POST", &format!("/v2/a/blobs/uploads/?digest={digest}"), &[], b"content").has(201);
            assert_eq!(again.header("location"), format!("/v2/a/blobs/{digest}"));
            assert_eq!(again.header("docker-content-digest"), digest.as_str());
        }),
        ("end-4b push: another content than its digest (DIGEST_INVALID)", |r| {
            let target = format!("/v2/a/blobs/uploads/?digest={}", absent());
            r.with("POST", &target, &[], b"content").fails(400, "DIGEST_INVALID");
            r.ask("GET", &format!("/v2/a/blobs/{}", absent())).has(404);
            r.with("POST", "/v2/a/blobs/uploads/?digest=sha256:1", &[], b"x").fails(400, "DIGEST_INVALID");
        }),
        ("end-4a, end-6 push: a blob by POST, then PUT", |r| {
            let location = r.begin("a");
            let digest = Digest::of(b"content");
            let answer = r.with("PUT", &format!("{location}?digest={digest}"), &[], b"content").has(201);
            assert_eq!(answer.header("location"), format!("/v2/a/blobs/{digest}"));
            assert_eq!(r.ask("GET", &format!("/v2/a/blobs/{digest}")).has(200).body, b"content");
        }),
        ("end-6 push: PUT twice is as good as once, for an answer that was lost", |r| {
            let location = r.begin("a");
            let target = format!("{location}?digest={}", Digest::of(b"content"));
            r.with("PUT", &target, &[], b"content").has(201);
            r.with("PUT", &target, &[], b"content").has(201);
        }),
        ("end-5, end-6 push: a blob in chunks, in order", |r| {
            let location = r.begin("a");
            let first = r.with("PATCH", &location, &[("content-range", "0-3")], b"0123").has(202);
            assert_eq!(first.header("range"), "0-3");
            let location = first.header("location").to_owned();
            let second = r.with("PATCH", &location, &[("content-range", "4-6")], b"456").has(202);
            assert_eq!(second.header("range"), "0-6");
            let digest = Digest::of(b"0123456789");
            let target = format!("{}?digest={digest}", second.header("location"));
            r.with("PUT", &target, &[("content-range", "7-9")], b"789").has(201);
            assert_eq!(r.ask("GET", &format!("/v2/a/blobs/{digest}")).has(200).body, b"0123456789");
        }),
        ("end-5 push: chunks out of order are refused with 416 and the place to go on", |r| {
            let location = r.begin("a");
            r.with("PATCH", &location, &[("content-range", "4-6")], b"456").fails(416, "RANGE_INVALID");
            r.with("PATCH", &location, &[("content-range", "0-3")], b"0123").has(202);
            let again = r.with("PATCH", &location, &[("content-range", "0-3")], b"0123").fails(416, "RANGE_INVALID");
            assert_eq!(again.header("range"), "0-3");
            assert_eq!(again.header("location"), location);
            let target = format!("{location}?digest={}", Digest::of(b"01234"));
            r.with("PUT", &target, &[("content-range", "9-9")], b"4").fails(416, "RANGE_INVALID");
            r.with("PUT", &target, &[("content-range", "4-4")], b"4").has(201);
        }),
        ("end-5 push: a chunk that is not as long as it says (SIZE_INVALID)", |r| {
            let location = r.begin("a");
            r.with("PATCH", &location, &[("content-range", "0-9")], b"0123").fails(400, "SIZE_INVALID");
            r.with("PATCH", &location, &[("content-range", "from 0 on")], b"x").fails(400, "BLOB_UPLOAD_INVALID");
        }),
        ("end-5 push: a stream without ranges (docker)", |r| {
            let location = r.begin("a");
            r.with("PATCH", &location, &[], b"con").has(202);
            r.with("PATCH", &location, &[], b"tent").has(202);
            r.ask("PUT", &format!("{location}?digest={}", Digest::of(b"content"))).has(201);
        }),
        ("end-13 push: an upload says how far it is", |r| {
            let location = r.begin("a");
            assert_eq!(r.ask("GET", &location).has(204).header("range"), "0-0");
            r.with("PATCH", &location, &[], b"01234").has(202);
            let status = r.ask("GET", &location).has(204);
            assert_eq!(status.header("range"), "0-4");
            assert_eq!(status.header("location"), location);
            assert!(!status.header("docker-upload-uuid").is_empty());
        }),
        ("end-14 push: an upload is cancelled", |r| {
            let location = r.begin("a");
            r.ask("DELETE", &location).has(204);
            r.ask("GET", &location).fails(404, "BLOB_UPLOAD_UNKNOWN");
            r.ask("DELETE", &location).fails(404, "BLOB_UPLOAD_UNKNOWN");
        }),
        ("end-5, end-6, end-13: an upload that is not there (BLOB_UPLOAD_UNKNOWN)", |r| {
            let elsewhere = r.begin("a").replace("/v2/a/", "/v2/b/");
            for target in [elsewhere.as_str(), "/v2/a/blobs/uploads/x", "/v2/a/blobs/uploads/..%2F..%2Fx"] {
                r.ask("GET", target).has(404);
                r.with("PATCH", target, &[], b"x").has(404);
            }
            let target = format!("{elsewhere}?digest={}", absent());
            r.with("PUT", &target, &[], b"x").fails(404, "BLOB_UPLOAD_UNKNOWN");
        }),
        ("end-6 push: the end of an upload needs a digest (DIGEST_INVALID)", |r| {
            let location = r.begin("a");
            r.with("PUT", &location, &[], b"x").fails(400, "DIGEST_INVALID");
            r.with("PUT", &format!("{location}?digest=x"), &[], b"x").fails(400, "DIGEST_INVALID");
            r.with("PUT", &format!("{location}?digest={}", absent()), &[], b"x").fails(400, "DIGEST_INVALID");
        }),
        ("end-11 push: a blob is mounted from another repository", |r| {
            let digest = r.push_blob("o/base", b"content");
            let answer = r.ask("POST", &format!("/v2/o/app/blobs/uploads/?mount={digest}&from=o/base")).has(201);
            assert_eq!(answer.header("location"), format!("/v2/o/app/blobs/{digest}"));
            assert_eq!(r.ask("GET", &format!("/v2/o/app/blobs/{digest}")).has(200).body, b"content");
        }),
        ("end-11 push: automatic content discovery mounts without `from`", |r| {
            let digest = r.push_blob("o/base", b"content");
            r.ask("POST", &format!("/v2/o/app/blobs/uploads/?mount={digest}")).has(201);
        }),
        ("end-11 push: what cannot be mounted becomes an upload", |r| {
            let digest = r.push_blob("o/base", b"content");
            for query in [
                format!("mount={}&from=o/base", absent()),
                format!("mount={digest}&from=o/other"),
                format!("mount={digest}&from=NO"),
            ] {
                let answer = r.ask("POST", &format!("/v2/o/app/blobs/uploads/?{query}")).has(202);
                assert!(answer.header("location").starts_with("/v2/o/app/blobs/uploads/"), "{answer:?}");
            }
            r.ask("POST", "/v2/o/app/blobs/uploads/?mount=x&from=o/base").fails(400, "DIGEST_INVALID");
        }),
        ("end-11 push: nothing is mounted from where the client may not pull", |r| {
            let digest = r.push_blob("secret/base", b"content");
            let mine = Grants::of("o/**", [Deed::Pull, Deed::Push]);
            for from in ["&from=secret/base", ""] {
                let target = format!("/v2/o/app/blobs/uploads/?mount={digest}{from}");
                r.0.send(&mine, "POST", &target, &[], b"").has(202);
            }
            r.ask("GET", &format!("/v2/o/app/blobs/{digest}")).has(404);
        }),
    ]
}

fn manifest_rows() -> Vec<Row> {
    vec![
        ("end-7 push: a manifest by tag", |r| {
            r.push_blob("a", CONFIG);
            r.push_blob("a", b"layer");
            let manifest = image(b"layer");
            let answer = r.push_manifest("a", "1", &manifest).has(201);
            assert_eq!(answer.header("docker-content-digest"), manifest.digest().as_str());
            assert_eq!(answer.header("location"), format!("/v2/a/manifests/{}", manifest.digest()));
            assert_eq!(answer.header("oci-subject"), "");
        }),
        ("end-7 push: a manifest by digest, and again with a tag", |r| {
            let manifest = r.push_image("a", "1", b"layer");
            r.push_manifest("a", manifest.digest().as_str(), &manifest).has(201);
            r.push_manifest("a", "promoted", &manifest).has(201);
            let answer = r.ask("HEAD", "/v2/a/manifests/promoted").has(200);
            assert_eq!(answer.header("docker-content-digest"), manifest.digest().as_str());
        }),
        ("end-7 push: another manifest than its digest (DIGEST_INVALID)", |r| {
            let manifest = r.push_image("a", "1", b"layer");
            r.push_manifest("a", absent().as_str(), &manifest).fails(400, "DIGEST_INVALID");
            let long = lineclear_oci::Algorithm::Sha512.digest(manifest.raw());
            r.push_manifest("a", long.as_str(), &manifest).fails(400, "DIGEST_INVALID");
        }),
        ("end-7 push: a manifest whose blob is not there (MANIFEST_BLOB_UNKNOWN)", |r| {
            r.push_blob("a", CONFIG);
            r.push_blob("b", b"layer");
            let answer = r.push_manifest("a", "1", &image(b"layer")).fails(400, "MANIFEST_BLOB_UNKNOWN");
            let message = answer.json()["errors"][0]["message"].to_string();
            assert!(message.contains(Digest::of(b"layer").as_str()), "{message}");
            r.ask("GET", "/v2/a/manifests/1").has(404);
        }),
        ("end-7 push: an index whose manifest is not there (MANIFEST_BLOB_UNKNOWN)", |r| {
            let index = IndexParts::new(vec![image(b"layer").descriptor()]).write().into();
            r.push_manifest("a", "1", &index).fails(400, "MANIFEST_BLOB_UNKNOWN");
        }),
        ("end-7 push: an index of two platforms", |r| {
            let (one, two) = (r.push_image("a", "x", b"one"), r.push_image("a", "y", b"two"));
            let on = |manifest: &AnyManifest, arch| manifest.descriptor().on(Platform::new("linux", arch));
            let index: AnyManifest = IndexParts::new(vec![on(&one, "amd64"), on(&two, "arm64")]).write().into();
            r.push_manifest("a", "all", &index).has(201);
            let answer = r.ask("GET", "/v2/a/manifests/all").has(200);
            assert_eq!(answer.header("content-type"), MediaType::OciIndex.as_str());
            assert_eq!(answer.body, index.raw());
        }),
        ("end-7 push: an index that lists blobs, as build caches have it (docker)", |r| {
            let layer = r.push_blob("a", b"layer");
            let index = IndexParts::new(vec![Descriptor::new(MediaType::OciLayerGzip, layer, 5)]).write().into();
            r.push_manifest("a", "cache", &index).has(201);
        }),
        ("end-7 push: layers that are had from elsewhere need not be here", |r| {
            r.push_blob("a", CONFIG);
            let mut foreign = Descriptor::of(MediaType::DockerLayerForeign, b"elsewhere");
            foreign.urls = vec!["https://example.org/layer".into()];
            let manifest =
                ManifestParts::new(Descriptor::of(MediaType::OciConfig, CONFIG), vec![foreign]).write().into();
            r.push_manifest("a", "1", &manifest).has(201);
        }),
        ("end-7 push: what is no manifest (MANIFEST_INVALID)", |r| {
            for body in ["", "{", "[]", "{}", "{\"schemaVersion\":2}", "null", "{\"schemaVersion\":2,\"manifests\":7}"]
            {
                r.with("PUT", "/v2/a/manifests/1", &[], body.as_bytes()).fails(400, "MANIFEST_INVALID");
            }
            let manifest = r.push_image("a", "1", b"layer");
            let other = [("content-type", MediaType::OciIndex.as_str())];
            r.with("PUT", "/v2/a/manifests/1", &other, manifest.raw()).fails(400, "MANIFEST_INVALID");
        }),
        ("end-7 push: Docker's schema 1 is refused (MANIFEST_INVALID)", |r| {
            let schema1 = br#"{"schemaVersion":1,"name":"a","tag":"1","fsLayers":[],"history":[]}"#;
            r.with("PUT", "/v2/a/manifests/1", &[], schema1).fails(400, "MANIFEST_INVALID");
            let kind = [("content-type", "application/vnd.docker.distribution.manifest.v1+prettyjws")];
            r.with("PUT", "/v2/a/manifests/1", &kind, b"{}").fails(400, "MANIFEST_INVALID");
        }),
        ("end-7 push: Docker's schema 2 keeps its type", |r| {
            r.push_blob("a", CONFIG);
            r.push_blob("a", b"layer");
            let parts = ManifestParts::new(
                Descriptor::of(MediaType::DockerConfig, CONFIG),
                vec![Descriptor::of(MediaType::DockerLayer, b"layer")],
            );
            let manifest = ManifestParts { media_type: MediaType::DockerManifest, ..parts }.write().into();
            r.push_manifest("a", "1", &manifest).has(201);
            let answer = r.ask("GET", "/v2/a/manifests/1").has(200);
            assert_eq!(answer.header("content-type"), MediaType::DockerManifest.as_str());
        }),
        ("end-7 push: a manifest of more than 4 MiB is refused with 413", |r| {
            let long = vec![b' '; (4 << 20) + 1];
            r.with("PUT", "/v2/a/manifests/1", &[], &long).fails(413, "SIZE_INVALID");
        }),
        ("end-7 push: a manifest of just under 4 MiB is taken", |r| {
            r.push_blob("a", CONFIG);
            let mut parts = ManifestParts::new(Descriptor::of(MediaType::OciConfig, CONFIG), Vec::new());
            parts.annotations.insert("a".into(), "x".repeat((4 << 20) - 1000));
            r.push_manifest("a", "1", &parts.write().into()).has(201);
        }),
        ("end-7 push: what is no tag (MANIFEST_INVALID)", |r| {
            let manifest = r.push_image("a", "1", b"layer");
            for tag in [".a", "-a", "a+b", &"a".repeat(129)] {
                r.push_manifest("a", tag, &manifest).fails(400, "MANIFEST_INVALID");
            }
        }),
        ("end-7 push: a subject is acknowledged, also before it is there", |r| {
            r.push_blob("a", Descriptor::EMPTY_BYTES);
            let subject = image(b"layer");
            let answer = r.push_manifest("a", "sbom", &artifact("application/spdx+json", &subject)).has(201);
            assert_eq!(answer.header("oci-subject"), subject.digest().as_str());
        }),
    ]
}

fn discovery_rows() -> Vec<Row> {
    vec![
        ("end-8a discovery: tags in order", |r| {
            for tag in ["b", "a", "10", "9", "B"] {
                r.push_image("a/b", tag, b"layer");
            }
            let answer = r.ask("GET", "/v2/a/b/tags/list").has(200);
            let list = answer.json();
            assert_eq!(list["name"], "a/b");
            assert!(is_image_of(&list["tags"], &["10", "9", "B", "a", "b"]), "{list}");
            assert_eq!(answer.header("link"), "");
        }),
        ("end-8b discovery: tags by pages, with a Link to the next", |r| {
            for tag in ["1", "2", "3", "4", "5"] {
                r.push_image("a", tag, b"layer");
            }
            let mut target = "/v2/a/tags/list?n=2".to_owned();
            let mut pages = Vec::new();
            while !target.is_empty() {
                let answer = r.ask("GET", &target).has(200);
                pages.push(answer.json()["tags"].to_string());
                let link = answer.header("link");
                target = link.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                assert!(link.is_empty() || link.ends_with("rel=\"next\""), "{link}");
            }
            assert_eq!(pages, ["[\"1\",\"2\"]", "[\"3\",\"4\"]", "[\"5\"]"]);
            let rest = r.ask("GET", "/v2/a/tags/list?last=3").has(200).json();
            assert!(is_image_of(&rest["tags"], &["4", "5"]), "{rest}");
            let none = r.ask("GET", "/v2/a/tags/list?n=0").has(200).json();
            assert!(is_image_of(&none["tags"], &[]), "{none}");
        }),
        ("end-8b discovery: what is no number of tags (PAGINATION_NUMBER_INVALID, docker)", |r| {
            r.push_image("a", "1", b"layer");
            for n in ["x", "-1", "1.5"] {
                r.ask("GET", &format!("/v2/a/tags/list?n={n}")).fails(400, "PAGINATION_NUMBER_INVALID");
            }
        }),
        ("end-8a discovery: a repository that is not there (NAME_UNKNOWN)", |r| {
            r.ask("GET", "/v2/never/tags/list").fails(404, "NAME_UNKNOWN");
        }),
        ("names that are none (NAME_INVALID)", |r| {
            for name in ["A", "a//b", "a/../b", "a_-b", "-a"] {
                r.ask("GET", &format!("/v2/{name}/tags/list")).fails(400, "NAME_INVALID");
                r.ask("POST", &format!("/v2/{name}/blobs/uploads/")).fails(400, "NAME_INVALID");
            }
            r.ask("GET", &format!("/v2/{}/tags/list", "a".repeat(256))).fails(400, "NAME_INVALID");
        }),
        ("end-12a discovery: referrers of a manifest", |r| {
            let subject = r.push_image("a", "1", b"layer");
            r.push_blob("a", Descriptor::EMPTY_BYTES);
            let (sbom, signature) =
                (artifact("application/spdx+json", &subject), artifact("application/sig", &subject));
            for manifest in [&sbom, &signature] {
                r.push_manifest("a", manifest.digest().as_str(), manifest).has(201);
            }
            let answer = r.ask("GET", &format!("/v2/a/referrers/{}", subject.digest())).has(200);
            assert_eq!(answer.header("content-type"), MediaType::OciIndex.as_str());
            assert_eq!(answer.header("oci-filters-applied"), "");
            let list = answer.json();
            let mut expected = [sbom.digest().to_string(), signature.digest().to_string()];
            expected.sort();
            let manifests = list["manifests"].as_array().expect("a list");
            let found: Vec<&str> = manifests.iter().filter_map(|entry| entry["digest"].as_str()).collect();
            assert_eq!(found, expected);
            assert!(manifests.iter().any(|entry| entry["artifactType"] == "application/spdx+json"), "{list}");
        }),
        ("end-12b discovery: referrers of one type", |r| {
            let subject = r.push_image("a", "1", b"layer");
            r.push_blob("a", Descriptor::EMPTY_BYTES);
            for kind in ["application/spdx+json", "application/sig"] {
                let manifest = artifact(kind, &subject);
                r.push_manifest("a", manifest.digest().as_str(), &manifest).has(201);
            }
            let target = format!("/v2/a/referrers/{}?artifactType=application%2Fspdx%2Bjson", subject.digest());
            let answer = r.ask("GET", &target).has(200);
            assert_eq!(answer.header("oci-filters-applied"), "artifactType");
            let list = answer.json();
            assert_eq!(list["manifests"].as_array().map(Vec::len), Some(1), "{list}");
            assert_eq!(list["manifests"][0]["artifactType"], "application/spdx+json");
        }),
        ("end-12a discovery: no referrers are an empty list, never 404", |r| {
            for name in ["a", "never"] {
                let answer = r.ask("GET", &format!("/v2/{name}/referrers/{}", absent())).has(200);
                let list = answer.json();
                assert_eq!(list["manifests"].as_array().map(Vec::len), Some(0), "{list}");
                assert_eq!(list["schemaVersion"], 2);
            }
            r.ask("GET", "/v2/a/referrers/latest").fails(400, "DIGEST_INVALID");
        }),
        ("end-12a discovery: a referrer of an image without artifactType shows the type of its configuration", |r| {
            let subject = r.push_image("a", "1", b"layer");
            let parts = ManifestParts::new(Descriptor::of(MediaType::OciConfig, CONFIG), Vec::new());
            let manifest = ManifestParts { subject: Some(subject.descriptor()), ..parts }.write().into();
            r.push_manifest("a", "x", &manifest).has(201);
            let list = r.ask("GET", &format!("/v2/a/referrers/{}", subject.digest())).has(200).json();
            assert_eq!(list["manifests"][0]["artifactType"], MediaType::OciConfig.as_str(), "{list}");
        }),
        ("docker: the catalog has what the client may pull", |r| {
            for name in ["o/b", "o/a", "p/c"] {
                r.push_image(name, "1", b"layer");
            }
            let all = r.ask("GET", "/v2/_catalog").has(200).json();
            assert!(is_image_of(&all["repositories"], &["o/a", "o/b", "p/c"]), "{all}");
            let mine = r.0.send(&Grants::of("o/**", [Deed::Pull]), "GET", "/v2/_catalog", &[], b"").has(200).json();
            assert!(is_image_of(&mine["repositories"], &["o/a", "o/b"]), "{mine}");
            let page = r.ask("GET", "/v2/_catalog?n=1").has(200);
            assert_eq!(page.header("link"), "</v2/_catalog?n=1&last=o%2Fa>; rel=\"next\"");
        }),
    ]
}

fn management_rows() -> Vec<Row> {
    vec![
        ("end-9 management: a tag is removed, its manifest stays", |r| {
            let manifest = r.push_image("a", "1", b"layer");
            r.push_manifest("a", "2", &manifest).has(201);
            r.ask("DELETE", "/v2/a/manifests/1").has(202);
            r.ask("GET", "/v2/a/manifests/1").has(404);
            r.ask("GET", "/v2/a/manifests/2").has(200);
            r.ask("DELETE", "/v2/a/manifests/1").fails(404, "MANIFEST_UNKNOWN");
        }),
        ("end-9 management: a manifest is removed with its tags and its place among the referrers", |r| {
            let subject = r.push_image("a", "1", b"layer");
            r.push_blob("a", Descriptor::EMPTY_BYTES);
            let sbom = artifact("application/spdx+json", &subject);
            r.push_manifest("a", "sbom", &sbom).has(201);
            r.ask("DELETE", &format!("/v2/a/manifests/{}", sbom.digest())).has(202);
            let list = r.ask("GET", &format!("/v2/a/referrers/{}", subject.digest())).has(200).json();
            assert_eq!(list["manifests"].as_array().map(Vec::len), Some(0), "{list}");
            let tags = r.ask("GET", "/v2/a/tags/list").has(200).json();
            assert!(is_image_of(&tags["tags"], &["1"]), "{tags}");
            r.ask("DELETE", &format!("/v2/a/manifests/{}", sbom.digest())).fails(404, "MANIFEST_UNKNOWN");
        }),
        ("end-10 management: a blob is removed", |r| {
            let digest = r.push_blob("a", b"content");
            r.ask("DELETE", &format!("/v2/a/blobs/{digest}")).has(202);
            r.ask("GET", &format!("/v2/a/blobs/{digest}")).has(404);
            r.ask("DELETE", &format!("/v2/a/blobs/{digest}")).fails(404, "BLOB_UNKNOWN");
        }),
        ("end-10 management: a blob that a manifest names is not removed", |r| {
            r.push_image("a", "1", b"layer");
            r.ask("DELETE", &format!("/v2/a/blobs/{}", Digest::of(b"layer"))).fails(409, "DENIED");
            r.ask("GET", &format!("/v2/a/blobs/{}", Digest::of(b"layer"))).has(200);
        }),
    ]
}

fn immutable_rows() -> Vec<Row> {
    vec![
        ("immutable tags: the first push is taken, the same again too", |r| {
            let manifest = r.push_image("a", "v1", b"one");
            r.push_manifest("a", "v1", &manifest).has(201);
        }),
        ("immutable tags: they are not moved, others are", |r| {
            let one = r.push_image("a", "v1", b"one");
            r.push_image("a", "latest", b"one");
            let two = r.push_image("a", "latest", b"two");
            r.push_manifest("a", "v1", &two).fails(409, "DENIED");
            let answer = r.ask("HEAD", "/v2/a/manifests/v1").has(200);
            assert_eq!(answer.header("docker-content-digest"), one.digest().as_str());
        }),
        ("immutable tags: neither tag nor manifest is removed", |r| {
            let one = r.push_image("a", "v1", b"one");
            r.ask("DELETE", "/v2/a/manifests/v1").fails(409, "DENIED");
            r.ask("DELETE", &format!("/v2/a/manifests/{}", one.digest())).fails(409, "DENIED");
            r.ask("GET", "/v2/a/manifests/v1").has(200);
        }),
    ]
}

fn paged_rows() -> Vec<Row> {
    vec![
        ("limits: a page is never longer than the registry's own", |r| {
            for tag in ["1", "2", "3"] {
                r.push_image("a", tag, b"layer");
            }
            let answer = r.ask("GET", "/v2/a/tags/list?n=1000").has(200);
            assert_eq!(answer.header("link"), "</v2/a/tags/list?n=2&last=2>; rel=\"next\"");
        }),
        ("limits: referrers come by pages, too", |r| {
            let subject = r.push_image("a", "1", b"layer");
            r.push_blob("a", Descriptor::EMPTY_BYTES);
            for number in 0..3 {
                let mut parts = ManifestParts::artifact(
                    MediaType::parse("application/sig"),
                    Vec::new(),
                    Some(subject.descriptor()),
                );
                parts.annotations.insert("number".into(), number.to_string());
                r.push_manifest("a", &format!("s{number}"), &parts.write().into()).has(201);
            }
            let target = format!("/v2/a/referrers/{}?artifactType=application/sig", subject.digest());
            let first = r.ask("GET", &target).has(200);
            assert_eq!(first.json()["manifests"].as_array().map(Vec::len), Some(2));
            let next = first.header("link").split(['<', '>']).nth(1).expect("there is more").to_owned();
            assert_eq!(r.ask("GET", &next).has(200).json()["manifests"].as_array().map(Vec::len), Some(1));
        }),
        ("limits: a blob that is too large is refused with 413 (SIZE_INVALID)", |r| {
            let long = vec![b'x'; 1001];
            let target = format!("/v2/a/blobs/uploads/?digest={}", Digest::of(&long));
            r.with("POST", &target, &[], &long).fails(413, "SIZE_INVALID");
            let location = r.begin("a");
            r.with("PATCH", &location, &[], &long[..900]).has(202);
            r.with("PATCH", &location, &[], &long[..200]).fails(413, "SIZE_INVALID");
        }),
    ]
}

fn hostile_rows() -> Vec<Row> {
    vec![
        ("paths and methods that are none (UNSUPPORTED)", |r| {
            for target in ["/v2/a", "/v2/a/manifests/", "/v2/a/unknown/x", "/v2/tags/list/x"] {
                r.ask("GET", target).fails(404, "UNSUPPORTED");
            }
            for (method, target, allowed) in [
                ("POST", "/v2/", "GET, HEAD"),
                ("PUT", "/v2/a/tags/list", "GET, HEAD"),
                ("GET", "/v2/a/blobs/uploads/", "POST"),
                ("PATCH", "/v2/a/manifests/1", "GET, HEAD, PUT, DELETE"),
            ] {
                let answer = r.ask(method, target).fails(405, "UNSUPPORTED");
                assert_eq!(answer.header("allow"), allowed);
            }
        }),
        ("manifest bombs: more entries than anybody needs (MANIFEST_INVALID)", |r| {
            let entry = image(b"layer").descriptor();
            let index = IndexParts::new(vec![entry; 5000]).write().into();
            r.push_manifest("a", "1", &index).fails(400, "MANIFEST_INVALID");
        }),
        ("manifest bombs: JSON deeper than anybody writes (MANIFEST_INVALID)", |r| {
            let deep = "[".repeat(100_000);
            r.with("PUT", "/v2/a/manifests/1", &[], deep.as_bytes()).fails(400, "MANIFEST_INVALID");
        }),
        ("200 layers are an image as any other", |r| {
            r.push_blob("a", CONFIG);
            let layers: Vec<Descriptor> = (0..200_u32)
                .map(|number| {
                    let layer = number.to_le_bytes();
                    r.push_blob("a", &layer);
                    Descriptor::of(MediaType::OciLayerGzip, &layer)
                })
                .collect();
            let manifest = ManifestParts::new(Descriptor::of(MediaType::OciConfig, CONFIG), layers).write().into();
            r.push_manifest("a", "1", &manifest).has(201);
            assert_eq!(r.ask("GET", "/v2/a/manifests/1").has(200).body, manifest.raw());
        }),
    ]
}
