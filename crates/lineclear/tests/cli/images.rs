//! `lineclear image` against a real registry.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use lineclear_testkit::{Repository, Said, say};
use serde_json::Value;

/// Debian's `docker-registry` on a port of its own, which knows `alice` with the password `wonderland`.
struct Registry {
    process: Child,
    host: String,
}

impl Registry {
    fn start(repository: &Repository) -> Self {
        let folder = repository.beside("registry");
        std::fs::create_dir(&folder).expect("a folder");
        let users = folder.join("htpasswd");
        std::fs::write(&users, "alice:$2y$05$abcdefghijklmnopqrstuuA0vov2GDneHB3.8.cv9UF9g.RdvScIW\n")
            .expect("written");
        let settings = format!(
            "version: 0.1\nlog: {{level: info}}\nstorage:\n  filesystem: {{rootdirectory: {}}}\n  delete: {{enabled: true}}\n\
             http: {{addr: '127.0.0.1:0'}}\nauth:\n  htpasswd: {{realm: test, path: {}}}\n",
            folder.join("data").display(),
            users.display()
        );
        std::fs::write(folder.join("config.yml"), settings).expect("written");
        let mut process = Command::new("docker-registry")
            .arg("serve")
            .arg(folder.join("config.yml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the tests need `docker-registry`: install the package docker-registry");
        let mut lines = BufReader::new(process.stderr.take().expect("it is piped")).lines();
        let host = loop {
            let Some(Ok(line)) = lines.next() else {
                let _gone = process.kill();
                panic!("docker-registry did not start");
            };
            if let Some((_, rest)) = line.split_once("listening on ") {
                break rest.split(['"', ' ', ',']).next().expect("there is something").to_owned();
            }
        };
        // Its log goes nowhere, but has to be read.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Self { process, host }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _reaped = self.process.wait();
    }
}

/// A user whose Docker asks a credential helper, which is a script in a folder of `PATH`.
fn image(repository: &Repository, args: &[&str]) -> Said {
    let (bin, docker) = (repository.beside("bin"), repository.beside("docker"));
    let mut all = vec!["image"];
    all.extend(args);
    let mut command = repository.lineclear(&all);
    let path = std::env::var("PATH").expect("there is one");
    command.env("PATH", format!("{}:{path}", bin.display())).env("DOCKER_CONFIG", docker);
    command.env_remove("REGISTRY_AUTH_FILE").env_remove("XDG_RUNTIME_DIR");
    say(command)
}

fn with_helper(repository: &Repository, script: &str) {
    let (bin, docker) = (repository.beside("bin"), repository.beside("docker"));
    for folder in [&bin, &docker] {
        std::fs::create_dir_all(folder).expect("a folder");
    }
    std::fs::write(docker.join("config.json"), "{\"credsStore\":\"lc-test\"}").expect("written");
    let helper = bin.join("docker-credential-lc-test");
    std::fs::write(&helper, script).expect("written");
    std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).expect("set");
}

