//! `actions/upload-artifact/merge`: several artifacts of a run become one.
//!
//! # Source
//! `merge/action.yml` and `src/merge` of `actions/upload-artifact`.

use lineclear_event::with_causes;
use lineclear_runner::native::{Call, InContainer, NativeAction, NativeError};

use crate::search;
use crate::upload_artifact::{Keeping, named, report, upload};

/// Downloads what matches, and uploads it again as one artifact.
#[derive(Debug)]
pub(crate) struct MergeArtifacts;

impl NativeAction for MergeArtifacts {
    fn name(&self) -> &'static str {
        "actions/upload-artifact/merge"
    }

    fn in_container(&self) -> InContainer {
        InContainer::BuiltIn
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
        for (input, value) in [("name", &name), ("pattern", &pattern)] {
            if value.is_empty() {
                return Err(NativeError(format!("Input required and not supplied: {input}")));
            }
        }
        let (delete, keeping) = (call.flag("delete-merged")?, Keeping::read(call)?);
        let artifacts = call.artifacts.clone();
        let wrong = |error: lineclear_store::StoreError| NativeError(with_causes(&error));
        let mut chosen = artifacts.list(call.run).map_err(wrong)?;
        let known = chosen.len();
        chosen.retain(|artifact| search::name_matches(&pattern, &artifact.name));
        if chosen.is_empty() {
            return Err(NativeError(format!("No artifacts found matching pattern '{pattern}'; the run has {known}")));
        }
        call.effects.log("Preparing to download the following artifacts:");
        for artifact in &chosen {
            call.effects.log(&format!("- {} (ID: {}, Size: {})", artifact.name, artifact.id, artifact.size));
        }
        // Removed when it is dropped, whatever happens.
        let together = tempfile::Builder::new()
            .prefix("merge-artifact-")
            .tempdir_in(&call.room.layout().temp)
            .map_err(|error| NativeError(format!("cannot make a folder to merge in: {error}")))?;
        for artifact in &chosen {
            let place = if separate { together.path().join(&artifact.name) } else { together.path().to_path_buf() };
            artifacts.download(call.run, &artifact.name, &place).map_err(wrong)?;
        }
        let files = search::files_below(call, "pattern", together.path(), hidden)?;
        let meta = upload(call, &name, named(together.path(), &files), false, keeping)?;
        report(call, &meta);
        call.effects.log(&format!("The {} artifact(s) have been successfully merged!", chosen.len()));
        if delete {
            for artifact in &chosen {
                artifacts.delete(call.run, &artifact.name).map_err(wrong)?;
            }
            call.effects.log(&format!("The {} artifact(s) have been deleted", chosen.len()));
        }
        Ok(())
    }
}
