//! Networks.

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

fn create(mut ask: Ask<'_>) -> Result<Decision, Refusal> {
    let mut body = std::mem::take(&mut ask.body);
    let config = object(&mut body, &["Name", "Labels", "Driver", "ConfigFrom", "IPAM"])?;
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
            subnets.push(text(object(pool, &["Subnet"])?, "Subnet")?.to_owned());
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
