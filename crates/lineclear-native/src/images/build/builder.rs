//! Which builder a machine has, and what it can do.

use std::path::{Path, PathBuf};

use lineclear_runner::native::{Call, NativeError, RunOptions};
use serde_json::Value;

use crate::setup::on_path;

/// What builds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Builder {
    /// BuildKit, reached through buildx.
    Buildx {
        /// `docker buildx`, or the plugin by itself.
        command: Vec<String>,
        /// Its driver: `docker`, `docker-container` …
        driver: String,
        /// Whether it keeps images and indexes itself: several platforms, attestations, caches, exports. The BuildKit inside of an
        /// engine with the classic store of images has none of these.
        is_complete: bool,
    },
    /// The engine's own builder, through `docker build`.
    Classic,
    /// Buildah, without any engine.
    Buildah,
}

impl Builder {
    /// What is told of it in the log.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Buildx { driver, is_complete: true, .. } => format!("BuildKit through buildx (driver `{driver}`)"),
            Self::Buildx { driver, .. } => {
                format!("BuildKit inside of the engine (driver `{driver}`, the engine's classic store of images)")
            }
            Self::Classic => "the engine's classic builder: there is no buildx here".to_owned(),
            Self::Buildah => "buildah: no container engine answers here".to_owned(),
        }
    }

    /// Whether images end up in an engine, where they have ids and names.
    pub(crate) fn has_engine(&self) -> bool {
        !matches!(self, Self::Buildah)
    }

    /// Whether it is BuildKit.
    pub(crate) fn is_buildkit(&self) -> bool {
        matches!(self, Self::Buildx { .. })
    }
}

/// Finds the builder: buildx where an engine answers, or a builder that is no engine's was asked for; then the classic one; then
/// buildah.
///
/// # Errors
/// Where there is none, with what was looked for and how to get it.
pub(crate) fn find(call: &mut Call<'_>, wanted: &str) -> Result<Builder, NativeError> {
    let quiet = RunOptions { quiet: true, ..RunOptions::default() };
    let mut tried = Vec::new();
    let buildx = buildx_command(call);
    let engine = engine_info(call);
    if let Err(problem) = &engine {
        tried.push(format!("no container engine answers ({problem})"));
    }
    if let Some(command) = buildx {
        let mut args: Vec<&str> = command[1..].iter().map(String::as_str).collect();
        args.push("inspect");
        if !wanted.is_empty() {
            args.push(wanted);
        }
        match call.effects.capture(&command[0], &args, quiet) {
            Ok(said) => {
                // One that cannot be reached has no driver.
                let driver = field(&said, "Driver:").unwrap_or_default().to_owned();
                let is_engines = driver == "docker";
                let is_complete = !is_engines || engine.as_ref().is_ok_and(keeps_indexes);
                if !driver.is_empty() && (!is_engines || engine.is_ok()) {
                    return Ok(Builder::Buildx { command, driver, is_complete });
                }
                tried.push("no builder of buildx can be reached".to_owned());
            }
            Err(NativeError(problem)) if !wanted.is_empty() => {
                return Err(NativeError(format!("there is no builder `{wanted}`: {}", last_line(&problem))));
            }
            Err(NativeError(problem)) => tried.push(format!("buildx: {}", last_line(&problem))),
        }
    } else {
        tried.push("there is no buildx".to_owned());
    }
    if !wanted.is_empty() {
        return Err(NativeError(format!("the builder `{wanted}` needs buildx: {}", tried.join("; "))));
    }
    if engine.is_ok() && on_path(&call.env, "docker").is_some() {
        return Ok(Builder::Classic);
    }
    if on_path(&call.env, "buildah").is_some() || call.room.is_container() {
        return Ok(Builder::Buildah);
    }
    tried.push("there is no buildah".to_owned());
    Err(NativeError(format!(
        "nothing here can build an image: {}. Start a container engine (packages `docker.io` or `podman`), or install `buildah`",
        tried.join("; ")
    )))
}

/// How buildx is called: as a plugin of `docker`, or by itself where there is only the plugin.
pub(crate) fn buildx_command(call: &mut Call<'_>) -> Option<Vec<String>> {
    let quiet = RunOptions { quiet: true, ..RunOptions::default() };
    if call.effects.capture("docker", &["buildx", "version"], quiet).is_ok() {
        return Some(vec!["docker".to_owned(), "buildx".to_owned()]);
    }
    let folders = plugin_folders(call);
    let plugin = folders.iter().map(|folder| folder.join("docker-buildx")).find(|plugin| plugin.is_file());
    plugin.map(|plugin| vec![plugin.to_string_lossy().into_owned()])
}

/// Where plugins of Docker's command line are.
fn plugin_folders(call: &Call<'_>) -> Vec<PathBuf> {
    let of = |name: &str| call.env.get(name).filter(|value| !value.is_empty()).map(Path::new);
    let mut folders: Vec<PathBuf> = Vec::new();
    folders.extend(of("DOCKER_CONFIG").map(|folder| folder.join("cli-plugins")));
    folders.extend(of("HOME").map(|home| home.join(".docker/cli-plugins")));
    let system = ["/usr/local/lib", "/usr/local/libexec", "/usr/lib", "/usr/libexec"];
    folders.extend(system.map(|folder| Path::new(folder).join("docker/cli-plugins")));
    folders
}

/// What the engine says of itself.
fn engine_info(call: &mut Call<'_>) -> Result<Value, String> {
    let quiet = RunOptions { quiet: true, ..RunOptions::default() };
    let said = call
        .effects
        .capture("docker", &["info", "--format", "{{json .}}"], quiet)
        .map_err(|NativeError(problem)| last_line(&problem).to_owned())?;
    let info: Value = serde_json::from_str(said.trim()).map_err(|error| error.to_string())?;
    match info["ServerErrors"].as_array().and_then(|errors| errors.first()) {
        Some(error) => Err(error.as_str().unwrap_or_default().to_owned()),
        None => Ok(info),
    }
}

/// Whether its store of images is containerd's.
fn keeps_indexes(info: &Value) -> bool {
    info["DriverStatus"].to_string().contains("io.containerd.snapshotter")
}

/// What stands behind a word at the beginning of a line.
pub(crate) fn field<'s>(said: &'s str, name: &str) -> Option<&'s str> {
    said.lines().find_map(|line| line.trim().strip_prefix(name)).map(str::trim)
}

pub(crate) fn last_line(text: &str) -> &str {
    text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_with_containerds_store_keeps_indexes() {
        let classic = serde_json::json!({ "DriverStatus": [["Backing Filesystem", "extfs"]] });
        let new = serde_json::json!({ "DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]] });
        assert!(!keeps_indexes(&classic) && keeps_indexes(&new));
    }

    #[test]
    fn fields_are_lines() {
        let said = "Name:   x\nDriver: docker-container\n\nNodes:\nPlatforms: linux/amd64*, linux/386\n";
        assert_eq!(field(said, "Driver:"), Some("docker-container"));
        assert_eq!(last_line("a\nb\n\n"), "b");
    }
}
