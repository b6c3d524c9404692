//! Volumes.

use serde_json::{Map, Value};

use super::fields::{inner, is_set, object, text};
use super::{Answer, Ask, BodyUse, Decision, Endpoint, Pass, Refusal, Shape, endpoint, filters};

pub(super) const TABLE: &[Endpoint] = &[
    endpoint("GET", "volumes", BodyUse::Ignored, list),
    endpoint("POST", "volumes/create", BodyUse::Json, create),
    endpoint("POST", "volumes/prune", BodyUse::Ignored, prune),
    endpoint("GET", "volumes/{}", BodyUse::Ignored, inspect),
    endpoint("DELETE", "volumes/{}", BodyUse::Ignored, remove),
];

fn list(mut ask: Ask<'_>) -> Result<Decision, Refusal> {
    filters::rewrite(&mut ask.target, ask.job, !ask.job.is_shared())?;
    Ok(Pass::new(ask.target, Answer::Value(Shape::Plain)).into())
}

fn prune(mut ask: Ask<'_>) -> Result<Decision, Refusal> {
    filters::rewrite(&mut ask.target, ask.job, true)?;
    Ok(Pass::new(ask.target, Answer::Value(Shape::Plain)).into())
}

fn create(mut ask: Ask<'_>) -> Result<Decision, Refusal> {
    let mut body = std::mem::take(&mut ask.body);
    let config = object(&mut body, &["Name", "Labels", "Driver", "DriverOpts"])?;
    let name = text(config, "Name")?.to_owned();
    if !name.is_empty() {
        let engine = ask.volume(&name)?.unwrap_or_else(|| ask.job.names.engine(&name));
        config.insert("Name".into(), engine.into());
    }
    if is_set(config, "DriverOpts") {
        ask.driver_options(inner(config, "DriverOpts", &[])?)?;
    }
    let labels = inner(config, "Labels", &[])?;
    for (key, value) in ask.job.labels() {
        labels.insert(key.to_owned(), value.into());
    }
    Ok(Pass::new(ask.target, Answer::Value(Shape::Plain)).with_body(body).into())
}

fn inspect(mut ask: Ask<'_>) -> Result<Decision, Refusal> {
    let volume = match ask.volume(&ask.name)? {
        None if ask.job.is_shared() => ask.name.clone(),
        found => found.ok_or_else(|| missing(&ask.name))?,
    };
    ask.rename_target(&volume);
    Ok(Pass::new(ask.target, Answer::Value(Shape::Plain)).into())
}

fn remove(mut ask: Ask<'_>) -> Result<Decision, Refusal> {
    let volume = ask.volume(&ask.name)?.ok_or_else(|| missing(&ask.name))?;
    ask.rename_target(&volume);
    Ok(Pass::new(ask.target, Answer::Raw).into())
}

fn missing(name: &str) -> Refusal {
    Refusal::new(404, format!("get {name}: no such volume"))
}

impl Ask<'_> {
    /// What the engine calls a volume of this job, by its name; `None` where there is none.
    pub(super) fn volume(&self, name: &str) -> Result<Option<String>, Refusal> {
        if name.is_empty() || name.contains('/') {
            return Err(Refusal::bad(format!("`{name}` is not the name of a volume")));
        }
        let marked = self.job.names.engine(name);
        if self.machine.volume(&marked)?.is_some_and(|found| self.job.owns(&found)) {
            return Ok(Some(marked));
        }
        // One without a name that was chosen: the engine gave it its own.
        Ok(self.machine.volume(name)?.filter(|found| self.job.owns(found)).map(|found| found.id))
    }

    /// Looks at the options of a volume's driver: `device` may be a folder of the machine.
    pub(super) fn driver_options(&self, options: &mut Map<String, Value>) -> Result<(), Refusal> {
        let device = text(options, "device")?.to_owned();
        let kind = text(options, "type")?;
        let is_bind = text(options, "o")?.split(',').any(|option| matches!(option.trim(), "bind" | "rbind"))
            || matches!(kind, "none" | "bind");
        if kind == "overlay" {
            return Err(Refusal::forbidden(
                "a volume cannot be made of layers of the machine's folders: mount each of them by itself",
            ));
        }
        if device.is_empty() || kind == "tmpfs" {
            return Ok(());
        }
        if is_bind {
            options.insert("device".into(), self.machine_path(&device)?.into());
        } else if self.job.is_confined {
            return Err(Refusal::forbidden(format!(
                "the job is kept from the machine: its volumes cannot be made of the device `{device}`"
            )));
        }
        Ok(())
    }
}
