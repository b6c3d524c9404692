//! `actions/download-artifact`.
//!
//! # Source
//! `action.yml` and `src/download-artifact` of `actions/download-artifact`, versions 4 to 8: which folder an artifact is written
//! to, what is said, what fails.

use std::path::Path;

use lineclear_event::{AnnotationLevel, RunId, with_causes};
use lineclear_runner::native::{Call, InContainer, NativeAction, NativeError};
use lineclear_store::{ArtifactMeta, StoreError};

use crate::search;

/// Writes artifacts of this run, or of another that is kept, into the workspace.
#[derive(Debug)]
pub(crate) struct DownloadArtifact;

impl NativeAction for DownloadArtifact {
    fn name(&self) -> &'static str {
        "actions/download-artifact"
    }

    fn in_container(&self) -> InContainer {
        InContainer::BuiltIn
    }

    fn metadata(&self) -> &'static str {
        "
name: Download a Build Artifact
inputs:
  name: {}
  artifact-ids: {}
  path: {}
  pattern: {}
  merge-multiple: { default: 'false' }
  github-token: {}
  repository: { default: '${{ github.repository }}' }
  run-id: { default: '${{ github.run_id }}' }
  digest-mismatch: { default: error }
  skip-decompress: { default: 'false' }
outputs:
  download-path: { description: folder that the artifacts were written to }
"
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        let before = "Unable to download artifact(s)";
        download_all(call).map_err(|error| NativeError(format!("{before}: {error}")))
    }
}

fn download_all(call: &mut Call<'_>) -> Result<(), NativeError> {
    let on_mismatch = match call.input("digest-mismatch") {
        "" => OnMismatch::Fail,
        text => OnMismatch::read(text)?,
    };
    let merge = call.flag("merge-multiple")?;
    if call.flag("skip-decompress")? {
        let message = "'skip-decompress' has no effect here: artifacts are kept as files, and not packed";
        call.effects.annotate(AnnotationLevel::Notice, message);
    }
    let run = run(call)?;
    let folder = match call.input("path") {
        "" => call.workspace().to_path_buf(),
        path => call.resolve("path", path)?,
    };
    let (name, ids) = (call.input("name").to_owned(), call.input("artifact-ids").to_owned());
    if !name.is_empty() && !ids.is_empty() {
        let message = "Inputs 'name' and 'artifact-ids' cannot be used together. Please specify only one.";
        return Err(NativeError(message.into()));
    }
    let all = call.artifacts.list(run).map_err(|error| NativeError(with_causes(&error)))?;
    let chosen = if !name.is_empty() {
        call.effects.log("Downloading single artifact");
        vec![only(all, &name, run)?]
    } else if !ids.is_empty() {
        call.effects.log("Downloading artifacts by ID");
        by_id(call, all, &ids)?
    } else {
        by_pattern(call, all, merge)
    };
    if !chosen.is_empty() {
        call.effects.log("Preparing to download the following artifacts:");
    }
    for artifact in &chosen {
        let ArtifactMeta { name, id, size, digest, .. } = artifact;
        call.effects.log(&format!("- {name} (ID: {id}, Size: {size}, Expected Digest: {digest})"));
    }
    let is_flat = !name.is_empty() || merge || (chosen.len() == 1 && writes_one_flat(call));
    let mut mismatched = Vec::new();
    for artifact in &chosen {
        let place = if is_flat { folder.clone() } else { folder.join(&artifact.name) };
        if !download(call, run, artifact, &place)? {
            mismatched.push(artifact.name.as_str());
        }
    }
    tell_mismatched(call, &mismatched, on_mismatch)?;
    call.effects.log(&format!("Total of {} artifact(s) downloaded", chosen.len()));
    call.effects.output("download-path", &folder.to_string_lossy());
    call.effects.log("Download artifact has finished successfully");
    Ok(())
}

/// What is done about an artifact that is not what was uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OnMismatch {
    Nothing,
    Info,
    Warn,
    Fail,
}

impl OnMismatch {
    fn read(text: &str) -> Result<Self, NativeError> {
        match text {
            "ignore" => Ok(Self::Nothing),
            "info" => Ok(Self::Info),
            "warn" => Ok(Self::Warn),
            "error" => Ok(Self::Fail),
            other => {
                let known = "Valid options are: ignore, info, warn, error";
                Err(NativeError(format!("Invalid value for 'digest-mismatch': '{other}'. {known}")))
            }
        }
    }
}

/// Whether a single artifact that was not asked for by its name is written without a folder of its own: from version 5 on.
fn writes_one_flat(call: &Call<'_>) -> bool {
    let reference = call.env.get("GITHUB_ACTION_REF").map_or("", String::as_str);
    let major = reference.strip_prefix('v').and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    major.is_none_or(|major| major >= 5)
}

