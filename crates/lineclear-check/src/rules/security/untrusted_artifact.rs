//! `untrusted-artifact`: a run with secrets trusts files that a pull request's run uploaded.

use lineclear_source::{Severity, Span};
use lineclear_workflow::{ActionRef, StepKind};

use super::command_files::{Write, writes};
use super::execution::runs_workspace;
use super::trust::{Guard, guard_of};
use crate::uses::{input, is_of_repository};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, ScriptSite, StepSite, page};

/// Manual and tests: `docs/rules/untrusted-artifact.md`.
#[derive(Debug)]
pub(super) struct UntrustedArtifact;

static META: RuleMeta = RuleMeta {
    id: "untrusted-artifact",
    summary: "a run with secrets trusts files that a pull request's run uploaded",
    severity: Severity::Error,
    group: Group::Security,
    activity: Activity::Default,
    dialects: &[Dialect::GitHub],
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("untrusted-artifact"),
};

/// Runs with secrets that look at what a pull request's run left. Of several the first counts.
const EVENTS: &[&str] = &["workflow_run", "pull_request_target", "issue_comment"];

impl Rule for UntrustedArtifact {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        let Some(event) = EVENTS.iter().find(|event| workflow.on.get(event).is_some()) else { return };
        let sites = file.steps();
        for (index, site) in sites.iter().enumerate() {
            let Some(download) = download(file, *site) else { continue };
            let guard = guard_of(event, site.job, Some(site.step));
            if guard >= Guard::Trusted {
                continue;
            }
            let same_job = sites.iter().skip(index + 1).take_while(|later| match (later.job, site.job) {
                (Some(one), Some(other)) => std::ptr::eq(one, other),
                _ => false,
            });
            let used = same_job.clone().find_map(|later| use_of(file, *later));
            let (severity, message) = match &used {
                Some((_, what)) => (
                    Severity::Error,
                    format!(
                        "unpacks files that anyone's pull request may have made, and {what}: it has the job's secrets and token"
                    ),
                ),
                None if download.is_apart => continue,
                None => (
                    Severity::Warning,
                    "unpacks files that anyone's pull request may have made over the files of the workspace".to_owned(),
                ),
            };
            let finding = report.at(download.span, message);
            finding.severity(if guard == Guard::Asked && severity == Severity::Error {
                Severity::Warning
            } else {
                severity
            });
            if let Some((span, _)) = used {
                finding.label(span, "uses what was unpacked");
            }
            finding.help("unpack into a folder of its own (`path: ${{ runner.temp }}/artifact`), run nothing of it, and check each value that is read");
        }
    }
}

struct Download {
    span: Span,
    /// Whether the files have a folder of their own.
    is_apart: bool,
}

fn download(file: &File<'_>, site: StepSite<'_>) -> Option<Download> {
    match &site.step.kind {
        StepKind::Uses { uses, with } => {
            let input = |name: &str| input(with, name);
            let is_apart = input("path").is_some_and(|path| {
                let path = path.raw().trim().trim_end_matches('/');
                !matches!(path, "" | "." | "./" | "${{ github.workspace }}")
            });
            let is_download = is_of_repository(&uses.value, "dawidd6/action-download-artifact")
                || is_of_repository(&uses.value, "actions/download-artifact") && input("run-id").is_some()
                || is_of_repository(&uses.value, "actions/github-script")
                    && input("script").is_some_and(|script| script.raw().contains("downloadArtifact"));
            let is_script = is_of_repository(&uses.value, "actions/github-script");
            is_download.then_some(Download { span: uses.span, is_apart: is_apart || is_script })
        }
        StepKind::Run { .. } => {
            let script = file.script_of(site).filter(|script| script.raw().contains("download"))?;
            script.script().commands.iter().find_map(|command| {
                let ("gh", arguments) = command.program()? else { return None };
                let is_download =
                    matches!(arguments, [run, download, ..] if run.text == "run" && download.text == "download");
                let is_apart = arguments
                    .iter()
                    .any(|word| matches!(word.text.as_str(), "-D" | "--dir") || word.text.starts_with("--dir="));
                is_download.then(|| Download { span: script.span_of(command.span.clone()), is_apart })
            })
        }
        _ => None,
    }
}

/// What a later step does with the files.
fn use_of(file: &File<'_>, site: StepSite<'_>) -> Option<(Span, String)> {
    if let Some(span) = file.script_of(site).and_then(reads_into_environment) {
        return Some((span, "reads them into the variables of later steps".to_owned()));
    }
    if let StepKind::Uses { uses, .. } = &site.step.kind
        && !matches!(uses.value, ActionRef::Local { .. })
    {
        return None;
    }
    let runs = runs_workspace(file, site)?;
    Some((runs.span, format!("`{}` runs beside them", lineclear_source::shortened(&runs.what, 40))))
}

fn reads_into_environment(script: &ScriptSite<'_>) -> Option<Span> {
    let mut files = ["GITHUB_ENV", "GITHUB_PATH"].into_iter().filter(|file| script.raw().contains(file));
    files.find_map(|file| {
        let write = writes(script.script(), file).find(Write::reads_file)?;
        Some(script.span_of(write.command.span.clone()))
    })
}
