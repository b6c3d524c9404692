//! A compose file, what it lies upon, and what in it people use.

use std::collections::HashSet;

use lineclear_compose::interpolation::has_variable;
use lineclear_compose::{Build, Compose, Condition, Environment, Service, Stack, bases_of};
use lineclear_dockerfile::{Dockerfile, Healthcheck, InstructionKind};
use lineclear_source::{Source, Span};

use super::image::Image;
use crate::{FileKind, Finding, Project, Report};

/// A compose file alone, and laid upon the file below it.
///
/// Many files called `compose.prod.yml` are no overlays: they stand alone, beside another file for developers. What is wrong is
/// therefore told of [`Layers::sure`]; that something is missing is told only if [`Layers::all`] lacks it, too.
#[derive(Debug)]
pub(crate) struct Layers {
    alone: Stack,
    merged: Option<Stack>,
    /// Some service makes sense only upon another file's.
    is_overlay: bool,
    is_partial: bool,
    includes: bool,
    jobs: HashSet<String>,
    /// The services of the file below.
    below: HashSet<String>,
}

impl Layers {
    /// Reads the file below, if there is one.
    pub(crate) fn of(compose: &Compose, project: &Project<'_>) -> Self {
        let alone = Stack::of(&[compose]);
        let below = bases_of(compose.source.name()).into_iter().find_map(|path| read(project, &path));
        let merged = below.as_ref().map(|below| Stack::of(&[below, compose]));
        let includes = [Some(compose), below.as_ref()].into_iter().flatten().any(|file| !file.includes.is_empty());
        let below = below.iter().flat_map(|below| &below.services).map(|service| service.name().to_owned()).collect();
        let is_fragment = |service: &Service| {
            service.image.is_none() && service.build.is_none() && service.extends.is_none()
                || !service.overrides.is_empty()
        };
        let is_overlay = compose.services.iter().any(is_fragment);
        let all = merged.as_ref().unwrap_or(&alone);
        // Then there is another file below that the names do not tell of.
        let lacks_image = |service: &Service| service.image.is_none() && service.build.is_none();
        let is_partial = all.is_partial || all.services.iter().any(lacks_image);
        let waited_for = all.services.iter().flat_map(|service| &service.depends_on);
        let jobs = waited_for
            .filter(|dependency| dependency.condition == Condition::Completed)
            .map(|dependency| dependency.service.text.clone())
            .collect();
        Self { alone, merged, is_overlay, is_partial, includes, jobs, below }
    }

    /// All that may be in effect.
    pub(crate) fn all(&self) -> &Stack {
        self.merged.as_ref().unwrap_or(&self.alone)
    }

    /// What is in effect for sure.
    pub(crate) fn sure(&self) -> &Stack {
        self.merged.as_ref().filter(|_| self.is_overlay).unwrap_or(&self.alone)
    }

    /// Whether more is in files that are not known: nothing is missing for sure then.
    pub(crate) fn is_partial(&self) -> bool {
        self.is_partial
    }

    /// Whether other files are included, which may declare anything.
    pub(super) fn includes(&self) -> bool {
        self.includes
    }

    /// Whether there is a file below.
    pub(super) fn has_base(&self) -> bool {
        self.merged.is_some()
    }

    /// Whether the file below has a service of this name.
    pub(super) fn is_below(&self, service: &str) -> bool {
        self.below.contains(service)
    }

    /// The file below, for messages; empty if the service is one of the file's own.
    pub(crate) fn below(&self, own: Option<&Service>) -> String {
        match (own, &self.merged) {
            (None, Some(Stack { files, .. })) => files.first().map_or_else(String::new, |file| {
                format!(" of `{}`", file.name().rsplit('/').next().unwrap_or_default())
            }),
            _ => String::new(),
        }
    }

