//! A base and its overlays, merged.

use std::collections::HashSet;

use lineclear_source::Source;

use crate::{Compose, Element, Override, Service};

/// Services as they run when several files are given together. Places lead into the file a value came from.
#[derive(Clone, Debug)]
pub struct Stack {
    /// The files, the lowest first.
    pub files: Vec<Source>,
    /// In the order in which they are first named.
    pub services: Vec<Service>,
    /// As in the files.
    pub networks: Vec<Element>,
    /// As in the files.
    pub volumes: Vec<Element>,
    /// As in the files.
    pub secrets: Vec<Element>,
    /// As in the files.
    pub configs: Vec<Element>,
    /// Whether more is in files that are not here: `include`, or `extends` of another file.
    pub is_partial: bool,
}

impl Stack {
    /// Merges the files, each over those before it: single values are replaced, mappings merged by key, lists joined; commands and checks
    /// are replaced as a whole; `!reset` and `!override` do as they say. Afterwards a service that `extends` another of the stack has what it lacks.
    ///
    /// # Source
    /// The compose specification, "Merge" and "Extends".
    pub fn of(files: &[&Compose]) -> Self {
        let mut stack = Self {
            files: files.iter().map(|file| file.source.clone()).collect(),
            services: Vec::new(),
            networks: Vec::new(),
            volumes: Vec::new(),
            secrets: Vec::new(),
            configs: Vec::new(),
            is_partial: false,
        };
        for (origin, file) in files.iter().enumerate() {
            stack.is_partial |= !file.includes.is_empty();
            for service in &file.services {
                let mut service = service.clone();
                service.ports.iter_mut().for_each(|port| port.origin = origin);
                stack.is_partial |= service.extends.as_ref().is_some_and(|extends| extends.file.is_some());
                match stack.services.iter_mut().find(|below| below.name() == service.name()) {
                    Some(below) => *below = merged(below, service),
                    None => stack.services.push(service),
                }
            }
            for (all, own) in [
                (&mut stack.networks, &file.networks),
                (&mut stack.volumes, &file.volumes),
                (&mut stack.secrets, &file.secrets),
                (&mut stack.configs, &file.configs),
            ] {
                all.extend(own.iter().cloned());
            }
        }
        stack.extend_services();
        stack
    }

    /// The service of this name.
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.name() == name)
    }

    fn extend_services(&mut self) {
        for at in 0..self.services.len() {
            let mut seen = HashSet::new();
            let mut next = self.services.get(at).and_then(own_extends);
            while let Some(name) = next {
                if !seen.insert(name.clone()) {
                    break;
                }
                let Some(below) = self.service(&name).cloned() else { break };
                next = own_extends(&below);
                if let Some(service) = self.services.get_mut(at) {
                    *service = merged(&below, service.clone());
                }
            }
        }
    }
}

fn own_extends(service: &Service) -> Option<String> {
    let extends = service.extends.as_ref().filter(|extends| extends.file.is_none())?;
    Some(extends.service.text.clone())
}

/// `over` laid upon `below`.
fn merged(below: &Service, mut over: Service) -> Service {
    let tag = |key: &str| over.overrides.iter().find(|(name, _)| name == key).map(|(_, tag)| *tag);
    let tags: Vec<(&str, Option<Override>)> = MERGED_KEYS.iter().map(|key| (*key, tag(key))).collect();
    let is_kept = |key: &str| tags.iter().any(|(name, tag)| *name == key && tag.is_none());
    macro_rules! replace {
        ($($field:ident = $key:literal),*) => { $(
            if over.$field.is_none() && is_kept($key) { over.$field = below.$field.clone(); }
        )* };
    }
    replace!(
        image = "image",
        container_name = "container_name",
        command = "command",
        entrypoint = "entrypoint",
        network_mode = "network_mode",
        extends = "extends",
        restart = "restart",
        user = "user",
        privileged = "privileged",
        logging = "logging",
        replicas = "deploy",
        restart_policy = "deploy"
    );
    if is_kept("deploy") {
        over.limits.memory = over.limits.memory.take().or_else(|| below.limits.memory.clone());
        over.limits.cpus = over.limits.cpus.take().or_else(|| below.limits.cpus.clone());
    }
    if let Some(build) = below.build.as_ref().filter(|_| is_kept("build")) {
        match &mut over.build {
            Some(over) => {
                over.context = over.context.take().or_else(|| build.context.clone());
                over.dockerfile = over.dockerfile.take().or_else(|| build.dockerfile.clone());
                over.target = over.target.take().or_else(|| build.target.clone());
            }
            None => over.build = Some(build.clone()),
        }
    }
    if let Some(check) = below.healthcheck.as_ref().filter(|_| is_kept("healthcheck")) {
        match &mut over.healthcheck {
            Some(over) => over.test = over.test.take().or_else(|| check.test.clone()),
            None => over.healthcheck = Some(check.clone()),
        }
    }
    /// Joins two lists; of two items with one identity the upper counts.
    fn join<T: Clone, K: PartialEq>(below: &[T], over: &mut Vec<T>, identity: impl Fn(&T) -> K) {
        let kept: Vec<T> =
            below.iter().filter(|item| over.iter().all(|other| identity(other) != identity(item))).cloned().collect();
        over.splice(0..0, kept);
    }
    if is_kept("ports") {
        let identity = |port: &crate::Port| {
            (port.address.clone(), port.published.clone(), port.target.clone(), port.protocol.clone())
        };
        join(&below.ports, &mut over.ports, identity);
    }
    if is_kept("volumes") {
        join(&below.mounts, &mut over.mounts, |mount| mount.target.clone());
    }
    if is_kept("environment") {
        join(&below.environment, &mut over.environment, |variable| variable.name.clone());
    }
    if is_kept("depends_on") {
        join(&below.depends_on, &mut over.depends_on, |dependency| dependency.service.text.clone());
    }
    if is_kept("env_file") {
        join(&below.env_files, &mut over.env_files, |file| file.path.text.clone());
    }
    macro_rules! join_texts {
        ($($field:ident = $key:literal),*) => { $(
            if is_kept($key) { join(&below.$field, &mut over.$field, |text| text.text.clone()); }
        )* };
    }
    join_texts!(
        expose = "expose",
        networks = "networks",
        secrets = "secrets",
        configs = "configs",
        profiles = "profiles",
        cap_add = "cap_add",
        tmpfs = "tmpfs"
    );
    over
}

const MERGED_KEYS: [&str; 27] = [
    "image",
    "build",
    "container_name",
    "command",
    "entrypoint",
    "ports",
    "expose",
    "environment",
    "env_file",
    "depends_on",
    "healthcheck",
    "volumes",
    "tmpfs",
    "networks",
    "network_mode",
    "secrets",
    "configs",
    "profiles",
    "extends",
    "restart",
    "user",
    "privileged",
    "cap_add",
    "logging",
    "deploy",
    "mem_limit",
    "cpus",
];
