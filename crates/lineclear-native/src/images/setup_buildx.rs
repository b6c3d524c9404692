//! `docker/setup-buildx-action`: the builder for the job's later steps.
//!
//! The buildx of this machine is used: a version is a wish that is checked, and nothing is downloaded. The default driver,
//! `docker-container`, needs the image of BuildKit; where that cannot be had, the builder inside of the engine serves instead, and the log
//! says so. docker/build-push-action makes up for what that builder cannot do.
//!
//! # Source
//! `action.yml` and the documentation of `docker/setup-buildx-action`; the reference of `docker buildx create`.

use lineclear_event::AnnotationLevel;
use lineclear_oci::Platform;
use lineclear_runner::native::{Call, NativeAction, NativeError, RunOptions};
use semver::{Version, VersionReq};
use serde_json::{Value, json};

use super::build::{buildx_command, field, last_line};
use super::lists::{Commas, Comments, Quotes, entries, entries_with};
use super::setup_qemu::runnable;
use crate::{setup, yaml};

/// Makes a builder.
#[derive(Debug)]
pub(crate) struct SetupBuildx;

const BUILDER: &str = "builder";
const IMAGE: &str = "moby/buildkit:buildx-stable-1";
/// What the real action lets builds do in a builder of their own.
const FLAGS: &str = "--allow-insecure-entitlement security.insecure --allow-insecure-entitlement network.host";

impl NativeAction for SetupBuildx {
    fn name(&self) -> &'static str {
        "docker/setup-buildx-action"
    }

    fn metadata(&self) -> &'static str {
        "
name: Docker Setup Buildx
inputs:
  version: {}
  driver: { default: docker-container }
  driver-opts: {}
  buildkitd-flags: {}
  buildkitd-config: {}
  buildkitd-config-inline: {}
  use: { default: 'true' }
  name: {}
  endpoint: {}
  platforms: {}
  append: {}
  keep-state: { default: 'false' }
  cache-binary: { default: 'true' }
  cleanup: { default: 'true' }
outputs:
  name: { description: name of the builder }
  driver: { description: driver of the builder }
  platforms: { description: platforms that it builds for }
  nodes: { description: its nodes as JSON }
  endpoint: { description: address of its first node }
  status: { description: state of its first node }
  flags: { description: flags of its first node }
"
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        if call.flag("keep-state")? && call.input("driver") != "docker-container" {
            return Err(NativeError(format!("Cannot use keep-state with {} driver", call.input("driver"))));
        }
        let Some(command) = buildx_command(call) else {
            return without_buildx(call);
        };
        let buildx = Buildx { command };
        buildx.check_version(call)?;
        let wanted = match call.input("driver") {
            "" => "docker-container".to_owned(),
            driver => driver.to_owned(),
        };
        let name = match wanted.as_str() {
            "docker" => buildx.of_engine(call)?,
            "docker-container" if buildx.has_no_image(call) => {
                refuse_what_only_a_container_takes(call)?;
                call.effects.annotate(
                    AnnotationLevel::Notice,
                    &format!(
                        "the driver `docker-container` needs the image `{IMAGE}`, which is not on this machine and cannot be \
                         pulled now: the builder inside of the engine is used"
                    ),
                );
                buildx.of_engine(call)?
            }
            _ => buildx.create(call, &wanted)?,
        };
        buildx.report(call, &name)
    }

    fn has_post(&self) -> bool {
        true
    }

    fn post(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        let Some(name) = call.state.get(BUILDER).cloned() else { return Ok(()) };
        if !call.flag("cleanup")? {
            return Ok(());
        }
        let Some(command) = buildx_command(call) else { return Ok(()) };
        let mut args = vec!["rm", name.as_str()];
        if call.flag("keep-state")? {
            args.push("--keep-state");
        }
        Buildx { command }.run(call, &args)?;
        call.effects.log(&format!("Removed the builder {name}"));
        Ok(())
    }
}

struct Buildx {
    /// `docker buildx`, or the plugin by itself.
    command: Vec<String>,
}

