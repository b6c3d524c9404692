//! The container engine as steps reach it: a door of the job's own, and a configuration of the job's own for its programs.

use std::ffi::{OsStr, OsString};
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lineclear_backend::{Credentials, DoorRequest, EngineDoor, NetworkAccess, Room};
use lineclear_event::{JobSpec, with_causes};
use serde_json::{Map, Value as Json};

use crate::plain_file;
use crate::ports::{DockerConfig, JobHands};

/// A configuration of Docker's command line is small.
const LARGEST_CONFIG: u64 = 1 << 20;

/// Opens the job's door; `None` where this machine has no engine.
///
/// # Errors
/// A sentence. A job is not run beside its door: what it made could not be found again.
pub(crate) fn open(
    spec: &JobSpec,
    hands: &JobHands<'_>,
    room: &dyn Room,
) -> Result<Option<Box<dyn EngineDoor>>, String> {
    if is_out_of_reach(hands) {
        return Ok(None);
    }
    let token = &hands.settings.token;
    let registry =
        (!token.is_empty()).then(|| Credentials { username: "lineclear".to_owned(), password: token.clone() });
    // The path of a socket has to be short, and that in memory is.
    let scratch = &room.layout().scratch;
    let folder = scratch.canonicalize().unwrap_or_else(|_| scratch.clone());
    let request = DoorRequest {
        run: spec.run,
        job: &spec.job,
        tracking_id: room.tracking_id(),
        folder: &folder,
        layout: room.layout(),
        seen: &[],
        is_confined: hands.settings.isolation.as_ref().is_some_and(|isolation| isolation.read_only_system),
        network: room.network(),
        registry: registry.as_ref(),
        images: hands.images.as_ref().map(Arc::clone),
    };
    hands
        .doors
        .open(&request)
        .map_err(|error| format!("cannot open the job's way to the container engine: {}", with_causes(&error)))
}

/// Whether steps get no engine: what they start there would reach what they themselves may not.
fn is_out_of_reach(hands: &JobHands<'_>) -> bool {
    let network = hands.settings.isolation.as_ref().map(|isolation| &isolation.network);
    matches!(network, Some(NetworkAccess::None | NetworkAccess::Loopback | NetworkAccess::AllowList(_)))
}

/// What the machine gives to steps that run on it: its own variables, and the way to the engine. The workflow may set other ones.
///
/// # Errors
/// A sentence, if the configuration cannot be written.
pub(crate) fn machine_env(
    hands: &JobHands<'_>,
    room: &dyn Room,
    door: Option<&dyn EngineDoor>,
) -> Result<Vec<(OsString, OsString)>, String> {
    let mut env = room.base_env().to_vec();
    let host = match door {
        Some(door) => {
            let mut socket = OsString::from("unix://");
            socket.push(door.socket());
            socket
        }
        // A name that says why nothing answers there; without it, clients would look for the engine themselves.
        None if is_out_of_reach(hands) => "unix:///no-container-engine-under-this-network-isolation.sock".into(),
        None => return Ok(env),
    };
    set(&mut env, "DOCKER_HOST", host);
    let folder = room.layout().temp.join("_docker_config");
    write_config(&folder, users_folder(&env).as_deref(), hands.settings.docker_config)
        .map_err(|error| format!("cannot write `{}`: {error}", folder.display()))?;
    set(&mut env, "DOCKER_CONFIG", folder.into());
    Ok(env)
}

fn set(env: &mut Vec<(OsString, OsString)>, name: &str, value: OsString) {
    env.retain(|(known, _)| known != name);
    env.push((name.into(), value));
}

/// Where the user's own configuration is.
fn users_folder(env: &[(OsString, OsString)]) -> Option<PathBuf> {
    let variable = |name: &str| {
        let found = env.iter().rev().find(|(known, value)| known == name && !value.is_empty());
        found.map(|(_, value): &(OsString, OsString)| OsStr::to_owned(value))
    };
    variable("DOCKER_CONFIG").map(PathBuf::from).or_else(|| Some(PathBuf::from(variable("HOME")?).join(".docker")))
}

/// Writes the job's own configuration, which goes with the job. Of the user's own the proxies and the plugins are taken over, and all
/// else only where that is asked for. Plugins are only named: a step that installs one installs it in the job's folder.
fn write_config(folder: &Path, users: Option<&Path>, from: DockerConfig) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mut config = Map::new();
    if let Some(users) = users {
        let text = plain_file::read(&users.join("config.json"), LARGEST_CONFIG).unwrap_or_default();
        let mut known = match serde_json::from_str(&text) {
            Ok(Json::Object(known)) => known,
            _ => Map::new(),
        };
        let more = known.get("cliPluginsExtraDirs").and_then(Json::as_array).cloned().unwrap_or_default();
        let own = users.join("cli-plugins");
        let own = own.is_dir().then(|| Json::from(own.to_string_lossy()));
        match from {
            DockerConfig::Own => known.retain(|key, _| key == "proxies"),
            // The way to the engine is the door's.
            DockerConfig::Inherit => known.retain(|key, _| key != "currentContext"),
        }
        config = known;
        let folders: Vec<Json> = own.into_iter().chain(more).collect();
        if !folders.is_empty() {
            config.insert("cliPluginsExtraDirs".to_owned(), Json::Array(folders));
        }
    }
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(folder.join("config.json"))?;
    file.write_all(Json::Object(config).to_string().as_bytes())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn logins_stay_with_the_user_and_plugins_and_proxies_come_along() {
        let folder = tempfile::tempdir().expect("a folder");
        let (users, own) = (folder.path().join("users"), folder.path().join("own"));
        fs::create_dir_all(users.join("cli-plugins")).expect("a folder");
        fs::write(
            users.join("config.json"),
            r#"{"auths":{"r.example":{"auth":"c2VjcmV0"}},"credsStore":"x","proxies":{"default":{"httpProxy":"http://p"}}}"#,
        )
        .expect("a file");
        write_config(&own, Some(&users), DockerConfig::Own).expect("it is written");
        let text = fs::read_to_string(own.join("config.json")).expect("it is there");
        let plugins = users.join("cli-plugins");
        assert_eq!(
            serde_json::from_str::<Json>(&text).expect("JSON"),
            serde_json::json!({
                "proxies": { "default": { "httpProxy": "http://p" } },
                "cliPluginsExtraDirs": [plugins.to_string_lossy()],
            })
        );
        write_config(&own, Some(&users), DockerConfig::Inherit).expect("it is written again");
        let text = fs::read_to_string(own.join("config.json")).expect("it is there");
        assert!(text.contains("c2VjcmV0") && text.contains("credsStore"), "{text}");
        let bare = folder.path().join("bare");
        write_config(&bare, Some(&folder.path().join("none")), DockerConfig::Own).expect("it is written");
        assert_eq!(fs::read_to_string(bare.join("config.json")).expect("it is there"), "{}");
    }
}