    /// The services that people use when the file is in effect, as they are for sure.
    pub(super) fn delivered<'l>(&'l self, compose: &Compose) -> impl Iterator<Item = &'l Service> + use<'l> {
        let environment = Environment::of(compose.source.name());
        self.sure().services.iter().filter(move |service| is_delivered(environment, service))
    }

    /// Whether a service does one thing and ends.
    pub(super) fn is_job(&self, service: &Service) -> bool {
        self.jobs.contains(service.name())
            || service.restart.as_ref().is_some_and(|restart| restart.text == "no" || restart.text.starts_with("on-f"))
            || words(service.name()).any(|word| JOBS.contains(&word.as_str()))
    }
}

/// Words in the names of services that do one thing and end.
const JOBS: [&str; 22] = [
    "migrate",
    "migration",
    "migrations",
    "migrator",
    "init",
    "initdb",
    "initializer",
    "seed",
    "seeder",
    "setup",
    "bootstrap",
    "job",
    "prestart",
    "backup",
    "certbot",
    "createbuckets",
    "collectstatic",
    "test",
    "tests",
    "cli",
    "lint",
    "provision",
];

/// The words of a name: `db-migrate` has two.
pub(super) fn words(name: &str) -> impl Iterator<Item = String> {
    name.split(|char: char| !char.is_ascii_alphanumeric()).map(str::to_ascii_lowercase)
}

/// Whether people use a service: by the file it is in effect with, or by its profiles.
pub(super) fn is_delivered(environment: Environment, service: &Service) -> bool {
    let mut profiles = service.profiles.iter().map(|profile| Environment::of_word(&profile.text));
    if environment.is_delivered() {
        service.profiles.is_empty() || profiles.any(Environment::is_delivered)
    } else {
        !service.profiles.is_empty() && profiles.all(Environment::is_delivered)
    }
}

/// Whether a service is the one that takes the requests from outside.
pub(super) fn is_proxy(service: &Service) -> bool {
    let is_word = |word: String| PROXIES.iter().any(|proxy| word == *proxy);
    let name = service.name();
    if name.contains("socket") || name.contains("sql") {
        return false;
    }
    let by_image = service.image.as_ref().is_some_and(|image| {
        let repository = Image::read(&image.text).repository;
        words(repository.rsplit('/').next().unwrap_or_default()).any(is_word)
    });
    by_image || words(name).any(is_word)
}

const PROXIES: [&str; 22] = [
    "nginx",
    "traefik",
    "caddy",
    "haproxy",
    "envoy",
    "openresty",
    "kong",
    "swag",
    "httpd",
    "apache",
    "varnish",
    "proxy",
    "gateway",
    "ingress",
    "edge",
    "router",
    "lb",
    "loadbalancer",
    "balancer",
    "cloudflared",
    "reverseproxy",
    "apisix",
];

/// What is known of a service's own health check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// It has one.
    Checked,
    /// It has none for sure.
    Unchecked,
    /// It has none in the file; its image may.
    Unknown,
}

/// Whether a service has a health check: its own, or its image's. `folder` is the compose file's.
pub(super) fn health(service: &Service, folder: &str, project: &Project<'_>) -> Health {
    if let Some(check) = &service.healthcheck {
        if check.is_off {
            return Health::Unchecked;
        }
        if check.test.is_some() {
            return Health::Checked;
        }
    }
    if let Some(build) = &service.build {
        return match dockerfile_has_check(build, folder, project) {
            Some(true) => Health::Checked,
            Some(false) => Health::Unchecked,
            None => Health::Unknown,
        };
    }
    match &service.image {
        Some(image) if is_unchecked(&image.text) => Health::Unchecked,
        _ => Health::Unknown,
    }
}

