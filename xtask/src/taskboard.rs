//! The example of several services: its whole pipeline, three times, with a real registry to deliver to.
//!
//! A push of `main`, the same push again with what was kept, and a pull request; each in a repository of its own, as a team has it.
//! What is asked: how the jobs ended, what stands in the registries, and that the container engine is as it was before.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use lineclear_testkit::images::{PASSWORD, Registry, USER, registry_with_login};
use serde_json::Value;

use crate::example::{lineclear, run_for_events};
use crate::pipelines;
use crate::shell::{Cmd, root};

/// What the workflow builds.
const IMAGES: [&str; 4] = ["web", "celery", "celery-beat", "nginx"];

/// The owner as the forge writes it; names of images have it in lower case.
const OWNER: &str = "Acme-Garden";

pub fn run(home: &Path) -> Result<()> {
    let example = root().join("examples/taskboard");
    println!("-- taskboard, base images");
    let prefix = Cmd::new(example.join("images/build.sh")).read()?;
    let variable = format!("IMAGE_PREFIX={}", prefix.trim());
    let repository = repository(&example, None)?;
    let commit = Cmd::new("git").args(&["rev-parse", "HEAD"]).folder(repository.path()).read()?;
    let commit = commit.trim();
    let delivery = registry_with_login();
    let secrets = [
        ("DELIVERY_REGISTRY", delivery.address()),
        ("DELIVERY_USER", USER),
        ("DELIVERY_PASSWORD", PASSWORD),
        ("DJANGO_SECRET_KEY", "a-key-of-this-test-alone"),
        ("POSTGRES_PASSWORD", "a-password-of-this-test-alone"),
        ("REDIS_PASSWORD", "another-password-of-this-test"),
    ];
    let before = Remains::look()?;
    let start = |event: &[&str]| {
        let mut arguments = vec!["--var", &variable];
        arguments.extend(secrets.iter().flat_map(|(name, _)| ["--secret", name]));
        arguments.extend(event);
        run_for_events(repository.path(), home, &arguments, &secrets)
    };
    // Whatever was started for a run is gone with it.
    let nothing_left = || {
        let left = Remains::look()?.beside(&before);
        ensure!(left.is_empty(), "the run left in the container engine: {}", left.join(", "));
        Ok(())
    };
    let go = |event: &[&str]| {
        let events = start(event)?;
        nothing_left()?;
        no_secret_is_shown(&events, &secrets[1..])?;
        ensure!(!repository.path().join(".env").exists(), "the run wrote `.env` into the repository");
        Ok(events)
    };

    println!("-- taskboard, first push");
    let first = go(&["--ref", "refs/heads/main"])?;
    all_succeeded(&first, &[])?;
    started_in_order(&first)?;
    let delivered = delivered(&delivery, commit)?;
    let kept = kept(repository.path(), home)?;
    for image in IMAGES {
        let tagged = |tag: &str| {
            let name = format!("ghcr.io/{}/taskboard-{image}:{tag}", OWNER.to_lowercase());
            kept.get(&name).with_context(|| format!("the embedded registry has no `{name}`, but {:?}", kept.keys()))
        };
        let tested = tagged(&format!("candidate-{commit}"))?;
        ensure!(tagged("main")? == tested, "`{image}` of `main` is not the candidate");
        // Not the same digest: an engine that pushes an image which it already had packs its layers anew.
        tagged(commit)?;
    }

    println!("-- taskboard, second push");
    let second = go(&["--ref", "refs/heads/main"])?;
    all_succeeded(&second, &[])?;
    // Nothing changed, so nothing was built; only a label says when.
    ensure!(self::delivered(&delivery, commit)? == delivered, "a second run of a commit delivered other layers");

    println!("-- taskboard, the test stack twice at once");
    let job = ["--ref", "refs/heads/main", "-j", "stack"];
    std::thread::scope(|scope| {
        let both = [scope.spawn(|| start(&job)), scope.spawn(|| start(&job))];
        both.into_iter().try_for_each(|run| run.join().expect("it does not panic").map(drop))
    })?;
    nothing_left()?;

    println!("-- taskboard, pull request");
    Cmd::new("git").args(&["checkout", "-q", "-b", "feature/colours"]).folder(repository.path()).run()?;
    let style = repository.path().join("frontend/src/style.css");
    std::fs::write(&style, std::fs::read_to_string(&style)? + "h1 { color: #37647a; }\n")?;
    commit_all(repository.path(), "colours")?;
    let tags = || IMAGES.iter().map(|image| tags(&delivery, image)).collect::<Result<Vec<_>>>();
    let known = (tags()?, self::kept(repository.path(), home)?);
    let pull_request = go(&["--event", "pull_request"])?;
    all_succeeded(&pull_request, &["Publish"])?;
    ensure!((tags()?, self::kept(repository.path(), home)?) == known, "a pull request pushed images");
    pipelines::run(&example, home, prefix.trim())
}