impl Buildx {
    fn run(&self, call: &mut Call<'_>, args: &[&str]) -> Result<String, NativeError> {
        let all: Vec<&str> = self.command[1..].iter().map(String::as_str).chain(args.iter().copied()).collect();
        let quiet = RunOptions { quiet: true, ..RunOptions::default() };
        call.effects.capture(&self.command[0], &all, quiet)
    }

    fn check_version(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        let said = self.run(call, &["version"])?;
        call.effects.log(&format!("buildx: {}", said.trim()));
        let wanted = call.input("version").to_owned();
        let found = said.split_whitespace().find_map(|word| {
            let word = word.trim_start_matches('v');
            Version::parse(word.split('+').next().unwrap_or(word)).ok()
        });
        if let Some(found) = &found {
            setup::used(call, "buildx", &found.to_string());
        }
        if matches!(wanted.as_str(), "" | "latest") {
            return Ok(());
        }
        let fits = match (Version::parse(wanted.trim_start_matches('v')), VersionReq::parse(&wanted), &found) {
            (Ok(wanted), _, Some(found)) => *found >= wanted,
            (_, Ok(wanted), Some(found)) => wanted.matches(found),
            _ => false,
        };
        if fits {
            return Ok(());
        }
        let found = found.map_or("an unknown one".to_owned(), |found| found.to_string());
        Err(NativeError(format!(
            "`version: {wanted}` is not here: this machine has buildx {found}, and none is downloaded. Install the package \
             `docker-buildx` in that version, or leave `version` out"
        )))
    }

    /// The builder inside of the engine, by its name.
    fn of_engine(&self, call: &mut Call<'_>) -> Result<String, NativeError> {
        let quiet = RunOptions { quiet: true, ..RunOptions::default() };
        let context = call.effects.capture("docker", &["context", "show"], quiet);
        let name = context.map_or_else(|_| "default".to_owned(), |said| said.trim().to_owned());
        Ok(if name.is_empty() { "default".to_owned() } else { name })
    }

    /// Whether the driver `docker-container` cannot work here.
    fn has_no_image(&self, call: &mut Call<'_>) -> bool {
        let options = entries_with(call.input("driver-opts"), Commas::Belong, Comments::None, Quotes::Plain);
        let own = options.iter().find_map(|option| option.trim().strip_prefix("image="));
        let image = own.unwrap_or(IMAGE).to_owned();
        let quiet = RunOptions { quiet: true, ..RunOptions::default() };
        call.effects.capture("docker", &["image", "inspect", &image], quiet).is_err()
            && call.effects.capture("docker", &["pull", "--quiet", &image], quiet).is_err()
            // One that the workflow itself names has to be there.
            && own.is_none()
    }

    fn create(&self, call: &mut Call<'_>, driver: &str) -> Result<String, NativeError> {
        let of = |name: &str| call.input(name).to_owned();
        let name = match of("name") {
            name if name.is_empty() => format!("builder-{}-{}", call.run, call.now.0),
            name => name,
        };
        let mut args: Vec<String> = ["create", "--name", &name, "--driver", driver].map(str::to_owned).into();
        let mut pair = |option: &str, value: &str| args.extend([option.to_owned(), value.to_owned()]);
        for option in entries_with(&of("driver-opts"), Commas::Belong, Comments::None, Quotes::Plain) {
            pair("--driver-opt", option.trim());
        }
        match of("buildkitd-flags") {
            flags if !flags.is_empty() => pair("--buildkitd-flags", &flags),
            _ if matches!(driver, "docker-container" | "kubernetes") => pair("--buildkitd-flags", FLAGS),
            _ => {}
        }
        let platforms = entries(&of("platforms"), Commas::Separate, Comments::None);
        if !platforms.is_empty() {
            pair("--platform", &platforms.join(","));
        }
        let inline = of("buildkitd-config-inline");
        match (of("buildkitd-config"), inline.is_empty()) {
            (file, _) if !file.is_empty() => {
                pair("--config", &call.room.seen(&call.resolve("buildkitd-config", &file)?).to_string_lossy())
            }
            (_, false) => {
                let file = call.room.layout().temp.join(format!("{name}.toml"));
                let file = call.reached("input `buildkitd-config-inline`", file)?;
                std::fs::write(&file, inline)
                    .map_err(|error| NativeError(format!("cannot write `{}`: {error}", file.display())))?;
                pair("--config", &call.room.seen(&file).to_string_lossy());
            }
            _ => {}
        }
        if call.flag("use")? {
            args.push("--use".to_owned());
        }
        let endpoint = of("endpoint");
        if !endpoint.is_empty() {
            args.push(endpoint);
        }
        let known = self.run(call, &["inspect", &name]).is_ok();
        if known {
            call.effects.log(&format!("Builder {name} already exists, skipping creation"));
        } else {
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            self.run(call, &args).map_err(|NativeError(problem)| NativeError(last_line(&problem).to_owned()))?;
            call.state.insert(BUILDER.to_owned(), name.clone());
        }
        self.append(call, &name)?;
        self.run(call, &["inspect", "--bootstrap", "--builder", &name]).map_err(|NativeError(problem)| {
            NativeError(format!("the builder {name} does not start: {}", last_line(&problem)))
        })?;
        Ok(name)
    }

