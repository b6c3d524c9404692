//! What a container is to be, before anything is made: its settings, all read, in the form of the API.

use std::collections::BTreeMap;
use std::path::Path;

use lineclear_backend::{ContainerError, ContainerSpec, Layout, ServiceSpec};
use lineclear_container_engine::NewContainer;
use serde_json::{Map, Value, json};

use crate::mounts::Mount;
use crate::options::{self, Options, Whose};
use crate::ports::{self, Published};
use crate::volumes::{self, Volume};
use crate::{trust, words};

/// A container to be.
#[derive(Debug)]
pub(crate) struct Plan<'r> {
    /// The id of a service; `None` for the job's own.
    pub(crate) service: Option<&'r str>,
    pub(crate) spec: &'r ContainerSpec,
    pub(crate) options: Options,
    entrypoint: Option<String>,
    command: Vec<String>,
    ports: Vec<Published>,
    pub(crate) volumes: Vec<Volume>,
}

/// What is the same for all containers of a job.
#[derive(Debug)]
pub(crate) struct Surroundings<'s> {
    pub(crate) labels: &'s BTreeMap<String, String>,
    pub(crate) network: &'s str,
    pub(crate) name: String,
    pub(crate) mounts: Vec<Mount>,
    pub(crate) trust_bundle: Option<&'s Path>,
    /// `NAME=value`, which the settings may replace.
    pub(crate) env: Vec<String>,
    pub(crate) working_directory: Option<String>,
}

impl<'r> Plan<'r> {
    pub(crate) fn of_job(spec: &'r ContainerSpec, layout: &Layout) -> Result<Self, ContainerError> {
        Self::read(None, spec, layout, Whose::Job)
    }

    pub(crate) fn of_service(service: &'r ServiceSpec, layout: &Layout) -> Result<Self, ContainerError> {
        let mut plan = Self::read(Some(&service.id), &service.container, layout, Whose::Service)?;
        let owner = plan.owner();
        let fail = |problem| ContainerError::Setting { owner: owner.clone(), problem };
        plan.entrypoint =
            service.entrypoint.clone().filter(|text| !text.is_empty()).or(plan.options.entrypoint.clone());
        plan.command = words::split(service.command.as_deref().unwrap_or_default()).map_err(fail)?;
        Ok(plan)
    }

    fn read(
        service: Option<&'r str>,
        spec: &'r ContainerSpec,
        layout: &Layout,
        whose: Whose,
    ) -> Result<Self, ContainerError> {
        let options = options::parse(&spec.options, whose, &layout.workspace);
        let mut plan = Self {
            service,
            spec,
            options: Options::default(),
            entrypoint: None,
            command: Vec::new(),
            ports: Vec::new(),
            volumes: Vec::new(),
        };
        let owner = plan.owner();
        let fail = |what: &str, problem: String| ContainerError::Setting {
            owner: owner.clone(),
            problem: format!("{what}: {problem}"),
        };
        plan.options = options.map_err(|problem| fail("options", problem))?;
        for port in &spec.ports {
            plan.ports.extend(ports::parse(port).map_err(|problem| fail("ports", problem))?);
        }
        plan.ports.append(&mut plan.options.ports);
        for volume in spec.volumes.iter().chain(&plan.options.volumes) {
            plan.volumes.push(volumes::parse(volume, &layout.workspace).map_err(|problem| fail("volumes", problem))?);
        }
        Ok(plan)
    }

    /// ``service `db` `` or `container`.
    pub(crate) fn owner(&self) -> String {
        self.service.map_or_else(|| "container".into(), |id| format!("service `{id}`"))
    }

