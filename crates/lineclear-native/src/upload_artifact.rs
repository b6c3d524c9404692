//! `actions/upload-artifact`.
//!
//! # Source
//! `src/upload` and `src/shared` of `actions/upload-artifact`: what is searched, how the root is found, what is said.

use std::path::{Path, PathBuf};

use lineclear_event::{AnnotationLevel, with_causes};
use lineclear_runner::native::{Call, InContainer, NativeAction, NativeError};
use lineclear_store::{ArtifactMeta, ArtifactRequest};

use crate::caching::text;
use crate::{report_files, search};

/// Keeps files under a name until the run is removed or their retention is over.
#[derive(Debug)]
pub(crate) struct UploadArtifact;

impl NativeAction for UploadArtifact {
    fn name(&self) -> &'static str {
        "actions/upload-artifact"
    }

    fn in_container(&self) -> InContainer {
        InContainer::BuiltIn
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
        // Read before anything is looked for: what is wrong there is wrong whatever is found.
        let keeping = Keeping::read(call)?;
        let (archive, overwrite) = (call.flag("archive")?, call.flag("overwrite")?);
        let paths: Vec<String> = call.lines("path").into_iter().map(str::to_owned).collect();
        let hidden = call.flag("include-hidden-files")?;
        let found = search::artifact_files(call, "path", &paths, hidden)?;
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
        if !archive {
            let [(inside, file)] = files.as_mut_slice() else {
                let message = "When 'archive' is set to false, only a single file can be uploaded. Found";
                return Err(NativeError(format!("{message} {count} files to upload.")));
            };
            // Unpacked, the artifact is the file and has its name.
            name = file_name(file);
            inside.clone_from(&name);
        }
        let meta = upload(call, &name, files, overwrite, keeping)?;
        report(call, &meta);
        report_files::take_in(call, &found.files);
        Ok(())
    }
}

/// Each file with its path inside the artifact.
pub(crate) fn named(root: &Path, files: &[PathBuf]) -> Vec<(String, PathBuf)> {
    let inside = |file: &Path| file.strip_prefix(root).unwrap_or(file).to_string_lossy().into_owned();
    files.iter().map(|file| (inside(file), file.clone())).collect()
}

fn file_name(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// How an artifact is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Keeping {
    /// `None` for the store's own default.
    retention_days: Option<u32>,
    compression_level: u32,
}

impl Keeping {
    /// # Errors
    /// An input that is no number, or one that is out of bounds.
    pub(crate) fn read(call: &Call<'_>) -> Result<Self, NativeError> {
        Self::of(call.input("retention-days"), call.input("compression-level"))
    }

    /// # Errors
    /// A text that is no number, or one that is out of bounds; an empty one is the default.
    pub(crate) fn of(retention_days: &str, compression_level: &str) -> Result<Self, NativeError> {
        let retention_days = match retention_days {
            "" => None,
            text => {
                let days = text.parse::<u32>().map_err(|_| {
                    NativeError(format!(
                        "Invalid retention-days: `{text}` is no number of days; 0 means as long as by default"
                    ))
                })?;
                Some(days).filter(|days| *days > 0)
            }
        };
        let compression_level = match compression_level {
            "" => 6,
            text => text
                .parse::<u32>()
                .ok()
                .filter(|level| *level <= 9)
                .ok_or_else(|| NativeError(format!("Invalid compression-level: `{text}`. Valid values are 0-9")))?,
        };
        Ok(Self { retention_days, compression_level })
    }
}

/// Stores the files under a name.
///
/// # Errors
/// The name or that of a file is not allowed, the name is taken, or the store fails.
pub(crate) fn upload(
    call: &mut Call<'_>,
    name: &str,
    files: Vec<(String, PathBuf)>,
    overwrite: bool,
    keeping: Keeping,
) -> Result<ArtifactMeta, NativeError> {
    let request = ArtifactRequest {
        run: call.run,
        name: name.to_owned(),
        files,
        overwrite,
        retention_days: keeping.retention_days,
        compression_level: keeping.compression_level,
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
    call.effects.log(&format!("Artifact download URL: {url}"));
    call.effects.output("artifact-id", &meta.id.to_string());
    call.effects.output("artifact-url", &url);
    call.effects.output("artifact-digest", &digest);
}
