//! `lineclear image inspect`: what an image is.

use std::fmt::Write as _;

use clap::Args;
use lineclear_oci::{Annotations, AnyManifest, Descriptor, Digest, Healthcheck, Platform, Reference, annotation};
use lineclear_registry::FoundImage;
use serde_json::{Value, json};

use super::Failure;
use super::connection::ConnectionArgs;
use crate::command::history::Shape;
use crate::history::words::{count, size};

/// Arguments of `image inspect`.
#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// The image: `name`, `name:tag` or `name@sha256:…`.
    image: Reference,

    /// Look at the image of this platform, such as `linux/arm64` (default: that of this machine).
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<Platform>,

    /// Print the bytes of the manifest or index as the registry has them.
    #[arg(long, conflicts_with_all = ["format", "platform"])]
    raw: bool,

    /// For whom to print (JSON: docs/registry-client.md).
    #[arg(long, value_enum, default_value_t)]
    format: Shape,

    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Carries out `image inspect`.
pub(super) fn run(args: &InspectArgs) -> Result<String, Failure> {
    let client = args.connection.client()?;
    let image = args.image.or_latest();
    let root = client.manifest(&image)?;
    if args.raw {
        return Ok(String::from_utf8_lossy(root.raw()).into_owned());
    }
    let pinned = image.at(root.digest().clone());
    let wanted = args.platform.clone().unwrap_or_else(Platform::of_this_machine);
    // Who names no platform wants to know what the image is, also on a machine that cannot run it.
    let wanted = match &root {
        AnyManifest::Index(index) if args.platform.is_none() && index.choose(&wanted).is_none() => {
            index.platforms().next().cloned().unwrap_or(wanted)
        }
        _ => wanted,
    };
    let found = client.image(&pinned, &wanted)?;
    let platforms: Vec<String> = match &root {
        AnyManifest::Index(index) => index.platforms().map(ToString::to_string).collect(),
        AnyManifest::Image(_) if found.manifest.is_image() => vec![found.config.platform().normalised().to_string()],
        AnyManifest::Image(_) => Vec::new(),
    };
    let facts = Facts { image: &image, root: &root, found: &found, platforms };
    Ok(match args.format {
        Shape::Json => serde_json::to_string_pretty(&facts.document()).unwrap_or_default() + "\n",
        Shape::Text => facts.text(),
    })
}

struct Facts<'a> {
    image: &'a Reference,
    root: &'a AnyManifest,
    found: &'a FoundImage,
    platforms: Vec<String>,
}

impl Facts<'_> {
    /// The image that it was built on, as its annotations or labels say: name and digest.
    fn base(&self) -> (Option<&String>, Option<&String>) {
        let places: [&Annotations; 3] =
            [&self.found.manifest.parts().annotations, self.root.annotations(), &self.found.config.config.labels];
        let first = |key: &str| places.iter().find_map(|place| place.get(key));
        (first(annotation::BASE_NAME), first(annotation::BASE_DIGEST))
    }

    fn document(&self) -> Value {
        let (manifest, config) = (&self.found.manifest, &self.found.config);
        let run = &config.config;
        let layer =
            |layer: &Descriptor| json!({ "digest": layer.digest, "size": layer.size, "media_type": layer.media_type });
        let (base_name, base_digest) = self.base();
        let image = json!({
            "digest": manifest.digest(),
            "platform": config.platform().normalised().to_string(),
            "artifact_type": manifest.parts().artifact_type,
            "created": config.created,
            "size": manifest.size(),
            "layers": manifest.layers().iter().map(layer).collect::<Vec<_>>(),
            "user": run.user,
            "ports": run.exposed_ports.keys().collect::<Vec<_>>(),
            "healthcheck": run.healthcheck,
            "entrypoint": run.entrypoint,
            "command": run.cmd,
            "working_dir": run.working_dir,
            "volumes": run.volumes.keys().collect::<Vec<_>>(),
            "env": run.env,
            "labels": run.labels,
            "stop_signal": run.stop_signal,
            "base": { "name": base_name, "digest": base_digest },
        });
        json!({
            "name": self.image.to_string(),
            "digest": self.root.digest(),
            "media_type": self.root.media_type(),
            "annotations": self.root.annotations(),
            "platforms": self.platforms,
            "image": image,
        })
    }

    fn text(&self) -> String {
        let (manifest, config) = (&self.found.manifest, &self.found.config);
        let run = &config.config;
        let mut text = String::new();
        let mut line = |name: &str, value: &str| {
            if !value.is_empty() {
                // A text takes everything. What comes from a registry may not steer the terminal.
                let value: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
                let _ = writeln!(text, "{name:<12}{value}");
            }
        };
        line("image", &self.image.familiar());
        line("digest", self.root.digest().as_str());
        let kind = match self.root {
            AnyManifest::Index(index) => format!("index of {}", count(index.manifests().len(), "manifest")),
            AnyManifest::Image(_) if manifest.is_image() => "image".to_owned(),
            AnyManifest::Image(_) => {
                format!("artifact {}", self.root.artifact_type().map(ToString::to_string).unwrap_or_default())
            }
        };
        line("kind", &format!("{kind} ({})", self.root.media_type()));
        line("platforms", &self.platforms.join(", "));
        if matches!(self.root, AnyManifest::Index(_)) {
            line("shown", &format!("{} ({})", config.platform().normalised(), manifest.digest()));
        }
        line("created", config.created.as_deref().unwrap_or_default());
        line("size", &format!("{} in {}", size(manifest.size()), count(manifest.layers().len(), "layer")));
        if manifest.is_image() {
            line("user", if run.user.is_empty() { "root" } else { &run.user });
        }
        line("ports", &run.exposed_ports.keys().map(String::as_str).collect::<Vec<_>>().join(", "));
        line("health", &run.healthcheck.as_ref().map(health).unwrap_or_default());
        line("entrypoint", &shown(&run.entrypoint));
        line("command", &shown(&run.cmd));
        line("works in", &run.working_dir);
        line("volumes", &run.volumes.keys().map(String::as_str).collect::<Vec<_>>().join(", "));
        let variables: Vec<&str> = run.env.iter().map(|entry| entry.split('=').next().unwrap_or(entry)).collect();
        line("variables", &variables.join(", "));
        let (name, digest) = self.base();
        let digest = digest.and_then(|digest| Digest::parse(digest).ok());
        let base = [name.cloned(), digest.map(|digest| digest.to_string())];
        line("base", &base.into_iter().flatten().collect::<Vec<_>>().join("@"));
        for (key, value) in &run.labels {
            line("label", &format!("{key}={value}"));
        }
        text
    }
}

fn health(check: &Healthcheck) -> String {
    if check.is_none() {
        return "none, by its own word".to_owned();
    }
    let every = Healthcheck::duration(check.interval).map_or_else(String::new, |every| format!(" every {every:?}"));
    format!("{}{every}", check.command())
}

/// A command line as it could be typed.
fn shown(words: &[String]) -> String {
    let quoted = |word: &String| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:@%+,".contains(c);
        if !word.is_empty() && word.chars().all(plain) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', "'\\''"))
        }
    };
    words.iter().map(quoted).collect::<Vec<_>>().join(" ")
}
