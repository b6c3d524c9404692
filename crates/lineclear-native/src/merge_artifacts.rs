//! `actions/upload-artifact/merge`: several artifacts of a run become one.

use std::path::{Path, PathBuf};

use lineclear_runner::native::{Call, NativeAction, NativeError};

use crate::caching::with_causes;
use crate::search;
use crate::upload_artifact::{report, upload};

/// Downloads what matches, and uploads it again as one artifact.
#[derive(Debug)]
pub(crate) struct MergeArtifacts;

impl NativeAction for MergeArtifacts {
    fn name(&self) -> &'static str {
        "actions/upload-artifact/merge"
    }

    fn metadata(&self) -> &'static str {
        "
name: Merge Build Artifacts
inputs:
  name: { default: merged-artifacts }
  pattern: { default: '*' }
  separate-directories: { default: 'false' }
  retention-days: {}
  compression-level: { default: '6' }
  delete-merged: { default: 'false' }
  include-hidden-files: { default: 'false' }
outputs:
  artifact-id: { description: id of the artifact }
  artifact-url: { description: address of the artifact }
  artifact-digest: { description: SHA-256 of the artifact }
"
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        let (pattern, name) = (call.input("pattern").to_owned(), call.input("name").to_owned());
        let (separate, hidden) = (call.flag("separate-directories")?, call.flag("include-hidden-files")?);
        let artifacts = call.artifacts.clone();
        let wrong = |error: lineclear_store::StoreError| NativeError(with_causes(&error));
        let mut chosen = artifacts.list(call.run).map_err(wrong)?;
        chosen.retain(|artifact| search::name_matches(&pattern, &artifact.name));
        if chosen.is_empty() {
            return Err(NativeError(format!("No artifacts were found with the provided pattern: '{pattern}'")));
        }
        call.effects.log(&format!("Merging {} artifacts into `{name}`", chosen.len()));
        let together = call.room.layout().temp.join("_merged_artifacts");
        for artifact in &chosen {
            let place = if separate { together.join(&artifact.name) } else { together.clone() };
            artifacts.download(call.run, &artifact.name, &place).map_err(wrong)?;
        }
        let files = below(&together, hidden)
            .map_err(|error| NativeError(format!("cannot read `{}`: {error}", together.display())))?;
        let meta = upload(call, &name, files, false)?;
        report(call, &meta);
        if call.flag("delete-merged")? {
            for artifact in chosen.iter().filter(|artifact| artifact.name != name) {
                artifacts.delete(call.run, &artifact.name).map_err(wrong)?;
                call.effects.log(&format!("Artifact `{}` is deleted", artifact.name));
            }
        }
        // What stays behind goes with the job's temporary folder.
        let _ = std::fs::remove_dir_all(&together);
        Ok(())
    }
}

/// Every file below `root` with its path from there.
fn below(root: &Path, hidden: bool) -> std::io::Result<Vec<(String, PathBuf)>> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            if !hidden && entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else {
                let inside = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
                files.push((inside, path));
            }
        }
    }
    files.sort();
    Ok(files)
}
