//! `codecov/codecov-action`: coverage for the run's record.
//!
//! The real action sends reports to a service. This one reads them and sends nothing anywhere, and says so.
//!
//! # Source
//! `action.yml` of the action, versions 3 to 5: where it looks for reports, and when it fails.

use std::path::PathBuf;

use lineclear_event::{AnnotationLevel, Fact};
use lineclear_reports::ReportKind;
use lineclear_runner::native::{Call, InContainer, NativeAction, NativeError};

use crate::{report_files, search};

/// Records coverage.
#[derive(Debug)]
pub(super) struct Codecov;

impl NativeAction for Codecov {
    fn name(&self) -> &'static str {
        "codecov/codecov-action"
    }

    fn in_container(&self) -> InContainer {
        InContainer::BuiltIn
    }

    fn metadata(&self) -> &'static str {
        "
name: Codecov
inputs:
  token: {}
  file: {}
  files: {}
  directory: {}
  flags: {}
  name: {}
  env_vars: {}
  exclude: {}
  handle_no_reports_found: { default: 'false' }
  disable_search: { default: 'false' }
  fail_ci_if_error: { default: 'false' }
  verbose: { default: 'false' }
  working-directory: {}
  root_dir: {}
  slug: {}
  url: {}
  use_oidc: { default: 'false' }
  os: {}
  override_branch: {}
  override_build: {}
  override_build_url: {}
  override_commit: {}
  override_pr: {}
  plugins: {}
  plugin: {}
  report_code: {}
  report_type: {}
  binary: {}
  base_sha: {}
  codecov_yml_path: {}
  commit_parent: {}
  disable_file_fixes: { default: 'false' }
  disable_safe_directory: { default: 'false' }
  disable_telem: { default: 'false' }
  dry_run: { default: 'false' }
  force: {}
  git_service: {}
  gcov_args: {}
  gcov_executable: {}
  gcov_ignore: {}
  gcov_include: {}
  network_filter: {}
  network_prefix: {}
  recurse_submodules: { default: 'false' }
  run_command: {}
  skip_validation: { default: 'false' }
  use_legacy_upload_endpoint: { default: 'false' }
  use_pypi: { default: 'false' }
  version: {}
  functionalities: {}
  move_coverage_to_trash: {}
  xcode: {}
  xcode_archive_path: {}
  swift: {}
  swift_project: {}
"
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        let fail = call.flag("fail_ci_if_error")? && !call.flag("handle_no_reports_found")?;
        let files = files(call)?;
        let mut facts: Vec<Fact> = Vec::new();
        for file in &files {
            let kind = report_files::kind_of(file);
            let Some(kind @ (ReportKind::Cobertura | ReportKind::Jacoco | ReportKind::Lcov)) = kind else { continue };
            match report_files::read_file(call.workspace(), file, kind) {
                Ok(found) => {
                    call.effects.log(&format!("Found coverage report {}", file.display()));
                    facts.extend(found);
                }
                Err(reason) => call.effects.annotate(AnnotationLevel::Warning, &reason),
            }
        }
        if facts.is_empty() {
            let message = "No coverage reports found. Please make sure you're generating reports successfully.";
            if fail {
                return Err(NativeError(message.into()));
            }
            call.effects.log(message);
            return Ok(());
        }
        report_files::tell(call, facts);
        let nothing_sent = "the coverage is in the run's record, and nothing was sent to Codecov";
        if call.input("token").is_empty() && !call.flag("use_oidc")? {
            call.effects.log(&format!("No token is given: {nothing_sent}"));
        } else {
            call.effects.log(&format!(
                "Built in, the action sends nothing: {nothing_sent}. --no-native-actions uses the real one"
            ));
        }
        Ok(())
    }
}

/// The files named, and those that look like coverage unless the search is turned off.
fn files(call: &mut Call<'_>) -> Result<Vec<PathBuf>, NativeError> {
    let folder = [call.input("working-directory"), call.input("directory")]
        .iter()
        .fold(call.workspace().to_path_buf(), |folder, next| if next.is_empty() { folder } else { folder.join(next) });
    let named: Vec<String> = [call.input("files"), call.input("file")]
        .iter()
        .flat_map(|names| names.split([',', '\n']))
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    let mut files = Vec::new();
    for name in &named {
        let file = [folder.join(name), call.workspace().join(name)].into_iter().find(|file| file.is_file());
        match file {
            Some(file) => files.push(call.reached("input `files`", file)?),
            None => {
                call.effects.annotate(AnnotationLevel::Warning, &format!("The coverage file `{name}` does not exist"))
            }
        }
    }
    if named.is_empty() && !call.flag("disable_search")? && folder.is_dir() {
        let skipped = ["node_modules", ".git", "vendor", ".venv", "venv"];
        let is_skipped = |file: &PathBuf| {
            let inside = file.strip_prefix(&folder).unwrap_or(file);
            inside.components().any(|part| skipped.iter().any(|skipped| part.as_os_str() == *skipped))
        };
        files.extend(
            search::files_below(call, "directory", &folder, true)?.into_iter().filter(|file| !is_skipped(file)),
        );
    }
    Ok(files)
}
