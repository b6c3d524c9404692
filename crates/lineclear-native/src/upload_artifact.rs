//! `actions/upload-artifact`.
//!
//! # Source
//! `src/upload` and `src/shared` of `actions/upload-artifact`: what is searched, how the root is found, what is said.

use std::path::{Path, PathBuf};

use lineclear_event::AnnotationLevel;
use lineclear_runner::native::{Call, NativeAction, NativeError};
use lineclear_store::{ArtifactMeta, ArtifactRequest};

use crate::caching::{text, with_causes};
use crate::search;

/// Keeps files under a name until the run is removed or their retention is over.
#[derive(Debug)]
pub(crate) struct UploadArtifact;

impl NativeAction for UploadArtifact {
    fn name(&self) -> &'static str {
        "actions/upload-artifact"
    }

    fn metadata(&self) -> &'static str {
        "
name: Upload a Build Artifact
inputs:
  name: { default: artifact }
  path: { required: true }
  if-no-files-found: { default: warn }
  retention-days: {}
  compression-level: { default: '6' }
  overwrite: { default: 'false' }
  include-hidden-files: { default: 'false' }
  archive: { default: 'true' }
outputs:
  artifact-id: { description: id of the artifact }
  artifact-url: { description: address of the artifact }
  artifact-digest: { description: SHA-256 of the artifact }
"
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        if call.input("path").is_empty() {
            return Err(NativeError("Input required and not supplied: path".into()));
        }
        let if_none = call.input("if-no-files-found").to_owned();
        if !["warn", "error", "ignore"].contains(&if_none.as_str()) {
            let known = "Unrecognized if-no-files-found input. Provided";
            return Err(NativeError(format!("{known}: {if_none}. Available options: warn,error,ignore")));
        }
        let paths: Vec<String> = call.lines("path").into_iter().map(str::to_owned).collect();
        let hidden = call.flag("include-hidden-files")?;
        let found = search::artifact_files(call, &paths, hidden)?;
        if found.files.is_empty() {
            let message = format!(
                "No files were found with the provided path: {}. No artifacts will be uploaded.",
                paths.join("\n")
            );
            return match if_none.as_str() {
                "error" => Err(NativeError(message)),
                "warn" => {
                    call.effects.annotate(AnnotationLevel::Warning, &message);
                    Ok(())
                }
                _ => {
                    call.effects.log(&message);
                    Ok(())
                }
            };
        }
        let count = found.files.len();
        let plural = if count == 1 { "" } else { "s" };
        call.effects.log(&format!("With the provided path, there will be {count} file{plural} uploaded"));
        let mut name = call.input("name").to_owned();
        let mut files = named(&found.root, &found.files);
        if !call.flag("archive")? {
            let [(inside, file)] = files.as_mut_slice() else {
                let message = "When 'archive' is set to false, only a single file can be uploaded. Found";
                return Err(NativeError(format!("{message} {count} files to upload.")));
            };
            // Unpacked, the artifact is the file and has its name.
            name = file_name(file);
            inside.clone_from(&name);
        }
        let meta = upload(call, &name, files, call.flag("overwrite")?)?;
        report(call, &meta);
        Ok(())
    }
}

/// Each file with its path inside the artifact.
fn named(root: &Path, files: &[PathBuf]) -> Vec<(String, PathBuf)> {
    let inside = |file: &Path| file.strip_prefix(root).unwrap_or(file).to_string_lossy().replace('\\', "/");
    files.iter().map(|file| (inside(file), file.clone())).collect()
}

fn file_name(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Stores the files under a name.
pub(crate) fn upload(
    call: &mut Call<'_>,
    name: &str,
    files: Vec<(String, PathBuf)>,
    overwrite: bool,
) -> Result<ArtifactMeta, NativeError> {
    let number = |input: &str, limit: u32| match call.input(input) {
        "" => Ok(None),
        text => match text.parse::<u32>() {
            Ok(number) if number <= limit => Ok(Some(number)),
            _ => Err(NativeError(format!("Invalid {input}: `{text}`; expected a whole number from 0 to {limit}"))),
        },
    };
    let request = ArtifactRequest {
        run: call.run,
        name: name.to_owned(),
        files,
        overwrite,
        retention_days: number("retention-days", 3650)?.filter(|&days| days > 0),
        compression_level: number("compression-level", 9)?.unwrap_or(6),
        now: call.now,
    };
    call.artifacts.upload(&request).map_err(|error| NativeError(with_causes(&error)))
}

/// Sets the outputs and says what was kept.
pub(crate) fn report(call: &mut Call<'_>, meta: &ArtifactMeta) {
    let github = &call.contexts.github;
    let (server, repository) = (text(github, "server_url"), text(github, "repository"));
    let url = format!("{server}/{repository}/actions/runs/{}/artifacts/{}", meta.run, meta.id);
    let digest = meta.digest.strip_prefix("sha256:").unwrap_or(&meta.digest).to_owned();
    let said = format!(
        "Artifact {} has been successfully uploaded! Final size is {} bytes. Artifact ID is {}",
        meta.name, meta.size, meta.id
    );
    call.effects.log(&format!("SHA256 digest of uploaded artifact is {digest}"));
    call.effects.log(&said);
    call.effects.output("artifact-id", &meta.id.to_string());
    call.effects.output("artifact-url", &url);
    call.effects.output("artifact-digest", &digest);
}
