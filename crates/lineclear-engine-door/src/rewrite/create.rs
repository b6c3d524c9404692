//! The making of a container.

use serde_json::{Map, Value, json};

use super::fields::{inner, is_set, list, object, text, texts};
use super::{Answer, Ask, Decision, Job, PORTS_LABEL, Pass, Refusal, Shape, Then};
use crate::http::Target;

const CONFIG: &[&str] = &["Image", "Labels", "HostConfig", "NetworkingConfig", "Volumes"];
const HOST_CONFIG: &[&str] = &[
    "Binds",
    "CapAdd",
    "CgroupnsMode",
    "CgroupParent",
    "DeviceCgroupRules",
    "DeviceRequests",
    "Devices",
    "IpcMode",
    "Links",
    "Mounts",
    "NetworkMode",
    "PidMode",
    "PortBindings",
    "Privileged",
    "Runtime",
    "SecurityOpt",
    "Tmpfs",
    "UTSMode",
    "UsernsMode",
    "VolumeDriver",
    "VolumesFrom",
];
const ENDPOINT: &[&str] = &["Aliases", "Links", "NetworkID"];
const MOUNT: &[&str] = &["Type", "Source", "Target", "VolumeOptions"];
const VOLUME_OPTIONS: &[&str] = &["Labels", "DriverConfig"];

pub(super) fn container(ask: Ask<'_>) -> Result<Decision, Refusal> {
    // To clients a 404 here means that the image is not there, and they would pull it.
    make(ask).map_err(|refusal| if refusal.status == 404 { Refusal::new(400, refusal.message) } else { refusal })
}

fn make(mut ask: Ask<'_>) -> Result<Decision, Refusal> {
    let mut body = std::mem::take(&mut ask.body);
    let config = object(&mut body, CONFIG)?;
    let name = ask.target.get("name").unwrap_or_default().trim_start_matches('/').to_owned();
    if !name.is_empty() {
        ask.target.set("name", ask.job.names.engine(&name));
    }
    let mut making = Making { ask: &ask, name: &name, before: Vec::new(), warnings: Vec::new() };
    let image_volumes = making.image(config)?;
    let volumes: Vec<String> = inner(config, "Volumes", &[])?.keys().cloned().chain(image_volumes).collect();

    // An object is put here in any case: without one the engine would read its settings from the level above.
    let host = inner(config, "HostConfig", HOST_CONFIG)?;
    making.privileges(host)?;
    making.binds(host)?;
    making.mounts(host)?;
    making.anonymous_volumes(host, volumes)?;
    making.volumes_from(host)?;
    let network = making.modes(host)?;
    making.links(host)?;
    let ports = making.ports(host)?;
    making.endpoints(inner(config, "NetworkingConfig", &["EndpointsConfig"])?, network)?;

    let labels = inner(config, "Labels", &[])?;
    for (key, value) in ask.job.labels() {
        labels.insert(key.to_owned(), value.into());
    }
    labels.remove(PORTS_LABEL);
    if let Some(ports) = ports {
        labels.insert(PORTS_LABEL.to_owned(), ports.to_string().into());
    }
    let (before, warnings) = (making.before, making.warnings);
    let mut pass =
        Pass::new(ask.target, Answer::Value(Shape::Created { warnings })).with_body(body).then(Then::Created);
    pass.before = before;
    Ok(pass.into())
}

/// A container that is being made.
struct Making<'m, 'a> {
    ask: &'m Ask<'a>,
    /// As chosen; empty where the engine chooses one.
    name: &'m str,
    before: Vec<(Target, Value)>,
    warnings: Vec<String>,
}

impl Making<'_, '_> {
    fn job(&self) -> &Job {
        self.ask.job
    }

    /// Puts the image that this job means in the place of its name; gives the places where the image wants volumes.
    fn image(&self, config: &mut Map<String, Value>) -> Result<Vec<String>, Refusal> {
        let name = text(config, "Image")?.to_owned();
        if name.is_empty() {
            return Ok(Vec::new());
        }
        let (meant, found) = self.ask.meant_image(&name)?;
        if meant != name {
            config.insert("Image".into(), meant.into());
        }
        Ok(found.map(|found| found.volumes).unwrap_or_default())
    }

    /// Refuses what would lead a job that is kept from the machine to it.
    fn privileges(&self, host: &Map<String, Value>) -> Result<(), Refusal> {
        if !self.job().is_confined {
            return Ok(());
        }
        let refused = |what: &str| {
            Err(Refusal::forbidden(format!("the job is kept from the machine: its containers cannot have {what}")))
        };
        for (key, what) in [
            ("Privileged", "privileges (`privileged`)"),
            ("CapAdd", "more capabilities (`cap_add`)"),
            ("Devices", "devices (`devices`)"),
            ("DeviceRequests", "devices (`gpus`)"),
            ("DeviceCgroupRules", "devices (`device_cgroup_rules`)"),
            ("SecurityOpt", "other rules of security (`security_opt`)"),
            ("CgroupParent", "another control group (`cgroup_parent`)"),
            ("Runtime", "another runtime (`runtime`)"),
        ] {
            let is_less = texts(host, key).is_ok_and(|texts| {
                texts.iter().all(|text| matches!(text.as_str(), "no-new-privileges:true" | "no-new-privileges"))
            });
            if is_set(host, key) && !is_less {
                return refused(what);
            }
        }
        for key in ["NetworkMode", "PidMode", "IpcMode", "UTSMode", "UsernsMode", "CgroupnsMode"] {
            if text(host, key)? == "host" {
                return refused(&format!("a namespace of the machine (`{key}` is `host`)"));
            }
        }
        Ok(())
    }