    /// `NAME=value`, of a name that is there twice the last.
    fn env(&self, around: &Surroundings<'_>) -> Vec<String> {
        let mut env: Vec<String> = around.env.clone();
        env.extend(self.spec.env.iter().map(|(name, value)| format!("{name}={value}")));
        // A name without a value would be this process's own, which no job is to see.
        env.extend(
            self.options.env.iter().map(|entry| if entry.contains('=') { entry.clone() } else { format!("{entry}=") }),
        );
        if around.trust_bundle.is_some() {
            let has = |name: &str| env.iter().any(|entry| entry.split('=').next() == Some(name));
            env.extend(trust::env(has));
        }
        let mut last: Vec<String> = Vec::new();
        for entry in env {
            let name = entry.split('=').next().unwrap_or_default();
            last.retain(|other| other.split('=').next() != Some(name));
            last.push(entry);
        }
        last
    }

    /// In the form of the API.
    pub(crate) fn container(&self, image: &str, around: &Surroundings<'_>) -> NewContainer {
        let mut body = self.options.body.clone();
        let mut set = |name: &str, value: Value| body.insert(name.into(), value);
        set("Image", json!(image));
        set("Env", json!(self.env(around)));
        if self.service.is_none() {
            set("Entrypoint", json!(["tail"]));
            set("Cmd", json!(["-f", "/dev/null"]));
        } else {
            if let Some(entrypoint) = &self.entrypoint {
                set("Entrypoint", json!([entrypoint]));
            }
            if !self.command.is_empty() {
                set("Cmd", json!(self.command));
            }
        }
        merge(&mut body, "Labels", around.labels.iter().map(|(name, value)| (name.clone(), json!(value))));
        if let Some(folder) = &around.working_directory {
            body.entry("WorkingDir").or_insert_with(|| json!(folder));
        }
        merge(&mut body, "ExposedPorts", self.ports.iter().map(|port| (port.container.clone(), json!({}))));
        let anonymous = self.volumes.iter().filter_map(|volume| match volume {
            Volume::Anonymous(place) => Some((place.clone(), json!({}))),
            _ => None,
        });
        merge(&mut body, "Volumes", anonymous.collect::<Vec<_>>());

        let host = body.entry("HostConfig").or_insert_with(|| json!({}));
        let binds: Vec<&String> = self
            .volumes
            .iter()
            .filter_map(|volume| match volume {
                Volume::Bind(bind) | Volume::Named { bind, .. } => Some(bind),
                Volume::Anonymous(_) => None,
            })
            .collect();
        host["Binds"] = json!(binds);
        let mut mounts: Vec<Value> = around.mounts.iter().map(Mount::json).collect();
        if let Some(bundle) = around.trust_bundle {
            mounts.extend(trust::mounts(bundle).iter().map(Mount::json));
        }
        if let Some(more) = host.get("Mounts").and_then(Value::as_array) {
            mounts.extend(more.iter().cloned());
        }
        host["Mounts"] = json!(mounts);
        let mut bindings: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for port in &self.ports {
            let binding = json!({ "HostIp": port.address, "HostPort": port.port });
            bindings.entry(&port.container).or_default().push(binding);
        }
        host["PortBindings"] = json!(bindings);
        host["NetworkMode"] = json!(around.network);
        let mut endpoint = self.options.endpoint.clone();
        let aliases: Vec<&str> =
            self.service.into_iter().chain(self.options.aliases.iter().map(String::as_str)).collect();
        endpoint.insert("Aliases".into(), json!(aliases));
        body.insert("NetworkingConfig".into(), json!({ "EndpointsConfig": { around.network: endpoint } }));
        NewContainer {
            name: Some(self.options.name.clone().unwrap_or_else(|| around.name.clone())),
            platform: self.options.platform.clone(),
            body: Value::Object(body),
        }
    }
}

/// Adds to an object of the API; what is added wins.
fn merge(body: &mut Map<String, Value>, name: &str, entries: impl IntoIterator<Item = (String, Value)>) {
    let object = body.entry(name).or_insert_with(|| json!({}));
    for (key, value) in entries {
        object[key.as_str()] = value;
    }
}