/// The tracked files of the example as a repository with one commit and the address of a forge; with the files of `pipeline` in place of
/// its workflows.
pub fn repository(example: &Path, pipeline: Option<&Path>) -> Result<tempfile::TempDir> {
    let folder = tempfile::Builder::new().prefix("lineclear-taskboard-").tempdir()?;
    let files = Cmd::new("git").args(&["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let files = files.folder(example).read()?;
    for file in files.split('\0').filter(|file| !file.is_empty()) {
        let place = match (file.strip_prefix("pipelines/"), pipeline) {
            (None, Some(_)) if file.starts_with(".github/") => continue,
            (None, _) => PathBuf::from(file),
            (Some(_), None) => continue,
            (Some(_), Some(pipeline)) => match example.join(file).strip_prefix(pipeline) {
                Ok(place) => place.to_owned(),
                Err(_) => continue,
            },
        };
        let (from, to) = (example.join(file), folder.path().join(place));
        std::fs::create_dir_all(to.parent().context("a file stands in a folder")?)?;
        std::fs::copy(&from, &to).with_context(|| format!("cannot copy `{}`", from.display()))?;
    }
    let origin = format!("https://github.com/{OWNER}/taskboard.git");
    Cmd::new("git").args(&["init", "-q", "-b", "main"]).folder(folder.path()).run()?;
    Cmd::new("git").args(&["remote", "add", "origin", &origin]).folder(folder.path()).run()?;
    commit_all(folder.path(), "taskboard")?;
    Ok(folder)
}

pub fn commit_all(folder: &Path, message: &str) -> Result<()> {
    Cmd::new("git").args(&["add", "--all"]).folder(folder).run()?;
    let who = ["-c", "user.name=Tester", "-c", "user.email=tester@example.org"];
    Cmd::new("git").args(&who).args(&["commit", "-q", "-m", message]).folder(folder).run()
}

/// Every job succeeded, but those in `skipped`, which were left out.
fn all_succeeded(events: &[Value], skipped: &[&str]) -> Result<()> {
    let jobs: BTreeMap<&str, &str> = events
        .iter()
        .filter(|event| event["event"] == "job_finished")
        .filter_map(|event| Some((event["name"].as_str()?, event["conclusion"].as_str()?)))
        .collect();
    let mut wanted: BTreeMap<&str, &str> = ["Backend", "Front end", "Tests in the test stack", "Smoke test", "Publish"]
        .map(|name| (name, "success"))
        .into();
    let images = IMAGES.map(|image| format!("Image {image}"));
    wanted.extend(images.iter().map(|name| (name.as_str(), "success")));
    wanted.extend(skipped.iter().map(|name| (*name, "skipped")));
    ensure!(jobs == wanted, "the jobs ended as {jobs:?}, which should have been {wanted:?}");
    Ok(())
}

/// The parts of the smoke stack, with those that must be healthy before each starts.
const ORDER: [(&str, &[&str]); 5] = [
    ("backend", &["db", "redis"]),
    ("celery", &["db", "redis"]),
    ("celery-beat", &["db", "redis"]),
    ("frontend", &["backend"]),
    ("proxy", &["frontend"]),
];

/// In the smoke test's log each service started once those that it depends on were healthy.
fn started_in_order(events: &[Value]) -> Result<()> {
    let logs = events.iter().filter(|event| event["event"] == "log" && event["job"] == "smoke");
    let lines: Vec<&str> = logs.filter_map(|event| event["line"].as_str()).collect();
    let when = |service: &str, state: &str| {
        let ends = format!("-{service}-1");
        lines.iter().position(|line| {
            let mut words = line.split_whitespace();
            words.next() == Some("Container")
                && words.next().is_some_and(|name| name.ends_with(&ends))
                && words.next() == Some(state)
        })
    };
    for (service, needed) in ORDER {
        let started = when(service, "Started").with_context(|| format!("`{service}` did not start"))?;
        for other in needed {
            let healthy = when(other, "Healthy").with_context(|| format!("`{other}` was not healthy"))?;
            ensure!(healthy < started, "`{service}` started before `{other}` was healthy");
        }
    }
    Ok(())
}

/// The values of secrets stand nowhere in what the run said.
fn no_secret_is_shown(events: &[Value], secrets: &[(&str, &str)]) -> Result<()> {
    for event in events {
        let text = event.to_string();
        for (name, value) in secrets.iter().filter(|(name, _)| *name != "DELIVERY_USER") {
            ensure!(!text.contains(value), "the secret {name} is shown: {}", text.replace(value, "<the secret>"));
        }
    }
    Ok(())
}

/// The layers of each image that was delivered for `commit`.
fn delivered(registry: &Registry, commit: &str) -> Result<BTreeMap<&'static str, Value>> {
    let layers = |image: &&'static str| {
        let name = format!("docker://{}:{commit}", repository_name(registry, image));
        let text = skopeo(&["inspect", "--no-tags", &name])?;
        let facts: Value = serde_json::from_str(&text)?;
        let title = &facts["Labels"]["org.opencontainers.image.title"];
        ensure!(*title == format!("taskboard-{image}"), "`{name}` has the title {title}");
        Ok((*image, facts["Layers"].clone()))
    };
    IMAGES.iter().map(layers).collect()
}

