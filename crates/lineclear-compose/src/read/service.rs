//! A service.

use lineclear_source::{Span, suggest};
use lineclear_yaml::{Entry, Node};

use super::{Reader, is_true, items, keys};
use crate::short;
use crate::{
    Build, Command, Condition, Dependency, EnvFile, Extends, Healthcheck, Mount, MountKind, Port, Resources, Service,
    Text, Variable,
};

impl Reader {
    pub(super) fn service(&mut self, entry: &Entry) -> Option<Service> {
        let node = &entry.value;
        if node.as_mapping().is_none() && !node.is_null() {
            self.value(node.span(), format!("a service is a mapping, and this is {}", node.kind()));
            return None;
        }
        let mut service = Service {
            key: entry.key.clone(),
            node: node.clone(),
            image: None,
            build: None,
            container_name: None,
            command: None,
            entrypoint: None,
            ports: Vec::new(),
            expose: Vec::new(),
            environment: Vec::new(),
            env_files: Vec::new(),
            depends_on: Vec::new(),
            healthcheck: None,
            mounts: Vec::new(),
            tmpfs: Vec::new(),
            networks: Vec::new(),
            network_mode: None,
            secrets: Vec::new(),
            configs: Vec::new(),
            profiles: Vec::new(),
            extends: None,
            restart: None,
            restart_policy: None,
            user: None,
            privileged: None,
            cap_add: Vec::new(),
            limits: Resources::default(),
            logging: None,
            replicas: None,
            overrides: Vec::new(),
        };
        for entry in self.mapping(node, "a service", keys::SERVICE) {
            if let Some(tag) = self.override_of(&entry.value) {
                service.overrides.push((entry.key.text.clone(), tag));
            }
            self.entry(entry, &mut service);
        }
        Some(service)
    }

    fn entry(&mut self, entry: &Entry, service: &mut Service) {
        let node = &entry.value;
        let key = entry.key.text.as_str();
        match key {
            "image" => service.image = self.text(node, "`image`"),
            "build" => service.build = self.build(node, entry.key.span),
            "container_name" => service.container_name = self.text(node, "`container_name`"),
            "command" => service.command = self.command(node),
            "entrypoint" => service.entrypoint = self.command(node),
            "ports" => service.ports = self.list(node, "`ports`", Self::port),
            "expose" => service.expose = self.texts(node, "`expose`"),
            "environment" => service.environment = self.variables(node, "`environment`"),
            "env_file" => service.env_files = items(node).filter_map(|item| self.env_file(item)).collect(),
            "depends_on" => service.depends_on = self.dependencies(node),
            "healthcheck" => service.healthcheck = self.healthcheck(node, entry.key.span),
            "volumes" => service.mounts = self.list(node, "`volumes`", Self::mount),
            "tmpfs" => service.tmpfs = self.texts(node, "`tmpfs`"),
            "networks" => service.networks = self.names(node),
            "network_mode" => service.network_mode = self.text(node, "`network_mode`"),
            "secrets" => service.secrets = self.sources(node, "`secrets`"),
            "configs" => service.configs = self.sources(node, "`configs`"),
            "profiles" => service.profiles = self.texts(node, "`profiles`"),
            "extends" => service.extends = self.extends(node),
            "restart" => service.restart = self.restart(node),
            "user" => service.user = self.text(node, "`user`"),
            "privileged" => service.privileged = self.text(node, "`privileged`"),
            "cap_add" => service.cap_add = self.texts(node, "`cap_add`"),
            "mem_limit" => service.limits.memory = self.text(node, "`mem_limit`"),
            "cpus" => service.limits.cpus = self.text(node, "`cpus`"),
            "scale" => service.replicas = self.text(node, "`scale`"),
            "logging" => {
                self.mapping(node, "`logging`", keys::LOGGING);
                service.logging = Some(entry.key.span);
            }
            "deploy" => self.deploy(node, service),
            _ => {}
        }
    }

    /// The items of a list; one value alone is a fault here.
    fn list<T>(&mut self, node: &Node, what: &str, read: fn(&mut Self, &Node) -> Option<T>) -> Vec<T> {
        match node.as_sequence() {
            Some(items) => items.iter().filter_map(|item| read(self, item)).collect(),
            None => {
                if !node.is_null() {
                    self.value(node.span(), format!("{what} is a list, and this is {}", node.kind()));
                }
                Vec::new()
            }
        }
    }

