//! `superfluous-action`: an action that does what the runner can do itself.

use lineclear_source::Severity;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/superfluous-action.md`.
#[derive(Debug)]
pub(super) struct SuperfluousAction;

static META: RuleMeta = RuleMeta {
    id: "superfluous-action",
    summary: "an action that does what the runner can do itself",
    severity: Severity::Info,
    group: Group::Security,
    activity: Activity::Pedantic,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("superfluous-action"),
};

impl Rule for SuperfluousAction {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for site in file.uses() {
            if site.reference().is_none() {
                continue;
            }
            let Some(command) = lineclear_catalog::runner_command(&site.name) else { continue };
            let message = format!("`{}` does what {command} does, which is there on every runner", site.name);
            report.at(site.uses.span, message).help("a `run` step has no code of others in it");
        }
    }
}
