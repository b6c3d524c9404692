//! What the engine answers, made ready for the job's eyes.

use lineclear_backend::labels;
use serde_json::{Map, Value, json};

use super::{Found, Job, PORTS_LABEL};

/// What a value that the engine answers is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Names are all there is to rewrite.
    Plain,
    /// A list of images, or one of them.
    Images,
    /// A list of containers.
    Containers,
    /// One container, inspected.
    Container,
    /// What tells of a container that was made; these warnings are added.
    Created {
        warnings: Vec<String>,
    },
    Networks,
    Network,
    /// A network of this name was made, with these subnets.
    NetworkCreated {
        name: String,
        subnets: Vec<String>,
    },
    DiskUsage,
}

/// A port that is published elsewhere than where steps find it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ShownPort {
    /// `5432/tcp`, in the container.
    pub(crate) inside: String,
    /// On the machine's loopback.
    pub(crate) published: u16,
    /// On the job's own loopback.
    pub(crate) shown: u16,
    /// The address that was asked for.
    pub(crate) ip: String,
}

/// What an answer is looked at with.
pub(crate) struct Shown<'s> {
    pub(crate) job: &'s Job,
    /// Where steps find the ports of a container, by its id.
    pub(crate) ports: &'s dyn Fn(&str) -> Vec<ShownPort>,
    /// The names with digest that an image has beside those that the engine knows, by its id.
    pub(crate) digests: &'s dyn Fn(&str) -> Vec<String>,
    /// Whether a container belongs to the job, by its id.
    pub(crate) is_own: &'s dyn Fn(&str) -> bool,
}

impl Shape {
    /// Rewrites an answer.
    pub(crate) fn show(&self, value: &mut Value, shown: &Shown<'_>) {
        match self {
            Self::Plain | Self::NetworkCreated { .. } => {}
            Self::Images if value.is_array() => items(value).for_each(|image| shown.image(image)),
            Self::Images => shown.image(value),
            Self::Containers => items(value).for_each(|container| shown.listed(container)),
            Self::Container => shown.inspected(value),
            Self::Created { warnings } => {
                if let Some(map) = value.as_object_mut().filter(|_| !warnings.is_empty()) {
                    let told = map.entry("Warnings").or_insert(Value::Null);
                    let mut all: Vec<Value> = told.as_array().cloned().unwrap_or_default();
                    all.extend(warnings.iter().map(|warning| warning.as_str().into()));
                    *told = all.into();
                }
            }
            Self::Networks => {
                if let Some(networks) = value.as_array_mut() {
                    networks.retain(|network| shown.is_seen_network(network));
                    networks.iter_mut().for_each(|network| shown.network(network));
                }
            }
            Self::Network => shown.network(value),
            Self::DiskUsage => shown.disk_usage(value),
        }
        shown.job.names.show(value);
    }
}

fn items(value: &mut Value) -> impl Iterator<Item = &mut Value> {
    value.as_array_mut().into_iter().flatten()
}

/// A container, network or volume as lists have it.
pub(crate) fn found(value: &Value) -> Found {
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let names: Vec<String> = match value.get("Names").and_then(Value::as_array) {
        Some(names) => {
            names.iter().filter_map(|name| Some(name.as_str()?.trim_start_matches('/').to_owned())).collect()
        }
        None => vec![text("Name").trim_start_matches('/').to_owned()],
    };
    let id = Some(text("Id")).filter(|id| !id.is_empty()).unwrap_or_else(|| text("Name"));
    Found { id, names, job: label(value, labels::JOB).map(str::to_owned) }
}

/// A label, wherever this kind of object has its labels.
pub(crate) fn label<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    let labels = value.get("Labels").or_else(|| value.pointer("/Config/Labels"))?;
    labels.get(key)?.as_str()
}

