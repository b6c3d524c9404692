//! Files that containers, which run as root, leave in folders of a user who is not: that user could not remove them.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use lineclear_backend::Layout;
use lineclear_container_engine::{Engine, NewContainer};
use serde_json::json;

use crate::mounts::Mount;

/// How many things are looked at before it is taken for granted that there is something: a large tree is faster given back than looked
/// through.
const LOOKED_AT: usize = 20_000;

/// The folders of a job in which something belongs to somebody else than `user`.
pub(crate) fn strange(layout: &Layout, user: u32) -> Vec<PathBuf> {
    let scratch = layout.scratch.canonicalize().unwrap_or_else(|_| layout.scratch.clone());
    let mut folders = vec![layout.workspace.clone(), layout.temp.clone(), layout.actions.clone()];
    if !scratch.starts_with(&layout.temp) {
        folders.push(scratch);
    }
    folders.retain(|folder| has_strange(folder, user, &mut 0));
    folders
}

fn has_strange(folder: &Path, user: u32, looked: &mut usize) -> bool {
    let Ok(items) = fs::read_dir(folder) else { return true };
    for item in items.flatten() {
        *looked += 1;
        if *looked > LOOKED_AT {
            return true;
        }
        let Ok(metadata) = item.path().symlink_metadata() else { continue };
        if metadata.uid() != user || metadata.is_dir() && has_strange(&item.path(), user, looked) {
            return true;
        }
    }
    false
}

/// Gives everything in `folders` to `user`, by a container of `image`, which must have `chown`.
///
/// # Errors
/// What went wrong, in a sentence.
pub(crate) fn give_back(
    engine: &Engine,
    image: &str,
    folders: &[PathBuf],
    (user, group): (u32, u32),
    labels: &std::collections::BTreeMap<String, String>,
) -> Result<(), String> {
    let mounts: Vec<_> = folders
        .iter()
        .enumerate()
        .map(|(index, folder)| Mount::new(folder, format!("/reclaim/{index}")).json())
        .collect();
    let new = NewContainer {
        name: None,
        platform: None,
        body: json!({
            "Image": image,
            "User": "0",
            "Entrypoint": ["chown"],
            "Cmd": ["-Rh", format!("{user}:{group}"), "/reclaim"],
            "Labels": labels,
            "HostConfig": { "Mounts": mounts, "NetworkMode": "none" },
        }),
    };
    let id = engine.container_create(&new).map_err(|error| error.to_string())?;
    let run = || {
        let mut end = engine.container_wait(&id)?;
        engine.container_start(&id)?;
        loop {
            if let Some(code) = end.look()? {
                return Ok(code);
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    };
    let result: Result<i64, lineclear_container_engine::EngineError> = run();
    let removed = engine.container_remove(&id);
    match (result, removed) {
        (Ok(0), Ok(())) => Ok(()),
        (Ok(0), Err(error)) | (Err(error), _) => Err(error.to_string()),
        (Ok(code), _) => Err(format!("`chown` of image `{image}` ended with exit code {code}")),
    }
}