fn run(call: &Call<'_>) -> Result<RunId, NativeError> {
    // As the real action: another run or repository is asked for with a token.
    if call.input("github-token").is_empty() {
        return Ok(call.run);
    }
    let repository = call.input("repository");
    if !repository.is_empty() && !repository.eq_ignore_ascii_case(&call.repository) {
        let ours = &call.repository;
        return Err(NativeError(format!(
            "the artifacts of {repository} are not on this machine, only those of {ours}"
        )));
    }
    match call.input("run-id") {
        "" => Ok(call.run),
        text => {
            text.parse().map(RunId).map_err(|_| NativeError(format!("Invalid run-id: `{text}`; expected a number")))
        }
    }
}

fn only(all: Vec<ArtifactMeta>, name: &str, run: RunId) -> Result<ArtifactMeta, NativeError> {
    let known = names(&all);
    all.into_iter().find(|artifact| artifact.name == name).ok_or_else(|| {
        let there = if known.is_empty() { "no artifacts".to_owned() } else { known };
        NativeError(format!("Artifact not found for name: {name}. Run {run} has {there}"))
    })
}

fn by_id(call: &mut Call<'_>, all: Vec<ArtifactMeta>, ids: &str) -> Result<Vec<ArtifactMeta>, NativeError> {
    let mut wanted = Vec::new();
    for id in ids.split(',').map(str::trim).filter(|id| !id.is_empty()) {
        let number = id.parse::<u64>();
        wanted.push(number.map_err(|_| NativeError(format!("Invalid artifact ID: '{id}'. Must be a number.")))?);
    }
    if wanted.is_empty() {
        return Err(NativeError("No valid artifact IDs provided in 'artifact-ids' input".into()));
    }
    let known = names(&all);
    let chosen: Vec<ArtifactMeta> = all.into_iter().filter(|artifact| wanted.contains(&artifact.id)).collect();
    if chosen.is_empty() {
        return Err(NativeError(format!("None of the provided artifact IDs were found; there are {known}")));
    }
    let missing = wanted.iter().filter(|id| !chosen.iter().any(|artifact| artifact.id == **id));
    let missing: Vec<String> = missing.map(u64::to_string).collect();
    if !missing.is_empty() {
        let message = format!("Could not find the following artifact IDs: {}", missing.join(", "));
        call.effects.annotate(AnnotationLevel::Warning, &message);
    }
    Ok(chosen)
}

fn by_pattern(call: &mut Call<'_>, mut all: Vec<ArtifactMeta>, merge: bool) -> Vec<ArtifactMeta> {
    let pattern = call.input("pattern").to_owned();
    if pattern.is_empty() {
        call.effects.log("No input name, artifact-ids or pattern filtered specified, downloading all artifacts");
        if !merge {
            call.effects.log("An extra directory with the artifact name will be created for each download");
        }
        return all;
    }
    let before = names(&all);
    all.retain(|artifact| search::name_matches(&pattern, &artifact.name));
    call.effects.log(&format!("Filtering artifacts by pattern '{pattern}'"));
    if all.is_empty() && !before.is_empty() {
        call.effects.annotate(AnnotationLevel::Notice, &format!("No artifact matches '{pattern}'; there are {before}"));
    }
    all
}

/// Writes an artifact; `false` if what is kept is not what was uploaded.
fn download(call: &mut Call<'_>, run: RunId, artifact: &ArtifactMeta, folder: &Path) -> Result<bool, NativeError> {
    let artifacts = call.artifacts.clone();
    // The folder of one of several may be there as a link.
    call.reached("input `path`", folder.to_owned())?;
    match artifacts.download(run, &artifact.name, folder) {
        Ok(meta) => {
            let ArtifactMeta { name, files, size, .. } = meta;
            let place = folder.display();
            call.effects.log(&format!("Artifact {name} ({files} files, {size} bytes) has been downloaded to {place}"));
            Ok(true)
        }
        Err(error @ StoreError::Damaged { .. }) => {
            call.effects.log(&with_causes(&error));
            Ok(false)
        }
        Err(error) => Err(NativeError(format!("artifact `{}`: {}", artifact.name, with_causes(&error)))),
    }
}

fn tell_mismatched(call: &mut Call<'_>, names: &[&str], on_mismatch: OnMismatch) -> Result<(), NativeError> {
    if names.is_empty() || on_mismatch == OnMismatch::Nothing {
        return Ok(());
    }
    let message = format!("Digest validation failed for artifact(s): {}", names.join(", "));
    match on_mismatch {
        OnMismatch::Fail => {
            return Err(NativeError(format!("{message}. Use 'digest-mismatch: warn' to continue on mismatch.")));
        }
        OnMismatch::Warn => call.effects.annotate(AnnotationLevel::Warning, &message),
        OnMismatch::Info | OnMismatch::Nothing => call.effects.log(&message),
    }
    Ok(())
}

fn names(artifacts: &[ArtifactMeta]) -> String {
    artifacts.iter().map(|artifact| format!("`{}`", artifact.name)).collect::<Vec<_>>().join(", ")
}
