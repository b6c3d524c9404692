//! `action-missing`: there is no such action in the repository.

use lineclear_source::Severity;
use lineclear_workflow::ActionRef;

use super::workspace::{is_called, is_made_before};
use crate::{Activity, Dialect, File, FileKind, Group, Lookup, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/action-missing.md`.
#[derive(Debug)]
pub(super) struct ActionMissing;

static META: RuleMeta = RuleMeta {
    id: "action-missing",
    summary: "an action of this repository that is not there",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("action-missing"),
};

impl Rule for ActionMissing {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for site in file.uses() {
            let (path, is_workspace) = match &site.uses.value {
                ActionRef::Local { path } => (path, true),
                ActionRef::SameRepository { path } => (path, false),
                ActionRef::Remote { .. } | ActionRef::Docker { .. } => continue,
            };
            let folder = path.trim_matches('/');
            if folder.contains("${{") || folder.split('/').any(|part| part == "..") {
                continue;
            }
            // The workspace of a called workflow or of an action is another repository's.
            if is_workspace && (site.site.job.is_none() || is_called(file) || is_made_before(file, site, folder)) {
                continue;
            }
            let project = file.project();
            let docker = if folder.is_empty() { "Dockerfile".to_owned() } else { format!("{folder}/Dockerfile") };
            if !matches!(project.action(folder), Lookup::Missing) || project.exists(&docker) {
                continue;
            }
            // Workflows on their own say nothing of the repository that they are from.
            if project.list().iter().all(|path| FileKind::of(path) == Some(FileKind::Workflow)) {
                return;
            }
            let message = if folder.is_empty() {
                "there is no `action.yml` in the repository's root".to_owned()
            } else {
                format!("there is no `action.yml` in `{folder}`")
            };
            let finding = report.at(site.uses.span, message);
            if folder.ends_with("action.yml") || folder.ends_with("action.yaml") {
                finding.help("name the folder of the action, not its file");
            } else if project.exists(folder) {
                finding.help("the folder is there, without `action.yml` and `action.yaml`");
            }
        }
    }
}
