//! `container:` and `services:` with their values.
//!
//! # Source
//! Section 4.13 of the protocol notes, after `PipelineTemplateConverter.cs` of `actions/runner`.

use lineclear_backend::{ContainerSpec, Credentials, ServiceSpec};
use lineclear_command::SharedMasker;
use lineclear_expr::{Object, Scope, Value};
use lineclear_source::Source;
use lineclear_workflow::{Container, Service, StepsJob, Text};

use crate::evaluate;

/// What a job wants to have in containers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The job's own, in which its steps run.
    pub(crate) container: Option<ContainerSpec>,
    pub(crate) services: Vec<ServiceSpec>,
    /// What the user should know of, such as credentials without a password.
    pub(crate) warnings: Vec<String>,
}

impl Wanted {
    pub(crate) fn is_empty(&self) -> bool {
        self.container.is_none() && self.services.is_empty()
    }
}

/// Evaluates what a job says of its containers. One whose image is empty is left out (trap 79). Passwords are masked.
///
/// # Errors
/// A sentence with the key and its place.
pub(crate) fn wanted(
    source: &Source,
    job: &StepsJob,
    scope: &dyn Scope,
    masker: &SharedMasker,
) -> Result<Wanted, String> {
    let mut evaluation = Evaluation { source, scope, masker, warnings: Vec::new() };
    let container = match &job.container {
        Some(container) => evaluation.container("container", container)?,
        None => None,
    };
    if let Some(Parts { entrypoint: Some(_), .. } | Parts { command: Some(_), .. }) = &container {
        return Err("`container` has an entrypoint or a command, which only a service can have".to_owned());
    }
    let mut services = Vec::new();
    for service in &job.services {
        services.extend(evaluation.service(service)?);
    }
    if let Some(whole) = &job.services_expression {
        services.extend(evaluation.services(whole)?);
    }
    Ok(Wanted { container: container.map(|parts| parts.spec), services, warnings: evaluation.warnings })
}

/// One container with what only services have.
#[derive(Default)]
struct Parts {
    spec: ContainerSpec,
    entrypoint: Option<String>,
    command: Option<String>,
}

impl Parts {
    fn into_service(self, id: &str) -> ServiceSpec {
        let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        ServiceSpec {
            id: id.to_owned(),
            container: self.spec,
            entrypoint: filled(self.entrypoint),
            command: filled(self.command),
        }
    }
}

struct Evaluation<'e> {
    source: &'e Source,
    scope: &'e dyn Scope,
    masker: &'e SharedMasker,
    warnings: Vec<String>,
}

