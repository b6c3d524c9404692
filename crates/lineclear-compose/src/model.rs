//! What a compose file is made of.

use std::sync::Arc;

use lineclear_source::{Source, Span};
use lineclear_yaml::{Entry, Node, Scalar};

/// A value as it is written, `${…}` included, with the way back to the file.
pub type Text = Arc<Scalar>;

/// A compose file.
#[derive(Clone, Debug)]
pub struct Compose {
    /// The file.
    pub source: Source,
    /// `name`: the project's.
    pub name: Option<Text>,
    /// `version`, which no longer means anything: the key and its value.
    pub version: Option<Entry>,
    /// In file order.
    pub services: Vec<Service>,
    /// In file order.
    pub networks: Vec<Element>,
    /// In file order.
    pub volumes: Vec<Element>,
    /// In file order.
    pub secrets: Vec<Element>,
    /// In file order.
    pub configs: Vec<Element>,
    /// The files that `include` names.
    pub includes: Vec<Text>,
}

/// A network, volume, secret or config of the file.
#[derive(Clone, Debug)]
pub struct Element {
    /// Its key.
    pub key: Text,
    /// Whether it is made elsewhere.
    pub is_external: bool,
    /// What it says.
    pub node: Node,
}

/// A service.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its key.
    pub key: Text,
    /// All of its entries.
    pub node: Node,
    /// `image`
    pub image: Option<Text>,
    /// `build`
    pub build: Option<Build>,
    /// `container_name`
    pub container_name: Option<Text>,
    /// `command`
    pub command: Option<Command>,
    /// `entrypoint`
    pub entrypoint: Option<Command>,
    /// `ports`
    pub ports: Vec<Port>,
    /// `expose`
    pub expose: Vec<Text>,
    /// `environment`
    pub environment: Vec<Variable>,
    /// `env_file`
    pub env_files: Vec<EnvFile>,
    /// `depends_on`
    pub depends_on: Vec<Dependency>,
    /// `healthcheck`
    pub healthcheck: Option<Healthcheck>,
    /// `volumes`
    pub mounts: Vec<Mount>,
    /// `tmpfs`
    pub tmpfs: Vec<Text>,
    /// `networks`
    pub networks: Vec<Text>,
    /// `network_mode`
    pub network_mode: Option<Text>,
    /// `secrets`, by their keys in the file.
    pub secrets: Vec<Text>,
    /// `configs`, by their keys in the file.
    pub configs: Vec<Text>,
    /// `profiles`
    pub profiles: Vec<Text>,
    /// `extends`
    pub extends: Option<Extends>,
    /// `restart`
    pub restart: Option<Text>,
    /// `deploy.restart_policy.condition`, or that there is a policy.
    pub restart_policy: Option<Span>,
    /// `user`
    pub user: Option<Text>,
    /// `privileged`
    pub privileged: Option<Text>,
    /// `cap_add`
    pub cap_add: Vec<Text>,
    /// `deploy.resources.limits`, `mem_limit`, `cpus`.
    pub limits: Resources,
    /// `logging`
    pub logging: Option<Span>,
    /// `scale` or `deploy.replicas`.
    pub replicas: Option<Text>,
    /// The entries that carry `!reset` or `!override`.
    pub overrides: Vec<(String, Override)>,
}

/// What a tag makes of an entry when files are merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Override {
    /// `!reset`: what lies below is taken away, and nothing put in its place.
    Reset,
    /// `!override`: what lies below is replaced, not merged.
    Replace,
}

/// `build`
#[derive(Clone, Debug)]
pub struct Build {
    /// `context`, or the short form.
    pub context: Option<Text>,
    /// `dockerfile`
    pub dockerfile: Option<Text>,
    /// `target`
    pub target: Option<Text>,
    /// `args`
    pub arguments: Vec<Variable>,
    /// The key `build`.
    pub key: Span,
}

/// `command` or `entrypoint`.
#[derive(Clone, Debug)]
pub enum Command {
    /// One text, split as a shell does.
    Line(Text),
    /// A list.
    List(Vec<Text>),
}

