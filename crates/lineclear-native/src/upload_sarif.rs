//! `github/codeql-action/upload-sarif`: findings for the forge's list of alerts.
//!
//! # Source
//! `upload-sarif/action.yml`, `src/upload-sarif-action.ts` and `src/upload-lib.ts` of `github/codeql-action`, versions 2 to 4.
//! Fingerprints are left as they are in the file.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use lineclear_event::AnnotationLevel;
use lineclear_forge::ApiRequest;
use lineclear_reports::{ReportKind, read};
use lineclear_runner::native::{Call, InContainer, NativeAction, NativeError};
use serde_json::{Value, json};

use crate::caching::text;
use crate::forge::{self, ForgeError};
use crate::{report_files, search};

/// Largest file, and how long its processing is waited for.
const LARGEST: u64 = 64 << 20;
const PATIENCE: Duration = Duration::from_secs(120);
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// Uploads SARIF files.
#[derive(Debug)]
pub(crate) struct UploadSarif;

impl NativeAction for UploadSarif {
    fn name(&self) -> &'static str {
        "github/codeql-action/upload-sarif"
    }

    fn in_container(&self) -> InContainer {
        InContainer::BuiltIn
    }

    fn metadata(&self) -> &'static str {
        "
name: 'CodeQL: Upload SARIF'
inputs:
  sarif_file: { default: ../results }
  checkout_path: { default: '${{ github.workspace }}' }
  ref: {}
  sha: {}
  token: { default: '${{ github.token }}' }
  matrix: { default: '${{ toJson(matrix) }}' }
  category: {}
  wait-for-processing: { default: 'true' }
outputs:
  sarif-id: { description: id of the upload }
  sarif-ids: { description: ids of the uploads by kind of analysis }
"
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        let waits = call.flag("wait-for-processing")?;
        let path = call.resolve("sarif_file", call.input("sarif_file"))?;
        let files = files(call, &path)?;
        call.effects.log("Uploading results");
        let mut runs = Vec::new();
        let mut version = Value::Null;
        for file in &files {
            call.effects.log(&format!("Processing sarif files: [{:?}]", file.display().to_string()));
            let mut log = match read_sarif(file) {
                Ok(log) => log,
                Err(error) => {
                    // The step fails, which `continue-on-error` may hide; the record does not.
                    let fact = report_files::unread(call, file, ReportKind::Sarif, &error.to_string());
                    report_files::tell(call, fact.into_iter().collect());
                    return Err(error);
                }
            };
            version = log["version"].take();
            if let Value::Array(own) = log["runs"].take() {
                runs.extend(own);
            }
        }
        let id = automation_id(call);
        for run in &mut runs {
            if run.is_object() && run["automationDetails"].is_null() {
                run["automationDetails"] = json!({ "id": id });
            }
        }
        let sarif = json!({ "version": version, "runs": runs });
        let sarif_text = sarif.to_string();
        let name = path.strip_prefix(call.workspace()).unwrap_or(&path).to_string_lossy().into_owned();
        let facts = read(ReportKind::Sarif, &name, sarif_text.as_bytes())
            .map_err(|error| NativeError(format!("Invalid SARIF. {error}")))?;
        let payload = payload(call, &sarif, &sarif_text)?;
        let upload = format!("{}/code-scanning/analysis", forge::repository(call));
        let answer = forge::send(call, &ApiRequest::new("PUT", &upload).json(&payload)).map_err(refused)?;
        call.effects.log("Successfully uploaded results");
        let id = match &answer["id"] {
            Value::String(id) => id.clone(),
            other => other.to_string(),
        };
        call.effects.output("sarif-id", &id);
        call.effects.output("sarif-ids", &json!({ "code-scanning": id }).to_string());
        for warning in report_files::incomplete(&facts) {
            call.effects.annotate(AnnotationLevel::Warning, &warning);
        }
        report_files::tell(call, facts);
        if waits { wait(call, &id) } else { Ok(()) }
    }
}

fn files(call: &Call<'_>, path: &Path) -> Result<Vec<PathBuf>, NativeError> {
    if !path.exists() {
        return Err(NativeError(format!("Path does not exist: {}", path.display())));
    }
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let files = search::files_below(call, "sarif_file", path, true)?;
    let files: Vec<PathBuf> =
        files.into_iter().filter(|file| file.extension().is_some_and(|end| end == "sarif")).collect();
    if files.is_empty() {
        return Err(NativeError(format!("No SARIF files found to upload in \"{}\".", path.display())));
    }
    Ok(files)
}

fn read_sarif(file: &Path) -> Result<Value, NativeError> {
    let shown = file.display();
    let invalid = |reason: String| NativeError(format!("Invalid SARIF. JSON syntax error in `{shown}`: {reason}"));
    let size = file.metadata().map_err(|error| invalid(error.to_string()))?.len();
    if size > LARGEST {
        return Err(NativeError(format!("`{shown}` has {size} bytes, and a SARIF file may have {LARGEST}")));
    }
    let bytes = std::fs::read(file).map_err(|error| invalid(error.to_string()))?;
    // Says in words what is wrong with a file that is no SARIF.
    read(ReportKind::Sarif, &shown.to_string(), &bytes)
        .map_err(|error| NativeError(format!("Invalid SARIF. {error}")))?;
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
    serde_json::from_slice(bytes).map_err(|error| invalid(error.to_string()))
}