impl Shown<'_> {
    fn is_own(&self, value: &Value) -> bool {
        self.job.is_shared() || label(value, labels::JOB) == Some(&self.job.tracking_id)
    }

    fn image(&self, image: &mut Value) {
        let more = (self.digests)(image.get("Id").and_then(Value::as_str).unwrap_or_default());
        let Some(image) = image.as_object_mut().filter(|_| !more.is_empty()) else { return };
        let known = image.entry("RepoDigests").or_insert(Value::Null);
        let mut all: Vec<Value> = known.as_array().cloned().unwrap_or_default();
        for name in more {
            if !all.iter().any(|known| *known == name) {
                all.push(name.into());
            }
        }
        *known = all.into();
    }

    fn is_seen_network(&self, network: &Value) -> bool {
        self.is_own(network) || network.get("Name").and_then(Value::as_str).is_some_and(Job::is_default_network)
    }

    /// The containers of others are left out of what is told about a network that all share.
    fn network(&self, network: &mut Value) {
        if self.job.is_shared() {
            return;
        }
        if let Some(containers) = network.get_mut("Containers").and_then(Value::as_object_mut) {
            containers.retain(|id, _| (self.is_own)(id));
        }
    }

    fn listed(&self, container: &mut Value) {
        let id = container.get("Id").and_then(Value::as_str).unwrap_or_default();
        let shown = (self.ports)(id);
        if shown.is_empty() {
            return;
        }
        for port in container.get_mut("Ports").map(items).into_iter().flatten() {
            let inside = format!("{}/{}", port["PrivatePort"], port["Type"].as_str().unwrap_or("tcp"));
            let is_it = |shown: &&ShownPort| shown.inside == inside && port["PublicPort"] == json!(shown.published);
            if let Some(shown) = shown.iter().find(is_it) {
                port["PublicPort"] = shown.shown.into();
                port["IP"] = shown.ip.as_str().into();
            }
        }
    }

    fn inspected(&self, container: &mut Value) {
        let id = container.get("Id").and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some(asked) = label(container, PORTS_LABEL).and_then(|asked| serde_json::from_str::<Value>(asked).ok())
            && let Some(host) = container.get_mut("HostConfig").and_then(Value::as_object_mut)
        {
            host.insert("PortBindings".into(), asked);
        }
        let shown = (self.ports)(&id);
        let ports = container.pointer_mut("/NetworkSettings/Ports").and_then(Value::as_object_mut);
        for (inside, places) in ports.into_iter().flatten() {
            for place in items(places) {
                let published = place["HostPort"].as_str().and_then(|port| port.parse::<u16>().ok());
                let is_it = |shown: &&ShownPort| shown.inside == *inside && Some(shown.published) == published;
                if let Some(shown) = shown.iter().find(is_it) {
                    *place = json!({ "HostIp": shown.ip, "HostPort": shown.shown.to_string() });
                }
            }
        }
        self.hide_added_mounts(container);
    }

    /// Volumes that were given labels by way of a mount were no mounts in the request.
    fn hide_added_mounts(&self, container: &mut Value) {
        let Some(host) = container.get_mut("HostConfig").and_then(Value::as_object_mut) else { return };
        let Some(mounts) = host.get_mut("Mounts").and_then(Value::as_array_mut) else { return };
        let is_added = |mount: &Value| {
            mount.get("Source").and_then(Value::as_str).unwrap_or_default().is_empty()
                && mount.pointer("/VolumeOptions/Labels").and_then(|labels| labels.get(labels::JOB)).is_some()
        };
        mounts.retain(|mount| !is_added(mount));
        if mounts.is_empty() {
            host.remove("Mounts");
        }
    }

    fn disk_usage(&self, usage: &mut Value) {
        for key in ["Containers", "Volumes"] {
            if let Some(list) = usage.get_mut(key).and_then(Value::as_array_mut) {
                list.retain(|item| self.is_own(item));
                if key == "Containers" {
                    list.iter_mut().for_each(|container| self.listed(container));
                }
            }
        }
    }
}

/// Whether an event is of the job's own things. Images are everybody's.
pub(crate) fn is_own_event(
    event: &Value,
    job: &Job,
    is_own_container: &dyn Fn(&str) -> bool,
    is_own_network: &dyn Fn(&str) -> bool,
    is_own_volume: &dyn Fn(&str) -> bool,
) -> bool {
    if job.is_shared() {
        return true;
    }
    let none = Map::new();
    let attributes = event.pointer("/Actor/Attributes").and_then(Value::as_object).unwrap_or(&none);
    let attribute = |key: &str| attributes.get(key).and_then(Value::as_str).unwrap_or_default();
    let id = event.pointer("/Actor/ID").and_then(Value::as_str).unwrap_or_default();
    match event.get("Type").and_then(Value::as_str).unwrap_or_default() {
        "container" => attribute(labels::JOB) == job.tracking_id,
        "network" => {
            let container = attribute("container");
            if container.is_empty() {
                job.names.is_marked(attribute("name")) || is_own_network(id)
            } else {
                is_own_container(container)
            }
        }
        "volume" => job.names.is_marked(id) || is_own_container(attribute("container")) || is_own_volume(id),
        "image" | "daemon" | "builder" => true,
        _ => false,
    }
}
