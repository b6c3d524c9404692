//! `anchore/scan-action`: an image, a folder or a list of contents looked through for known vulnerabilities.
//!
//! # Source
//! `action.yml` and `index.js` of the action, versions 3 to 7: exactly one of `image`, `path` and `sbom`; a cutoff that fails the step unless
//! `fail-build` is off; the report's path in the output that has the format's name.

use std::path::PathBuf;
use std::sync::Arc;

use lineclear_event::{AnnotationLevel, Severity};
use lineclear_runner::native::{Call, InContainer, NativeAction, NativeError};

use super::{Vulnerabilities, looked, refused, report, taken};

/// The action.
#[derive(Debug)]
pub(super) struct ScanAction {
    pub(super) known: Arc<dyn Vulnerabilities>,
}

pub(super) const NAME: &str = "anchore/scan-action";
/// Files that the real scanner is configured by.
const CONFIGURATIONS: [&str; 3] = [".grype.yaml", ".grype/config.yaml", "grype.yaml"];

impl NativeAction for ScanAction {
    fn name(&self) -> &'static str {
        NAME
    }

    /// The first versions have other inputs.
    fn stands_for(&self, reference: &str) -> bool {
        let is_old = ["v1", "v2"]
            .iter()
            .any(|old| reference.strip_prefix(old).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')));
        self.known.is_there() && !is_old
    }

    fn in_container(&self) -> InContainer {
        InContainer::BuiltIn
    }

    fn metadata(&self) -> &'static str {
        "
name: Anchore Container Scan
inputs:
  image: {}
  path: {}
  sbom: {}
  registry-username: {}
  registry-password: {}
  fail-build: { default: 'true' }
  output-format: { default: sarif }
  output-file: {}
  severity-cutoff: { default: medium }
  only-fixed: { default: 'false' }
  add-cpes-if-none: { default: 'false' }
  by-cve: { default: 'false' }
  grype-version: {}
  vex: {}
  cache-db: { default: 'false' }
  config: {}
outputs:
  sarif: { description: path of the report as SARIF }
  json: { description: path of the report as JSON }
"
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        let fails = call.flag("fail-build")?;
        let only_fixed = call.flag("only-fixed")?;
        let format = call.input("output-format").to_owned();
        let cutoff = cutoff(call.input("severity-cutoff"))?;
        for input in ["vex", "config"] {
            if !call.input(input).is_empty() {
                return Err(refused(&format!("{input}: `{}`", call.input(input))));
            }
        }
        if call.flag("add-cpes-if-none")? {
            return Err(refused("add-cpes-if-none"));
        }
        if let Some(file) = CONFIGURATIONS.iter().find(|file| call.workspace().join(file).exists()) {
            return Err(refused(&format!("the configuration file `{file}`")));
        }
        if !["sarif", "json", "table"].contains(&format.as_str()) {
            return Err(refused(&format!("output-format: `{format}`")));
        }
        let taken = take(call)?;
        let mut looked = looked::look(call, taken, &self.known)?;
        let gaps = looked.gaps();
        looked.retain(|hit| !(only_fixed && hit.fixed.is_empty()));
        let text = match format.as_str() {
            "table" => report::table(&looked),
            "json" => format!("{:#}\n", report::grype(&looked)),
            _ => format!("{:#}\n", report::sarif(&looked)),
        };
        write(call, &format, &text)?;
        let reached = looked.hits().any(|hit| hit.severity >= cutoff);
        let failure = if reached {
            let cutoff = call.input("severity-cutoff").to_owned();
            format!("Failed minimum severity level. Found vulnerabilities with level '{cutoff}' or higher")
        } else if gaps.is_empty() {
            return Ok(());
        } else {
            format!("not everything could be looked up, so nobody knows: {}", gaps.join("; "))
        };
        if fails {
            return Err(NativeError(failure));
        }
        call.effects.annotate(AnnotationLevel::Warning, &failure);
        Ok(())
    }
}

/// What fails the step, from here on up; a severity that nobody knows never does.
fn cutoff(word: &str) -> Result<Severity, NativeError> {
    match word.to_ascii_lowercase().as_str() {
        "negligible" | "low" => Ok(Severity::Low),
        "medium" => Ok(Severity::Medium),
        "high" => Ok(Severity::High),
        "critical" => Ok(Severity::Critical),
        _ => Err(NativeError(format!("severity-cutoff: `{word}` is none of negligible, low, medium, high, critical"))),
    }
}

fn take(call: &mut Call<'_>) -> Result<taken::Taken, NativeError> {
    let [image, path, sbom] = ["image", "path", "sbom"].map(|input| call.input(input).to_owned());
    match (image.as_str(), path.as_str(), sbom.as_str()) {
        (image, "", "") if !image.is_empty() => {
            let login = ["registry-username", "registry-password"].map(|input| call.input(input).to_owned());
            let login = (!login[0].is_empty()).then_some((login[0].as_str(), login[1].as_str()));
            taken::image(call, image, login)
        }
        ("", path, "") if !path.is_empty() => taken::folder(&call.resolve("path", path)?, path),
        ("", "", sbom) if !sbom.is_empty() => taken::document(&call.resolve("sbom", sbom)?, sbom),
        ("", "", "") => Err(NativeError("one of `image`, `path` and `sbom` has to be given".into())),
        _ => Err(NativeError("only one of `image`, `path` and `sbom` may be given".into())),
    }
}

/// A report for people is in the log; one for programs in a file, whose path is an output.
fn write(call: &mut Call<'_>, format: &str, text: &str) -> Result<(), NativeError> {
    let given = call.input("output-file");
    let path = match given {
        "" if format == "table" => {
            call.effects.log(text.trim_end());
            return Ok(());
        }
        "" => {
            let folder = call.env.get("RUNNER_TEMP").map_or_else(std::env::temp_dir, PathBuf::from);
            let folder = tempfile::Builder::new().prefix("grype-").tempdir_in(folder);
            let folder = folder.map_err(|error| NativeError(format!("no temporary folder: {error}")))?;
            // It goes with the job's folders.
            folder.keep().join("output")
        }
        given => call.resolve("output-file", given)?,
    };
    let written = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&path, text));
    written.map_err(|error| NativeError(format!("`{}` cannot be written: {error}", path.display())))?;
    if format != "table" {
        call.effects.output(format, &path.to_string_lossy());
    }
    Ok(())
}