/// The category that keeps the findings of several analyses apart: the input, or what names the job and its place in the matrix.
fn automation_id(call: &Call<'_>) -> String {
    let category = call.input("category");
    if !category.is_empty() {
        return if category.ends_with('/') { category.to_owned() } else { format!("{category}/") };
    }
    let mut id = format!("{}/", analysis_key(call));
    if let Ok(Value::Object(matrix)) = serde_json::from_str(call.input("matrix")) {
        let mut entries: Vec<(&String, &Value)> = matrix.iter().collect();
        entries.sort_by_key(|(name, _)| name.as_str());
        for (name, value) in entries {
            id.push_str(&format!("{name}:{}/", value.as_str().unwrap_or_default()));
        }
    }
    id
}

/// `.github/workflows/ci.yml:job`.
fn analysis_key(call: &Call<'_>) -> String {
    let github = &call.contexts.github;
    let reference = text(github, "workflow_ref");
    let path = reference.split('@').next().unwrap_or_default();
    let prefix = format!("{}/", text(github, "repository"));
    let path = path.strip_prefix(&prefix).unwrap_or(path);
    format!("{path}:{}", call.env.get("GITHUB_JOB").map_or("", String::as_str))
}

fn payload(call: &Call<'_>, sarif: &Value, sarif_text: &str) -> Result<Value, NativeError> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    let packed = packed.write_all(sarif_text.as_bytes()).and_then(|()| packed.finish());
    let packed = packed.map_err(|error| NativeError(format!("cannot compress the SARIF file: {error}")))?;
    let github = &call.contexts.github;
    let or = |input: &str, own: &str| if input.is_empty() { own.to_owned() } else { input.to_owned() };
    let number = |name: &str| text(github, name).parse::<u64>().unwrap_or(0);
    let names = sarif["runs"].as_array().into_iter().flatten().filter_map(|run| run["tool"]["driver"]["name"].as_str());
    let names: std::collections::BTreeSet<&str> = names.collect();
    let mut payload = json!({
        "commit_oid": or(call.input("sha"), text(github, "sha")),
        "ref": or(call.input("ref"), text(github, "ref")),
        "analysis_key": analysis_key(call),
        "analysis_name": text(github, "workflow"),
        "sarif": STANDARD.encode(packed),
        "workflow_run_id": number("run_id"),
        "workflow_run_attempt": number("run_attempt").max(1),
        "checkout_uri": format!("file://{}", call.input("checkout_path")),
        "environment": or(call.input("matrix"), "null"),
        "started_at": call.env.get("CODEQL_WORKFLOW_STARTED_AT"),
        "tool_names": names,
    });
    let pull = &github["event"]["pull_request"];
    if pull.is_object() {
        payload["base_ref"] = format!("refs/heads/{}", text(&pull["base"], "ref")).into();
        payload["base_sha"] = pull["base"]["sha"].clone();
    }
    Ok(payload)
}

fn refused(error: ForgeError) -> NativeError {
    if error.is_forbidden() {
        return NativeError(format!(
            "{}\nThis run of the CodeQL Action does not have permission to access the CodeQL Action API endpoints. This could be because \
             the Action is running on a pull request from a fork. If not, please ensure the workflow has at least the \
             'security-events: write' permission.",
            error.message
        ));
    }
    error.into()
}

/// Waits until the forge has taken the findings in.
fn wait(call: &mut Call<'_>, id: &str) -> Result<(), NativeError> {
    call.effects.log("Waiting for processing to finish");
    let path = format!("{}/code-scanning/sarifs/{id}", forge::repository(call));
    let start = Instant::now();
    loop {
        let answer = match forge::send(call, &ApiRequest::new("GET", &path)) {
            Ok(answer) => answer,
            // The upload is done; that nobody tells how it went on does not undo it.
            Err(error) => {
                call.effects.log(&format!("[warning]An error occurred checking the status of the delivery. {error}"));
                return Ok(());
            }
        };
        let status = text(&answer, "processing_status").to_owned();
        call.effects.log(&format!("Analysis upload status is {status}."));
        match status.as_str() {
            "complete" => return Ok(()),
            "failed" => {
                let errors = answer["errors"].as_array().into_iter().flatten().filter_map(Value::as_str);
                let errors = errors.map(|error| format!("- {error}")).collect::<Vec<_>>().join("\n");
                return Err(NativeError(format!(
                    "Code Scanning could not process the submitted SARIF file:\n{errors}"
                )));
            }
            _ => {}
        }
        let is_over = call.deadline.is_some_and(|deadline| Instant::now() >= deadline) || call.control.is_cancelled();
        if is_over || start.elapsed() > PATIENCE {
            let message = "Timed out waiting for analysis to finish processing. Continuing.";
            call.effects.log(&format!("[warning]{message}"));
            return Ok(());
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
}
