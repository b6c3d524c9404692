//! Clients that people have: each pushes and pulls, and gets what was pushed.

use std::fs;
use std::path::Path;

use lineclear_testkit::images::{busybox, docker};

use crate::raw;
use crate::server::{Served, client, folder, layout, try_client};

const TLS: &str = "--tls-verify=false";

/// The digest that a name has in the registry.
fn digest(served: &Served, name: &str, tag: &str) -> String {
    let accept = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
                  application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json";
    let answer = raw::send(&served.address, "HEAD", &format!("/v2/{name}/manifests/{tag}"), &[("accept", accept)], b"");
    assert_eq!(answer.status, 200, "{name}:{tag} is there");
    answer.header("docker-content-digest").to_owned()
}

/// Removes the names that a test gave in the engine, also when it fails.
struct Names(Vec<String>);

impl Drop for Names {
    fn drop(&mut self) {
        for name in &self.0 {
            let _ = try_client("docker", &["rmi", "-f", name], &[]);
        }
    }
}

#[test]
fn docker_pushes_and_pulls() {
    let (data, base) = (folder(), busybox());
    let served = Served::open(data.path());
    let name = served.image("octo/app:1");
    let _names = Names(vec![name.clone()]);
    docker(&["tag", base, &name]);
    docker(&["push", "--quiet", &name]);
    docker(&["rmi", &name]);
    docker(&["pull", "--quiet", &name]);
    let (ours, theirs) =
        (docker(&["inspect", "--format", "{{.Id}}", &name]), docker(&["inspect", "--format", "{{.Id}}", base]));
    assert_eq!(ours, theirs);
    let known = docker(&["inspect", "--format", "{{index .RepoDigests}}", &name]);
    assert!(known.contains(&digest(&served, "octo/app", "1")), "{known}");
}

#[test]
fn docker_logs_in_and_pushes_where_others_only_pull() {
    let (data, base) = (folder(), busybox());
    let config = data.path().join("docker");
    let users = data.path().join("users");
    fs::create_dir(&config).expect("a folder");
    fs::write(&users, "tester:$2b$05$abcdefghijklmnopqrstuuBwr/QZoDhzsINL8dYG0gK//rVlHxwP.\n").expect("a file");
    let served = Served::with(data.path(), &["--anonymous-pull", "--htpasswd", &users.to_string_lossy()]);
    let name = served.image("octo/app:1");
    let _names = Names(vec![name.clone()]);
    let env: [(&str, &Path); 1] = [("DOCKER_CONFIG", &config)];
    docker(&["tag", base, &name]);
    let (pushed, said) = try_client("docker", &["push", &name], &env);
    assert!(!pushed && said.contains("log in first"), "{said}");
    let (entered, said) = try_client("docker", &["login", "-u", "tester", "-p", "wrong", &served.address], &env);
    assert!(!entered, "{said}");
    client("docker", &["login", "-u", "tester", "-p", "not-a-secret-of-anyone", &served.address], &env);
    client("docker", &["push", "--quiet", &name], &env);
    client("docker", &["logout", &served.address], &env);
    docker(&["rmi", &name]);
    client("docker", &["pull", "--quiet", &name], &env);
}

#[test]
fn compose_builds_and_pushes() {
    let (data, base) = (folder(), busybox());
    let served = Served::open(data.path());
    let name = served.image("octo/web:1");
    let _names = Names(vec![name.clone()]);
    let project = data.path().join("project");
    fs::create_dir(&project).expect("a folder");
    fs::write(project.join("Dockerfile"), format!("FROM {base}\nCOPY page /page\n")).expect("a file");
    fs::write(project.join("page"), &served.address).expect("a file");
    let file = project.join("compose.yml");
    fs::write(&file, format!("services:\n  web:\n    build: .\n    image: {name}\n")).expect("a file");
    let file = file.to_string_lossy();
    let project = format!("lc{}", std::process::id());
    client("docker", &["compose", "-p", &project, "-f", &file, "build", "--quiet"], &[]);
    client("docker", &["compose", "-p", &project, "-f", &file, "push", "--quiet"], &[]);
    docker(&["rmi", &name]);
    client("docker", &["compose", "-p", &project, "-f", &file, "pull", "--quiet"], &[]);
}

#[test]
fn skopeo_copies_in_and_out_again_byte_for_byte() {
    let data = folder();
    let served = Served::open(data.path());
    let image = layout(data.path(), "skopeo");
    let from = format!("oci:{}:1", image.display());
    let there = format!("docker://{}", served.image("octo/app:1"));
    client("skopeo", &["copy", "--preserve-digests", "--dest-tls-verify=false", &from, &there], &[]);
    let out = data.path().join("out");
    let to = format!("oci:{}:1", out.display());
    client("skopeo", &["copy", "--preserve-digests", "--src-tls-verify=false", &there, &to], &[]);
    for entry in fs::read_dir(image.join("blobs/sha256")).expect("a layout").flatten() {
        let copy = fs::read(out.join("blobs/sha256").join(entry.file_name())).expect("every blob came back");
        assert!(copy == fs::read(entry.path()).expect("a blob"), "{:?}", entry.file_name());
    }
    let promoted = format!("docker://{}", served.image("octo/prod:1"));
    let both = ["copy", "--src-tls-verify=false", "--dest-tls-verify=false", &there, &promoted];
    client("skopeo", &both, &[]);
    assert_eq!(digest(&served, "octo/prod", "1"), digest(&served, "octo/app", "1"));
    let tags = client("skopeo", &["list-tags", TLS, &format!("docker://{}", served.image("octo/app"))], &[]);
    assert!(tags.contains("\"1\""), "{tags}");
    client("skopeo", &["delete", TLS, &there], &[]);
    let (found, said) = try_client("skopeo", &["inspect", TLS, &there], &[]);
    assert!(!found && (said.contains("manifest unknown") || said.contains("has no manifest")), "{said}");
}