    fn build(&mut self, node: &Node, key: Span) -> Option<Build> {
        if let Some(context) = node.as_scalar() {
            let context = (!context.is_null()).then(|| context.clone())?;
            return Some(Build { context: Some(context), dockerfile: None, target: None, arguments: Vec::new(), key });
        }
        let mut build = Build { context: None, dockerfile: None, target: None, arguments: Vec::new(), key };
        for entry in self.mapping(node, "`build`", keys::BUILD) {
            match entry.key.text.as_str() {
                "context" => build.context = self.text(&entry.value, "`context`"),
                "dockerfile" => build.dockerfile = self.text(&entry.value, "`dockerfile`"),
                "target" => build.target = self.text(&entry.value, "`target`"),
                "args" => build.arguments = self.variables(&entry.value, "`args`"),
                _ => {}
            }
        }
        Some(build)
    }

    fn command(&mut self, node: &Node) -> Option<Command> {
        match node {
            Node::Scalar(scalar) => (!scalar.is_null()).then(|| Command::Line(scalar.clone())),
            Node::Sequence { .. } => Some(Command::List(self.texts(node, "a command"))),
            Node::Mapping { .. } => {
                self.value(node.span(), "a command is a text or a list, and this is a mapping");
                None
            }
        }
    }

    fn port(&mut self, node: &Node) -> Option<Port> {
        if let Some(scalar) = node.as_scalar() {
            let Some(port) = short::port(&scalar.text) else {
                self.value(
                    scalar.span,
                    format!("`{}` is no port: write `8080:80`, `127.0.0.1:8080:80` or `80`", scalar.text),
                );
                return None;
            };
            return Some(Port {
                address: port.address.map(str::to_owned),
                published: port.published.map(str::to_owned),
                target: port.target.to_owned(),
                protocol: port.protocol.to_owned(),
                span: scalar.span,
                origin: 0,
            });
        }
        let mut port = Port {
            address: None,
            published: None,
            target: String::new(),
            protocol: "tcp".to_owned(),
            span: node.span(),
            origin: 0,
        };
        for entry in self.mapping(node, "a port", keys::PORT) {
            let Some(text) = self.text(&entry.value, "a port's value").map(|text| text.text.clone()) else { continue };
            match entry.key.text.as_str() {
                "target" => port.target = text,
                "published" => port.published = Some(text),
                "host_ip" => port.address = Some(text),
                "protocol" => port.protocol = text,
                _ => {}
            }
        }
        if port.target.is_empty() && node.as_mapping().is_some() {
            self.value(node.span(), "a port needs `target`: the container's port");
        }
        Some(port)
    }

    fn variables(&mut self, node: &Node, what: &str) -> Vec<Variable> {
        if let Some(entries) = node.as_mapping() {
            let variable = |entry: &Entry| {
                let value = entry.value.as_scalar().filter(|scalar| !scalar.is_null());
                Variable {
                    name: entry.key.text.clone(),
                    name_span: entry.key.span,
                    value: value.map(|value| value.text.clone()),
                    value_span: entry.value.span(),
                }
            };
            for entry in entries.iter().filter(|entry| entry.value.as_scalar().is_none()) {
                self.value(entry.value.span(), format!("a variable is one value, and this is {}", entry.value.kind()));
            }
            return entries.iter().map(variable).collect();
        }
        self.list(node, what, |reader, item| {
            let text = reader.text(item, "a variable")?;
            let at = text.text.find('=');
            Some(Variable {
                name: text.text.get(..at.unwrap_or(text.text.len())).unwrap_or_default().to_owned(),
                name_span: text.span_of(0..at.unwrap_or(text.text.len())),
                value: at.and_then(|at| text.text.get(at + 1..)).map(str::to_owned),
                value_span: at.map_or(text.span, |at| text.span_of(at + 1..text.text.len())),
            })
        })
    }

