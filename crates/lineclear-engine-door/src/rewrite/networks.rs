//! Networks.

use std::net::IpAddr;

use serde_json::Value;

use super::fields::{inner, is_set, object, text};
use super::{Answer, Ask, BodyUse, Decision, Endpoint, Job, Pass, Refusal, Shape, endpoint, filters};

pub(super) const TABLE: &[Endpoint] = &[
    endpoint("GET", "networks", BodyUse::Ignored, list),
    endpoint("POST", "networks/create", BodyUse::Json, create),
    endpoint("POST", "networks/prune", BodyUse::Ignored, prune),
    endpoint("GET", "networks/{}", BodyUse::Ignored, inspect),
    endpoint("DELETE", "networks/{}", BodyUse::Ignored, remove),
    endpoint("POST", "networks/{}/connect", BodyUse::Json, connect),
    endpoint("POST", "networks/{}/disconnect", BodyUse::Json, disconnect),
];

fn list(mut ask: Ask<'_>) -> Result<Decision, Refusal> {
    // The engine's default networks have no labels, so those of others are taken out of the answer.
    filters::rewrite(&mut ask.target, ask.job, false)?;
    Ok(Pass::new(ask.target, Answer::Value(Shape::Networks)).into())
}

fn prune(mut ask: Ask<'_>) -> Result<Decision, Refusal> {
    filters::rewrite(&mut ask.target, ask.job, true)?;
    Ok(Pass::new(ask.target, Answer::Value(Shape::Plain)).into())
}

/// Options of the bridge driver that change nothing but the network itself.
///
/// # Source
/// "Bridge network driver" of Docker's documentation. The one that is missing, `com.docker.network.bridge.name`, names an interface of
/// the machine, which would go with the network.
const OPTIONS: &[&str] = &[
    "com.docker.network.bridge.enable_icc",
    "com.docker.network.bridge.enable_ip_masquerade",
    "com.docker.network.bridge.gateway_mode_ipv4",
    "com.docker.network.bridge.gateway_mode_ipv6",
    "com.docker.network.bridge.host_binding_ipv4",
    "com.docker.network.bridge.inhibit_ipv4",
    "com.docker.network.container_iface_prefix",
    "com.docker.network.driver.mtu",
    "com.docker.network.enable_ipv4",
    "com.docker.network.enable_ipv6",
    "isolate",
    "mtu",
];

/// Whether a subnet is of the addresses that nobody has alone. A text that is no subnet is for the engine to refuse.
///
/// # Source
/// RFC 1918, RFC 6598 and RFC 4193.
fn is_private(subnet: &str) -> bool {
    match subnet.split('/').next().unwrap_or_default().parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => {
            let [first, second, ..] = address.octets();
            address.is_private() || (first == 100 && (64..128).contains(&second))
        }
        Ok(IpAddr::V6(address)) => address.is_unique_local(),
        Err(_) => true,
    }
}

fn create(mut ask: Ask<'_>) -> Result<Decision, Refusal> {
    let mut body = std::mem::take(&mut ask.body);
    let config = object(&mut body, &["Name", "Labels", "Driver", "ConfigFrom", "IPAM", "Options"])?;
    let bridges = matches!(text(config, "Driver")?, "" | "default" | "bridge");
    if let Some(unknown) = is_set(config, "Options")
        .then(|| inner(config, "Options", &[]))
        .transpose()?
        .and_then(|options| options.keys().find(|key| bridges && !OPTIONS.contains(&key.as_str())).cloned())
    {
        return Err(Refusal::forbidden(format!(
            "a network of a job cannot have the option `{unknown}`: it would reach beyond the job's own network"
        )));
    }
    let name = text(config, "Name")?.to_owned();
    if name.is_empty() {
        return Err(Refusal::bad("a network's name is empty"));
    }
    config.insert("Name".into(), ask.job.names.engine(&name).into());
    let driver = text(config, "Driver")?;
    if ask.job.is_confined && !matches!(driver, "" | "default" | "bridge" | "null") {
        return Err(Refusal::forbidden(format!(
            "the job is kept from the machine: its networks cannot have the driver `{driver}`, only `bridge`"
        )));
    }
    if is_set(config, "ConfigFrom") {
        let from = inner(config, "ConfigFrom", &["Network"])?;
        let network = ask.network(text(from, "Network")?)?;
        from.insert("Network".into(), network.into());
    }
    let mut subnets = Vec::new();
    if is_set(config, "IPAM") {
        let ipam = inner(config, "IPAM", &["Config"])?;
        for pool in super::fields::list(ipam, "Config")? {
            let subnet = text(object(pool, &["Subnet"])?, "Subnet")?.to_owned();
            // The machine would look for these addresses in the job's network.
            if !is_private(&subnet) {
                return Err(Refusal::forbidden(format!(
                    "a network of a job cannot have the subnet `{subnet}`, whose addresses are somebody's on the internet: \
                     take a private one, or none"
                )));
            }
            subnets.push(subnet);
        }
    }
    let labels = inner(config, "Labels", &[])?;
    for (key, value) in ask.job.labels() {
        labels.insert(key.to_owned(), value.into());
    }
    subnets.retain(|subnet| !subnet.is_empty());
    Ok(Pass::new(ask.target, Answer::Value(Shape::NetworkCreated { name, subnets })).with_body(body).into())
}

