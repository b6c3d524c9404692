//! `actions/download-artifact`.

use std::path::{Path, PathBuf};

use lineclear_event::{AnnotationLevel, RunId};
use lineclear_runner::native::{Call, NativeAction, NativeError};
use lineclear_store::ArtifactMeta;

use crate::caching::with_causes;
use crate::search;

/// Writes artifacts of this run, or of another that is kept, into the workspace.
#[derive(Debug)]
pub(crate) struct DownloadArtifact;

impl NativeAction for DownloadArtifact {
    fn name(&self) -> &'static str {
        "actions/download-artifact"
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
        let run = run(call)?;
        let folder = match call.input("path") {
            "" => call.workspace().to_path_buf(),
            path => call.resolve(path),
        };
        let (name, ids) = (call.input("name").to_owned(), call.input("artifact-ids").to_owned());
        if !name.is_empty() && !ids.is_empty() {
            let message = "Inputs 'name' and 'artifact-ids' cannot be used together. Please specify only one.";
            return Err(NativeError(message.into()));
        }
        let all = call.artifacts.list(run).map_err(|error| NativeError(with_causes(&error)))?;
        let merge = call.flag("merge-multiple")?;
        let is_single = !name.is_empty();
        let chosen = if is_single {
            vec![only(all, &name)?]
        } else if !ids.is_empty() {
            by_id(all, &ids)?
        } else {
            by_pattern(call, all)
        };
        // One artifact asked for by its id is written flat, like one asked for by name.
        let is_flat = is_single || merge || !ids.is_empty() && chosen.len() == 1;
        if chosen.len() > 1 || !is_flat {
            call.effects.log(&format!("Preparing to download the following artifacts: {}", names(&chosen)));
        }
        let total = chosen.len();
        for artifact in chosen {
            let place = if is_flat { folder.clone() } else { folder.join(&artifact.name) };
            download(call, run, &artifact, &place)?;
        }
        call.effects.log(&format!("Total of {total} artifact(s) downloaded"));
        call.effects.output("download-path", &folder.to_string_lossy());
        Ok(())
    }
}

fn run(call: &Call<'_>) -> Result<RunId, NativeError> {
    match call.input("run-id") {
        "" => Ok(call.run),
        text => {
            text.parse().map(RunId).map_err(|_| NativeError(format!("Invalid run-id: `{text}`; expected a number")))
        }
    }
}

fn only(all: Vec<ArtifactMeta>, name: &str) -> Result<ArtifactMeta, NativeError> {
    let known = names(&all);
    all.into_iter().find(|artifact| artifact.name == name).ok_or_else(|| {
        let there =
            if known.is_empty() { "The run has no artifacts".to_owned() } else { format!("The run has {known}") };
        NativeError(format!("Unable to download artifact(s): Artifact not found for name: {name}. {there}."))
    })
}

fn by_id(all: Vec<ArtifactMeta>, ids: &str) -> Result<Vec<ArtifactMeta>, NativeError> {
    let mut chosen = Vec::new();
    for id in ids.split(',').map(str::trim).filter(|id| !id.is_empty()) {
        let number: u64 =
            id.parse().map_err(|_| NativeError(format!("Invalid artifact ID: '{id}'. Must be a number.")))?;
        let artifact = all.iter().find(|artifact| artifact.id == number);
        chosen.push(
            artifact
                .cloned()
                .ok_or_else(|| NativeError(format!("None of the provided artifact IDs were found: {id}")))?,
        );
    }
    Ok(chosen)
}

fn by_pattern(call: &mut Call<'_>, mut all: Vec<ArtifactMeta>) -> Vec<ArtifactMeta> {
    let pattern = call.input("pattern").to_owned();
    if pattern.is_empty() {
        call.effects.log("No input name, artifact-ids or pattern filtered specified, downloading all artifacts");
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

fn download(call: &mut Call<'_>, run: RunId, artifact: &ArtifactMeta, folder: &Path) -> Result<(), NativeError> {
    let folder: PathBuf = folder.to_path_buf();
    let artifacts = call.artifacts.clone();
    let meta = artifacts.download(run, &artifact.name, &folder).map_err(|error| {
        NativeError(format!("Unable to download artifact `{}`: {}", artifact.name, with_causes(&error)))
    })?;
    call.effects.log(&format!(
        "Artifact {} ({} files, {} bytes) has been downloaded to {}",
        meta.name,
        meta.files,
        meta.size,
        folder.display()
    ));
    Ok(())
}

fn names(artifacts: &[ArtifactMeta]) -> String {
    artifacts.iter().map(|artifact| format!("`{}`", artifact.name)).collect::<Vec<_>>().join(", ")
}
