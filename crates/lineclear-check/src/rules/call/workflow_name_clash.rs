//! `workflow-name-clash`: two workflows of one name cannot be told apart where names are all there is.

use lineclear_source::Severity;

use crate::{Activity, Dialect, FileKind, Group, Repair, Report, Repository, RepositoryRule, RuleMeta, page};

/// Manual and tests: `docs/rules/workflow-name-clash.md`.
#[derive(Debug)]
pub(super) struct WorkflowNameClash;

static META: RuleMeta = RuleMeta {
    id: "workflow-name-clash",
    summary: "two workflows with the same name",
    severity: Severity::Info,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("workflow-name-clash"),
};

impl RepositoryRule for WorkflowNameClash {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, repository: &Repository<'_>, report: &mut Report<'_>) {
        for (at, workflow) in repository.workflows.iter().enumerate() {
            let Some(name) = &workflow.name else { continue };
            let folder = |path: &str| path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
            let of_same_name = |other: &&crate::SharedWorkflow| {
                other.name.as_ref().is_some_and(|other| other.value == name.value)
                    && folder(other.source.name()) == folder(workflow.source.name())
            };
            if let Some(first) = repository.workflows.iter().take(at).find(of_same_name) {
                let message = format!(
                    "`{}` is also the name of `{}`: checks, badges and `workflow_run` cannot tell them apart",
                    name.value,
                    first.source.name()
                );
                report.in_file(&workflow.source, name.span, message).help("give one of them another name");
            }
        }
    }
}
