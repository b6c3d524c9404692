//! `lineclear image sbom`: what is inside an image or a folder.

mod attached;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use lineclear_container_engine::{Address, Engine, Patience, Surroundings};
use lineclear_deliver::inventory::{self, InventoryError};
use lineclear_event::{Timestamp, with_causes};
use lineclear_oci::{Digest, Platform, Reference};
use lineclear_sbom::{Creation, DocumentFormat, Inventory};
use lineclear_source::Style;

use super::Failure;
use super::connection::ConnectionArgs;
use super::reached::Reached;
use crate::history::terminal::harmless;
use crate::history::words::count;
use crate::{output, settings};

/// How long the engine may say nothing while it packs an image.
const SILENCE: Duration = Duration::from_secs(300);

const EXAMPLES: &str = "\
Examples:
  lineclear image sbom ghcr.io/me/app:1            what is in it, as a table
  lineclear image sbom --engine app:dev            of an image that was just built here
  lineclear image sbom build/app.tar               of an OCI layout, its archive, or what `docker save` wrote
  lineclear image sbom .                           of a folder: lock files and what is installed
  lineclear image sbom ghcr.io/me/app:1 --format spdx --output app.spdx.json
  lineclear image sbom ghcr.io/me/app@sha256:… --format cyclonedx --attach
                                                   beside the image in its registry, and in the ledger

What was found and cannot be read is said, in the document too. With SOURCE_DATE_EPOCH set, the same image gives the same bytes.
More: docs/sbom.md";

/// Arguments of `image sbom`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SbomArgs {
    /// An image (`name`, `name:tag`, `name@sha256:…`), a folder, or an archive of an image.
    what: String,

    /// In which form: a table for people, or a document for tools.
    #[arg(long, value_enum, default_value_t)]
    format: Form,

    /// The image of this platform, such as `linux/arm64` (default: that of this machine; with `--attach`: all of an index).
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<Platform>,

    /// Take the image from this machine's container engine, and not from its registry.
    #[arg(long, conflicts_with = "attach")]
    engine: bool,

    /// Which of several images in an archive.
    #[arg(long)]
    name: Option<String>,

    /// Write it to this file.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Put the document beside the image in its registry, by its digest, and state in the ledger that it is there; of an index
    /// beside each of its images, and all of them beside the index.
    #[arg(long)]
    attach: bool,

    #[command(flatten)]
    connection: ConnectionArgs,
}

/// The form of what is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people.
    #[default]
    Table,
    /// SPDX 2.3 as JSON.
    #[value(alias = "spdx-json")]
    Spdx,
    /// CycloneDX 1.6 as JSON.
    #[value(name = "cyclonedx", alias = "cyclonedx-json")]
    CycloneDx,
    /// CycloneDX 1.5 as JSON.
    #[value(name = "cyclonedx-1.5")]
    CycloneDx15,
    /// The inventory itself: documented keys (docs/sbom.md).
    Json,
}

/// Where that lies which was asked for.
enum Place {
    Folder(PathBuf),
    Archive(PathBuf),
    Engine(Reference),
    Registry(Box<Reached>),
}

