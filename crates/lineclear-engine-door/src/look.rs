//! Answers the questions of [`rewrite`](crate::rewrite) by asking the engine and the file system.

use std::path::{Component, Path, PathBuf};

use lineclear_backend::labels;
use serde_json::{Value, json};

use crate::engine::Engine;
use crate::http::Target;
use crate::known::Known;
use crate::rewrite::{DOOR_LABEL, Found, ImageFound, Job, Machine, Refusal, found, label};

/// Links that are followed in one path.
const LINKS: usize = 40;

/// Looks at the real engine, for one job.
#[derive(Debug)]
pub(crate) struct Look<'l> {
    pub(crate) engine: &'l Engine,
    pub(crate) job: &'l Job,
    pub(crate) known: &'l Known,
}

impl Look<'_> {
    /// `None` for what is not there.
    fn value(&self, target: Target) -> Result<Option<Value>, Refusal> {
        let answer = self.engine.get(target)?;
        match answer.status {
            404 => Ok(None),
            status if status >= 400 => Err(Refusal::new(status, answer.problem())),
            _ => Ok(Some(answer.value())),
        }
    }

    fn list(&self, target: Target) -> Result<Vec<Value>, Refusal> {
        Ok(match self.value(target)? {
            Some(Value::Array(list)) => list,
            _ => Vec::new(),
        })
    }

    fn job_containers(&self) -> Result<Vec<Value>, Refusal> {
        let filters = json!({ "label": [self.job.label_filter()] }).to_string();
        self.list(Target::of("/containers/json").with("all", "1").with("filters", filters))
    }
}

impl Machine for Look<'_> {
    fn containers(&self) -> Result<Vec<Found>, Refusal> {
        let containers: Vec<Found> = self.job_containers()?.iter().map(found).collect();
        self.known.get().containers.extend(containers.iter().map(|found| found.id.clone()));
        Ok(containers)
    }

    fn networks(&self) -> Result<Vec<Found>, Refusal> {
        Ok(self.list(Target::of("/networks"))?.iter().map(found).collect())
    }

    fn volume(&self, name: &str) -> Result<Option<Found>, Refusal> {
        let mut target = Target::of("/volumes");
        target.path.push(name.to_owned());
        Ok(self.value(target)?.as_ref().map(found))
    }

    fn image(&self, name: &str) -> Result<Option<ImageFound>, Refusal> {
        if name.is_empty() {
            return Ok(None);
        }
        let mut target = Target::of("/images");
        target.path.extend(name.split('/').map(str::to_owned));
        target.path.push("json".into());
        // A name that is none is told by the engine itself when it gets the request.
        let answer = self.engine.get(target)?;
        Ok(answer.is_fine().then(|| image_found(&answer.value())))
    }

    fn exec(&self, id: &str) -> Result<Option<String>, Refusal> {
        let mut target = Target::of("/exec");
        target.path.extend([id.to_owned(), "json".to_owned()]);
        Ok(self.value(target)?.and_then(|exec| Some(exec.get("ContainerID")?.as_str()?.to_owned())))
    }

    fn is_own_container(&self, id: &str) -> bool {
        self.known.get().containers.contains(id)
    }

    fn tagged(&self, name: &str) -> Option<String> {
        let known = self.known.get();
        known.tags.get(name).or_else(|| known.likely_tags.get(name)).cloned()
    }

    fn made(&self, id: &str) -> bool {
        let known = self.known.get();
        known.images.contains(id) || known.likely_tags.values().any(|likely| likely == id)
    }

    fn seen_in_containers(&self) -> Result<Vec<(String, String)>, Refusal> {
        let socket = self.job.socket.to_string_lossy();
        let mut seen = Vec::new();
        for container in self.job_containers()? {
            // A container that a step made may put anything anywhere: only Lineclear's own count.
            if label(&container, DOOR_LABEL).is_some() || label(&container, labels::JOB).is_none() {
                continue;
            }
            let mounts = container.get("Mounts").and_then(Value::as_array).cloned().unwrap_or_default();
            let text = |mount: &Value, key: &str| mount.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            if !mounts.iter().any(|mount| text(mount, "Source") == socket) {
                continue;
            }
            let binds = mounts.iter().filter(|mount| text(mount, "Type") == "bind");
            seen.extend(binds.map(|mount| (text(mount, "Destination"), text(mount, "Source"))));
        }
        Ok(seen)
    }

    fn real_path(&self, path: &str) -> String {
        real_path(Path::new(path)).to_string_lossy().into_owned()
    }
}

pub(crate) fn image_found(image: &Value) -> ImageFound {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    ImageFound {
        id: image.get("Id").and_then(text).unwrap_or_default(),
        tags: image.get("RepoTags").and_then(Value::as_array).into_iter().flatten().filter_map(text).collect(),
        volumes: image
            .pointer("/Config/Volumes")
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(|map| map.keys().cloned())
            .collect(),
    }
}

/// The path with its links followed, as far as it exists; what does not exist yet stays as it is.
pub(crate) fn real_path(path: &Path) -> PathBuf {
    let mut left: Vec<std::ffi::OsString> = path.components().rev().map(|part| part.as_os_str().to_owned()).collect();
    let mut real = PathBuf::new();
    let mut links = 0;
    while let Some(part) = left.pop() {
        match Path::new(&part).components().next() {
            Some(Component::ParentDir) => {
                real.pop();
                continue;
            }
            Some(Component::CurDir) | None => continue,
            _ => {}
        }
        let next = real.join(&part);
        match std::fs::read_link(&next) {
            Ok(link) if links < LINKS => {
                links += 1;
                left.extend(link.components().rev().map(|part| part.as_os_str().to_owned()));
            }
            _ => real = next,
        }
    }
    real
}
