//! `lineclear image sbom`, held against what the programs inside of the images say themselves.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::process::Command;

use lineclear_oci::{AnyManifest, Descriptor, Digest, Index, Platform, Reference};
use lineclear_registry::{Client, ClientSettings};
use lineclear_testkit::images::{busybox, debian, docker, registry};
use lineclear_testkit::{Repository, Said, say};
use serde_json::Value;

/// A name in the engine that goes with its test.
struct Name(String);

impl Drop for Name {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rmi", "-f", &self.0]).output();
    }
}

fn sbom(repository: &Repository, args: &[&str]) -> Said {
    let mut command = repository.lineclear(&["image", "sbom"]);
    command.args(args).env("SOURCE_DATE_EPOCH", "1767225600");
    say(command)
}

fn json(said: &Said) -> Value {
    assert_eq!(said.exit, 0, "{}{}", said.stdout, said.stderr);
    serde_json::from_str(&said.stdout).expect("JSON")
}

/// `name version` of all packages of a type.
fn named(inventory: &Value, kind: &str) -> BTreeSet<String> {
    let packages = inventory["packages"].as_array().expect("a list").iter().filter(|package| package["type"] == kind);
    packages
        .map(|one| format!("{} {}", one["name"].as_str().expect("a name"), one["version"].as_str().expect("a version")))
        .collect()
}

fn lines(text: &str) -> BTreeSet<String> {
    text.lines().map(str::to_owned).filter(|line| !line.is_empty()).collect()
}

#[test]
fn what_dpkg_and_pip_name_in_an_image_is_in_its_inventory_and_nothing_else() {
    // S1-51, S0-43
    let repository = Repository::new("sbom-python");
    let image = debian("python:3.11-slim");
    let inventory = json(&sbom(&repository, &["--engine", &image, "--format", "json"]));
    let inside = |program: &[&str]| docker(&[&["run", "--rm", "--network=none", &image], program].concat());
    let dpkg = inside(&["dpkg-query", "-W", "-f", "${db:Status-Abbrev}${Package} ${Version}\n"]);
    let installed: BTreeSet<String> =
        dpkg.lines().filter_map(|line| line.strip_prefix("ii ")).map(str::to_owned).collect();
    assert!(installed.len() > 50, "{dpkg}");
    assert_eq!(named(&inventory, "deb"), installed);
    let script = "import importlib.metadata as m,re\nfor d in m.distributions(): print(re.sub('[-_.]+','-',d.metadata['Name']).lower(), d.version)";
    assert_eq!(named(&inventory, "python"), lines(&inside(&["python", "-c", script])));
    assert_eq!(inventory["distribution"]["id"], "debian");
}

