//! `docker/login-action`: a login at a registry, for the job's steps and for nobody else.
//!
//! The registry itself is asked whether it takes the credentials, and they are put into the job's own `config.json`, where Docker's
//! programs and Lineclear's image actions find them. The post stage takes them out again; the file goes with the job in any case.
//!
//! # Source
//! `action.yml` and the documentation of `docker/login-action`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use lineclear_event::with_causes;
use lineclear_oci::RegistryHost;
use lineclear_registry::credentials::Credentials;
use lineclear_registry::{Client, ClientSettings, RegistryClientError};
use lineclear_runner::native::{Call, NativeAction, NativeError};
use serde_json::Value;

use super::{client, docker_config};
use crate::caching::text;
use crate::yaml;

/// Logs in to registries.
#[derive(Debug)]
pub(crate) struct Login;

const LOGINS: &str = "logins";

impl NativeAction for Login {
    fn name(&self) -> &'static str {
        "docker/login-action"
    }

    fn metadata(&self) -> &'static str {
        "
name: Docker Login
inputs:
  registry: {}
  username: {}
  password: {}
  ecr: {}
  scope: {}
  logout: { default: 'true' }
  registry-auth: {}
"
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        let logins = logins(call)?;
        call.flag("logout")?;
        for login in logins {
            if logins_are_made_by_amazon(&login) {
                return Err(NativeError(format!(
                    "`{}` is a registry of Amazon: its passwords are made by Amazon's API, which is not asked here. Make one \
                     with `aws ecr get-login-password` in a step before, and give it with `username: AWS` and `ecr: false`",
                    login.registry
                )));
            }
            login.enter(call)?;
        }
        Ok(())
    }

    fn has_post(&self) -> bool {
        true
    }

    fn post(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        if !call.flag("logout")? {
            return Ok(());
        }
        let made = call.state.get(LOGINS).cloned().unwrap_or_default();
        for line in made.lines() {
            let Some((registry, file)) = line.split_once('\t') else { continue };
            docker_config::remove(&PathBuf::from(file), registry)?;
            call.effects.log(&format!("Removed the login at {registry}"));
        }
        Ok(())
    }
}

/// One login.
struct Entry {
    registry: String,
    username: String,
    password: String,
    /// `auto`, `true` or `false`.
    ecr: String,
    /// A repository below which the login counts, as `owner/app`, or `@push`.
    scope: String,
}

fn logins(call: &mut Call<'_>) -> Result<Vec<Entry>, NativeError> {
    let of = |name: &str| call.input(name).to_owned();
    let or = |text: String, default: &str| if text.is_empty() { default.to_owned() } else { text };
    let several = of("registry-auth");
    if several.is_empty() {
        return Ok(vec![Entry {
            registry: or(of("registry"), "docker.io"),
            username: of("username"),
            password: of("password"),
            ecr: or(of("ecr"), "auto"),
            scope: of("scope"),
        }]);
    }
    if ["registry", "username", "password", "scope", "ecr"].iter().any(|name| !call.input(name).is_empty()) {
        return Err(NativeError("Cannot use registry-auth with other inputs".to_owned()));
    }
    let value = yaml::value("registry-auth", &several).map_err(NativeError)?;
    let entries = value.as_array().filter(|entries| !entries.is_empty());
    let entries = entries.ok_or_else(|| {
        NativeError(
            "No registry to login: `registry-auth` is a list of objects with registry, username, password".into(),
        )
    })?;
    let mut logins = Vec::new();
    for entry in entries {
        let of = |name: &str| match &entry[name] {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(is) => is.to_string(),
            _ => String::new(),
        };
        let password = of("password");
        if !password.is_empty() {
            call.effects.add_mask(&password);
        }
        logins.push(Entry {
            registry: or(of("registry"), "docker.io"),
            username: of("username"),
            password,
            ecr: or(of("ecr"), "auto"),
            scope: of("scope"),
        });
    }
    Ok(logins)
}

/// Whether the registry's passwords come from Amazon's API.
fn logins_are_made_by_amazon(login: &Entry) -> bool {
    let host = login.registry.split('/').next().unwrap_or_default();
    let is_amazon = (host.contains(".dkr.ecr.") && host.contains(".amazonaws."))
        || (host.contains(".dkr-ecr.") && host.ends_with(".on.aws"))
        || matches!(host, "public.ecr.aws" | "ecr-public.aws.com");
    // A login with a password that is Amazon's already is like any other.
    let is_ready = login.username == "AWS" && !login.password.is_empty();
    login.ecr.eq_ignore_ascii_case("true") || (login.ecr == "auto" && is_amazon && !is_ready)
}

