//! `dependabot-without-actions`: actions are pinned to commits, and nothing updates them.

use lineclear_source::Severity;
use lineclear_workflow::{ActionRef, JobKind, StepKind, Workflow};

use super::update::updates;
use crate::rules::supply::reference::{Firmness, firmness};

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/dependabot-without-actions.md`.
#[derive(Debug)]
pub(super) struct DependabotWithoutActions;

static META: RuleMeta = RuleMeta {
    id: "dependabot-without-actions",
    summary: "actions are pinned to commits, and nothing updates them",
    severity: Severity::Info,
    group: Group::Security,
    activity: Activity::Default,
    dialects: &[Dialect::GitHub],
    files: &[FileKind::Dependabot],
    repair: Repair::None,
    since: "0.1",
    page: page!("dependabot-without-actions"),
};

impl Rule for DependabotWithoutActions {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let all = updates(file);
        if all.iter().any(|update| update.ecosystem().is_some_and(|(name, _)| name == "github-actions")) {
            return;
        }
        let Some(updates) = file.tree().and_then(|tree| tree.root.as_ref()?.get("updates")) else { return };
        let project = file.project();
        let list = project.list();
        let pinned = list.iter().find(|path| {
            let is_workflow = FileKind::of(path) == Some(FileKind::Workflow) && path.starts_with(".github/");
            is_workflow && project.workflow(path).found().is_some_and(|read| read.model.as_ref().is_some_and(pins))
        });
        if let Some(path) = pinned {
            report
                .at(
                    updates.span(),
                    format!("nothing updates the actions that `{path}` pins to commits: they stay as old as they are"),
                )
                .help("add an entry with `package-ecosystem: github-actions` and `directory: /`");
        }
    }
}

fn pins(workflow: &Workflow) -> bool {
    let steps = workflow.jobs.iter().filter_map(|job| match &job.kind {
        JobKind::Steps(steps) => Some(&steps.steps),
        JobKind::Call(_) => None,
    });
    steps.flatten().any(|step| {
        let StepKind::Uses { uses, .. } = &step.kind else { return false };
        matches!(&uses.value, ActionRef::Remote { reference, .. } if firmness(reference) == Firmness::Commit)
    })
}