#[test]
fn what_npm_names_is_in_the_inventory_of_the_image_and_nothing_else() {
    let repository = Repository::new("sbom-node");
    let base = debian("node:18-slim");
    let name = Name(format!("lineclear-test-sbom-{}:1", std::process::id()));
    for (module, version) in [("a", "1.0.0"), ("b", "2.1.0"), ("@s/c", "3.0.0-rc.1")] {
        let text = format!(r#"{{"name":"{module}","version":"{version}"}}"#);
        repository.write(&format!("app/node_modules/{module}/package.json"), &text);
    }
    repository
        .write("app/package.json", r#"{"name":"app","version":"0.0.1","dependencies":{"a":"*","b":"*","@s/c":"*"}}"#);
    repository.write("Dockerfile", &format!("FROM {base}\nCOPY app /srv/app\n"));
    docker(&["build", "--quiet", "--tag", &name.0, &repository.root().to_string_lossy()]);
    let inventory = json(&sbom(&repository, &["--engine", &name.0, "--format", "json"]));
    // The programs of the image itself: every module that node could load from there.
    let script = "const {execSync}=require('child_process');for (const l of execSync('npm ls --all --parseable --long',{cwd:'/srv/app'})\
                  .toString().trim().split('\\n').slice(1)) console.log(l.split(':')[1].replace(/(.)@/,'$1 '))";
    let said = docker(&["run", "--rm", "--network=none", &name.0, "node", "-e", script]);
    let ours: BTreeSet<String> = inventory["packages"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|one| one["path"].as_str().is_some_and(|path| path.starts_with("srv/app/")))
        .map(|one| format!("{} {}", one["name"].as_str().expect("a name"), one["version"].as_str().expect("a version")))
        .collect();
    assert_eq!(ours, lines(&said));
    assert_eq!(ours.len(), 3);
}

#[test]
fn a_document_is_attached_to_the_digest_and_stated_in_the_ledger() {
    // S0-43, S1-66
    let repository = Repository::new("sbom-attach");
    repository.commit("first");
    let registry = registry();
    let name = Name(format!("{}/team/app:1", registry.address()));
    docker(&["tag", busybox(), &name.0]);
    docker(&["push", "--quiet", &name.0]);
    for (format, media_type) in [("spdx", "application/spdx+json"), ("cyclonedx", "application/vnd.cyclonedx+json")] {
        let file = repository.beside(&format!("{format}.json"));
        let said = sbom(&repository, &[&name.0, "--format", format, "--attach", "--output", &file.to_string_lossy()]);
        assert_eq!(said.exit, 0, "{}{}", said.stdout, said.stderr);
        assert!(said.stdout.contains("stated in the ledger of "), "{}", said.stdout);
        let digest = say(repository.lineclear(&["image", "digest", &name.0])).stdout.trim().to_owned();
        let digest = digest.rsplit('@').next().expect("a digest").to_owned();
        assert!(fs::read_to_string(&file).expect("it is written").contains(&digest), "the document names the digest");
        let referrers = say(repository.lineclear(&["image", "referrers", &name.0])).stdout;
        assert!(referrers.contains(media_type), "{referrers}");
        // The same image at the same time makes the same document: nothing new is attached.
        let again = sbom(&repository, &[&name.0, "--format", format, "--attach"]);
        assert_eq!(again.exit, 0, "{}", again.stderr);
        assert_eq!(say(repository.lineclear(&["image", "referrers", &name.0])).stdout, referrers);
    }
}

#[test]
fn an_index_has_a_document_of_each_of_its_images_and_each_image_its_own() {
    // S1-66
    let repository = Repository::new("sbom-index");
    repository.commit("first");
    let registry = registry();
    let name = |tag: &str| format!("{}/team/app:{tag}", registry.address());
    let client = Client::new(ClientSettings::default()).expect("a client");
    let mut images = Vec::new();
    let mut made = Vec::new();
    for architecture in ["amd64", "arm64"] {
        let package = format!(r#"{{"name":"for-{architecture}","version":"1.0.0"}}"#);
        repository.write("image/srv/node_modules/it/package.json", &package);
        repository.write("image/Dockerfile", "FROM scratch\nCOPY srv /srv\n");
        let tag = Name(name(architecture));
        let folder = repository.root().join("image");
        docker(&["build", "--quiet", "--tag", &tag.0, &folder.to_string_lossy()]);
        docker(&["push", "--quiet", &tag.0]);
        let reference = Reference::parse(&tag.0).expect("a name");
        let image = client.manifest(&reference).expect("it is there").descriptor();
        images.push((image, Platform::new("linux", architecture)));
        made.push(tag);
    }
    let index = AnyManifest::Index(Index::of(&images));
    client.push_manifest(&Reference::parse(&name("1")).expect("a name"), &index).expect("it is pushed");

    let said = sbom(&repository, &[&name("1"), "--format", "spdx", "--attach"]);
    assert_eq!(said.exit, 0, "{}{}", said.stdout, said.stderr);
    assert!(said.stdout.contains(", entries "), "{}", said.stdout);
    let beside = |subject: &Descriptor| {
        let reference = Reference::parse(&name("1")).expect("a name").only_at(subject.digest.clone());
        let found = client.referrers(&reference, &subject.digest, None).expect("they are listed");
        assert_eq!(found.len(), 1, "{found:?}");
        let AnyManifest::Image(manifest) = client.child(&reference, &found[0]).expect("it is there") else {
            panic!("a referrer is a manifest");
        };
        let text = |layer: &Descriptor| {
            let mut text = String::new();
            client.blob_reader(&reference, layer, 0).read_to_string(&mut text).expect("it is read");
            (layer.annotations.get("org.opencontainers.image.title").cloned(), text)
        };
        manifest.layers().iter().map(text).collect::<Vec<_>>()
    };
    let of_index = beside(&index.descriptor());
    let files: Vec<_> = of_index.iter().filter_map(|(file, _)| file.as_deref()).collect();
    assert_eq!(files.len(), 2, "{files:?}");
    for (at, architecture) in ["amd64", "arm64"].into_iter().enumerate() {
        let of_image = beside(&images[at].0);
        assert_eq!(of_image.len(), 1);
        assert_eq!(of_image[0].1, of_index[at].1, "the same document lies beside the image");
        assert!(of_image[0].1.contains(&format!("pkg:npm/for-{architecture}@1.0.0")), "{}", of_image[0].1);
        assert!(of_image[0].1.contains(&images[at].0.digest.to_string()), "the document names its image");
    }
    // One statement for each image, and for the index one for each document.
    let statements = |digest: &Digest| {
        let subject = format!("\"subject\":\"{digest}\"");
        let files = repository.home_files_with(&subject);
        files.iter().map(|file| fs::read_to_string(file).expect("text").matches(&subject).count()).sum::<usize>()
    };
    assert_eq!(statements(index.digest()), 2);
    assert_eq!(images.iter().map(|(image, _)| statements(&image.digest)).collect::<Vec<_>>(), [1, 1]);

    let file = repository.beside("one.json");
    let refused = sbom(&repository, &[&name("1"), "--format", "spdx", "--attach", "-o", &file.to_string_lossy()]);
    assert_eq!(refused.exit, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("choose one with `--platform`") && !file.exists(), "{}", refused.stderr);
}

#[test]
fn an_image_is_the_same_wherever_it_is_read_from() {
    let repository = Repository::new("sbom-places");
    let registry = registry();
    let name = Name(format!("{}/team/app:1", registry.address()));
    docker(&["tag", busybox(), &name.0]);
    docker(&["push", "--quiet", &name.0]);
    let saved = repository.beside("saved.tar").to_string_lossy().into_owned();
    docker(&["save", "--output", &saved, &name.0]);
    let packages =
        |args: &[&str]| json(&sbom(&repository, &[args, &["--format", "json"]].concat()))["packages"].clone();
    let mut places = [packages(&[&name.0]), packages(&["--engine", &name.0]), packages(&[&saved])];
    for packages in &mut places {
        for package in packages.as_array_mut().expect("a list") {
            // A registry names the packed layer, an archive the plain one.
            package["layer"] = Value::Null;
        }
    }
    assert!(places.iter().all(|packages| *packages == places[0]), "{places:#?}");
}

#[test]
fn a_folder_is_read_with_its_locks_and_mistakes_say_what_to_do() {
    let repository = Repository::new("sbom-folder");
    repository.write("Cargo.lock", "[[package]]\nname = \"serde\"\nversion = \"1.0.200\"\n");
    repository.write("web/package-lock.json", "{");
    let said = sbom(&repository, &["."]);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    assert!(said.stdout.contains("serde") && said.stdout.contains("1 package: 1 cargo"), "{}", said.stdout);
    assert!(said.stderr.contains("warning: not read: `web/package-lock.json`"), "{}", said.stderr);
    for (args, advice) in [
        (vec![".", "--attach"], "add `--format spdx`"),
        (vec![".", "--attach", "--format", "spdx"], "an image in a registry"),
        (vec!["No Image"], "no name of an image"),
    ] {
        let said = sbom(&repository, &args);
        assert_eq!(said.exit, 2, "{}", said.stderr);
        assert!(said.stderr.contains(advice), "{}", said.stderr);
    }
}
