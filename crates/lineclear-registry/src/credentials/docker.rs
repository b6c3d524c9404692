//! Credentials as `docker login` and `podman login` leave them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use lineclear_oci::{RegistryHost, RepositoryName};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::helper;
use super::{CredentialError, CredentialSource, Credentials, Secret};

/// The key under which Docker keeps the credentials of its own hub.
const HUB_KEY: &str = "https://index.docker.io/v1/";
/// Largest file that is read.
const MAX_BYTES: u64 = 4 << 20;

/// A `config.json` of Docker, or an `auth.json` of Podman, which has the same form.
///
/// Looked at are `credHelpers`, then `auths`, then `credsStore`. Podman's keys may name a repository (`quay.io/team`): the longest that
/// fits counts. Nothing is kept between two questions, so that a login in between is seen.
///
/// # Source
/// Docker's documentation of `docker login`; `containers-auth.json(5)`.
#[derive(Debug, Clone)]
pub struct DockerConfig {
    path: PathBuf,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
    #[serde(default)]
    cred_helpers: BTreeMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Deserialize, Default)]
struct Entry {
    auth: Option<Secret>,
    username: Option<String>,
    password: Option<Secret>,
    identitytoken: Option<Secret>,
    registrytoken: Option<Secret>,
}

impl DockerConfig {
    /// The file at `path`. One that is not there has no credentials.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The files of a user, in the order in which they are looked at, found by `variable`, which knows the environment:
    /// `REGISTRY_AUTH_FILE`, `DOCKER_CONFIG` or `~/.docker/config.json`, and Podman's `$XDG_RUNTIME_DIR/containers/auth.json`.
    pub fn of_user(variable: impl Fn(&str) -> Option<String>) -> Vec<Box<dyn CredentialSource>> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let docker = set("DOCKER_CONFIG").or_else(|| set("HOME").map(|home| home.join(".docker")));
        let podman = set("XDG_RUNTIME_DIR").map(|folder| folder.join("containers/auth.json"));
        let paths = [set("REGISTRY_AUTH_FILE"), docker.map(|folder| folder.join("config.json")), podman];
        paths.into_iter().flatten().map(|path| Box::new(Self::at(path)) as Box<dyn CredentialSource>).collect()
    }

    fn read(&self) -> Result<File, CredentialError> {
        let shown = || self.path.display().to_string();
        let unreadable = |source| CredentialError::Unreadable { path: shown(), source };
        let file = match std::fs::File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(File::default()),
            Err(error) => return Err(unreadable(error)),
        };
        let mut bytes = Zeroizing::new(Vec::new());
        std::io::Read::read_to_end(&mut std::io::Read::take(file, MAX_BYTES), &mut bytes).map_err(unreadable)?;
        // What serde says can repeat a value, and values are secrets here.
        serde_json::from_slice(&bytes).map_err(|error| CredentialError::Malformed {
            path: shown(),
            reason: format!("no JSON of the expected form at line {}, column {}", error.line(), error.column()),
        })
    }
}

impl CredentialSource for DockerConfig {
    fn credentials(
        &self,
        registry: &RegistryHost,
        repository: Option<&RepositoryName>,
    ) -> Result<Credentials, CredentialError> {
        let file = self.read()?;
        let server = if registry.is_docker_hub() { HUB_KEY } else { registry.as_str() };
        for (key, name) in &file.cred_helpers {
            if host_of(key) == host_of(server) && !name.is_empty() {
                return helper::ask(name, server);
            }
        }
        let entry = file
            .auths
            .iter()
            .filter(|(key, _)| fits(key, registry, repository))
            .max_by_key(|(key, _)| key.trim_end_matches('/').len());
        if let Some((key, entry)) = entry
            && let Some(found) = entry.credentials(&self.path, key)?
        {
            return Ok(found);
        }
        match file.creds_store.as_deref() {
            Some(name) if !name.is_empty() => helper::ask(name, server),
            _ => Ok(Credentials::Anonymous),
        }
    }
}

/// The host of a key, which may be an address or the name of a repository.
fn host_of(key: &str) -> &str {
    let rest = key.split_once("://").map_or(key, |(_, rest)| rest);
    let host = rest.split('/').next().unwrap_or_default();
    match host {
        "index.docker.io" | "registry-1.docker.io" => "docker.io",
        host => host,
    }
}