/// Carries out `image sbom`.
pub(super) fn run(args: &SbomArgs) -> Result<String, Failure> {
    let document = args.format.document();
    if args.attach && document.is_none() {
        return Err(Failure::Input("`--attach` wants a document: add `--format spdx` or `--format cyclonedx`".into()));
    }
    let creation = Creation { at: creation_time()?, version: env!("CARGO_PKG_VERSION").to_owned() };
    let place = Place::of(args)?;
    if let (true, Some(format)) = (args.attach, document) {
        let Place::Registry(reached) = &place else {
            let message = "`--attach` wants an image in a registry: give `name@sha256:…`, not a folder or an archive";
            return Err(Failure::Input(message.into()));
        };
        return attached::run(args, reached, format, &creation);
    }
    let inventory = place.read(args)?;
    complain(&inventory);
    let bytes = match (document, args.format) {
        (Some(format), _) => format.write(&inventory, &creation),
        (None, Form::Json) => (serde_json::to_string_pretty(&inventory).unwrap_or_default() + "\n").into_bytes(),
        (None, _) => table(&inventory).into_bytes(),
    };
    match &args.output {
        Some(path) => save(path, &bytes, &inventory),
        None => Ok(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

/// Says what could not be read.
fn complain(inventory: &Inventory) {
    for unread in &inventory.unread {
        let place = if unread.path.is_empty() { String::new() } else { format!(" `{}`", unread.path) };
        output::complain(&format!("warning: not read:{place}: {}", unread.why));
    }
}

/// Writes a file, and says so.
fn save(path: &Path, bytes: &[u8], inventory: &Inventory) -> Result<String, Failure> {
    let written = std::fs::write(path, bytes);
    written.map_err(|error| Failure::Input(format!("cannot write `{}`: {error}", path.display())))?;
    Ok(format!("{} in `{}`\n", count(inventory.packages.len(), "package"), path.display()))
}

impl Place {
    /// What the argument names: a path that exists is one, all else is an image's name.
    fn of(args: &SbomArgs) -> Result<Self, Failure> {
        let path = Path::new(&args.what);
        if !args.engine && path.exists() {
            let is_folder = path.is_dir() && !path.join("oci-layout").is_file();
            return Ok(if is_folder { Self::Folder(path.to_owned()) } else { Self::Archive(path.to_owned()) });
        }
        let image = Reference::parse(&args.what).map_err(|error| {
            Failure::Input(format!("there is no `{}`, and it is no name of an image either: {error}", args.what))
        })?;
        let image = image.or_latest();
        if args.engine {
            return Ok(Self::Engine(image));
        }
        Ok(Self::Registry(Box::new(Reached::of(&image, &args.connection)?)))
    }

    fn read(&self, args: &SbomArgs) -> Result<Inventory, Failure> {
        let platform = args.platform();
        Ok(match self {
            Self::Folder(path) => inventory::of_folder(path)?,
            Self::Archive(path) => inventory::of_archive(path, args.name.as_deref(), &platform, None)?,
            Self::Engine(image) => of_engine(image, &platform)?,
            Self::Registry(reached) => {
                let Reached { client, at, name, .. } = &**reached;
                if args.platform.is_none()
                    && let Some(images) = inventory::images_of(client, at)?
                    && images.len() > 1
                {
                    output::complain(&format!(
                        "note: `{}` is an index of {}; this is the one for {platform}, and `--platform` names another",
                        name.familiar(),
                        count(images.len(), "image")
                    ));
                }
                let mut found = inventory::of_registry(client, at, &platform)?;
                found.subject.name = name.to_string();
                found
            }
        })
    }
}

impl SbomArgs {
    fn platform(&self) -> Platform {
        self.platform.clone().unwrap_or_else(Platform::of_this_machine)
    }
}

/// An image of this machine's engine, by way of an archive in a temporary file.
fn of_engine(image: &Reference, platform: &Platform) -> Result<Inventory, Failure> {
    let fail = |error: &dyn std::error::Error| Failure::Input(with_causes(error));
    let engine = match std::env::var("DOCKER_HOST") {
        Ok(address) if !address.is_empty() => Address::parse(&address).and_then(Engine::connect),
        _ => Engine::find(&Surroundings::of_this_process()),
    };
    let engine = engine.map_err(|error| fail(&error))?;
    let name = image.familiar();
    let Some(details) = engine.image(&name).map_err(|error| fail(&error))? else {
        return Err(Failure::Input(format!(
            "the engine has no image `{name}`; without `--engine` it is read from its registry"
        )));
    };
    let folder = tempfile::tempdir().map_err(|error| Failure::Input(format!("no temporary folder: {error}")))?;
    let archive = folder.path().join("image.tar");
    engine.image_save(&name, &archive, Patience::of(SILENCE)).map_err(|error| fail(&error))?;
    // The id is no digest that a registry knows.
    let known = details.repo_digests.iter().flatten().find_map(|known| {
        let (repository, digest) = known.split_once('@')?;
        (repository == image.bare().familiar()).then(|| Digest::parse(digest).ok()).flatten()
    });
    let mut inventory = inventory::of_archive(&archive, None, platform, known.as_ref())?;
    inventory.subject.name = name;
    Ok(inventory)
}

/// UTC to the second: of `SOURCE_DATE_EPOCH` where it is set, else now.
fn creation_time() -> Result<String, Failure> {
    let at = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) if !text.is_empty() => {
            let seconds = text.parse::<i64>().ok().and_then(|seconds| seconds.checked_mul(1000));
            let seconds = seconds.filter(|at| (0..253_402_300_800_000).contains(at));
            Timestamp(seconds.ok_or_else(|| {
                Failure::Input(format!("SOURCE_DATE_EPOCH is `{text}`; it has to be seconds since 1970"))
            })?)
        }
        _ => settings::now(),
    };
    // The documents have no fractions of seconds.
    Ok(at.to_string().split('.').next().unwrap_or_default().to_owned() + "Z")
}

fn table(inventory: &Inventory) -> String {
    let mut text = String::new();
    let subject = &inventory.subject;
    let _ = writeln!(text, "{}", subject.name);
    let facts = [
        subject.digest.clone(),
        subject.platform.clone(),
        inventory.distribution.as_ref().map(|known| known.pretty.clone()),
    ];
    for fact in facts.into_iter().flatten().filter(|fact| !fact.is_empty()) {
        let _ = writeln!(text, "  {}", harmless(&fact, Style::Plain));
    }
    let widest =
        |of: &dyn Fn(&lineclear_sbom::Package) -> usize| inventory.packages.iter().map(of).max().unwrap_or(0).min(60);
    let (names, versions) = (widest(&|one| one.name.chars().count()), widest(&|one| one.version.chars().count()));
    if !inventory.packages.is_empty() {
        text.push('\n');
    }
    for one in &inventory.packages {
        let line = format!("{:<8}  {:<names$}  {:<versions$}  {}", one.kind, one.name, one.version, one.path);
        // Whoever made the image chose the names.
        let _ = writeln!(text, "{}", harmless(&line, Style::Plain));
    }
    let counts: Vec<String> = inventory.counts().iter().map(|(kind, number)| format!("{number} {kind}")).collect();
    let by_type = if counts.is_empty() { String::new() } else { format!(": {}", counts.join(", ")) };
    let _ = writeln!(text, "\n{}{by_type}", count(inventory.packages.len(), "package"));
    text
}

impl Form {
    fn document(self) -> Option<DocumentFormat> {
        match self {
            Self::Spdx => Some(DocumentFormat::Spdx),
            Self::CycloneDx => Some(DocumentFormat::CycloneDx16),
            Self::CycloneDx15 => Some(DocumentFormat::CycloneDx15),
            Self::Table | Self::Json => None,
        }
    }
}

impl From<InventoryError> for Failure {
    fn from(error: InventoryError) -> Self {
        match error {
            InventoryError::Registry(error) => error.into(),
            error => Self::Input(with_causes(&error)),
        }
    }
}