#[test]
fn buildah_pushes_an_index_of_two_platforms() {
    let data = folder();
    let served = Served::open(data.path());
    let storage = data.path().join("storage");
    let (root, run) = (storage.join("root"), storage.join("run"));
    let (root, run) = (root.to_string_lossy().into_owned(), run.to_string_lossy().into_owned());
    let buildah = |args: &[&str]| {
        let mut all = vec!["--storage-driver", "vfs", "--root", &root, "--runroot", &run];
        all.extend(args);
        client("buildah", &all, &[])
    };
    let context = data.path().join("context");
    fs::create_dir(&context).expect("a folder");
    fs::write(context.join("Dockerfile"), "FROM scratch\nCOPY file /file\nUSER 1000\n").expect("a file");
    fs::write(context.join("file"), "the same everywhere").expect("a file");
    let folder = context.to_string_lossy();
    buildah(&[
        "build",
        "--isolation",
        "chroot",
        "--platform",
        "linux/amd64,linux/arm64",
        "--manifest",
        "both",
        &folder,
    ]);
    buildah(&["manifest", "push", "--all", TLS, "both", &format!("docker://{}", served.image("octo/both:1"))]);
    let index = client("skopeo", &["inspect", "--raw", TLS, &format!("docker://{}", served.image("octo/both:1"))], &[]);
    assert!(index.contains("amd64") && index.contains("arm64"), "{index}");
    buildah(&["pull", "--quiet", TLS, &served.image("octo/both:1")]);
}

#[test]
fn podman_pushes_and_pulls() {
    let data = folder();
    let served = Served::open(data.path());
    let image = layout(data.path(), "podman");
    let (root, run) = (data.path().join("root"), data.path().join("run"));
    let (root, run) = (root.to_string_lossy().into_owned(), run.to_string_lossy().into_owned());
    let podman = |args: &[&str]| {
        let mut all = vec!["--storage-driver", "vfs", "--root", &root, "--runroot", &run];
        all.extend(args);
        client("podman", &all, &[])
    };
    let (first, second) = (served.image("octo/app:1"), served.image("octo/again:1"));
    let from = format!("oci:{}:1", image.display());
    client("skopeo", &["copy", "--dest-tls-verify=false", &from, &format!("docker://{first}")], &[]);
    // What it warns of comes behind the image's id.
    let id = |said: String| said.lines().next().unwrap_or_default().to_owned();
    let pulled = id(podman(&["pull", "--quiet", TLS, &first]));
    podman(&["push", "--quiet", TLS, &pulled, &second]);
    podman(&["rmi", "-f", &pulled]);
    assert_eq!(id(podman(&["pull", "--quiet", TLS, &second])), pulled, "it is the same image");
}

#[test]
fn oras_attaches_and_discovers() {
    let data = folder();
    let served = Served::open(data.path());
    let (subject, sbom) = (data.path().join("subject.txt"), data.path().join("sbom.json"));
    fs::write(&subject, "subject").expect("a file");
    fs::write(&sbom, "{}").expect("a file");
    let name = served.image("octo/app:1");
    let file = |path: &Path, kind: &str| format!("{}:{kind}", path.display());
    let plain = ["--plain-http", "--disable-path-validation"];
    client("oras", &["push", plain[0], plain[1], &name, &file(&subject, "text/plain")], &[]);
    let sbom = file(&sbom, "application/json");
    client("oras", &["attach", plain[0], plain[1], "--artifact-type", "application/spdx+json", &name, &sbom], &[]);
    let found = client("oras", &["discover", plain[0], "-o", "json", &name], &[]);
    assert!(found.contains("application/spdx+json"), "{found}");
    let out = data.path().join("out");
    client("oras", &["pull", plain[0], "--allow-path-traversal", "-o", &out.to_string_lossy(), &name], &[]);
    // The list of referrers is the registry's own: no tag of the old way was made.
    let tags = client("oras", &["repo", "tags", plain[0], &served.image("octo/app")], &[]);
    assert_eq!(tags.trim(), "1");
    let copied = served.image("octo/copy:1");
    client("oras", &["cp", "-r", "--from-plain-http", "--to-plain-http", &name, &copied], &[]);
    assert_eq!(digest(&served, "octo/copy", "1"), digest(&served, "octo/app", "1"));
}