    /// What a named volume is called in the engine; it is made with the job's labels before the container is.
    fn named_volume(&mut self, name: &str, driver: &str) -> Result<String, Refusal> {
        let engine = self.ask.volume(name)?.unwrap_or_else(|| self.job().names.engine(name));
        let mut volume = json!({ "Name": engine, "Labels": self.job().label_object() });
        if !driver.is_empty() {
            volume["Driver"] = driver.into();
        }
        self.before.push((Target::of("/volumes/create"), volume));
        Ok(engine)
    }

    fn binds(&mut self, host: &mut Map<String, Value>) -> Result<(), Refusal> {
        let driver = text(host, "VolumeDriver")?.to_owned();
        let mut rewritten = Vec::new();
        let mut anonymous = Vec::new();
        for bind in texts(host, "Binds")? {
            match bind.split_once(':') {
                None => anonymous.push(bind),
                Some((source, rest)) if source.starts_with('/') => {
                    rewritten.push(format!("{}:{rest}", self.ask.machine_path(source)?));
                }
                Some((name, rest)) => rewritten.push(format!("{}:{rest}", self.named_volume(name, &driver)?)),
            }
        }
        if !is_set(host, "Binds") {
            return Ok(());
        }
        host.insert("Binds".into(), rewritten.into());
        let mounts = list(host, "Mounts")?;
        mounts.extend(anonymous.into_iter().map(|target| json!({ "Type": "volume", "Target": target })));
        Ok(())
    }

    fn mounts(&mut self, host: &mut Map<String, Value>) -> Result<(), Refusal> {
        if !is_set(host, "Mounts") {
            return Ok(());
        }
        for mount in list(host, "Mounts")? {
            let mount = object(mount, MOUNT)?;
            let source = text(mount, "Source")?.to_owned();
            match text(mount, "Type")? {
                "bind" => {
                    mount.insert("Source".into(), self.ask.machine_path(&source)?.into());
                }
                "volume" => {
                    let options = inner(mount, "VolumeOptions", VOLUME_OPTIONS)?;
                    let labels = inner(options, "Labels", &[])?;
                    for (key, value) in self.job().labels() {
                        labels.insert(key.to_owned(), value.into());
                    }
                    if is_set(options, "DriverConfig") {
                        let driver = inner(options, "DriverConfig", &["Name", "Options"])?;
                        self.ask.driver_options(inner(driver, "Options", &[])?)?;
                    }
                    if !source.is_empty() {
                        let engine = self.ask.volume(&source)?.unwrap_or_else(|| self.job().names.engine(&source));
                        mount.insert("Source".into(), engine.into());
                    }
                }
                "tmpfs" => {}
                other => {
                    return Err(Refusal::bad(format!(
                        "a mount of the type `{other}` is not known here; `bind`, `volume` and `tmpfs` are"
                    )));
                }
            }
        }
        Ok(())
    }

    /// Gives labels to the volumes that the engine would make without any, so that none outlives the job.
    fn anonymous_volumes(&self, host: &mut Map<String, Value>, volumes: Vec<String>) -> Result<(), Refusal> {
        // A container's volumes that are taken over would be hidden by new ones.
        if volumes.is_empty() || is_set(host, "VolumesFrom") || !self.ask.target.is_at_least(25) {
            return Ok(());
        }
        let mut taken: Vec<String> =
            texts(host, "Binds")?.iter().filter_map(|bind| Some(bind.split(':').nth(1)?.to_owned())).collect();
        taken.extend(inner(host, "Tmpfs", &[])?.keys().cloned());
        let labels = self.job().label_object();
        let mounts = list(host, "Mounts")?;
        taken.extend(mounts.iter().filter_map(|mount| Some(mount.get("Target")?.as_str()?.to_owned())));
        for volume in volumes {
            let is_same = |other: &String| other.trim_end_matches('/') == volume.trim_end_matches('/');
            // The engine has a word of its own for a path that is none.
            if volume.starts_with('/') && !volume.contains(':') && !taken.iter().any(is_same) {
                mounts.push(json!({ "Type": "volume", "Target": volume, "VolumeOptions": { "Labels": labels } }));
                taken.push(volume);
            }
        }
        Ok(())
    }