/// Whether the entry with this key is for a repository of a registry.
fn fits(key: &str, registry: &RegistryHost, repository: Option<&RepositoryName>) -> bool {
    if host_of(key) != registry.as_str() {
        return false;
    }
    // An address has the path of an API, not of a repository.
    if key.contains("://") {
        return true;
    }
    let path = key.split_once('/').map_or("", |(_, path)| path).trim_end_matches('/');
    if path.is_empty() || (registry.is_docker_hub() && path == "v1") {
        return true;
    }
    repository.is_some_and(|repository| {
        repository.as_str().strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

impl Entry {
    fn credentials(&self, path: &Path, key: &str) -> Result<Option<Credentials>, CredentialError> {
        let malformed = |reason: &str| CredentialError::Malformed {
            path: path.display().to_string(),
            reason: format!("`auth` of `{key}` {reason}"),
        };
        let given = |text: &Option<Secret>| text.clone().filter(|text| !text.expose().is_empty());
        if let Some(token) = given(&self.registrytoken) {
            return Ok(Some(Credentials::Bearer(token)));
        }
        if let Some(token) = given(&self.identitytoken) {
            return Ok(Some(Credentials::IdentityToken(token)));
        }
        if let (Some(user), Some(password)) = (&self.username, given(&self.password)) {
            return Ok(Some(Credentials::Basic { user: user.clone(), password }));
        }
        let Some(auth) = given(&self.auth) else { return Ok(None) };
        let auth = auth.expose().trim();
        let decoded = STANDARD.decode(auth).or_else(|_| STANDARD_NO_PAD.decode(auth));
        let decoded = Zeroizing::new(decoded.map_err(|_| malformed("is not base64"))?);
        let text = std::str::from_utf8(&decoded).map_err(|_| malformed("is no text"))?;
        let (user, password) =
            text.trim_end_matches('\0').split_once(':').ok_or_else(|| malformed("has no `user:password`"))?;
        Ok(Some(Credentials::basic(user, password)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The user that a file has for a repository, `token …` for tokens, `-` for none.
    fn check(json: &str, image: &str, expected: &str) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("config.json");
        std::fs::write(&path, json).expect("written");
        let image: lineclear_oci::Reference = image.parse().expect(image);
        let found = DockerConfig::at(path).credentials(image.registry(), Some(image.repository())).expect("readable");
        let found = match found {
            Credentials::Anonymous => "-".to_owned(),
            Credentials::Basic { user, password } => format!("{user}:{}", password.expose()),
            Credentials::IdentityToken(token) => format!("identity {}", token.expose()),
            Credentials::Bearer(token) => format!("bearer {}", token.expose()),
        };
        assert_eq!(found, expected, "{image} in {json}");
    }

    #[test]
    fn what_docker_login_wrote_is_found() {
        let json = r#"{"auths":{"https://index.docker.io/v1/":{"auth":"aHViOnB3"},"ghcr.io":{"auth":"bWU6cDp3"},
            "127.0.0.1:5000":{"auth":"bG9jYWw6cHc="},"id.example":{"auth":"YTpi","identitytoken":"t"},
            "https://old.example/v2/":{"username":"old","password":"pw"},"bearer.example":{"registrytoken":"r"}}}"#;
        check(json, "postgres", "hub:pw");
        check(json, "ghcr.io/o/a", "me:p:w");
        check(json, "127.0.0.1:5000/a", "local:pw");
        check(json, "127.0.0.1:5001/a", "-");
        check(json, "id.example/a", "identity t");
        check(json, "old.example/a", "old:pw");
        check(json, "bearer.example/a", "bearer r");
        check("{}", "ghcr.io/o/a", "-");
    }

    #[test]
    fn the_longest_key_of_podman_counts() {
        let json = r#"{"auths":{"quay.io":{"auth":"YTpi"},"quay.io/team":{"auth":"dDp0"},"quay.io/team/app":{"auth":"eDp4"}}}"#;
        check(json, "quay.io/team/app", "x:x");
        check(json, "quay.io/team/apple", "t:t");
        check(json, "quay.io/teams", "a:b");
    }

    #[test]
    fn a_broken_file_is_named_without_its_secrets() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("config.json");
        std::fs::write(&path, r#"{"auths":{"a.b":{"auth":["hunter2"]}}}"#).expect("written");
        let registry = "a.b".parse().expect("a host");
        let error = DockerConfig::at(&path).credentials(&registry, None).expect_err("it is broken");
        assert!(error.to_string().contains("config.json") && !format!("{error:?}").contains("hunter2"), "{error}");
        std::fs::write(&path, r#"{"auths":{"a.b":{"auth":"!hunter2"}}}"#).expect("written");
        let error = DockerConfig::at(&path).credentials(&registry, None).expect_err("it is broken");
        assert!(error.to_string().contains("is not base64") && !format!("{error:?}").contains("hunter2"), "{error}");
    }

    #[test]
    fn the_files_of_a_user_are_found_by_the_environment() {
        let known = |name: &str| match name {
            "HOME" => Some("/home/u".to_owned()),
            "DOCKER_CONFIG" => Some(String::new()),
            "XDG_RUNTIME_DIR" => Some("/run/user/1".to_owned()),
            _ => None,
        };
        let shown = format!("{:?}", DockerConfig::of_user(known));
        assert!(shown.contains("/home/u/.docker/config.json") && shown.contains("/run/user/1/containers/auth.json"));
    }
}
