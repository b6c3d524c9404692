//! `dangerous-trigger`: anyone's pull request starts a run with secrets and a token that may write.

use lineclear_source::Severity;
use lineclear_workflow::{ActionRef, Job, JobKind, Permissions, StepKind, Trigger, Workflow};

use super::trust::{Guard, guard_of, is_privileged, is_read_only};
use crate::uses::is_of_repository;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/dangerous-trigger.md`.
#[derive(Debug)]
pub(super) struct DangerousTrigger;

static META: RuleMeta = RuleMeta {
    id: "dangerous-trigger",
    summary: "anyone's pull request starts a run with secrets and a token that may write",
    severity: Severity::Warning,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("dangerous-trigger"),
};

/// Actions that are made for these triggers and touch nothing of the pull request but its labels and comments.
const HARMLESS: &[&str] =
    &["actions/labeler", "actions/first-interaction", "actions/add-to-project", "amannn/action-semantic-pull-request"];

impl Rule for DangerousTrigger {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        for trigger in &workflow.on.events {
            let event = trigger.event.value.as_str();
            if !matches!(event, "pull_request_target" | "workflow_run") || is_only_after_writers(file, trigger) {
                continue;
            }
            let open = workflow.jobs.iter().filter(|job| !is_harmless(workflow, job));
            let guards = open.map(|job| {
                let guard = guard_of(event, Some(job), None);
                // Where no code and no files are fetched, little can be run by mistake.
                if has_files(job) { guard } else { guard.max(Guard::Asked) }
            });
            let Some(guard) = guards.min() else { continue };
            if guard >= Guard::Trusted {
                continue;
            }
            let message = match event {
                "pull_request_target" => {
                    "`pull_request_target` runs for anyone's pull request with the repository's secrets and token"
                }
                _ => "`workflow_run` runs after anyone's pull request with the repository's secrets and token",
            };
            let finding = report.at(trigger.event.span, message);
            finding.help(match event {
                "pull_request_target" => {
                    "use `pull_request`; if the run has to comment or label, check out and run nothing of the pull request here"
                }
                _ => "treat artifacts, branch names and commits of the other run as an outsider's, and run nothing of them",
            });
            if guard == Guard::Asked {
                finding.severity(Severity::Info);
            }
        }
    }
}

/// Whether a job has no rights to lose, or runs only actions made for it.
fn is_harmless(workflow: &Workflow, job: &Job) -> bool {
    let JobKind::Steps(steps) = &job.kind else { return false };
    let permissions = job.permissions.as_ref().or(workflow.permissions.as_ref());
    let has_none = matches!(permissions, Some(Permissions::Scopes(scopes)) if scopes.value.is_empty());
    let is_made_for_it = steps.steps.iter().all(|step| match &step.kind {
        StepKind::Uses { uses, .. } => HARMLESS.iter().any(|slug| is_of_repository(&uses.value, slug)),
        _ => false,
    });
    is_made_for_it || has_none && !names_secrets(steps)
}

/// Whether a job has files that an outsider may have made, or could easily have them: from a checkout or an artifact.
fn has_files(job: &Job) -> bool {
    let JobKind::Steps(steps) = &job.kind else { return false };
    steps.steps.iter().any(|step| match &step.kind {
        StepKind::Uses { uses, with } => match &uses.value {
            ActionRef::Local { .. } => true,
            ActionRef::Remote { repo, .. } => {
                let repo = repo.to_ascii_lowercase();
                repo.contains("checkout")
                    || repo.contains("artifact")
                    || with.iter().any(|(_, value)| value.raw().contains("downloadArtifact"))
            }
            _ => false,
        },
        StepKind::Run { script, .. } => {
            let raw = script.raw();
            raw.contains("git ")
                || raw.contains("gh pr checkout")
                || raw.contains("gh repo clone")
                || raw.contains("gh run download")
        }
        _ => false,
    })
}

fn names_secrets(steps: &lineclear_workflow::StepsJob) -> bool {
    let env = |env: Option<&lineclear_workflow::Env>| match env {
        Some(lineclear_workflow::Env::Names(names)) => names.iter().any(|(_, value)| value.raw().contains("secrets")),
        Some(lineclear_workflow::Env::Expression(_)) => true,
        None => false,
    };
    env(steps.env.as_ref())
        || steps.steps.iter().any(|step| {
            env(step.env.as_ref())
                || match &step.kind {
                    StepKind::Run { script, .. } => script.raw().contains("secrets"),
                    StepKind::Uses { with, .. } => with.iter().any(|(_, value)| value.raw().contains("secrets")),
                    _ => false,
                }
        })
}

/// Whether the workflows that `workflow_run` waits for are all known, and none of them runs for outsiders.
fn is_only_after_writers(file: &File<'_>, trigger: &Trigger) -> bool {
    if trigger.workflows.is_empty() {
        return false;
    }
    let project = file.project();
    let paths = project.list();
    let others = paths.iter().filter(|path| FileKind::of(path) == Some(FileKind::Workflow));
    let known: Vec<_> = others.filter_map(|path| project.workflow(path).found()).collect();
    trigger.workflows.iter().all(|name| {
        let mut named =
            known.iter().filter_map(|read| read.model.as_ref()).filter(|other| other.display_name() == name.value);
        named.next().is_some_and(|other| {
            !other
                .on
                .events
                .iter()
                .any(|trigger| is_privileged(&trigger.event.value) || is_read_only(&trigger.event.value))
        })
    })
}