    fn env_file(&mut self, node: &Node) -> Option<EnvFile> {
        if let Some(path) = node.as_scalar() {
            return (!path.is_null()).then(|| EnvFile { path: path.clone(), is_required: true });
        }
        let entries = self.mapping(node, "an environment file", keys::ENV_FILE);
        let get = |key: &str| entries.iter().find(|entry| entry.key.text == key).map(|entry| &entry.value);
        let path = get("path")?.as_scalar()?.clone();
        let is_required =
            get("required").is_none_or(|value| value.as_scalar().is_none_or(|value| value.text != "false"));
        Some(EnvFile { path, is_required })
    }

    fn dependencies(&mut self, node: &Node) -> Vec<Dependency> {
        if node.as_mapping().is_none() {
            let services = self.texts(node, "`depends_on`");
            let short = |service: Text| Dependency {
                service,
                condition: Condition::Started,
                is_explicit: false,
                is_required: true,
            };
            return services.into_iter().map(short).collect();
        }
        let mut dependencies = Vec::new();
        for entry in self.mapping_of_any(node, "`depends_on`") {
            let entries = self.mapping(&entry.value, "a dependency", keys::DEPENDENCY);
            let get = |key: &str| entries.iter().find(|entry| entry.key.text == key).map(|entry| &entry.value);
            let written = get("condition").and_then(Node::as_scalar);
            let condition = match written.map(|text| text.text.as_str()) {
                Some("service_healthy") => Condition::Healthy,
                Some("service_completed_successfully") => Condition::Completed,
                Some("service_started") | None => Condition::Started,
                Some(other) => {
                    let known = ["service_started", "service_healthy", "service_completed_successfully"];
                    let near =
                        suggest(other, known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                    let span = written.map_or(entry.key.span, |text| text.span);
                    if !crate::interpolation::has_variable(other) {
                        self.value(span, format!("`{other}` is no condition{near}"));
                    }
                    Condition::Started
                }
            };
            let is_required =
                get("required").is_none_or(|value| value.as_scalar().is_none_or(|value| value.text != "false"));
            dependencies.push(Dependency {
                service: entry.key.clone(),
                condition,
                is_explicit: written.is_some(),
                is_required,
            });
        }
        dependencies
    }

    fn healthcheck(&mut self, node: &Node, key: Span) -> Option<Healthcheck> {
        if node.is_null() {
            return None;
        }
        let mut healthcheck = Healthcheck { test: None, is_off: false, key };
        for entry in self.mapping(node, "`healthcheck`", keys::HEALTHCHECK) {
            match entry.key.text.as_str() {
                "test" => healthcheck.test = self.command(&entry.value),
                "disable" => healthcheck.is_off |= is_true(&entry.value),
                _ => {}
            }
        }
        let first = match &healthcheck.test {
            Some(Command::List(words)) => words.first(),
            Some(Command::Line(line)) => Some(line).filter(|line| line.text == "NONE"),
            None => None,
        };
        let Some(first) = first else { return Some(healthcheck) };
        match first.text.as_str() {
            "NONE" => healthcheck.is_off = true,
            "CMD" | "CMD-SHELL" => {}
            other => {
                let near = suggest(other, ["CMD", "CMD-SHELL", "NONE"]).map(|near| format!("; did you mean `{near}`?"));
                let (span, near) = (first.span, near.unwrap_or_default());
                if !crate::interpolation::has_variable(other) {
                    self.value(
                        span,
                        format!("a check's list begins with `CMD`, `CMD-SHELL` or `NONE`, not `{other}`{near}"),
                    );
                }
            }
        }
        Some(healthcheck)
    }

    fn mount(&mut self, node: &Node) -> Option<Mount> {
        if let Some(scalar) = node.as_scalar() {
            let short = short::mount(&scalar.text);
            return Some(Mount {
                kind: short.kind,
                source: short.source.as_ref().map(|(source, _)| (*source).to_owned()),
                source_span: short.source.map_or(scalar.span, |(_, range)| scalar.span_of(range)),
                target: short.target.to_owned(),
                is_read_only: short.is_read_only,
                span: scalar.span,
            });
        }
        let mut mount = Mount {
            kind: MountKind::Other,
            source: None,
            source_span: node.span(),
            target: String::new(),
            is_read_only: false,
            span: node.span(),
        };
        let mut kind = None;
        for entry in self.mapping(node, "a mount", keys::MOUNT) {
            match entry.key.text.as_str() {
                "type" => kind = self.text(&entry.value, "`type`"),
                "source" => {
                    if let Some(source) = self.text(&entry.value, "`source`") {
                        mount.source_span = source.span;
                        mount.source = Some(source.text.clone());
                    }
                }
                "target" => {
                    mount.target = self.text(&entry.value, "`target`").map(|text| text.text.clone()).unwrap_or_default()
                }
                "read_only" => mount.is_read_only = is_true(&entry.value),
                _ => {}
            }
        }
        let Some(kind) = kind else { return Some(mount) };
        mount.kind = match kind.text.as_str() {
            "bind" => MountKind::Bind,
            "volume" if mount.source.is_some() => MountKind::Volume,
            "volume" => MountKind::Anonymous,
            "tmpfs" => MountKind::Tmpfs,
            "npipe" | "cluster" | "image" => MountKind::Other,
            other => {
                let known = ["bind", "volume", "tmpfs", "npipe", "cluster", "image"];
                let near = suggest(other, known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                if !crate::interpolation::has_variable(other) {
                    self.value(kind.span, format!("there is no mount of type `{other}`{near}"));
                }
                MountKind::Other
            }
        };
        Some(mount)
    }

    /// A list of names, or a mapping by names.
    fn names(&mut self, node: &Node) -> Vec<Text> {
        match node.as_mapping() {
            Some(entries) => entries.iter().map(|entry| entry.key.clone()).collect(),
            None => self.texts(node, "`networks`"),
        }
    }

    /// A list of names, or of mappings with `source`.
    fn sources(&mut self, node: &Node, what: &str) -> Vec<Text> {
        self.list(node, what, |reader, item| match item.as_mapping() {
            Some(_) => item.get("source").and_then(Node::as_scalar).cloned(),
            None => reader.text(item, "a name"),
        })
    }

    fn extends(&mut self, node: &Node) -> Option<Extends> {
        if let Some(service) = node.as_scalar() {
            return Some(Extends { file: None, service: service.clone() });
        }
        let entries = self.mapping(node, "`extends`", keys::EXTENDS);
        let get = |key: &str| {
            entries.iter().find(|entry| entry.key.text == key).and_then(|entry| entry.value.as_scalar()).cloned()
        };
        let service = get("service");
        if service.is_none() && node.as_mapping().is_some() {
            self.value(node.span(), "`extends` needs `service`");
        }
        Some(Extends { file: get("file"), service: service? })
    }

    fn restart(&mut self, node: &Node) -> Option<Text> {
        let text = self.text(node, "`restart`")?;
        let policy = text.text.split(':').next().unwrap_or_default();
        let known = ["no", "always", "on-failure", "unless-stopped"];
        if !known.contains(&policy) && !crate::interpolation::has_variable(&text.text) && !text.is_null() {
            let near = suggest(policy, known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            let hint = if matches!(policy, "false" | "true") { ": `\"no\"` is written in quotes" } else { "" };
            self.value(text.span, format!("`{}` is no policy of `restart`{near}{hint}", text.text));
        }
        Some(text)
    }

    fn deploy(&mut self, node: &Node, service: &mut Service) {
        for entry in self.mapping(node, "`deploy`", keys::DEPLOY) {
            match entry.key.text.as_str() {
                "replicas" => service.replicas = self.text(&entry.value, "`replicas`"),
                "restart_policy" => service.restart_policy = Some(entry.key.span),
                "resources" => {
                    for entry in self.mapping(&entry.value, "`resources`", keys::RESOURCES) {
                        let limits = self.mapping(&entry.value, &format!("`{}`", entry.key.text), keys::LIMITS);
                        if entry.key.text != "limits" {
                            continue;
                        }
                        for entry in limits {
                            match entry.key.text.as_str() {
                                "memory" => service.limits.memory = self.text(&entry.value, "`memory`"),
                                "cpus" => service.limits.cpus = self.text(&entry.value, "`cpus`"),
                                _ => {}
                            }
                        }
                    }
                }
                _ => {}
            }
        }
    }
}