/// One of `ports`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// The address of the machine it is bound to.
    pub address: Option<String>,
    /// The machine's port or range; `None` where the engine chooses one.
    pub published: Option<String>,
    /// The container's port or range.
    pub target: String,
    /// `tcp` or `udp`.
    pub protocol: String,
    /// The whole entry.
    pub span: Span,
    /// The file that the span is in, as [`Stack::files`](crate::Stack) counts; zero in a model of one file.
    pub origin: usize,
}

/// `NAME=value`.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub name_span: Span,
    /// Its value; `None` for one that is handed through from the surroundings.
    pub value: Option<String>,
    /// Where the value stands.
    pub value_span: Span,
}

/// One of `env_file`.
#[derive(Clone, Debug)]
pub struct EnvFile {
    /// From the compose file's folder.
    pub path: Text,
    /// Whether it has to be there.
    pub is_required: bool,
}

/// One of `depends_on`.
#[derive(Clone, Debug)]
pub struct Dependency {
    /// The service's name.
    pub service: Text,
    /// What is waited for.
    pub condition: Condition,
    /// Whether the condition is written.
    pub is_explicit: bool,
    /// `required`
    pub is_required: bool,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The container has been started.
    Started,
    /// Its health check succeeds.
    Healthy,
    /// It has ended well.
    Completed,
}

/// `healthcheck`
#[derive(Clone, Debug)]
pub struct Healthcheck {
    /// `test`
    pub test: Option<Command>,
    /// `disable: true` or `test: NONE`.
    pub is_off: bool,
    /// The key.
    pub key: Span,
}

/// One of `volumes`.
#[derive(Clone, Debug)]
pub struct Mount {
    /// What is mounted.
    pub kind: MountKind,
    /// The path on the machine, or the volume's key.
    pub source: Option<String>,
    /// Where the source stands; the whole entry if there is none.
    pub source_span: Span,
    /// The path in the container.
    pub target: String,
    /// `:ro` or `read_only`.
    pub is_read_only: bool,
    /// The whole entry.
    pub span: Span,
}

/// What is mounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MountKind {
    /// A path of the machine.
    Bind,
    /// A volume with a name.
    Volume,
    /// A volume without one.
    Anonymous,
    /// Memory.
    Tmpfs,
    /// Something else, or not known before variables are put in.
    Other,
}

/// `extends`
#[derive(Clone, Debug)]
pub struct Extends {
    /// Another file, if it is in one.
    pub file: Option<Text>,
    /// The service there.
    pub service: Text,
}

/// The most that a service may take.
#[derive(Clone, Debug, Default)]
pub struct Resources {
    /// `memory` or `mem_limit`.
    pub memory: Option<Text>,
    /// `cpus`
    pub cpus: Option<Text>,
}

impl Service {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.key.text
    }

    /// Whether the service has `key` in this file.
    pub fn has(&self, key: &str) -> bool {
        self.node.get(key).is_some()
    }

    /// Where `key` stands, if the service has it in this file.
    pub fn key_span(&self, key: &str) -> Option<Span> {
        self.node.as_mapping()?.iter().find(|entry| entry.key.text == key).map(|entry| entry.key.span)
    }
}

impl Port {
    /// The machine's ports with defaults put in, both ends included; `None` where that is not known.
    pub fn published_range(&self) -> Option<(u16, u16)> {
        range(&crate::interpolation::with_defaults(self.published.as_ref()?)?)
    }

    /// Whether only programs of the machine itself reach it.
    pub fn is_local(&self) -> bool {
        let address = self.address.as_deref().map(|address| address.trim_matches(['[', ']']));
        address.is_some_and(|address| address.starts_with("127.") || address == "::1" || address == "localhost")
    }
}

fn range(text: &str) -> Option<(u16, u16)> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let (from, to) = (from.trim().parse().ok()?, to.trim().parse().ok()?);
    (from <= to).then_some((from, to))
}

impl Compose {
    /// The service of this name.
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.name() == name)
    }
}
