//! Finding the engine of this machine.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::{Address, Engine, EngineError};

/// What the search goes by. Taken from the environment once, at the edge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// `DOCKER_HOST`
    pub docker_host: Option<String>,
    /// `DOCKER_TLS_VERIFY`, if it says yes.
    pub docker_tls: bool,
    /// `DOCKER_CONTEXT`
    pub docker_context: Option<String>,
    /// `DOCKER_CONFIG`, or `~/.docker`.
    pub docker_config: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`
    pub runtime_dir: Option<PathBuf>,
    /// `HOME`
    pub home: Option<PathBuf>,
    /// Below which the well-known sockets of the system are looked for: `/`.
    pub root: PathBuf,
}

impl Surroundings {
    /// Those of this process.
    pub fn of_this_process() -> Self {
        let text = |name| env::var(name).ok().filter(|value| !value.is_empty());
        let path = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let home = path("HOME");
        Self {
            docker_host: text("DOCKER_HOST"),
            docker_tls: text("DOCKER_TLS_VERIFY").is_some_and(|value| value != "0"),
            docker_context: text("DOCKER_CONTEXT"),
            docker_config: path("DOCKER_CONFIG").or_else(|| Some(home.clone()?.join(".docker"))),
            runtime_dir: path("XDG_RUNTIME_DIR"),
            home,
            root: "/".into(),
        }
    }

    /// The places to try, best first, each with where it is from. If one was chosen by the user, it is the only one.
    fn places(&self) -> Result<Vec<(Address, &'static str)>, EngineError> {
        if let Some(host) = &self.docker_host {
            let address = Address::parse(host)?;
            if self.docker_tls && matches!(address, Address::Tcp { .. }) {
                return Err(EngineError::Address {
                    address: host.clone(),
                    problem:
                        "TLS, which DOCKER_TLS_VERIFY asks for, is not spoken here; forward the engine's socket by ssh"
                            .into(),
                });
            }
            return Ok(vec![(address, "DOCKER_HOST")]);
        }
        if let Some(host) = self.context_host()? {
            return Ok(vec![(Address::parse(&host)?, "the Docker context")]);
        }
        let mut places = vec![(self.root.join("var/run/docker.sock"), "Docker's usual socket")];
        if let Some(runtime) = &self.runtime_dir {
            places.push((runtime.join("docker.sock"), "rootless Docker's socket"));
        }
        if let Some(home) = &self.home {
            places.push((home.join(".docker/run/docker.sock"), "Docker Desktop's socket"));
        }
        if let Some(runtime) = &self.runtime_dir {
            places.push((runtime.join("podman/podman.sock"), "rootless Podman's socket"));
        }
        places.push((self.root.join("run/podman/podman.sock"), "Podman's socket"));
        Ok(places.into_iter().map(|(path, from)| (Address::Unix(path), from)).collect())
    }

    /// The address of the chosen context of Docker's command line, unless that is the default one.
    fn context_host(&self) -> Result<Option<String>, EngineError> {
        let Some(config) = &self.docker_config else { return Ok(None) };
        let of_file = || read_json(&config.join("config.json"))?.get("currentContext")?.as_str().map(str::to_owned);
        let Some(name) = self.docker_context.clone().or_else(of_file) else { return Ok(None) };
        if name.is_empty() || name == "default" {
            return Ok(None);
        }
        // The folders are named by a digest of the name, and each says its name inside.
        let folders = fs::read_dir(config.join("contexts/meta")).into_iter().flatten().flatten();
        for folder in folders {
            let Some(meta) = read_json(&folder.path().join("meta.json")) else { continue };
            if meta.get("Name").and_then(Value::as_str) == Some(&name) {
                let host = meta.pointer("/Endpoints/docker/Host").and_then(Value::as_str);
                return Ok(host.map(str::to_owned).filter(|host| !host.is_empty()));
            }
        }
        Err(EngineError::Address {
            address: name,
            problem: "no Docker context has this name; `docker context ls` shows those there are".into(),
        })
    }
}

fn read_json(path: &Path) -> Option<Value> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

impl Engine {
    /// Finds the engine of this machine: at `DOCKER_HOST`, of the chosen Docker context, or at one of the usual sockets of Docker,
    /// rootless Docker and Podman, the first that answers.
    ///
    /// # Errors
    /// [`EngineError::NoEngine`], with what was tried; [`EngineError::Address`] for a setting that cannot be read.
    pub fn find(surroundings: &Surroundings) -> Result<Self, EngineError> {
        let mut tried = Vec::new();
        for (address, from) in surroundings.places()? {
            match Self::connect(address.clone()) {
                Ok(engine) => return Ok(engine),
                Err(EngineError::Unreachable { source, .. }) => {
                    tried.push(format!("{from} `{address}`: {}", short(&source)));
                }
                Err(error) => tried.push(format!("{from} `{address}`: {}", error.chain())),
            }
        }
        Err(EngineError::NoEngine { tried })
    }
}

fn short(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "not there".into(),
        std::io::ErrorKind::PermissionDenied => "this user may not use it (is the user in its group?)".into(),
        std::io::ErrorKind::ConnectionRefused => "nobody listens".into(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(surroundings: &Surroundings) -> Vec<String> {
        surroundings.places().expect("places").into_iter().map(|(address, _)| address.to_string()).collect()
    }

    #[test]
    fn what_the_user_chose_is_the_only_place() {
        let chosen =
            Surroundings { docker_host: Some("unix:///mine".into()), root: "/".into(), ..Surroundings::default() };
        assert_eq!(shown(&chosen), ["unix:///mine"]);
        let tls = Surroundings { docker_host: Some("tcp://h:2376".into()), docker_tls: true, ..chosen };
        assert!(matches!(tls.places(), Err(EngineError::Address { .. })));
    }

    #[test]
    fn the_usual_sockets_are_tried_docker_first() {
        let usual = Surroundings {
            runtime_dir: Some("/run/user/7".into()),
            home: Some("/home/me".into()),
            root: "/".into(),
            ..Surroundings::default()
        };
        let expected = [
            "unix:///var/run/docker.sock",
            "unix:///run/user/7/docker.sock",
            "unix:///home/me/.docker/run/docker.sock",
            "unix:///run/user/7/podman/podman.sock",
            "unix:///run/podman/podman.sock",
        ];
        assert_eq!(shown(&usual), expected);
    }

    #[test]
    fn a_context_says_where_its_engine_is() {
        let config = tempfile::tempdir().expect("a folder");
        let meta = config.path().join("contexts/meta/abc");
        fs::create_dir_all(&meta).expect("folders");
        let text = r#"{"Name":"there","Endpoints":{"docker":{"Host":"unix:///there.sock"}}}"#;
        fs::write(meta.join("meta.json"), text).expect("a file");
        fs::write(config.path().join("config.json"), r#"{"currentContext":"there"}"#).expect("a file");
        let mut here =
            Surroundings { docker_config: Some(config.path().into()), root: "/".into(), ..Surroundings::default() };
        assert_eq!(shown(&here), ["unix:///there.sock"]);
        here.docker_context = Some("default".into());
        assert_eq!(shown(&here).len(), 2);
        here.docker_context = Some("nowhere".into());
        let error = here.places().expect_err("there is none").to_string();
        assert!(error.contains("nowhere") && error.contains("docker context ls"), "{error}");
    }

    #[test]
    fn without_an_engine_everything_that_was_tried_is_told() {
        let root = tempfile::tempdir().expect("a folder");
        let nothing = Surroundings {
            root: root.path().into(),
            runtime_dir: Some(root.path().join("run/user")),
            ..Surroundings::default()
        };
        let error = Engine::find(&nothing).expect_err("nobody is there").to_string();
        for part in ["docker.sock", "podman.sock", "not there", "DOCKER_HOST"] {
            assert!(error.contains(part), "{error}");
        }
    }
}
