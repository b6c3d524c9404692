//! `secret-to-unpinned-action`: a secret is given to an action that somebody else can change.

use lineclear_source::Severity;
use lineclear_workflow::StepKind;

use super::owners::Trusted;
use super::reference::{Firmness, of_step};
use super::secret::uses;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/secret-to-unpinned-action.md`.
#[derive(Debug)]
pub(super) struct SecretToUnpinnedAction;

static META: RuleMeta = RuleMeta {
    id: "secret-to-unpinned-action",
    summary: "a secret is given to an action that somebody else can change",
    severity: Severity::Warning,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("secret-to-unpinned-action"),
};

impl Rule for SecretToUnpinnedAction {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let mut all = None;
        let trusted = Trusted::of(file);
        for &site in file.steps() {
            let Some(remote) = of_step(site) else { continue };
            let is_loose =
                !matches!(remote.firmness(), Firmness::Commit | Firmness::ShortCommit) && !remote.is_official();
            if !is_loose || !matches!(site.step.kind, StepKind::Uses { .. }) || trusted.has(remote.owner) {
                continue;
            }
            let secrets = all.get_or_insert_with(|| uses(file));
            let of_step = |span| site.step.span == span;
            let given = secrets.iter().find(|one| one.site.place.step.is_some_and(|step| of_step(step.span)));
            if let Some(given) = given {
                report
                    .at(
                        given.span,
                        format!(
                            "`{}` is given to `{}@{}`, and whoever can move that gets it",
                            given.name,
                            remote.name(),
                            remote.reference
                        ),
                    )
                    .label(remote.span, "not pinned to a commit")
                    .help("pin the action to a commit");
            }
        }
    }
}
