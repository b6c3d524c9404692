//! `own-repository-by-name`: what is used is not what is in this commit.

use lineclear_source::Severity;

use super::reference::remotes;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/own-repository-by-name.md`.
#[derive(Debug)]
pub(super) struct OwnRepositoryByName;

static META: RuleMeta = RuleMeta {
    id: "own-repository-by-name",
    summary: "an action or workflow of this very repository is named by a branch of it",
    severity: Severity::Info,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("own-repository-by-name"),
};

impl Rule for OwnRepositoryByName {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let mut remotes = remotes(file).peekable();
        if remotes.peek().is_none() {
            return;
        }
        let Some(own) = file.project().files().own_name() else { return };
        for remote in remotes.filter(|remote| remote.repository().eq_ignore_ascii_case(&own)) {
            let path = remote.path.unwrap_or_default();
            let here = if remote.step.is_some() { format!("./{path}") } else { format!("$/{path}") };
            report
                .at(
                    remote.span,
                    format!(
                        "`{}` is in this repository: `@{}` takes it from another commit than this one",
                        remote.name(),
                        remote.reference
                    ),
                )
                .help(format!("write `{here}`: then a change is tested by the run that it comes with"));
        }
    }
}
