//! `anchore/sbom-action`: a list of what is inside an image or a folder, kept as an artifact.
//!
//! The real action downloads a scanner. Here the inventory is Lineclear's own; the image is taken from the container engine where that has
//! it, else from its registry, as the real one does.
//!
//! # Source
//! `action.yml` and `src/github/SyftGithubAction.ts` of the action, version 0: inputs, names of artifacts, forms.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lineclear_container_engine::{Address, Engine, Patience, Surroundings};
use lineclear_deliver::inventory;
use lineclear_event::{AnnotationLevel, with_causes};
use lineclear_oci::{Digest, Platform, Reference};
use lineclear_runner::native::{Call, NativeAction, NativeError};
use lineclear_sbom::{Creation, DocumentFormat, Inventory};

use super::client::{Place, watched};
use super::docker_config;
use crate::caching::text;
use crate::upload_artifact::{Keeping, report, upload};

/// How long the engine may say nothing while it packs an image.
const SILENCE: Duration = Duration::from_secs(300);

/// Writes and keeps an SBOM.
#[derive(Debug)]
pub(crate) struct Sbom;

impl NativeAction for Sbom {
    fn name(&self) -> &'static str {
        "anchore/sbom-action"
    }

    fn metadata(&self) -> &'static str {
        "
name: Anchore SBOM Action
inputs:
  path: { default: '' }
  file: { default: '' }
  image: { default: '' }
  registry-username: { default: '' }
  registry-password: { default: '' }
  artifact-name: { default: '' }
  output-file: { default: '' }
  format: { default: spdx-json }
  github-token: { default: '${{ github.token }}' }
  upload-artifact: { default: 'true' }
  upload-artifact-retention: { default: '' }
  upload-release-assets: { default: 'true' }
  syft-version: { default: '' }
  dependency-snapshot: { default: 'false' }
  config: { default: '' }
"
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        let form = form(call.input("format"))?;
        let uploads = call.flag("upload-artifact")?;
        if call.flag("dependency-snapshot")? {
            let message =
                "dependency-snapshot: the forge's dependency graph is not told; the document is kept as an artifact";
            call.effects.annotate(AnnotationLevel::Warning, message);
        }
        let inventory = take(call)?;
        for unread in &inventory.unread {
            let message = format!("not read: `{}`: {}", unread.path, unread.why);
            call.effects.annotate(AnnotationLevel::Warning, &message);
        }
        let at = call.now.to_string().split('.').next().unwrap_or_default().to_owned() + "Z";
        let creation = Creation { at, version: env!("CARGO_PKG_VERSION").to_owned() };
        let document = form.write(&inventory, &creation);
        call.effects.log(&format!("Found {} packages", inventory.packages.len()));
        let written = |path: &Path, error: std::io::Error| {
            NativeError(format!("`{}` cannot be written: {error}", path.display()))
        };
        if !call.input("output-file").is_empty() {
            let path = call.resolve("output-file", call.input("output-file"))?;
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).map_err(|error| written(&path, error))?;
            }
            std::fs::write(&path, &document).map_err(|error| written(&path, error))?;
        }
        if uploads {
            let name = artifact_name(call, form);
            let folder = tempfile::tempdir().map_err(|error| NativeError(format!("no temporary folder: {error}")))?;
            let path = folder.path().join("document");
            std::fs::write(&path, &document).map_err(|error| written(&path, error))?;
            let keeping = Keeping::of(call.input("upload-artifact-retention"), "")?;
            let meta = upload(call, &name, vec![(name.clone(), path)], true, keeping)?;
            report(call, &meta);
        }
        Ok(())
    }
}

fn form(name: &str) -> Result<DocumentFormat, NativeError> {
    match name {
        "spdx-json" | "" => Ok(DocumentFormat::Spdx),
        "cyclonedx-json" => Ok(DocumentFormat::CycloneDx16),
        other => Err(NativeError(format!(
            "format: `{other}` is not written here; `spdx-json` and `cyclonedx-json` are (`--no-native-actions` runs the real action)"
        ))),
    }
}

