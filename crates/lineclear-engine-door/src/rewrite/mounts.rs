//! Which folders of the machine a container may mount, and where they really are.

use std::path::{Component, Path, PathBuf};

use super::{Ask, Refusal};

/// Where people expect the engine's socket.
const USUAL_SOCKETS: &[&str] = &["/var/run/docker.sock", "/run/docker.sock"];

impl Ask<'_> {
    /// The machine's path for one that a step names.
    ///
    /// The engine's socket becomes the door's own. A path of the job's own container (`/__w/…`) becomes that of the machine.
    ///
    /// # Errors
    /// [`Refusal`] for a path that the job's containers may not see.
    pub(super) fn machine_path(&self, path: &str) -> Result<String, Refusal> {
        let job = self.job;
        let asked = clean(Path::new(path));
        let is_socket = |path: &Path| {
            path == job.socket
                || job.engine_sockets.iter().any(|socket| socket == path)
                || USUAL_SOCKETS.iter().any(|usual| path == Path::new(usual))
        };
        if is_socket(&asked) {
            return Ok(text(&job.socket));
        }
        let real_path = |path: &Path| PathBuf::from(self.machine.real_path(&text(path)));
        let is_own = |path: &Path| job.folders.iter().any(|folder| path.starts_with(folder));
        let mut machine = translated(&asked, job.seen.iter().map(|(seen, there)| (seen.as_path(), there.as_path())));
        if machine.is_none() && !is_own(&real_path(&asked)) {
            let seen = self.machine.seen_in_containers()?;
            machine = translated(&asked, seen.iter().map(|(seen, there)| (Path::new(seen), Path::new(there))));
        }
        let machine = machine.unwrap_or(asked);
        let real = real_path(&machine);
        if is_socket(&machine) || is_socket(&real) {
            return Ok(text(&job.socket));
        }
        // The engine follows a path when the container starts, and until then a job may put a link in the place of any folder of
        // its own: of one that is kept from the machine, none can be mounted.
        if job.is_confined {
            return Err(Refusal::forbidden(format!(
                "`{path}` cannot be mounted: the job is kept from the machine, and its containers see nothing of it; copy what \
                 is needed into an image, or into a volume by `docker cp`"
            )));
        }
        // Links were followed: one in the workspace may lead anywhere.
        if is_own(&real) {
            return Ok(text(&machine));
        }
        // Its own folders lie among those that are protected, so they were looked at first.
        if let Some(folder) = job.protected.iter().find(|folder| real.starts_with(folder)) {
            return Err(Refusal::forbidden(format!(
                "`{path}` cannot be mounted: it lies in `{}`, which belongs to Lineclear or to another job",
                folder.display()
            )));
        }
        let within = job.protected.iter().chain(&job.engine_sockets).find(|inner| inner.starts_with(&real));
        if let Some(inner) = within {
            return Err(Refusal::forbidden(format!(
                "`{path}` cannot be mounted: `{}`, which no job's container may have, lies in it; mount what is needed of it \
                 by itself",
                inner.display()
            )));
        }
        Ok(text(&machine))
    }
}

/// The path that the longest of the folders gives.
fn translated<'p>(path: &Path, folders: impl Iterator<Item = (&'p Path, &'p Path)>) -> Option<PathBuf> {
    let fitting = folders.filter(|(seen, _)| path.starts_with(seen));
    let (seen, there) = fitting.max_by_key(|(seen, _)| seen.components().count())?;
    let rest = path.strip_prefix(seen).ok()?;
    Some(if rest.as_os_str().is_empty() { there.to_owned() } else { there.join(rest) })
}

/// The path without `.`, `..` and doubled slashes, as the engine cleans it.
fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                clean.pop();
            }
            Component::CurDir => {}
            other => clean.push(other),
        }
    }
    clean
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