impl Evaluation<'_> {
    fn value(&self, key: &str, text: &Text) -> Result<Value, String> {
        text.template.evaluate(self.scope).map_err(|error| evaluate::cannot(self.source, key, text, &error))
    }

    fn text(&self, key: &str, text: Option<&Text>) -> Result<Option<String>, String> {
        text.map(|text| evaluate::text(self.source, key, text, self.scope)).transpose()
    }

    fn container(&mut self, owner: &str, container: &Container) -> Result<Option<Parts>, String> {
        let image = match self.value(owner, &container.image)? {
            // The whole container was one expression.
            Value::Object(whole) => return self.object(owner, &whole),
            image => image.to_text(),
        };
        let Some(image) = plain_image(&image) else { return Ok(None) };
        let mut spec = ContainerSpec { image, ..ContainerSpec::default() };
        if let Some(credentials) = &container.credentials {
            let username = self.text(&format!("{owner}.credentials.username"), Some(&credentials.username))?;
            let password = self.text(&format!("{owner}.credentials.password"), Some(&credentials.password))?;
            spec.credentials = self.credentials(owner, username.unwrap_or_default(), password.unwrap_or_default());
        }
        if let Some(env) = &container.env {
            let env = evaluate::env(self.source, env, self.scope)?;
            spec.env = env.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        }
        spec.ports = self.list(&format!("{owner}.ports"), &container.ports)?;
        spec.volumes = self.list(&format!("{owner}.volumes"), &container.volumes)?;
        spec.options = self.text(&format!("{owner}.options"), container.options.as_ref())?.unwrap_or_default();
        Ok(Some(Parts { spec, ..Parts::default() }))
    }

    fn service(&mut self, service: &Service) -> Result<Option<ServiceSpec>, String> {
        let id = &service.id.value;
        let owner = format!("services.{id}");
        let Some(mut parts) = self.container(&owner, &service.container)? else { return Ok(None) };
        if let Some(entrypoint) = self.text(&format!("{owner}.entrypoint"), service.entrypoint.as_ref())? {
            parts.entrypoint = Some(entrypoint);
        }
        if let Some(command) = self.text(&format!("{owner}.command"), service.command.as_ref())? {
            parts.command = Some(command);
        }
        Ok(Some(parts.into_service(id)))
    }

    /// `services:` as one expression: an object of containers.
    fn services(&mut self, whole: &Text) -> Result<Vec<ServiceSpec>, String> {
        let services = match self.value("services", whole)? {
            Value::Object(services) => services,
            Value::Null => return Ok(Vec::new()),
            other => {
                return Err(format!("`services` must be an object of containers, not `{}`", other.to_text()));
            }
        };
        let mut specs = Vec::new();
        for (id, value) in services.iter() {
            let owner = format!("services.{id}");
            let parts = match value {
                Value::Object(whole) => self.object(&owner, whole)?,
                image => plain_image(&image.to_text()).map(|image| Parts {
                    spec: ContainerSpec { image, ..ContainerSpec::default() },
                    ..Parts::default()
                }),
            };
            specs.extend(parts.map(|parts| parts.into_service(id)));
        }
        Ok(specs)
    }

    /// A container that an expression gave, with all its keys.
    fn object(&mut self, owner: &str, whole: &Object) -> Result<Option<Parts>, String> {
        let mut parts = Parts::default();
        for (key, value) in whole.iter() {
            let key = key.to_ascii_lowercase();
            let place = format!("{owner}.{key}");
            match (key.as_str(), value) {
                (_, Value::Null) => {}
                ("image", value) if value.is_primitive() => {
                    parts.spec.image = plain_image(&value.to_text()).unwrap_or_default();
                }
                ("credentials", Value::Object(both)) => {
                    let part = |name: &str| both.get(name).map(Value::to_text).unwrap_or_default();
                    parts.spec.credentials = self.credentials(owner, part("username"), part("password"));
                }
                ("env", Value::Object(env)) => {
                    parts.spec.env = env.iter().map(|(name, value)| (name.to_owned(), value.to_text())).collect();
                }
                ("ports", list) => parts.spec.ports = texts(&place, list)?,
                ("volumes", list) => parts.spec.volumes = texts(&place, list)?,
                ("options", value) if value.is_primitive() => parts.spec.options = value.to_text(),
                ("entrypoint", value) if value.is_primitive() => parts.entrypoint = Some(value.to_text()),
                ("command", value) if value.is_primitive() => parts.command = Some(value.to_text()),
                ("image" | "credentials" | "env" | "options" | "entrypoint" | "command", value) => {
                    return Err(format!("`{place}` cannot be `{}`", value.to_text()));
                }
                _ => return Err(format!("`{key}` is not a key of `{owner}`")),
            }
        }
        Ok(Some(parts).filter(|parts| !parts.spec.image.is_empty()))
    }

    fn list(&self, key: &str, texts_of: &[Text]) -> Result<Vec<String>, String> {
        let mut list = Vec::with_capacity(texts_of.len());
        for text in texts_of {
            list.extend(texts(key, &self.value(key, text)?)?);
        }
        Ok(list)
    }

    /// Both or neither: one without the other is what a secret that is not set looks like.
    fn credentials(&mut self, owner: &str, username: String, password: String) -> Option<Credentials> {
        self.masker.add(&password);
        let lacking = match (username.is_empty(), password.is_empty()) {
            (false, false) => return Some(Credentials { username, password }),
            (true, true) => "user name and no password",
            (true, false) => "user name",
            (false, true) => "password",
        };
        self.warnings.push(format!(
            "the credentials of `{owner}` have no {lacking}: its image is pulled without them (is a secret not set?)"
        ));
        None
    }
}

/// The image's name without `docker://`; `None` where it is empty.
fn plain_image(image: &str) -> Option<String> {
    let image = image.trim();
    let image = image.strip_prefix("docker://").unwrap_or(image).trim();
    Some(image.to_owned()).filter(|image| !image.is_empty())
}

/// A sequence of texts, or one text. Empty ones count for nothing.
fn texts(key: &str, value: &Value) -> Result<Vec<String>, String> {
    let one = |value: &Value| match value {
        Value::Object(_) | Value::Array(_) => Err(format!("`{key}` must be a sequence of texts")),
        value => Ok(value.to_text()),
    };
    let list = match value {
        Value::Array(items) => items.iter().map(one).collect::<Result<Vec<_>, _>>()?,
        value => vec![one(value)?],
    };
    Ok(list.into_iter().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect())
}