/// An image as `docker save` writes it: one layer, and a configuration with everything that `inspect` shows.
fn write_archive(repository: &Repository) {
    repository.sh(r#"
        mkdir -p ../img/a && cd ../img && printf 'a file of the image' > file && tar --mtime=@0 -cf a/layer.tar file
        id=$(sha256sum < a/layer.tar | cut -c1-64)
        printf '{"architecture":"amd64","os":"linux","created":"2024-02-03T04:05:06Z","config":{"User":"app","ExposedPorts":{"8000/tcp":{}},"Env":["SECRET=hidden"],"Cmd":["serve","a b"],"Labels":{"org.opencontainers.image.base.name":"debian:12","team":"blue"},"Healthcheck":{"Test":["CMD-SHELL","curl -f localhost"],"Interval":5000000000}},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' $id > c.json
        printf '[{"Config":"c.json","RepoTags":["app:1"],"Layers":["a/layer.tar"]}]' > manifest.json
        tar -cf ../app.tar manifest.json c.json a/layer.tar
    "#);
}

const HELPER: &str = "#!/bin/sh\nread server\n[ \"$1\" = get ] || exit 1\n\
    printf '{\"ServerURL\":\"%s\",\"Username\":\"alice\",\"Secret\":\"wonderland\"}' \"$server\"\n";

#[test]
fn images_are_pushed_inspected_copied_named_listed_and_deleted() {
    let repository = Repository::new("images");
    let registry = Registry::start(&repository);
    with_helper(&repository, HELPER);
    write_archive(&repository);
    let name = format!("{}/team/app", registry.host);
    let archive = repository.beside("app.tar").display().to_string();

    let said = image(&repository, &["push", &archive, &format!("{name}:1")]);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    assert!(said.stdout.contains("2 blobs sent"), "{}", said.stdout);
    let digest = image(&repository, &["digest", &format!("{name}:1")]).stdout.trim().to_owned();
    assert!(digest.starts_with("sha256:"), "{digest}");

    let said = image(&repository, &["inspect", &format!("{name}:1")]);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    for expected in [
        &digest,
        "linux/amd64",
        "in 1 layer",
        "8000/tcp",
        "curl -f localhost every 5s",
        "serve 'a b'",
        "team=blue",
        "debian:12",
        "2024-02-03T04:05:06Z",
    ] {
        assert!(said.stdout.contains(expected), "{expected}: {}", said.stdout);
    }
    assert!(!said.stdout.contains("hidden"), "values of variables are not for the screen: {}", said.stdout);
    let said = image(&repository, &["inspect", "--format", "json", &format!("{name}@{digest}")]);
    let document: Value = serde_json::from_str(&said.stdout).expect("JSON");
    assert_eq!((&document["digest"], &document["image"]["user"]), (&Value::from(&*digest), &Value::from("app")));
    let raw = image(&repository, &["inspect", "--raw", &format!("{name}:1")]).stdout;
    assert!(raw.starts_with("{\"schemaVersion\":2"), "{raw}");

    // S3-16, S3-9: other names, the same digest.
    let said = image(&repository, &["tag", &format!("{name}@{digest}"), "prod-abc", "stable"]);
    assert_eq!(said.stdout, format!("{name}:prod-abc@{digest}\n{name}:stable@{digest}\n"), "{}", said.stderr);
    assert_eq!(image(&repository, &["tags", &name]).stdout, "1\nprod-abc\nstable\n");

    let other = format!("{}/mirror/app:1", registry.host);
    let said = image(&repository, &["copy", &format!("{name}:1"), &other]);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    assert!(said.stdout.contains(&digest) && said.stdout.contains("2 mounted"), "{}", said.stdout);
    assert_eq!(image(&repository, &["referrers", &other]).stdout, "");

    assert_eq!(image(&repository, &["delete", &format!("{name}@{digest}")]).exit, 0);
    let said = image(&repository, &["digest", &format!("{name}:1")]);
    assert_eq!(said.exit, 1);
    assert!(said.stderr.contains(":1` is not in the registry"), "{}", said.stderr);
}

#[test]
fn a_credential_helper_that_fails_is_named_and_its_secret_is_not() {
    let repository = Repository::new("images");
    let registry = Registry::start(&repository);
    let name = format!("{}/app", registry.host);
    for (script, expected) in [
        ("#!/bin/sh\necho locked >&2\nexit 1\n", "`docker-credential-lc-test` failed"),
        ("#!/bin/sh\necho 'credentials not found in native keychain'\nexit 1\n", "docker login"),
        ("#!/bin/sh\necho '{\"Username\":\"alice\",\"Secret\":\"looking-glass\"}'\n", "were not taken"),
        ("#!/bin/sh\necho 'looking-glass'\n", "not the JSON of a helper"),
    ] {
        with_helper(&repository, script);
        let said = image(&repository, &["tags", &name]);
        assert_eq!(said.exit, 1, "{}", said.stdout);
        assert!(said.stderr.contains(expected), "{expected}: {}", said.stderr);
        assert!(!said.stderr.contains("looking-glass"), "{}", said.stderr);
    }
}

#[test]
fn wrong_names_are_wrong_input_and_say_what_is_wrong() {
    let repository = Repository::new("images");
    for (args, expected) in [
        (vec!["inspect", "ghcr.io/Me/app"], "upper-case letter `M`"),
        (vec!["digest", "app:"], "its tag is empty"),
        (vec!["copy", "app@sha256:12", "b"], "expected 64"),
        (vec!["copy", "--platform", "linux", "a", "b"], "is not a platform"),
        (vec!["delete", "127.0.0.1:1/app"], "say what of `127.0.0.1:1/app` to delete"),
        (vec!["tags", "127.0.0.1:1/app:1"], "leave out `:1`"),
        (vec!["push", "none.tar", "app:1"], "there is no `none.tar`"),
    ] {
        let said = image(&repository, &args);
        assert_eq!(said.exit, 2, "{args:?}: {}", said.stderr);
        assert!(said.stderr.contains(expected), "{expected}: {}", said.stderr);
    }
}
