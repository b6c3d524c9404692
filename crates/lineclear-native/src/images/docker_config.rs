//! The job's own `config.json`: where its logins are, for Docker's programs and for ours.
//!
//! # Source
//! Docker's documentation of `docker login`: the file, its keys, and the one that Docker's own hub has.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lineclear_runner::native::{Call, NativeError};
use serde_json::{Map, Value, json};

/// The key under which logins of Docker's own hub are.
const HUB: &str = "https://index.docker.io/v1/";

/// The folder of the file, which is there afterwards. Where the job has none yet, it gets one, and later steps know of it.
///
/// # Errors
/// If it cannot be made.
pub(crate) fn folder(call: &mut Call<'_>) -> Result<PathBuf, NativeError> {
    if let Some(folder) = known_folder(call) {
        return Ok(folder);
    }
    let folder = call.room.layout().temp.join("_docker_config");
    let folder = call.reached("the folder of logins", folder)?;
    // Some programs ask for the file as soon as they are told of its folder.
    let made = make(&folder).and_then(|()| fs::write(folder.join("config.json"), "{}"));
    made.map_err(|error| NativeError(format!("cannot make the folder `{}`: {error}", folder.display())))?;
    let seen = call.room.seen(&folder).to_string_lossy().into_owned();
    call.effects.export("DOCKER_CONFIG", &seen);
    call.env.insert("DOCKER_CONFIG".to_owned(), seen);
    Ok(folder)
}

/// The folder that the job knows of, as a path on this machine.
fn known_folder(call: &Call<'_>) -> Option<PathBuf> {
    let told = call.env.get("DOCKER_CONFIG").filter(|value| !value.is_empty()).map(PathBuf::from)?;
    // In a container, the folder that an earlier step made has another name.
    let own = call.room.layout().temp.join("_docker_config");
    if call.room.seen(&own) == told {
        return call.reach.check(&own).is_ok().then_some(own);
    }
    // Logins that the steps do not see are none of theirs.
    (!call.room.is_container() && call.reach.check(&told).is_ok()).then_some(told)
}

/// The file in the job's folder.
///
/// # Errors
/// As [`folder`].
pub(crate) fn file(call: &mut Call<'_>) -> Result<PathBuf, NativeError> {
    Ok(folder(call)?.join("config.json"))
}

fn make(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// The key of a registry's login.
pub(crate) fn key(registry: &str) -> &str {
    match registry {
        "" | "docker.io" | "index.docker.io" | "registry-1.docker.io" => HUB,
        other => other,
    }
}

/// Adds a login.
///
/// # Errors
/// If the file cannot be read or written, or is none of Docker's.
pub(crate) fn add(file: &Path, registry: &str, username: &str, password: &str) -> Result<(), NativeError> {
    change(file, |auths| {
        let auth = STANDARD.encode(format!("{username}:{password}"));
        auths.insert(key(registry).to_owned(), json!({ "auth": auth }));
    })
}

/// Takes a login out again.
///
/// # Errors
/// As [`add`].
pub(crate) fn remove(file: &Path, registry: &str) -> Result<(), NativeError> {
    if !file.is_file() {
        return Ok(());
    }
    change(file, |auths| drop(auths.shift_remove(key(registry))))
}

fn change(file: &Path, change: impl FnOnce(&mut Map<String, Value>)) -> Result<(), NativeError> {
    let failed = |error: io::Error| NativeError(format!("cannot change the logins in `{}`: {error}", file.display()));
    let mut config: Value = match fs::read(file) {
        // What the parser says could repeat a secret.
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map_err(|_| NativeError(format!("`{}` is no configuration of Docker: it is not JSON", file.display())))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => json!({}),
        Err(error) => return Err(failed(error)),
    };
    let Some(members) = config.as_object_mut() else {
        return Err(NativeError(format!("`{}` is no configuration of Docker: it is no object", file.display())));
    };
    if !members.get("auths").is_some_and(Value::is_object) {
        members.insert("auths".to_owned(), json!({}));
    }
    if let Some(auths) = members.get_mut("auths").and_then(Value::as_object_mut) {
        change(auths);
    }
    let folder = file.parent().unwrap_or(Path::new("."));
    make(folder).map_err(failed)?;
    // Beside it and then in its place: nobody reads half a file. The new file is for its owner only.
    let mut new = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    new.write_all(format!("{config:#}\n").as_bytes()).map_err(failed)?;
    new.persist(file).map(drop).map_err(|error| failed(error.error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn logins_are_added_and_removed_and_the_rest_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("new/config.json");
        add(&file, "r.example:5000", "me", "s3cret").expect("it is written");
        assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o077, 0, "only its owner reads it");
        fs::write(&file, r#"{"proxies":{},"auths":{"r.example:5000":{"auth":"eDp5"}}}"#).expect("a file");
        add(&file, "docker.io", "me", "s3cret").expect("it is written");
        remove(&file, "r.example:5000").expect("it is written");
        let read: Value = serde_json::from_slice(&fs::read(&file).expect("a file")).expect("JSON");
        assert_eq!(read, json!({ "proxies": {}, "auths": { HUB: { "auth": "bWU6czNjcmV0" } } }));
        remove(&folder.path().join("none"), "x").expect("nothing to do");
        fs::write(&file, "nonsense s3cret").expect("a file");
        let error = add(&file, "x", "y", "z").expect_err("no JSON").0;
        assert!(!error.contains("s3cret"), "{error}");
    }
}