    /// Further nodes.
    fn append(&self, call: &mut Call<'_>, builder: &str) -> Result<(), NativeError> {
        let nodes = yaml::value("append", call.input("append")).map_err(NativeError)?;
        for node in nodes.as_array().into_iter().flatten() {
            let of = |key: &str| node[key].as_str().map(str::to_owned);
            let mut args: Vec<String> = ["create", "--name", builder, "--append"].map(str::to_owned).into();
            for (key, option) in
                [("name", "--node"), ("buildkitd-flags", "--buildkitd-flags"), ("platforms", "--platform")]
            {
                if let Some(value) = of(key) {
                    args.extend([option.to_owned(), value]);
                }
            }
            for option in node["driver-opts"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                args.extend(["--driver-opt".to_owned(), option.to_owned()]);
            }
            args.extend(of("endpoint"));
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            self.run(call, &args).map_err(|NativeError(problem)| {
                let name = of("name").unwrap_or_default();
                NativeError(format!("Failed to append node {name}: {}", last_line(&problem)))
            })?;
        }
        Ok(())
    }

    fn report(&self, call: &mut Call<'_>, name: &str) -> Result<(), NativeError> {
        let said = self.run(call, &["inspect", name])?;
        let driver = field(&said, "Driver:").unwrap_or("docker").to_owned();
        let mut nodes = nodes(&said);
        if driver == "docker" {
            // The old engines count only what the processor runs by itself.
            for node in &mut nodes {
                add_runnable(node);
            }
        }
        let first = nodes.first().cloned().unwrap_or_else(|| json!({}));
        let mut platforms: Vec<&str> = Vec::new();
        for platform in nodes.iter().filter_map(|node| node["platforms"].as_str()).flat_map(|all| all.split(',')) {
            if !platform.is_empty() && !platforms.contains(&platform) {
                platforms.push(platform);
            }
        }
        let platforms = platforms.join(",");
        let text = |key: &str| first[key].as_str().unwrap_or_default().to_owned();
        call.effects.log(&format!("Builder: {name} (driver `{driver}`), platforms {platforms}"));
        call.effects.output("name", name);
        call.effects.output("driver", &driver);
        call.effects.output("platforms", &platforms);
        call.effects.output("nodes", &format!("{:#}", Value::from(nodes)));
        call.effects.output("endpoint", &text("endpoint"));
        call.effects.output("status", &text("status"));
        call.effects.output("flags", &text("buildkitd-flags"));
        Ok(())
    }
}