/// Well-known images without a health check of their own.
const UNCHECKED_IMAGES: [&str; 30] = [
    "postgres",
    "mysql",
    "mariadb",
    "redis",
    "valkey/valkey",
    "mongo",
    "rabbitmq",
    "memcached",
    "nginx",
    "httpd",
    "haproxy",
    "traefik",
    "caddy",
    "node",
    "python",
    "ruby",
    "golang",
    "php",
    "openjdk",
    "eclipse-temurin",
    "alpine",
    "debian",
    "ubuntu",
    "busybox",
    "zookeeper",
    "influxdb",
    "nats",
    "elasticsearch",
    "vault",
    "consul",
];

/// `None` if the Dockerfile cannot be read, or the base of its last stage may have a check.
fn dockerfile_has_check(build: &Build, folder: &str, project: &Project<'_>) -> Option<bool> {
    let context = build.context.as_ref().map_or(".", |context| context.text.as_str());
    let name = build.dockerfile.as_ref().map_or("Dockerfile", |name| name.text.as_str());
    let path = joined(&joined(folder, context)?, name)?;
    let text = String::from_utf8(project.files().read(&path).ok()??).ok()?;
    let (dockerfile, _) = Dockerfile::read(&Source::new(path, text));
    let stage = match &build.target {
        Some(target) => dockerfile.stage_before(dockerfile.stages.len(), &target.text)?,
        None => dockerfile.last_stage()?,
    };
    for stage in dockerfile.lineage(stage) {
        let checks = stage.instructions.iter().rev();
        let last = checks.filter_map(|instruction| match &instruction.kind {
            InstructionKind::Healthcheck(check) => Some(matches!(check, Healthcheck::Command(_))),
            _ => None,
        });
        if let Some(is_checked) = { last }.next() {
            return Some(is_checked);
        }
    }
    let root = dockerfile.lineage(stage).last()?;
    let image = root.from.expanded.as_deref().unwrap_or(root.from.image.raw());
    (image == "scratch" || is_unchecked(image)).then_some(false)
}

/// Whether an image is known to have no health check of its own.
fn is_unchecked(image: &str) -> bool {
    let repository = Image::read(image).repository;
    let name = repository.strip_prefix("docker.io/").unwrap_or(repository);
    UNCHECKED_IMAGES.contains(&name.strip_prefix("library/").unwrap_or(name))
}

/// The path of `path` seen from `folder`; `None` outside of the repository, or where a variable hides it.
pub(super) fn joined(folder: &str, path: &str) -> Option<String> {
    if has_variable(path) || path.contains("://") || path.starts_with(['/', '~', '\\']) || path.starts_with("git@") {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The folder that a file lies in.
pub(super) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The compose file at `path`, if it is one.
pub(super) fn read(project: &Project<'_>, path: &str) -> Option<Compose> {
    let text = String::from_utf8(project.files().read(path).ok()??).ok()?;
    Compose::read(&Source::new(path, text)).0
}

/// Whether any other compose file of the folder is so. Asked only of what would be reported: an overlay may have what a base lacks.
pub(super) fn any_beside(compose: &Compose, project: &Project<'_>, is_so: impl Fn(&Compose) -> bool) -> bool {
    let own = compose.source.name();
    let folder = folder_of(own);
    project
        .list()
        .iter()
        .filter(|path| {
            path.as_str() != own && folder_of(path) == folder && FileKind::of(path) == Some(FileKind::Compose)
        })
        .any(|path| read(project, path).is_some_and(|other| is_so(&other)))
}

/// Where to tell of a service: its key, or the key `services` for one of the file below.
pub(super) fn place_of(compose: &Compose, service: &str) -> Option<Span> {
    if let Some(own) = compose.service(service) {
        return Some(own.key.span);
    }
    let text = compose.source.text();
    let at = if text.starts_with("services:") { 0 } else { text.find("\nservices:")? + 1 };
    Some(Span::new(at, at + "services".len()))
}

/// A finding at a place, or about the whole file.
pub(super) fn tell<'f>(report: &'f mut Report<'_>, place: Option<Span>, message: String) -> &'f mut Finding {
    match place {
        Some(span) => report.at(span, message),
        None => report.whole(message),
    }
}
