//! `untrusted-artifact`: a run with secrets trusts files that a pull request's run uploaded.

use lineclear_source::{Severity, Span};
use lineclear_workflow::{ActionRef, Step, StepKind, Text};

use super::execution::runs_workspace;
use super::relay::is_action;
use super::trust::{Guard, guard_of};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

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
            let Some(download) = download(site.step) else { continue };
            let guard = guard_of(event, site.job, Some(site.step));
            if guard >= Guard::Trusted {
                continue;
            }
            let same_job = sites.iter().skip(index + 1).take_while(|later| match (later.job, site.job) {
                (Some(one), Some(other)) => std::ptr::eq(one, other),
                _ => false,
            });
            let used = same_job.clone().find_map(|later| use_of(later.step));
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

fn download(step: &Step) -> Option<Download> {
    match &step.kind {
        StepKind::Uses { uses, with } => {
            let input =
                |name: &str| with.iter().find(|(key, _)| key.value.eq_ignore_ascii_case(name)).map(|(_, value)| value);
            let is_apart = input("path").is_some_and(|path| {
                let path = path.raw().trim().trim_end_matches('/');
                !matches!(path, "" | "." | "./" | "${{ github.workspace }}")
            });
            let is_download = is_action(&uses.value, "dawidd6/action-download-artifact")
                || is_action(&uses.value, "actions/download-artifact") && input("run-id").is_some()
                || is_action(&uses.value, "actions/github-script")
                    && input("script").is_some_and(|script| script.raw().contains("downloadArtifact"));
            let is_script = is_action(&uses.value, "actions/github-script");
            is_download.then_some(Download { span: uses.span, is_apart: is_apart || is_script })
        }
        StepKind::Run { script, .. } => {
            let raw = script.raw();
            let at = raw.find("gh run download")?;
            let line = raw.get(at..)?.lines().next()?;
            let is_apart = line.contains("--dir") || line.contains(" -D ");
            Some(Download { span: script.scalar.span_of(at..at + line.len()), is_apart })
        }
        _ => None,
    }
}

/// What a later step does with the files.
fn use_of(step: &Step) -> Option<(Span, String)> {
    if let StepKind::Run { script, .. } = &step.kind
        && let Some(span) = reads_into_environment(script)
    {
        return Some((span, "reads them into the variables of later steps".to_owned()));
    }
    if let StepKind::Uses { uses, .. } = &step.kind
        && !matches!(uses.value, ActionRef::Local { .. })
    {
        return None;
    }
    let runs = runs_workspace(step)?;
    Some((runs.span, format!("`{}` runs beside them", lineclear_source::shortened(&runs.what, 40))))
}

fn reads_into_environment(script: &Text) -> Option<Span> {
    let mut offset = 0;
    for line in script.raw().split_inclusive('\n') {
        let writes = line.contains("GITHUB_ENV") || line.contains("GITHUB_PATH");
        if writes && (line.contains("cat ") || line.contains("$(<")) {
            return Some(script.scalar.span_of(offset..offset + line.trim_end().len()));
        }
        offset += line.len();
    }
    None
}