fn tags(registry: &Registry, image: &str) -> Result<Value> {
    let text = skopeo(&["list-tags", &format!("docker://{}", repository_name(registry, image))])?;
    Ok(serde_json::from_str::<Value>(&text)?["Tags"].clone())
}

fn repository_name(registry: &Registry, image: &str) -> String {
    format!("{}/{}/taskboard-{image}", registry.address(), OWNER.to_lowercase())
}

/// What the embedded registry has: the digest of each name with its tag.
pub fn kept(folder: &Path, home: &Path) -> Result<BTreeMap<String, String>> {
    let list = Cmd::new(lineclear()).args(&["registry", "list", "--format", "json"]).folder(folder);
    let list: Value = serde_json::from_str(&list.env("LINECLEAR_HOME", home).read()?)?;
    let images = list["images"].as_array().context("a list of images")?.iter();
    let word = |image: &Value, key: &str| image[key].as_str().unwrap_or_default().to_owned();
    let name = |image: &Value| format!("{}:{}", word(image, "repository"), word(image, "tag"));
    Ok(images.map(|image| (name(image), word(image, "digest"))).collect())
}

/// Asks the registry that was delivered to, with a client that is not ours.
pub fn skopeo(args: &[&str]) -> Result<String> {
    let (deed, rest) = args.split_first().context("a deed")?;
    let login = format!("{USER}:{PASSWORD}");
    Cmd::new("skopeo").args(&[deed, "--tls-verify=false", "--creds", &login]).args(rest).read()
}

/// Containers, networks and volumes of the container engine: kind and name, and what else is told of it. Compared by the first alone, for labels are
/// told in another order every time.
struct Remains(BTreeMap<String, String>);

impl Remains {
    fn look() -> Result<Self> {
        let mut all = BTreeMap::new();
        for (kind, list) in [
            ("container", &["ps", "--all", "--format", "{{.Names}} {{.Image}} {{.Labels}}"][..]),
            ("network", &["network", "ls", "--format", "{{.Name}} {{.Labels}}"]),
            ("volume", &["volume", "ls", "--format", "{{.Name}} {{.Labels}}"]),
        ] {
            let said = Cmd::new("docker").args(list).read()?;
            let named = said.lines().map(|line| line.split_once(' ').unwrap_or((line, "")));
            all.extend(named.map(|(name, more)| (format!("{kind} {name}"), more.to_owned())));
        }
        Ok(Self(all))
    }

    /// What is here and was not in `before`, as far as it is of this example, by its name or its labels.
    fn beside(&self, before: &Self) -> Vec<String> {
        let new = self.0.iter().filter(|(name, _)| !before.0.contains_key(*name));
        new.map(|(name, more)| format!("{name} {more}")).filter(|line| line.contains("taskboard")).collect()
    }
}