/// Inputs that only a builder of its own honours.
fn refuse_what_only_a_container_takes(call: &Call<'_>) -> Result<(), NativeError> {
    let only = ["driver-opts", "buildkitd-flags", "buildkitd-config", "buildkitd-config-inline", "append", "endpoint"];
    match only.iter().find(|name| !call.input(name).is_empty()) {
        Some(name) => Err(NativeError(format!(
            "`{name}` is for a builder in a container, and its image `{IMAGE}` is not on this machine and cannot be pulled: bring \
             it there, name another with `driver-opts: image=…`, or leave `{name}` out"
        ))),
        None => Ok(()),
    }
}

/// Without buildx there is still a builder, which build-push knows to use.
fn without_buildx(call: &mut Call<'_>) -> Result<(), NativeError> {
    refuse_what_only_a_container_takes(call)?;
    if !call.input("version").is_empty() {
        return Err(NativeError(
            "there is no buildx on this machine, and none is downloaded: install the package `docker-buildx`"
                .to_owned(),
        ));
    }
    call.effects.annotate(
        AnnotationLevel::Warning,
        "there is no buildx on this machine: docker/build-push-action uses the engine's classic builder, or buildah. Install the \
         package `docker-buildx` for BuildKit",
    );
    let node =
        json!({ "name": "default", "endpoint": "default", "status": "running", "platforms": runnable().join(",") });
    call.effects.output("name", "default");
    call.effects.output("driver", "docker");
    call.effects.output("platforms", &runnable().join(","));
    call.effects.output("nodes", &format!("{:#}", json!([node])));
    call.effects.output("endpoint", "default");
    call.effects.output("status", "running");
    Ok(())
}

/// The nodes that `docker buildx inspect` shows.
fn nodes(said: &str) -> Vec<Value> {
    let mut nodes: Vec<Value> = Vec::new();
    let mut in_nodes = false;
    for line in said.lines() {
        if line.trim() == "Nodes:" {
            in_nodes = true;
            continue;
        }
        let Some((key, value)) = line.split_once(':').filter(|_| in_nodes) else { continue };
        let value = value.trim();
        match key {
            "Name" => nodes.push(json!({ "name": value })),
            _ => {
                let Some(node) = nodes.last_mut() else { continue };
                match key {
                    "Endpoint" => node["endpoint"] = value.into(),
                    "Status" => node["status"] = value.into(),
                    "BuildKit version" | "Buildkit" => node["buildkit"] = value.into(),
                    "BuildKit daemon flags" | "Flags" => node["buildkitd-flags"] = value.into(),
                    "Driver Options" => node["driver-opts"] = value.split_whitespace().collect::<Vec<_>>().into(),
                    // A star marks those that were asked for.
                    "Platforms" => node["platforms"] = value.replace('*', "").replace(", ", ",").into(),
                    _ => {}
                }
            }
        }
    }
    nodes
}

fn add_runnable(node: &mut Value) {
    let known = node["platforms"].as_str().unwrap_or_default().to_owned();
    let is_known = |platform: &str| {
        let platform = Platform::parse(platform);
        platform
            .is_ok_and(|platform| known.split(',').any(|one| Platform::parse(one).is_ok_and(|one| one.is(&platform))))
    };
    let more: Vec<String> = runnable().into_iter().filter(|platform| !is_known(platform)).collect();
    let all: Vec<&str> =
        known.split(',').chain(more.iter().map(String::as_str)).filter(|platform| !platform.is_empty()).collect();
    node["platforms"] = all.join(",").into();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_read_from_what_buildx_shows() {
        let said = "Name:          mine\nDriver:        docker-container\n\nNodes:\nName:                  mine0\nEndpoint:              unix:///var/run/docker.sock\nStatus:                running\nBuildKit daemon flags: --debug\nBuildKit version:      v0.13.0\nPlatforms:             linux/amd64*, linux/386\nGC Policy rule#0:\n All:           false\n";
        assert_eq!(
            nodes(said),
            [json!({
                "name": "mine0",
                "endpoint": "unix:///var/run/docker.sock",
                "status": "running",
                "buildkitd-flags": "--debug",
                "buildkit": "v0.13.0",
                "platforms": "linux/amd64,linux/386",
            })]
        );
    }
}