    fn volumes_from(&self, host: &mut Map<String, Value>) -> Result<(), Refusal> {
        let rewrite = |from: String| {
            let (name, mode) = from.split_once(':').map_or((from.as_str(), ""), |(name, mode)| (name, mode));
            let id = self.ask.own_container(name)?;
            Ok(if mode.is_empty() { id } else { format!("{id}:{mode}") })
        };
        let from = texts(host, "VolumesFrom")?.into_iter().map(rewrite).collect::<Result<Vec<String>, Refusal>>()?;
        if !from.is_empty() {
            host.insert("VolumesFrom".into(), from.into());
        }
        Ok(())
    }

    /// Rewrites the namespaces that are shared with others; gives the network by the names that it was asked for and has.
    fn modes(&mut self, host: &mut Map<String, Value>) -> Result<Option<String>, Refusal> {
        for key in ["NetworkMode", "PidMode", "IpcMode"] {
            if let Some(name) = text(host, key)?.strip_prefix("container:") {
                let id = self.ask.own_container(name)?;
                host.insert(key.into(), format!("container:{id}").into());
            }
        }
        let network = text(host, "NetworkMode")?.to_owned();
        if network == "host" && self.job().has_network {
            self.warnings.push(
                "network mode `host` is the machine's network; the job's steps have a loopback of their own and do not meet it".into(),
            );
        }
        if matches!(network.as_str(), "" | "default" | "nat")
            || Job::is_default_network(&network)
            || network.starts_with("container:")
        {
            return Ok(None);
        }
        let engine = self.ask.network(&network)?;
        host.insert("NetworkMode".into(), engine.clone().into());
        Ok(Some(engine))
    }

    fn links(&self, host: &mut Map<String, Value>) -> Result<(), Refusal> {
        let links = self.ask.links(texts(host, "Links")?)?;
        if !links.is_empty() {
            host.insert("Links".into(), links.into());
        }
        Ok(())
    }

    /// Publishes on free ports of loopback where the job has ports of its own; gives what was asked for then.
    fn ports(&mut self, host: &mut Map<String, Value>) -> Result<Option<Value>, Refusal> {
        if !self.job().has_network || !is_set(host, "PortBindings") {
            return Ok(None);
        }
        let asked = host.get("PortBindings").cloned().unwrap_or_default();
        let bindings = inner(host, "PortBindings", &[])?;
        for (port, places) in bindings.iter_mut() {
            if places.is_null() {
                continue;
            }
            let places =
                places.as_array_mut().ok_or_else(|| Refusal::bad(format!("`{port}` is not published as a list")))?;
            if port.ends_with("/udp") || port.ends_with("/sctp") {
                self.warnings.push(format!(
                    "`{port}` is published on the machine, but not on the job's own loopback: only TCP is"
                ));
            }
            for place in places.iter_mut() {
                object(place, &["HostIp", "HostPort"])?;
                *place = json!({ "HostIp": "127.0.0.1", "HostPort": "" });
            }
        }
        Ok(Some(asked))
    }

    /// Networks by the names that the engine has for them; in each the container is found by the name that was chosen.
    fn endpoints(&self, config: &mut Map<String, Value>, network: Option<String>) -> Result<(), Refusal> {
        let endpoints = inner(config, "EndpointsConfig", &[])?;
        let mut rewritten = Map::new();
        for (name, mut endpoint) in std::mem::take(endpoints) {
            let is_default = Job::is_default_network(&name) || matches!(name.as_str(), "default" | "nat");
            let engine = if is_default { name } else { self.ask.network(&name)? };
            self.ask.endpoint(&mut endpoint, (!is_default).then_some(self.name))?;
            rewritten.insert(engine, endpoint);
        }
        if let Some(network) = network
            && !rewritten.contains_key(&network)
        {
            let mut endpoint = Value::Null;
            self.ask.endpoint(&mut endpoint, Some(self.name))?;
            rewritten.insert(network, endpoint);
        }
        *endpoints = rewritten;
        Ok(())
    }
}

impl Ask<'_> {
    /// The settings of a container in a network: it gets the name that was chosen for it as an alias.
    pub(super) fn endpoint(&self, endpoint: &mut Value, name: Option<&str>) -> Result<(), Refusal> {
        let endpoint = object(endpoint, ENDPOINT)?;
        let links = self.links(texts(endpoint, "Links")?)?;
        if !links.is_empty() {
            endpoint.insert("Links".into(), links.into());
        }
        if is_set(endpoint, "NetworkID") {
            let id = self.network(text(endpoint, "NetworkID")?)?;
            endpoint.insert("NetworkID".into(), id.into());
        }
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            let mut aliases = texts(endpoint, "Aliases")?;
            if !aliases.iter().any(|alias| alias == name) {
                aliases.push(name.to_owned());
            }
            endpoint.insert("Aliases".into(), aliases.into());
        }
        Ok(())
    }

    /// `name:alias`, with the container by its id.
    fn links(&self, links: Vec<String>) -> Result<Vec<String>, Refusal> {
        let rewrite = |link: String| {
            let (name, alias) = link.split_once(':').unwrap_or((&link, &link));
            Ok(format!("{}:{}", self.own_container(name)?, alias.trim_start_matches('/')))
        };
        links.into_iter().map(rewrite).collect()
    }
}