/// What the inputs name: an image, a file of one, or a folder.
fn take(call: &mut Call<'_>) -> Result<Inventory, NativeError> {
    let fail = |error: &dyn std::error::Error| NativeError(with_causes(error));
    let platform = Platform::of_this_machine();
    let image = call.input("image").to_owned();
    if !image.is_empty() {
        return of_image(call, &image, &platform);
    }
    if !call.input("file").is_empty() {
        let path = call.resolve("file", call.input("file"))?;
        return inventory::of_archive(&path, None, &platform, None).map_err(|error| fail(&error));
    }
    let path: PathBuf = match call.input("path") {
        "" => call.workspace().to_owned(),
        path => call.resolve("path", path)?,
    };
    let mut found = inventory::of_folder(&path).map_err(|error| fail(&error))?;
    // As the workflow has it: the machine's folders are no business of a document.
    found.subject.name = match call.input("path") {
        "" | "." => text(&call.contexts.github, "repository").to_owned(),
        path => path.to_owned(),
    };
    Ok(found)
}

fn of_image(call: &mut Call<'_>, name: &str, platform: &Platform) -> Result<Inventory, NativeError> {
    let place = Place::of(call, name)?;
    let written = Reference::parse(name).map_err(|error| NativeError(with_causes(&error)))?.or_latest();
    let has_login = !call.input("registry-username").is_empty();
    // Who gives a login means the registry; and a digest is the same wherever it is.
    if !has_login
        && !place.is_routed
        && let Some(found) = of_engine(call, &written, platform)?
    {
        return Ok(found);
    }
    let config = docker_config::file(call)?;
    let client = if has_login {
        let (user, password) = (call.input("registry-username").to_owned(), call.input("registry-password").to_owned());
        call.effects.log(&format!("Reading {name} from its registry as {user}"));
        place.client_as(call, &user, &password)?
    } else {
        place.client(call, &config)?
    };
    let mut found = watched(call, &client, || inventory::of_registry(&client, &place.reference, platform))
        .map_err(|error| NativeError(with_causes(&error)))?;
    found.subject.name = written.to_string();
    Ok(found)
}

/// The image as the job's engine has it; `None` without an engine, or without the image.
pub(crate) fn of_engine(
    call: &Call<'_>,
    image: &Reference,
    platform: &Platform,
) -> Result<Option<Inventory>, NativeError> {
    let engine = match call.env.get("DOCKER_HOST").filter(|address| !address.is_empty()) {
        Some(address) => Address::parse(address).and_then(Engine::connect),
        None => Engine::find(&Surroundings::of_this_process()),
    };
    let name = image.familiar();
    let Ok(engine) = engine else { return Ok(None) };
    let Ok(Some(details)) = engine.image(&name) else { return Ok(None) };
    let fail = |error: &dyn std::error::Error| NativeError(with_causes(error));
    let folder = tempfile::tempdir().map_err(|error| fail(&error))?;
    let archive = folder.path().join("image.tar");
    engine.image_save(&name, &archive, Patience::of(SILENCE)).map_err(|error| fail(&error))?;
    let known = details.repo_digests.iter().flatten().find_map(|known| {
        let (repository, digest) = known.split_once('@')?;
        (repository == image.bare().familiar()).then(|| Digest::parse(digest).ok()).flatten()
    });
    let mut found = inventory::of_archive(&archive, None, platform, known.as_ref()).map_err(|error| fail(&error))?;
    found.subject.name = image.to_string();
    Ok(Some(found))
}

/// As the real action names it: after the image, or after repository, job and step.
fn artifact_name(call: &Call<'_>, form: DocumentFormat) -> String {
    let given = call.input("artifact-name");
    if !given.is_empty() {
        return given.to_owned();
    }
    let extension = format!("{}.json", form.as_str());
    let image = call.input("image");
    if !image.is_empty() {
        let parts: Vec<&str> = image.split('/').collect();
        let parts = if parts.len() > 2 { &parts[1..] } else { &parts[..] };
        let plain = |letter: char| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' };
        return format!("{}.{extension}", parts.join("-").chars().map(plain).collect::<String>());
    }
    let github = &call.contexts.github;
    let repository = text(github, "repository").rsplit('/').next().unwrap_or_default().to_owned();
    // Steps without an id have made-up ones: `__anchore_sbom-action_2`.
    let action = text(github, "action").to_owned();
    let step = match action.strip_prefix("__") {
        Some(made_up) => made_up
            .rsplit_once('_')
            .map(|(_, number)| number)
            .filter(|number| number.parse::<u32>().is_ok())
            .unwrap_or_default()
            .to_owned(),
        None => action,
    };
    let step = if step.is_empty() { step } else { format!("-{step}") };
    format!("{repository}-{}{step}.{extension}", text(github, "job"))
}