impl Entry {
    /// Asks the registry, and keeps the login.
    fn enter(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        match (self.username.is_empty(), self.password.is_empty()) {
            (true, true) => return Err(NativeError("Username and password required".into())),
            (true, false) => return Err(NativeError("Username required".into())),
            (false, true) => return Err(NativeError("Password required".into())),
            (false, false) => {}
        }
        call.effects.log(&format!("Logging into {}...", self.registry));
        let host = self.registry.trim_start_matches("https://").trim_start_matches("http://");
        let host = host.split('/').next().unwrap_or_default();
        let host = RegistryHost::parse(host).map_err(|error| NativeError(with_causes(&error)))?;
        let routed = client::route_of_host(call, &host);
        let asked = routed.as_ref().unwrap_or(&host);
        if let Some(routed) = &routed {
            call.effects.log(&format!("Images of {host} are kept by the run's own registry at {routed}"));
        }
        self.ask(call, asked)?;
        let file = if self.scope.is_empty() || client::is_on(&call.env, "DOCKER_LOGIN_SCOPE_DISABLED") {
            docker_config::file(call)?
        } else {
            let name = if host.is_docker_hub() { "registry-1.docker.io" } else { host.as_str() };
            let folder = docker_config::folder(call)?.join("buildx/config");
            let scoped = match self.scope.strip_prefix('@') {
                Some(_) => folder.join(format!("{name}{}", self.scope)),
                None => folder.join(name).join(&self.scope),
            };
            if !scoped.starts_with(&folder) || self.scope.split('/').any(|part| part == "..") {
                return Err(NativeError(format!("`scope: {}` is no repository: one is `owner/app`", self.scope)));
            }
            scoped.join("config.json")
        };
        let mut keep = |registry: &str| -> Result<(), NativeError> {
            docker_config::add(&file, registry, &self.username, &self.password)?;
            let made = call.state.entry(LOGINS.to_owned()).or_default();
            made.push_str(&format!("{registry}\t{}\n", file.display()));
            Ok(())
        };
        keep(&self.registry)?;
        if let Some(routed) = &routed {
            // Programs that know the image by its other name find the login under that.
            keep(routed.as_str())?;
        }
        call.effects.log("Login Succeeded!");
        Ok(())
    }

    fn ask(&self, call: &Call<'_>, host: &RegistryHost) -> Result<(), NativeError> {
        let own = Credentials::basic(&self.username, &self.password);
        let credentials = Arc::new(BTreeMap::from([(host.clone(), own)]));
        let client = Client::new(ClientSettings { credentials, ..client::settings(call) })
            .map_err(|error| NativeError(with_causes(&error)))?;
        client::watched(call, &client, || client.ping(host)).map_err(|error| match error {
            RegistryClientError::Unauthorized { .. } | RegistryClientError::Denied { .. } => NativeError(format!(
                "the registry `{host}` does not take the password of `{}`: {}",
                self.username,
                self.help(call, &error)
            )),
            other => NativeError(format!("cannot log in to `{host}`: {}", with_causes(&other))),
        })
    }

    fn help(&self, call: &Call<'_>, error: &RegistryClientError) -> String {
        let told = with_causes(error);
        // A secret that a run has no access to is empty, and one of another host is wrong: say which token this was.
        if self.password == call.token || self.password == text(&call.contexts.github, "token") {
            return format!(
                "{told}. It is the token of the job: its `permissions:` need `packages: read` or `packages: write`"
            );
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_of_amazon_are_known() {
        let of = |registry: &str, ecr: &str, username: &str| {
            let (registry, ecr, username) = (registry.to_owned(), ecr.to_owned(), username.to_owned());
            logins_are_made_by_amazon(&Entry { registry, username, password: "x".into(), ecr, scope: String::new() })
        };
        assert!(of("012345678901.dkr.ecr.eu-west-3.amazonaws.com", "auto", "key"));
        assert!(of("public.ecr.aws", "auto", "key"));
        assert!(of("r.example", "true", "key"));
        assert!(!of("012345678901.dkr.ecr.eu-west-3.amazonaws.com", "auto", "AWS"));
        assert!(!of("012345678901.dkr.ecr.eu-west-3.amazonaws.com", "false", "key"));
        assert!(!of("ghcr.io", "auto", "octocat"));
    }
}