fn inspect(mut ask: Ask<'_>) -> Result<Decision, Refusal> {
    let network = match ask.network(&ask.name) {
        Err(refusal) if refusal.status == 404 && ask.job.is_shared() => ask.name.clone(),
        other => other?,
    };
    ask.rename_target(&network);
    Ok(Pass::new(ask.target, Answer::Value(Shape::Network)).into())
}

fn own(ask: &mut Ask<'_>) -> Result<String, Refusal> {
    let network = ask.network(&ask.name)?;
    if Job::is_default_network(&ask.name) {
        return Err(Refusal::forbidden(format!(
            "`{}` is a network of the engine itself and cannot be removed",
            ask.name
        )));
    }
    ask.rename_target(&network);
    Ok(network)
}

fn remove(mut ask: Ask<'_>) -> Result<Decision, Refusal> {
    own(&mut ask)?;
    Ok(Pass::new(ask.target, Answer::Raw).into())
}

fn connect(mut ask: Ask<'_>) -> Result<Decision, Refusal> {
    let mut body = std::mem::take(&mut ask.body);
    let config = object(&mut body, &["Container", "EndpointConfig"])?;
    let network = ask.network(&ask.name)?;
    let id = ask.own_container(text(config, "Container")?)?;
    // The name that was chosen, if one was: others are found by what the engine calls them.
    let containers = ask.machine.containers()?;
    let names = containers.iter().filter(|found| found.id == id).flat_map(|found| &found.names);
    let chosen = names.into_iter().find(|name| ask.job.names.is_marked(name)).map(|name| ask.job.names.shown(name));
    config.insert("Container".into(), id.into());
    let is_default = Job::is_default_network(&ask.name);
    ask.endpoint(config.entry("EndpointConfig").or_insert(Value::Null), chosen.as_deref().filter(|_| !is_default))?;
    ask.rename_target(&network);
    Ok(Pass::new(ask.target, Answer::Raw).with_body(body).into())
}

fn disconnect(mut ask: Ask<'_>) -> Result<Decision, Refusal> {
    let mut body = std::mem::take(&mut ask.body);
    let config = object(&mut body, &["Container"])?;
    let network = ask.network(&ask.name)?;
    let id = ask.own_container(text(config, "Container")?)?;
    config.insert("Container".into(), id.into());
    ask.rename_target(&network);
    Ok(Pass::new(ask.target, Answer::Raw).with_body(body).into())
}

impl Ask<'_> {
    /// What the engine knows a network of this job, or one of its own, by: its name for a name, its id for an id.
    pub(super) fn network(&self, name: &str) -> Result<String, Refusal> {
        if Job::is_default_network(name) {
            return Ok(name.to_owned());
        }
        let networks = self.machine.networks()?;
        let is_seen = |found: &&super::Found| {
            self.job.owns(found) || found.names.iter().any(|name| Job::is_default_network(name))
        };
        let seen: Vec<_> = networks.iter().filter(is_seen).collect();
        let marked = self.job.names.engine(name);
        for wanted in [marked.as_str(), name] {
            if seen.iter().any(|found| found.names.iter().any(|name| name == wanted)) {
                return Ok(wanted.to_owned());
            }
        }
        let mut begins = seen.iter().filter(|found| !name.is_empty() && found.id.starts_with(name));
        match (begins.next(), begins.next()) {
            (Some(found), None) => Ok(found.id.clone()),
            (Some(_), Some(_)) => Err(Refusal::bad(format!("network {name} is ambiguous: several ids begin with it"))),
            (None, _) => Err(Refusal::new(404, format!("network {name} not found"))),
        }
    }
}
