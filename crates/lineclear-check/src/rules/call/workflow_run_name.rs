//! `workflow-run-name`: `workflow_run` follows workflows by name, and a name that none has is never heard of.

use lineclear_source::Severity;
use lineclear_workflow::FilterPattern;

use super::repository_workflows::is_whole;
use crate::{Activity, Dialect, FileKind, Group, Repair, Report, Repository, RepositoryRule, RuleMeta, page};

/// Manual and tests: `docs/rules/workflow-run-name.md`.
#[derive(Debug)]
pub(super) struct WorkflowRunName;

static META: RuleMeta = RuleMeta {
    id: "workflow-run-name",
    summary: "`workflow_run` follows a workflow that is not there",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: &[Dialect::GitHub],
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("workflow-run-name"),
};

/// Workflows that GitHub runs without a file.
const WITHOUT_FILE: [&str; 8] = [
    "pages-build-deployment",
    "CodeQL",
    "CodeQL Setup",
    "Dependabot Updates",
    "Automatic Dependency Submission",
    "Copilot",
    "Copilot code review",
    "Copilot coding agent",
];

impl RepositoryRule for WorkflowRunName {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, repository: &Repository<'_>, report: &mut Report<'_>) {
        if !is_whole(repository) {
            return;
        }
        let names = || repository.workflows.iter().map(|workflow| workflow.display_name());
        for workflow in repository.workflows {
            let Some(trigger) = workflow.on.get("workflow_run") else { continue };
            for followed in &trigger.workflows {
                let pattern = followed.contains('*').then(|| FilterPattern::parse(followed).ok()).flatten();
                let is_there =
                    names().any(|name| name == followed.value || pattern.as_ref().is_some_and(|it| it.matches(name)));
                if is_there || WITHOUT_FILE.contains(&followed.as_str()) {
                    continue;
                }
                let by_file = repository
                    .workflows
                    .iter()
                    .find(|other| other.source.name().rsplit('/').next().is_some_and(|file| file == followed.value));
                let near =
                    by_file.map(|other| other.display_name()).or_else(|| lineclear_source::suggest(followed, names()));
                let message = match near {
                    Some(near) => format!("no workflow is called `{}`; did you mean `{near}`?", followed.value),
                    None => format!("no workflow is called `{}`: this never starts for it", followed.value),
                };
                report
                    .in_file(&workflow.source, followed.span, message)
                    .help("the names are those of the workflows' `name`, or the path of the file where there is none");
            }
        }
    }
}
